/* SPDX-License-Identifier: MIT */
/*
 * AioContext: QEMU's event loop.
 *
 * One context watches file descriptors, runs bottom halves and timers, and
 * carries I/O.  One thread at a time polls it: its home thread.  Signatures
 * and semantics follow QEMU v11.1 (include/qemu/aio.h).
 */
#ifndef QEMU_AIO_H
#define QEMU_AIO_H

#include "qemu/aiocb.h"
#include "qemu/coroutine-core.h"
#include "qemu/event_notifier.h"
#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

#include <liburing.h>

/* ---- Its inside ---- */

/*
 * A context is a GSource, so it can be a part of any GLib main loop.  The
 * fields are here because QEMU's are; code outside the event loop reads them
 * at most.  Who may touch what:
 *
 *   home thread only   depth, cqes, bh_slice_list, poll_*, and the monitor's wait
 *   under list_lock    aio_handlers, handlers_by_fd, deleted_aio_handlers
 *   any thread         bh_list, scheduled_coroutines, notified (atomically);
 *                      notify_me is written by the home thread only
 */
typedef struct FDMonOps FDMonOps;
typedef QLIST_HEAD(, AioHandler) AioHandlerList;
typedef QSIMPLEQ_HEAD(, CqeHandler) CqeHandlerSimpleQ;

typedef QSLIST_HEAD(BHList, QEMUBH) BHList;
typedef QSLIST_HEAD(CoroutineList, Coroutine) CoroutineList;
typedef struct BHListSlice BHListSlice;

struct AioContext {
    GSource source;
    uint64_t id; /* the object's, see eventloop/host.h */
    char *name;
    unsigned refs; /* all of ours are one of the source's */

    const FDMonOps *fdmon_ops; /* which monitor it has; see util/aio-posix.h */
    struct HostMonitor *monitor;
    GPollFD monitor_pfd;       /* the monitor, as GLib sees it; fd -1: not */
    bool gsource_polls_handlers;
    AioHandlerList gsource_ready; /* found by prepare, for dispatch */
    bool gsource_was_ready; /* in its last prepare, so there was no check */

    QemuRecMutex lock; /* aiolab/legacy.h: the AioContext lock of old */
    int external_disable_cnt; /* the same: external handlers are not served */

    QemuMutex list_lock;
    AioHandlerList aio_handlers;
    GHashTable *handlers_by_fd;
    QSLIST_HEAD(, AioHandler) deleted_aio_handlers;

    unsigned depth;         /* how many aio_poll() are on the stack */
    CqeHandlerSimpleQ cqes; /* taken from the ring, not dispatched yet */

    /*
     * Who may be about to sleep: bit 0 is a GLib main loop between prepare and
     * check, the rest counts aio_poll() (times 2).  aio_notify() writes the
     * eventfd only if it is not zero.
     */
    uint32_t notify_me;
    bool notified;
    /* Beside them, for one cache line has then all that other threads write. */
    BHList bh_list;
    CoroutineList scheduled_coroutines;
    EventNotifier notifier;

    QSIMPLEQ_HEAD(, BHListSlice) bh_slice_list;
    QEMUBH *co_schedule_bh;

    int thread_pool_min;
    int thread_pool_max;
    struct ThreadPoolAio *thread_pool; /* made on first use */
    struct LinuxAioState *linux_aio;   /* made on first use */
    void (*linux_aio_cleanup)(AioContext *ctx); /* set with it, by block/ */

    QEMUTimerListGroup tlg;

    /* Adaptive polling, see eventloop/aio-adaptive.c. */
    int poll_disable_cnt; /* handlers that cannot be polled */
    int64_t poll_ns;      /* how long the next turn polls before it sleeps */
    int64_t poll_max_ns;  /* 0: never */
    int64_t poll_grow;
    int64_t poll_shrink;
    int64_t poll_weight;
    bool poll_started;    /* io_poll_begin was called */
    bool poll_idle;       /* some handler's is set */
    AioHandlerList poll_aio_handlers;

    int64_t aio_max_batch; /* requests an I/O engine submits at once; 0: its own */
    bool initialized;
};

/* ---- Life of a context ---- */

/* NULL and *errp set if the host lacks what a context needs. */
AioContext *aio_context_new(Error **errp);
void aio_context_ref(AioContext *ctx);
/* The last reference frees it; a bottom half left over is a bug and aborts. */
void aio_context_unref(AioContext *ctx);

