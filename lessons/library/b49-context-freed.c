/* SPDX-License-Identifier: MIT */
/*
 * b49-context-freed: the context goes away between two steps of scheduling.
 *
 * QEMU f0f8100287, "util/async: hold AioContext ref to prevent use-after-free"
 * (2019).  aio_co_schedule() puts a coroutine on the context's list and then
 * schedules the bottom half that takes it off.  The bottom half may run
 * already, for another coroutine: the new one is entered and ends, which ends
 * the context, and the second step finds it freed.
 *
 *   buggy  aio_co_schedule() trusts in the context
 *   fixed  it holds a reference for as long as it takes
 *
 * "Freed" is a flag here, so that the second step can tell.
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

typedef struct OldContext {
    bool holds_ref;
    int refcnt;
    bool freed;
    bool coroutine_scheduled; /* it is on scheduled_coroutines */
    bool bh_scheduled;        /* co_schedule_bh */
} OldContext;

static void old_aio_context_unref(OldContext *ctx)
{
    if (qatomic_fetch_dec(&ctx->refcnt) == 1) {
        qatomic_set(&ctx->freed, true);
    }
}

static void old_aio_co_schedule(OldContext *ctx)
{
    if (ctx->holds_ref) {
        qatomic_inc(&ctx->refcnt);
    }
    qatomic_xchg(&ctx->coroutine_scheduled, true);
    SCENARIO_CHECK(!qatomic_read(&ctx->freed),
                   "qemu_bh_schedule() in a context that was freed");
    qatomic_set(&ctx->bh_scheduled, true); /* qemu_bh_schedule() */
    if (ctx->holds_ref) {
        old_aio_context_unref(ctx);
    }
}

/* The coroutine's end is the end of what the context is for. */
static void old_co_schedule_bh_cb(OldContext *ctx)
{
    if (qatomic_xchg(&ctx->coroutine_scheduled, false)) {
        old_aio_context_unref(ctx);
    }
}

static void *iothread_run(void *opaque)
{
    OldContext *ctx = opaque;

    old_co_schedule_bh_cb(ctx); /* it was scheduled for another one */
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {
        .refcnt = 1, .holds_ref = scenario_is_variant(args, "fixed"),
    };
    QemuThread iothread;

    qemu_thread_create(&iothread, "iothread", iothread_run, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_aio_co_schedule(&ctx);
    qemu_thread_join(&iothread);
}

SCENARIO(b49_context_freed) = {
    .name = "b49-context-freed",
    .summary = "aio_co_schedule() uses a context that the coroutine which it "
               "has queued may free (QEMU f0f8100287)",
    .shows = "the coroutine is taken from the list before the bottom half is "
             "scheduled, and its end drops the last reference; the fix holds "
             "one of its own",
    .variants = (const ScenarioVariant[]){
        {"buggy", "no reference"},
        {"fixed", "aio_context_ref() and aio_context_unref() around it"},
        {NULL}},
    .run = run,
};
