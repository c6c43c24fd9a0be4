/* SPDX-License-Identifier: MIT */
/*
 * aio_poll(): one turn of the loop.
 *
 * Models util/aio-posix.c, in its order:
 *
 *   1 how long may we wait?        bottom halves and timers say
 *     (look instead of waiting?    aio-adaptive.c)
 *   2 announce that we may sleep   notify_me, see async.c
 *   3 submit and wait              one call of the host
 *   4 completions                  in the order of the ring
 *   5 bottom halves
 *   6 ready descriptors
 *   7 timers
 *
 * Any callback may call aio_poll() again.  Then the inner turn goes on with
 * the outer one's completions and bottom halves, which stand on the context;
 * ready descriptors stand on the frame, and those that the inner turn finds
 * ready again are taken out of the outer one's list.
 */
#include "aio-internal.h"
#include "qemu/defer-call.h"
#include "qemu/main-loop.h"

bool aio_dispatch_cqes(AioContext *ctx)
{
    CqeHandler *handler;
    bool progress = false;

    if (QSIMPLEQ_EMPTY(&ctx->cqes)) {
        return false;
    }
    defer_call_begin();
    while ((handler = QSIMPLEQ_FIRST(&ctx->cqes))) {
        uint64_t id = handler->cqe.user_data;

        QSIMPLEQ_REMOVE_HEAD(&ctx->cqes, next);
        PROBE(CQE_BEGIN, id, ctx->id, (int64_t)handler->cqe.res, 0);
        handler->cb(handler);
        PROBE(CQE_END, id, ctx->id, 0, 0);
        progress = true;
    }
    defer_call_end();
    return progress;
}

static void take_watches(HostBatch *batch, AioHandlerList *ready)
{
    HostWatch *watch;

    while ((watch = QSIMPLEQ_FIRST(&batch->watches))) {
        AioHandler *node = watch->opaque;

        QSIMPLEQ_REMOVE_HEAD(&batch->watches, next);
        watch->ready = false;
        node->revents |= watch->revents;
        watch->revents = 0;
        PROBE(FD_READY, node->id, node->revents, 0, 0);
        aio_add_ready_handler(ready, node);
    }
}

static void take_cqes(AioContext *ctx, HostBatch *batch)
{
    if (unlikely(probe_on & PROBE_SINK)) {
        uint64_t position = 0;
        CqeHandler *handler;

        QSIMPLEQ_FOREACH(handler, &batch->cqes, next) {
            PROBE_SHOW(CQE, handler->cqe.user_data, ctx->id,
                       (int64_t)handler->cqe.res, position++);
        }
    }
    QSIMPLEQ_CONCAT(&ctx->cqes, &batch->cqes);
}

void aio_wait_monitor(AioContext *ctx, int64_t timeout, AioHandlerList *ready)
{
    HostBatch batch = {.n_watches = 0};

    QSIMPLEQ_INIT(&batch.watches);
    QSIMPLEQ_INIT(&batch.cqes);
    if (unlikely(probe_on & PROBE_SINK)) {
        sqe_payload_submit(ctx);
    }
    PROBE(POLL_WAIT, ctx->id, timeout, 0, 0);
    host->monitor_wait(ctx->monitor, timeout, &batch);
    if (unlikely(batch.now_ns)) {
        host_self()->now_ns = batch.now_ns;
    }
    PROBE_SHOW(POLL_WAKE, ctx->id, batch.n_watches, batch.n_cqes, 0);
    if (!ctx->fdmon_ops->visible) {
        ctx->fdmon_ops = host->monitor_ops(ctx->monitor); /* it may change */
    }
    take_watches(&batch, ready);
    take_cqes(ctx, &batch);
}

typedef struct WaitTime {
    int64_t block_ns, end; /* end 0: nobody looked at the clock */
} WaitTime;

/*
 * Does a turn that may not sleep have to ask the monitor?  Descriptors that
 * are all polled need not be looked at by poll() and epoll, and QEMU does not:
 * see need_wait of its monitors.
 */
static bool need_wait(AioContext *ctx)
{
    return (!ctx->fdmon_ops->visible && aio_poll_disabled(ctx)) ||
           host->monitor_busy(ctx->monitor);
}

/* Steps 2 and 3. */
static void wait_for_events(AioContext *ctx, int64_t timeout,
                            AioHandlerList *ready)
{
    bool may_sleep = timeout != 0;

    if (may_sleep) {
        /* Only we write it; aio_notify() reads it. */
        raw_set(&ctx->notify_me, ctx->notify_me + 2);
        /* Pairs with smp_mb() in aio_notify(). */
        smp_mb();
        /* What was announced before we raised notify_me wrote no eventfd. */
        if (host_observe(HOST_SIGHT_NOTIFIED, raw_read(&ctx->notified))) {
            timeout = 0;
        }
        if (timeout && aio_leave_poll_mode(ctx, ready)) {
            timeout = 0;
        }
    } else if (unlikely(ctx->poll_started)) {
        aio_look_once(ctx, ready); /* some do not notify us */
    }
    if (timeout || need_wait(ctx)) {
        aio_wait_monitor(ctx, timeout, ready);
    }
    if (may_sleep) {
        raw_store_release(&ctx->notify_me, ctx->notify_me - 2);
    }
    aio_notify_accept(ctx);
}