/*
 * The context as a source for a GMainContext; the caller gets a reference.
 * Then g_main_loop_run() and g_main_context_iteration() run it as aio_poll()
 * does, timers to the nanosecond included.
 */
GSource *aio_get_g_source(AioContext *ctx);

/*
 * The context that the calling thread polls, or NULL.  A thread that holds the
 * BQL acts for the main thread and gets the main context; iohandler_ctx is
 * never returned, not even to its own handlers.
 */
AioContext *qemu_get_current_aio_context(void);
void qemu_set_current_aio_context(AioContext *ctx);
bool in_aio_context_home_thread(AioContext *ctx);

/* ---- The loop ---- */

/*
 * Runs what is ready; if nothing is and @blocking, waits for it.
 * Returns true if a bottom half, a handler or a timer ran.  A blocking call
 * may return false, because aio_notify() woke it.  Home thread only.
 */
bool no_coroutine_fn aio_poll(AioContext *ctx, bool blocking);

/* What the GSource is made of; any GLib-like loop could use them. */
bool aio_prepare(AioContext *ctx);
bool aio_pending(AioContext *ctx);
void aio_dispatch(AioContext *ctx);

/*
 * Makes the loop look again at what it waits for; any thread.  Everything in
 * this header that changes that calls it, so only changes of your own need it.
 */
void aio_notify(AioContext *ctx);
void aio_notify_accept(AioContext *ctx);
/* Nanoseconds that aio_poll() may wait: 0 with work to do, -1 for ever. */
int64_t aio_compute_timeout(AioContext *ctx);

/* ---- File descriptors ---- */

/*
 * Watches @fd.  All callbacks NULL stops watching.  Any thread; a callback
 * may change or remove any handler, its own included.
 */
void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                        IOHandler *io_write, AioPollFn *io_poll,
                        IOHandler *io_poll_ready, void *opaque);
void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                            EventNotifierHandler *io_read, AioPollFn *io_poll,
                            EventNotifierHandler *io_poll_ready);
/*
 * Called when polling replaces waiting for this notifier, and when it does no
 * longer.  The notifier must be watched already; otherwise nothing happens.
 * Removing it while it is polled drops the call of @io_poll_end.
 */
void aio_set_event_notifier_poll(AioContext *ctx, EventNotifier *notifier,
                                 EventNotifierHandler *io_poll_begin,
                                 EventNotifierHandler *io_poll_end);

/* ---- Settings ---- */

/*
 * Adaptive polling: before it sleeps, the loop calls io_poll callbacks for at
 * most @max_ns nanoseconds (0: never).  @grow and @shrink are the factors by
 * which that time adapts to what a wait takes, @weight (0 to 63) the shift of
 * the moving average of each handler; 0 stands for their defaults 2, 2 and 3.
 * Home thread, or before there is one.
 */
void aio_context_set_poll_params(AioContext *ctx, int64_t max_ns,
                                 int64_t grow, int64_t shrink, int64_t weight,
                                 Error **errp);
/* At most that many requests in one submission; 0: the engine's own limit. */
void aio_context_set_aio_params(AioContext *ctx, int64_t max_batch);
/*
 * How many threads the pool keeps, and how many it may have.  Home thread, or
 * before there is a pool; *errp if @max is not above 0 or is below @min.
 */
void aio_context_set_thread_pool_params(AioContext *ctx, int64_t min,
                                        int64_t max, Error **errp);
/* True if some handler can only be waited for. */
bool aio_poll_disabled(AioContext *ctx);

/* ---- I/O on the context's ring (QEMU 10.2, commit 1eebdab3c3) ---- */

/*
 * A completion.  It stays with its owner until @cb has been called; @cqe then
 * holds the result.
 */
struct CqeHandler {
    void (*cb)(CqeHandler *handler);
    QSIMPLEQ_ENTRY(CqeHandler) next;
    struct io_uring_cqe cqe; /* user_data is the host's: the request's id */
};

/*
 * True if the current context's monitor is io_uring, or imitates it.  Without
 * one, threads perform reads, writes and flushes; other requests fail with
 * -EOPNOTSUPP.
 */
