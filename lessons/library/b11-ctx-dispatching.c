/* SPDX-License-Identifier: MIT */
/*
 * b11-ctx-dispatching: nobody wakes the sleeper, because somebody else is up.
 *
 * QEMU eabc977973, "AioContext: fix broken ctx->dispatching optimization"
 * (2015).  Two threads poll one context: the I/O thread sleeps in ppoll(), a
 * vCPU thread polls on its own behalf and is dispatching.  A worker schedules
 * a bottom half; aio_notify() sees ctx->dispatching and writes no eventfd,
 * since whoever dispatches looks at bottom halves before it sleeps.  But this
 * one has looked already, and does not poll again.
 *
 *   buggy  aio_notify() asks: is somebody dispatching?
 *   fixed  it asks: may somebody be about to sleep? (ctx->notify_me)
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct OldContext {
    QemuMutex lock; /* the AioContext lock: given up in ppoll() */
    ModelEventfd notifier;
    bool asks_sleepers;
    bool dispatching;
    unsigned notify_me;
    bool bh_scheduled;
    QemuEvent completed; /* the bottom half has run: a guest waits for it */
    WaitReason bh_has_run;
    bool stopping;
} OldContext;

static void old_aio_notify(OldContext *ctx)
{
    if (ctx->asks_sleepers ? qatomic_read(&ctx->notify_me) > 0
                           : !qatomic_read(&ctx->dispatching)) {
        model_eventfd_set(&ctx->notifier);
    }
}

static void old_aio_bh_poll(OldContext *ctx)
{
    if (qatomic_xchg(&ctx->bh_scheduled, false)) {
        qemu_event_set(&ctx->completed);
    }
}

static void old_aio_poll(OldContext *ctx, bool blocking)
{
    bool was_dispatching;

    qemu_mutex_lock(&ctx->lock);
    was_dispatching = qatomic_read(&ctx->dispatching);
    qatomic_set(&ctx->dispatching, !blocking);
    if (blocking) {
        qatomic_inc(&ctx->notify_me);
        if (!qatomic_read(&ctx->bh_scheduled)) {
            qemu_mutex_unlock(&ctx->lock);
            model_eventfd_poll(&ctx->notifier);
            qemu_mutex_lock(&ctx->lock);
        }
        qatomic_dec(&ctx->notify_me);
        model_eventfd_test_and_clear(&ctx->notifier);
    }
    qatomic_set(&ctx->dispatching, true);
    old_aio_bh_poll(ctx);
    /* Here the file descriptors' handlers run: time passes. */
    qatomic_set(&ctx->dispatching, was_dispatching);
    qemu_mutex_unlock(&ctx->lock);
}

static void *io_thread(void *opaque)
{
    OldContext *ctx = opaque;

    while (!qatomic_read(&ctx->stopping)) {
        old_aio_poll(ctx, true);
    }
    return NULL;
}

static void *worker_thread(void *opaque)
{
    OldContext *ctx = opaque;

    qatomic_xchg(&ctx->bh_scheduled, true);
    wait_reason_done(&ctx->notifier.event);
    old_aio_notify(ctx);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {.asks_sleepers = scenario_is_variant(args, "fixed")};
    QemuThread io, worker;

    qemu_mutex_init(&ctx.lock);
    model_eventfd_init(&ctx.notifier, "qemu_bh_schedule()");
    qemu_event_init(&ctx.completed, false);
    wait_reason_init(&ctx.bh_has_run, "the bottom half");
    qemu_thread_create(&io, "io", io_thread, &ctx, QEMU_THREAD_JOINABLE);
    qemu_thread_create(&worker, "worker", worker_thread, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_aio_poll(&ctx, false); /* this thread is the vCPU's */
    wait_reason_by_thread(&ctx.bh_has_run, &io);
    wait_reason_next(&ctx.bh_has_run);
    qemu_event_wait(&ctx.completed);
    qemu_thread_join(&worker);

    qatomic_set(&ctx.stopping, true);
    model_eventfd_set(&ctx.notifier);
    qemu_thread_join(&io);
    qemu_event_destroy(&ctx.completed);
    model_eventfd_destroy(&ctx.notifier);
    qemu_mutex_destroy(&ctx.lock);
}

SCENARIO(b11_ctx_dispatching) = {
    .name = "b11-ctx-dispatching",
    .summary = "aio_notify() is silent because one thread dispatches, while "
               "another sleeps on the same context (QEMU eabc977973)",
    .shows = "the bottom half is scheduled, the vCPU thread has run its bottom "
             "halves already, and the I/O thread was not woken; the fix counts "
             "those that may sleep, in notify_me, instead",
    .variants = (const ScenarioVariant[]){
        {"buggy", "aio_notify() looks at ctx->dispatching"},
        {"fixed", "it looks at ctx->notify_me"},
        {NULL}},
    .run = run,
};
