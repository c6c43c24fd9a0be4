/* SPDX-License-Identifier: MIT */
/*
 * b13-accept-by-notifier: who notifies takes the notification back itself.
 *
 * QEMU b37548fcd1, "aio: Do aio_notify_accept only during blocking aio_poll"
 * (2018).  A drained section ends: the main thread enables the external
 * handlers of an IOThread's context and notifies it.  Then it polls that
 * context itself, without blocking, and that accepts the notification.  The
 * IOThread, which was about to sleep, never looks at its handlers again.
 *
 *   buggy  each aio_poll() accepts
 *   fixed  only one that could have slept does
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct OldContext {
    ModelEventfd notifier;
    bool accepts_always;
    unsigned notify_me;
    bool notified;
    unsigned external_disable_cnt;
    bool kicked;  /* the virtqueue: an external handler would see it */
    bool handled;
} OldContext;

static void old_aio_notify(OldContext *ctx)
{
    if (qatomic_read(&ctx->notify_me) > 0) {
        model_eventfd_set(&ctx->notifier);
        qatomic_set_mb(&ctx->notified, true);
    }
}

static void old_aio_notify_accept(OldContext *ctx)
{
    if (qatomic_xchg(&ctx->notified, false)) {
        model_eventfd_test_and_clear(&ctx->notifier);
    }
}

/* Is a handler ready that ppoll() would watch? */
static bool external_ready(OldContext *ctx)
{
    return qatomic_read(&ctx->external_disable_cnt) == 0 && ctx->kicked;
}

static void old_aio_poll(OldContext *ctx, bool blocking)
{
    bool ready;

    if (blocking) {
        qatomic_add(&ctx->notify_me, 2);
    }
    ready = external_ready(ctx);
    if (blocking) {
        if (!ready) {
            model_eventfd_poll(&ctx->notifier);
        }
        qatomic_sub(&ctx->notify_me, 2);
    }
    if (blocking || ctx->accepts_always) {
        old_aio_notify_accept(ctx);
    }
    if (ready && blocking) {
        qatomic_set(&ctx->handled, true);
    }
}

static void *iothread_run(void *opaque)
{
    OldContext *ctx = opaque;

    while (!qatomic_read(&ctx->handled)) {
        old_aio_poll(ctx, true);
    }
    return NULL;
}

static void old_aio_enable_external(OldContext *ctx)
{
    qatomic_dec(&ctx->external_disable_cnt);
    wait_reason_done(&ctx->notifier.event);
    old_aio_notify(ctx);
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {
        .accepts_always = scenario_is_variant(args, "buggy"),
        .external_disable_cnt = 1, /* bdrv_drained_begin() */
        .kicked = true,
    };
    QemuThread iothread;

    model_eventfd_init(&ctx.notifier, "aio_enable_external()");
    qemu_thread_create(&iothread, "iothread", iothread_run, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_aio_enable_external(&ctx); /* bdrv_drained_end() */
    old_aio_poll(&ctx, false);  /* bdrv_set_aio_context() */
    qemu_thread_join(&iothread);
    model_eventfd_destroy(&ctx.notifier);
}

SCENARIO(b13_accept_by_notifier) = {
    .name = "b13-accept-by-notifier",
    .summary = "the main thread's non-blocking aio_poll() accepts what it has "
               "just told the IOThread (QEMU b37548fcd1)",
    .shows = "the IOThread has looked at its handlers and goes to sleep; the "
             "eventfd that would wake it was cleared by whoever wrote it; the "
             "fix accepts in blocking polls only",
    .variants = (const ScenarioVariant[]){
        {"buggy", "every aio_poll() accepts"},
        {"fixed", "only a blocking one does"},
        {NULL}},
    .run = run,
};
