/* SPDX-License-Identifier: MIT */
/*
 * The main thread's loop and the big QEMU lock, after QEMU's qemu/main-loop.h.
 *
 * The main thread has two contexts, both part of GLib's default main context:
 * qemu_get_aio_context(), which nested polls run too, and
 * iohandler_get_aio_context(), which they do not.
 */
#ifndef QEMU_MAIN_LOOP_H
#define QEMU_MAIN_LOOP_H

#include "qemu/aio.h"
#include "qemu/mem-reentrancy.h"
#include "qemu/notify.h"

/* The signal by which vCPU threads are told to look up. */
#define SIG_IPI SIGUSR1

/* Makes the main context and the calling thread its home.  0 or -errno. */
int qemu_init_main_loop(Error **errp);
/* Ours: undoes it, so that tests can start again. */
void qemu_finish_main_loop(void);

/*
 * One iteration: both contexts, GLib's other sources, and timers without a
 * context.  Waits for something to happen unless @nonblocking.  Main thread;
 * if it holds the BQL, gives it up while waiting.
 */
void main_loop_wait(int nonblocking);
/* Schedules an empty bottom half: main_loop_wait() looks again; any thread. */
void qemu_notify_event(void);

AioContext *qemu_get_aio_context(void);
AioContext *iohandler_get_aio_context(void);
/* The caller gets a reference. */
GSource *iohandler_get_g_source(void);

/* In iohandler_ctx: not called from a nested aio_poll().  Any thread. */
void qemu_set_fd_handler(int fd, IOHandler *fd_read, IOHandler *fd_write,
                         void *opaque);
void event_notifier_set_handler(EventNotifier *e,
                                EventNotifierHandler *handler);

#define qemu_bh_new(cb, opaque) \
    qemu_bh_new_full((cb), (opaque), (#cb), NULL)
#define qemu_bh_new_guarded(cb, opaque, guard) \
    qemu_bh_new_full((cb), (opaque), (#cb), (guard))
QEMUBH *qemu_bh_new_full(QEMUBHFunc *cb, void *opaque, const char *name,
                         MemReentrancyGuard *guard);

/* ---- Whose thread is this? ---- */

/* True in the main thread, and in a thread that holds the BQL. */
bool qemu_in_main_thread(void);

#define GLOBAL_STATE_CODE() assert(qemu_in_main_thread())
#define IO_CODE() do { } while (0)
#define IO_OR_GS_CODE() do { } while (0)

/*
 * The big QEMU lock.  It is not recursive.  A program that never takes it is
 * as if it had none.
 */
bool bql_locked(void);
#define bql_lock() bql_lock_at(LOCK_SITE_("bql"))
void bql_lock_at(const LockSite *at);
void bql_lock_impl(const char *file, int line);
void bql_unlock(void);
/* While anybody has forbidden it, giving the BQL up aborts.  With the BQL. */
void bql_block_unlock(bool increase);

/* Waits for @cond and gives the BQL up meanwhile. */
void qemu_cond_wait_bql(QemuCond *cond);
void qemu_cond_timedwait_bql(QemuCond *cond, int ms);

typedef struct BQLLockAuto {
    bool taken;
} BQLLockAuto;

static inline BQLLockAuto bql_auto_lock(const char *file, int line)
{
    BQLLockAuto guard = {.taken = !bql_locked()};

    if (guard.taken) {
        bql_lock_impl(file, line);
    }
    return guard;
}

static inline BQLLockAuto bql_auto_lock_at(const LockSite *at)
{
    BQLLockAuto guard = {.taken = !bql_locked()};

    if (guard.taken) {
        bql_lock_at(at);
    }
    return guard;
}

static inline void bql_auto_unlock(BQLLockAuto *guard)
{
    if (guard->taken) {
        bql_unlock();
    }
}

/* Holds the BQL to the end of the scope; fine if the caller has it already. */
#define BQL_LOCK_GUARD()                                                  \
    __attribute__((cleanup(bql_auto_unlock), unused))                     \
        BQLLockAuto bql_guard_ = bql_auto_lock_at(LOCK_SITE_("bql"))

/* ---- Taking part in the main loop's poll ---- */

enum {
    MAIN_LOOP_POLL_FILL, /* before: add to pollfds, lower timeout */
    MAIN_LOOP_POLL_ERR,  /* after a poll that failed */
    MAIN_LOOP_POLL_OK,   /* after: look at revents */
};

typedef struct MainLoopPoll {
    int state;
    uint32_t timeout; /* milliseconds; UINT32_MAX: for ever */
    GArray *pollfds;  /* of GPollFD */
} MainLoopPoll;

/* @notify gets a MainLoopPoll. */
void main_loop_poll_add_notifier(Notifier *notify);
void main_loop_poll_remove_notifier(Notifier *notify);

typedef void IOReadHandler(void *opaque, const uint8_t *buf, int size);
typedef int IOCanReadHandler(void *opaque);

#endif
