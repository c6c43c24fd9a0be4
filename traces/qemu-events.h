/* SPDX-License-Identifier: MIT */
/*
 * QEMU's trace events that tell of coroutines, requests and loops, as the log
 * backend writes them and as the simple backend does.
 *
 * X(ID, name, arguments): what the log backend writes before each value, in the
 * order of the declaration; "*" stands before those that are strings.  An event
 * that has changed between versions has a row for each form, the newer first.
 */
#ifndef TRACES_QEMU_EVENTS_H
#define TRACES_QEMU_EVENTS_H

#include "import.h"

#define QEMU_EVENTS(X)                                                        \
    X(CO_ENTER, "qemu_aio_coroutine_enter", "ctx from to opaque")             \
    X(CO_YIELD, "qemu_coroutine_yield", "from to")                            \
    X(CO_END, "qemu_coroutine_terminate", "self")                             \
    X(CO_SCHEDULE, "aio_co_schedule", "ctx co")                               \
    X(CO_SCHEDULED, "aio_co_schedule_bh_cb", "ctx co")                        \
    X(CO_LOCK, "qemu_co_mutex_lock_uncontended", "mutex self")                \
    X(CO_LOCK_WAIT, "qemu_co_mutex_lock_entry", "mutex self")                 \
    X(CO_LOCK_DONE, "qemu_co_mutex_lock_return", "mutex self")                \
    X(CO_UNLOCK, "qemu_co_mutex_unlock_entry", "mutex self")                  \
    X(CO_UNLOCKED, "qemu_co_mutex_unlock_return", "mutex self")               \
    X(BUSY_BEGIN, "run_poll_handlers_begin", "ctx max_ns timeout")            \
    X(BUSY_END, "run_poll_handlers_end", "ctx progress")                      \
    X(BUSY_END, "run_poll_handlers_end", "ctx progress new_timeout")          \
    X(POLL_NS, "poll_shrink", "ctx old new")                                  \
    X(POLL_NS, "poll_grow", "ctx old new")                                    \
    X(POLL_ADD, "poll_add", "ctx node fd revents")                            \
    X(POLL_REMOVE, "poll_remove", "ctx node fd")                              \
    X(POOL_SUBMIT, "thread_pool_submit", "pool req opaque")                   \
    X(POOL_SUBMIT, "thread_pool_submit_aio", "pool req opaque")               \
    X(POOL_DONE, "thread_pool_complete", "pool req opaque ret")               \
    X(POOL_DONE, "thread_pool_complete_aio", "pool req opaque ret")           \
    X(POOL_CANCEL, "thread_pool_cancel", "req opaque")                        \
    X(POOL_CANCEL, "thread_pool_cancel_aio", "req opaque")                    \
    X(URING_SUBMIT, "luring_co_submit", "bs req fd offset nbytes type")       \
    X(URING_SUBMIT, "luring_co_submit",                                       \
      "bs luringcb fd offset nbytes type")                                    \
    X(URING_SUBMIT, "luring_co_submit",                                       \
      "bs s luringcb fd offset nbytes type")                                  \
    X(URING_DONE, "luring_cqe_handler", "req ret")                            \
    X(URING_DONE, "luring_process_completion", "LuringState luringcb ret")    \
    X(PAIO_SUBMIT, "file_paio_submit", "acb opaque offset count type")        \
    X(BLK_READ, "blk_co_preadv", "blk bs offset bytes flags")                 \
    X(BLK_WRITE, "blk_co_pwritev", "blk bs offset bytes flags")               \
    X(BDRV_READ, "bdrv_co_preadv_part", "bs offset bytes flags")              \
    X(BDRV_WRITE, "bdrv_co_pwritev_part", "bs offset bytes flags")            \
    X(BDRV_ZEROES, "bdrv_co_pwrite_zeroes", "bs offset bytes flags")          \
    X(OPEN, "bdrv_open_common", "bs *filename flags *format_name")            \
    X(ATTACH, "blk_root_attach", "child blk bs")                              \
    X(VIRTIO_READ, "virtio_blk_handle_read", "vdev req sector nsectors")      \
    X(VIRTIO_WRITE, "virtio_blk_handle_write", "vdev req sector nsectors")    \
    X(VIRTIO_DONE, "virtio_blk_req_complete", "vdev req status")              \
    X(JOB_STATE, "job_state_transition", "job ret *legal *s0 *s1")

