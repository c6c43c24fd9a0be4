/* SPDX-License-Identifier: MIT */
/*
 * aio_poll(): one turn of the loop.
 *
 * Models util/aio-posix.c, in its order:
 *
 *   1 how long may we wait?        bottom halves and timers say
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

static bool dispatch_cqes(AioContext *ctx)
{
    CqeHandler *handler;
    bool progress = false;

    while ((handler = QSIMPLEQ_FIRST(&ctx->cqes))) {
        uint64_t id = handler->cqe.user_data;

        QSIMPLEQ_REMOVE_HEAD(&ctx->cqes, next);
        PROBE(CQE_BEGIN, id, ctx->id, (int64_t)handler->cqe.res, 0);
        handler->cb(handler);
        PROBE(CQE_END, id, ctx->id, 0, 0);
        progress = true;
    }
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
        QLIST_SAFE_REMOVE(node, node_ready);
        QLIST_INSERT_HEAD(ready, node, node_ready);
    }
}

static void take_cqes(AioContext *ctx, HostBatch *batch)
{
    if (unlikely(probe_on)) {
        uint64_t position = 0;
        CqeHandler *handler;

        QSIMPLEQ_FOREACH(handler, &batch->cqes, next) {
            PROBE(CQE, handler->cqe.user_data, ctx->id,
                  (int64_t)handler->cqe.res, position++);
        }
    }
    QSIMPLEQ_CONCAT(&ctx->cqes, &batch->cqes);
}

/* Steps 2 and 3. */
static void wait_for_events(AioContext *ctx, int64_t timeout,
                            AioHandlerList *ready)
{
    HostBatch batch = {.n_watches = 0};
    bool may_sleep = timeout != 0;

    QSIMPLEQ_INIT(&batch.watches);
    QSIMPLEQ_INIT(&batch.cqes);
    if (may_sleep) {
        /* Only we write it; aio_notify() reads it. */
        qatomic_set(&ctx->notify_me, ctx->notify_me + 2);
        /* Pairs with smp_mb() in aio_notify(). */
        smp_mb();
        /* What was announced before we raised notify_me wrote no eventfd. */
        if (qatomic_read(&ctx->notified)) {
            timeout = 0;
        }
    }
    if (timeout || host->monitor_busy(ctx->monitor)) {
        PROBE(POLL_WAIT, ctx->id, timeout, 0, 0);
        host->monitor_wait(ctx->monitor, timeout, &batch);
        if (unlikely(batch.now_ns)) {
            host_self()->now_ns = batch.now_ns;
        }
        PROBE(POLL_WAKE, ctx->id, batch.n_watches, batch.n_cqes, 0);
    }
    if (may_sleep) {
        qatomic_store_release(&ctx->notify_me, ctx->notify_me - 2);
    }
    aio_notify_accept(ctx);
    take_watches(&batch, ready);
    take_cqes(ctx, &batch);
}

bool aio_poll(AioContext *ctx, bool blocking)
{
    AioHandlerList ready = QLIST_HEAD_INITIALIZER(ready);
    bool progress;

    assert(in_aio_context_home_thread(ctx));
    ctx->depth++;
    PROBE(POLL_BEGIN, ctx->id, blocking, ctx->depth, 0);

    wait_for_events(ctx, blocking ? aio_compute_timeout(ctx) : 0, &ready);
    progress = dispatch_cqes(ctx);
    progress |= aio_bh_poll(ctx);
    progress |= aio_dispatch_handlers(&ready);
    progress |= timerlistgroup_run_timers(&ctx->tlg);

    PROBE(POLL_END, ctx->id, progress, ctx->depth, 0);
    ctx->depth--;
    aio_free_deleted_handlers(ctx);
    if (unlikely(host_mode & HOST_OBSERVE)) {
        host->turn(ctx->id);
    }
    return progress;
}

bool aio_has_io_uring(void)
{
    return true;
}

void aio_add_sqe(void (*prep_sqe)(struct io_uring_sqe *sqe, void *opaque),
                 void *opaque, CqeHandler *cqe_handler)
{
    AioContext *ctx = qemu_get_current_aio_context();

    cqe_handler->cqe.user_data = host_new_id();
    host->add_sqe(ctx->monitor, prep_sqe, opaque, cqe_handler);
    PROBE(SQE, cqe_handler->cqe.user_data, ctx->id, 0, 0);
}