bool aio_has_io_uring(void);
/*
 * Queues one request on the ring of the *current* context.  @prep_sqe fills
 * in the request, except for its user data; what it points to must live until
 * @cqe_handler is called.
 */
void aio_add_sqe(void (*prep_sqe)(struct io_uring_sqe *sqe, void *opaque),
                 void *opaque, CqeHandler *cqe_handler);

/* ---- Bottom halves ---- */

#define aio_bh_new(ctx, cb, opaque) \
    aio_bh_new_full((ctx), (cb), (opaque), (#cb), NULL)
/* @guard is marked while @cb runs; see qemu/mem-reentrancy.h. */
#define aio_bh_new_guarded(ctx, cb, opaque, guard) \
    aio_bh_new_full((ctx), (cb), (opaque), (#cb), (guard))
QEMUBH *aio_bh_new_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                        const char *name, MemReentrancyGuard *guard);

/* Runs @cb once, in the next turn of @ctx, then forgets it. */
#define aio_bh_schedule_oneshot(ctx, cb, opaque) \
    aio_bh_schedule_oneshot_full((ctx), (cb), (opaque), (#cb))
void aio_bh_schedule_oneshot_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                                  const char *name);

/* Any thread.  Scheduling twice before it runs is scheduling once. */
void qemu_bh_schedule(QEMUBH *bh);
/* Does not count as progress, and lets the loop sleep up to 10 ms. */
void qemu_bh_schedule_idle(QEMUBH *bh);
void qemu_bh_cancel(QEMUBH *bh);
/* Freed by the loop, later; the callback does not run any more. */
void qemu_bh_delete(QEMUBH *bh);

void aio_bh_call(QEMUBH *bh);
/* Runs what was scheduled before the call; returns 1 if a BH made progress. */
int aio_bh_poll(AioContext *ctx);

/* ---- Coroutines ---- */

/* Enters @co in @ctx from a bottom half; any thread. */
void aio_co_schedule(AioContext *ctx, Coroutine *co);
/* Continues @co in the context in which it yielded; any thread. */
void aio_co_wake(Coroutine *co);
/* Now, when the running coroutine yields, or by a BH of @ctx. */
void aio_co_enter(AioContext *ctx, Coroutine *co);
/* Moves the running coroutine to @new_ctx. */
void coroutine_fn aio_co_reschedule_self(AioContext *new_ctx);

/* ---- Timers ---- */

/* Timers whose callbacks run in the home thread of @ctx. */
static inline void aio_timer_init_with_attrs(AioContext *ctx, QEMUTimer *ts,
                                             QEMUClockType type, int scale,
                                             int attributes, QEMUTimerCB *cb,
                                             void *opaque)
{
    timer_init_full(ts, &ctx->tlg, type, scale, attributes, cb, opaque);
}
static inline void aio_timer_init(AioContext *ctx, QEMUTimer *ts,
                                  QEMUClockType type, int scale,
                                  QEMUTimerCB *cb, void *opaque)
{
    timer_init_full(ts, &ctx->tlg, type, scale, 0, cb, opaque);
}
static inline QEMUTimer *aio_timer_new_with_attrs(AioContext *ctx,
                                                  QEMUClockType type, int scale,
                                                  int attributes,
                                                  QEMUTimerCB *cb, void *opaque)
{
    return timer_new_full(&ctx->tlg, type, scale, attributes, cb, opaque);
}
static inline QEMUTimer *aio_timer_new(AioContext *ctx, QEMUClockType type,
                                       int scale, QEMUTimerCB *cb, void *opaque)
{
    return timer_new_full(&ctx->tlg, type, scale, 0, cb, opaque);
}

/* ---- What a context carries ---- */

/* Its thread pool, made by the first call; see block/thread-pool.h. */
struct ThreadPoolAio *aio_get_thread_pool(AioContext *ctx);

/*
 * Its linux-aio queue: made by the first call, or NULL and *errp.  Home
 * thread.  The second form is for who knows that there is one.
 */
struct LinuxAioState *aio_setup_linux_aio(AioContext *ctx, Error **errp);
struct LinuxAioState *aio_get_linux_aio(AioContext *ctx);

/* ---- Ours ---- */

/* The name in reports and on the screen ("main", "iothread0"). */
void aio_context_set_name(AioContext *ctx, const char *name);
const char *aio_context_get_name(AioContext *ctx);

#endif