typedef enum QemuEventId {
    QEMU_CO_ENTER, QEMU_CO_YIELD, QEMU_CO_END, QEMU_CO_SCHEDULE,
    QEMU_CO_SCHEDULED, QEMU_CO_LOCK, QEMU_CO_LOCK_WAIT, QEMU_CO_LOCK_DONE,
    QEMU_CO_UNLOCK, QEMU_CO_UNLOCKED, QEMU_BUSY_BEGIN, QEMU_BUSY_END,
    QEMU_POLL_NS, QEMU_POLL_ADD, QEMU_POLL_REMOVE, QEMU_POOL_SUBMIT,
    QEMU_POOL_DONE, QEMU_POOL_CANCEL, QEMU_URING_SUBMIT, QEMU_URING_DONE,
    QEMU_PAIO_SUBMIT, QEMU_BLK_READ, QEMU_BLK_WRITE, QEMU_BDRV_READ,
    QEMU_BDRV_WRITE, QEMU_BDRV_ZEROES, QEMU_OPEN, QEMU_ATTACH,
    QEMU_VIRTIO_READ, QEMU_VIRTIO_WRITE, QEMU_VIRTIO_DONE, QEMU_JOB_STATE,
    QEMU_OTHER, /* one that tells nothing of these */
} QemuEventId;

enum { QEMU_ARGS = 8 };

/* A row of the table. */
typedef struct QemuEventForm {
    QemuEventId id;
    const char *name;
    unsigned n;              /* arguments */
    struct {
        Word name;
        uint64_t key, mask;  /* its first eight characters */
        bool is_string;
    } args[QEMU_ARGS];
} QemuEventForm;

typedef struct QemuEvent {
    QemuEventId id;
    const char *name;        /* static; NULL for QEMU_OTHER */
    const QemuEventForm *form; /* that it has; or NULL */
    int64_t time_ns;
    bool time_synth;         /* it has none: the order of the lines */
    int64_t tid;             /* or -1 */
    uint64_t args[QEMU_ARGS]; /* of strings: 0 */
    Word strings[QEMU_ARGS];
    unsigned n;
} QemuEvent;

/* No two arguments of a form have the same; known when it is compiled. */
static inline uint64_t qemu_event_key(const char *name)
{
    uint64_t key = 0;

    memcpy(&key, name, MIN(strlen(name), sizeof(key)));
    return key;
}

/* Which argument it is, or -1. */
static inline int qemu_event_find(const QemuEvent *event, uint64_t key)
{
    for (unsigned i = 0; event->form && i < event->form->n; i++) {
        if (event->form->args[i].key == key) {
            return i;
        }
    }
    return -1;
}

/* The argument called so; 0 if this form of the event has none. */
static inline uint64_t qemu_event_arg(const QemuEvent *event, const char *name)
{
    int i = qemu_event_find(event, qemu_event_key(name));

    return i >= 0 ? event->args[i] : 0;
}

static inline Word qemu_event_string(const QemuEvent *event, const char *name)
{
    int i = qemu_event_find(event, qemu_event_key(name));

    return i >= 0 ? event->strings[i] : (Word){"", 0};
}

/*
 * Forms of events called @name, one after the other; *n is how many there are.
 */
const QemuEventForm *qemu_event_forms(Word name, unsigned *n);
/* An event of that form, with values yet to be set; who and when stay. */
void qemu_event_begin(QemuEvent *event, const QemuEventForm *form);

/*
 * Reads "NAME KEY VALUE..." behind the time; false if the line is not of an
 * event that QEMU could write.  Others than those above are QEMU_OTHER.  Who
 * and when stay as they are.
 */
bool qemu_event_scan(Scan scan, QemuEvent *event);

#endif
