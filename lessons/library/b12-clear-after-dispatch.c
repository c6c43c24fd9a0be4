/* SPDX-License-Identifier: MIT */
/*
 * b12-clear-after-dispatch: a notification for another is eaten.
 *
 * QEMU 21a03d17f2, "AioContext: fix broken placement of
 * event_notifier_test_and_clear" (2015).  A vCPU thread polls the context that
 * the I/O thread is about to sleep on.  The vCPU thread calls the bottom half
 * of a first completion; the worker completes a second one, schedules the
 * bottom half again and writes the eventfd; the vCPU thread clears the eventfd
 * and is done.  The I/O thread then sleeps, with a bottom half scheduled.
 *
 *   buggy  the eventfd is cleared by its handler, after bottom halves
 *   fixed  it is cleared before anything is dispatched
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct OldContext {
    QemuMutex iothread_lock; /* given up by the I/O thread in ppoll() only */
    ModelEventfd notifier;
    bool clears_first;
    unsigned notify_me;
    bool bh_scheduled;
    unsigned pending;    /* completions that no bottom half has seen */
    unsigned completed;  /* under iothread_lock */
    QemuEvent io_ready;  /* the I/O thread is about to call ppoll() */
    QemuEvent both_completed;
    WaitReason second_completed;
    bool stopping;
} OldContext;

static void thread_pool_completion_bh(OldContext *ctx)
{
    ctx->completed += qatomic_xchg(&ctx->pending, 0);
    if (ctx->completed == 2) {
        qemu_event_set(&ctx->both_completed);
    }
}

static void old_aio_dispatch(OldContext *ctx)
{
    if (ctx->clears_first) {
        model_eventfd_test_and_clear(&ctx->notifier);
    }
    if (qatomic_xchg(&ctx->bh_scheduled, false)) {
        thread_pool_completion_bh(ctx);
    }
    if (!ctx->clears_first) {
        model_eventfd_test_and_clear(&ctx->notifier); /* the fd's io_read */
    }
}

static void old_aio_poll(OldContext *ctx, bool is_main_loop)
{
    qatomic_add(&ctx->notify_me, 2);
    if (!qatomic_read(&ctx->bh_scheduled)) {
        if (is_main_loop) {
            qemu_mutex_unlock(&ctx->iothread_lock);
            qemu_event_set(&ctx->io_ready);
        }
        model_eventfd_poll(&ctx->notifier);
        if (is_main_loop) {
            qemu_mutex_lock(&ctx->iothread_lock);
        }
    }
    qatomic_sub(&ctx->notify_me, 2);
    old_aio_dispatch(ctx);
}

static void *io_thread(void *opaque)
{
    OldContext *ctx = opaque;

    qemu_mutex_lock(&ctx->iothread_lock);
    while (!qatomic_read(&ctx->stopping)) {
        old_aio_poll(ctx, true);
    }
    qemu_mutex_unlock(&ctx->iothread_lock);
    return NULL;
}

/* A synchronous write of a device: polls until the first one is complete. */
static void vcpu_thread(OldContext *ctx)
{
    qemu_mutex_lock(&ctx->iothread_lock);
    while (ctx->completed == 0) {
        old_aio_poll(ctx, false);
    }
    qemu_mutex_unlock(&ctx->iothread_lock);
}

static void *worker_thread(void *opaque)
{
    OldContext *ctx = opaque;

    for (unsigned i = 0; i < 2; i++) {
        qatomic_inc(&ctx->pending);
        wait_reason_done(&ctx->notifier.event);
        if (!qatomic_xchg(&ctx->bh_scheduled, true) &&
            qatomic_read(&ctx->notify_me) > 0) {
            model_eventfd_set(&ctx->notifier);
        }
    }
    return NULL;
}

/* The calling thread is the vCPU's. */
static void run_threads(OldContext *ctx)
{
    QemuThread io, worker;

    qemu_thread_create(&io, "io", io_thread, ctx, QEMU_THREAD_JOINABLE);
    qemu_event_wait(&ctx->io_ready);
    qemu_thread_create(&worker, "worker", worker_thread, ctx,
                       QEMU_THREAD_JOINABLE);
    vcpu_thread(ctx);
    wait_reason_by_thread(&ctx->second_completed, &io);
    wait_reason_next(&ctx->second_completed);
    qemu_event_wait(&ctx->both_completed); /* the guest waits */
    qemu_thread_join(&worker);
    qatomic_set(&ctx->stopping, true);
    model_eventfd_set(&ctx->notifier);
    qemu_thread_join(&io);
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {.clears_first = scenario_is_variant(args, "fixed")};

    qemu_mutex_init(&ctx.iothread_lock);
    model_eventfd_init(&ctx.notifier, "qemu_bh_schedule()");
    qemu_event_init(&ctx.io_ready, false);
    qemu_event_init(&ctx.both_completed, false);
    wait_reason_init(&ctx.second_completed, "the second completion");
    run_threads(&ctx);
    qemu_event_destroy(&ctx.both_completed);
    qemu_event_destroy(&ctx.io_ready);
    model_eventfd_destroy(&ctx.notifier);
    qemu_mutex_destroy(&ctx.iothread_lock);
}

SCENARIO(b12_clear_after_dispatch) = {
    .name = "b12-clear-after-dispatch",
    .summary = "a thread clears the eventfd after it has run bottom halves, "
               "and with it the wake-up of another (QEMU 21a03d17f2)",
    .shows = "the second completion is written between the vCPU thread's "
             "bottom half and its event_notifier_test_and_clear(), and the I/O "
             "thread sleeps in ppoll(); the fix clears before it dispatches",
    .variants = (const ScenarioVariant[]){
        {"buggy", "dispatched, then cleared"},
        {"fixed", "cleared, then dispatched"},
        {NULL}},
    .run = run,
};
