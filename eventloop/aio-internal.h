/* SPDX-License-Identifier: MIT */
/*
 * The inside of an AioContext, shared by the files of this room (QEMU keeps it
 * in include/qemu/aio.h and util/aio-posix.h).
 *
 * Who may touch what:
 *   home thread only   depth, ready, cqes, bh_slices, and the monitor's wait
 *   under list_lock    handlers, deleted
 *   any thread         bh_list, scheduled_coroutines, notified (atomically);
 *                      notify_me is written by the home thread only
 */
#ifndef EVENTLOOP_AIO_INTERNAL_H
#define EVENTLOOP_AIO_INTERNAL_H

#include "host.h"

enum {
    BH_PENDING = 1 << 0,   /* is on a list */
    BH_SCHEDULED = 1 << 1, /* call it */
    BH_DELETED = 1 << 2,   /* free it without calling */
    BH_ONESHOT = 1 << 3,   /* free it after calling */
    BH_IDLE = 1 << 4,      /* is no progress, and may wait 10 ms */
};

struct QEMUBH {
    AioContext *ctx;
    const char *name;
    QEMUBHFunc *cb;
    void *opaque;
    QSLIST_ENTRY(QEMUBH) next;
    unsigned flags;
    uint64_t id;
};

/* The bottom halves that one aio_bh_poll() took; lives on its stack. */
typedef struct BHListSlice {
    QEMUBHList bh_list;
    QSIMPLEQ_ENTRY(BHListSlice) next;
} BHListSlice;

struct AioHandler {
    AioContext *ctx;
    HostWatch *watch;
    int fd;
    IOHandler *io_read;
    IOHandler *io_write;
    AioPollFn *io_poll;
    IOHandler *io_poll_ready;
    void *opaque;
    short revents;
    bool deleted;
    uint64_t id;
    QLIST_ENTRY(AioHandler) node;
    QLIST_ENTRY(AioHandler) node_ready;
    QSLIST_ENTRY(AioHandler) node_deleted;
};

typedef QLIST_HEAD(AioHandlerList, AioHandler) AioHandlerList;

struct AioContext {
    uint64_t id;
    char *name;
    unsigned refcount;
    HostMonitor *monitor;

    QemuMutex list_lock;
    AioHandlerList handlers;
    QSLIST_HEAD(, AioHandler) deleted;

    unsigned depth;         /* how many aio_poll() are on the stack */
    CqeHandlerSimpleQ cqes; /* taken from the ring, not dispatched yet */

    /*
     * How many aio_poll() may be about to sleep (times 2).  aio_notify()
     * writes the eventfd only if it is not zero.
     */
    uint32_t notify_me;
    bool notified;
    EventNotifier notifier;

    QEMUBHList bh_list;
    QSIMPLEQ_HEAD(, BHListSlice) bh_slices;

    struct {
        Coroutine *slh_first;
    } scheduled_coroutines;
    QEMUBH *co_schedule_bh;

    QEMUTimerListGroup tlg;
};

static inline uint64_t aio_context_id(AioContext *ctx)
{
    return ctx ? ctx->id : 0;
}

/* timer.c: what the probes call the list's owner. */
void timerlistgroup_set_owner(QEMUTimerListGroup *tlg, uint64_t ctx);
/* aio-handler.c */
void aio_free_deleted_handlers(AioContext *ctx);
bool aio_dispatch_handlers(AioHandlerList *ready);

#endif