/*
 * The same where polling is on.  What was there at once took no time, and
 * teaches nothing.
 */
static __attribute__((noinline))
void poll_or_wait(AioContext *ctx, int64_t timeout, AioHandlerList *ready,
                  WaitTime *time)
{
    int64_t start = aio_try_poll_mode(ctx, ready, &timeout);

    if (start < 0 && timeout) {
        start = host_clock_ns(QEMU_CLOCK_REALTIME);
    }
    wait_for_events(ctx, timeout, ready);
    if (start > 0) {
        time->end = host_clock_ns(QEMU_CLOCK_REALTIME);
        time->block_ns = time->end - start;
    }
}

void aio_turn_begin(AioContext *ctx)
{
    ctx->depth++;
}

void aio_turn_end(AioContext *ctx)
{
    ctx->depth--;
    aio_free_deleted_handlers(ctx);
    if (unlikely(host_mode & HOST_OBSERVE)) {
        host->turn(ctx->id);
    }
}

bool aio_poll(AioContext *ctx, bool blocking)
{
    AioHandlerList ready = QLIST_HEAD_INITIALIZER(ready);
    WaitTime time = {.end = 0};
    int64_t timeout;
    bool progress;

    /* iohandler_ctx is polled by whoever polls the main context. */
    assert(in_aio_context_home_thread(ctx) ||
           (aio_context_is_iohandler(ctx) && qemu_in_main_thread()));
    aio_turn_begin(ctx);
    PROBE(POLL_BEGIN, ctx->id, blocking, ctx->depth, 0);

    timeout = blocking ? aio_compute_timeout(ctx) : 0;
    if (unlikely(ctx->poll_max_ns) && timeout) {
        poll_or_wait(ctx, timeout, &ready, &time);
    } else {
        wait_for_events(ctx, timeout, &ready);
    }
    progress = aio_dispatch_cqes(ctx);
    progress |= aio_bh_poll(ctx);
    progress |= aio_dispatch_handlers(&ready);
    if (unlikely(time.end)) {
        aio_adjust_polling_time(ctx, time.block_ns, time.end);
    }
    progress |= timerlistgroup_run_timers(&ctx->tlg);

    PROBE(POLL_END, ctx->id, progress, ctx->depth, 0);
    aio_turn_end(ctx);
    return progress;
}

/* What QEMU does for a GLib loop: bottom halves come before completions. */
void aio_dispatch(AioContext *ctx)
{
    AioHandlerList ready = QLIST_HEAD_INITIALIZER(ready);

    aio_turn_begin(ctx);
    PROBE(POLL_BEGIN, ctx->id, 2, ctx->depth, 0);
    aio_bh_poll(ctx);
    aio_source_take_ready(ctx, &ready);
    if (ctx->monitor_pfd.revents || host->monitor_busy(ctx->monitor)) {
        ctx->monitor_pfd.revents = 0;
        aio_wait_monitor(ctx, 0, &ready);
    }
    aio_dispatch_cqes(ctx);
    aio_dispatch_handlers(&ctx->gsource_ready);
    aio_dispatch_handlers(&ready);
    timerlistgroup_run_timers(&ctx->tlg);
    PROBE(POLL_END, ctx->id, 1, ctx->depth, 0);
    aio_turn_end(ctx);
}

/* Of the current context, as in QEMU; all have a ring, or none has. */
bool aio_has_io_uring(void)
{
    AioContext *ctx = qemu_get_current_aio_context();

    return ctx && ctx->fdmon_ops->visible;
}

void aio_add_sqe(void (*prep_sqe)(struct io_uring_sqe *sqe, void *opaque),
                 void *opaque, CqeHandler *cqe_handler)
{
    AioContext *ctx = qemu_get_current_aio_context();

    cqe_handler->cqe.user_data = host_new_id();
    if (unlikely(probe_on & PROBE_SINK)) {
        sqe_payload_add(ctx, prep_sqe, opaque, cqe_handler);
    } else {
        host->add_sqe(ctx->monitor, prep_sqe, opaque, cqe_handler);
    }
    PROBE(SQE, cqe_handler->cqe.user_data, ctx->id, 0, 0);
    if (unlikely(host_fast()->ctx != ctx)) {
        /* We have the BQL: the main thread sleeps, and must submit this
         * (2ae361ef1d). */
        aio_notify(ctx);
    }
}
