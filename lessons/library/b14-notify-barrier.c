/* SPDX-License-Identifier: MIT */
/*
 * b14-notify-barrier: each writes its word, then reads the other's; both read
 * what was there before.
 *
 * QEMU 5710a3e09f, "async: use explicit memory barriers" (2020).  A loop that
 * is about to sleep writes notify_me and reads the flags of its bottom halves;
 * a thread that schedules one writes the flags and reads notify_me.  With a
 * full barrier between write and read, one of the two sees the other.  The
 * accesses had none: on aarch64 not by being read-modify-writes either.
 *
 *   buggy  no barrier: the store may wait in a buffer while the load is done
 *   fixed  smp_mb() on both sides
 *
 * It needs a machine with store buffers: in every interleaving of whole
 * accesses one thread sees the other.
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct OldContext {
    ModelEventfd notifier;
    bool has_barriers;
    unsigned notify_me;
    bool bh_scheduled;
} OldContext;

static void barrier_if_fixed(OldContext *ctx)
{
    if (ctx->has_barriers) {
        smp_mb();
    }
}

static void old_qemu_bh_schedule(OldContext *ctx)
{
    qatomic_set(&ctx->bh_scheduled, true);
    wait_reason_done(&ctx->notifier.event);
    barrier_if_fixed(ctx);
    if (qatomic_read(&ctx->notify_me)) { /* aio_notify() */
        model_eventfd_set(&ctx->notifier);
    }
}

/* Sleeps unless a bottom half is scheduled; the caller runs that. */
static void old_aio_poll(OldContext *ctx)
{
    qatomic_set(&ctx->notify_me, 2);
    barrier_if_fixed(ctx);
    if (!qatomic_read(&ctx->bh_scheduled)) { /* aio_compute_timeout() */
        model_eventfd_poll(&ctx->notifier);
    }
    qatomic_store_release(&ctx->notify_me, 0);
}

static void *iothread_run(void *opaque)
{
    old_aio_poll(opaque);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {.has_barriers = scenario_is_variant(args, "fixed")};
    QemuThread iothread;

    model_eventfd_init(&ctx.notifier, "qemu_bh_schedule()");
    qemu_thread_create(&iothread, "iothread", iothread_run, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_qemu_bh_schedule(&ctx);
    qemu_thread_join(&iothread);
    model_eventfd_destroy(&ctx.notifier);
}

SCENARIO(b14_notify_barrier) = {
    .name = "b14-notify-barrier",
    .summary = "notify_me and a bottom half's flags are written and read "
               "without barriers (QEMU 5710a3e09f)",
    .shows = "the loop sleeps because it read the flags before they were set, "
             "and was not woken because notify_me was read before it was "
             "raised; the fix puts smp_mb() between each write and read",
    .variants = (const ScenarioVariant[]){
        {"buggy", "no barrier; fails with store buffers only"},
        {"fixed", "smp_mb() on both sides"},
        {NULL}},
    .run = run,
};
