/* SPDX-License-Identifier: MIT */
/*
 * b46-two-pollers: a thread that is no IOThread takes itself for the main one.
 *
 * QEMU 5f50be9b58, "async: the main AioContext is only 'current' if under the
 * BQL" (2021), after 3c18a92dc4.  A thread without a context of its own was at
 * home in the main context.  So AIO_WAIT_WHILE() in the migration thread polled
 * it, without the BQL, while the main thread did.
 *
 *   buggy  every such thread is at home in the main context
 *   fixed  only one that holds the BQL is
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

typedef struct MainContext {
    QemuMutex bql;
    bool needs_bql;
    unsigned pollers; /* threads inside aio_poll() */
    unsigned turns;   /* what they change: no two at once */
} MainContext;

static void old_aio_poll(MainContext *ctx)
{
    SCENARIO_CHECK(qatomic_fetch_inc(&ctx->pollers) == 0,
                   "two threads poll the main context at once");
    qatomic_inc(&ctx->turns);
    qatomic_dec(&ctx->pollers);
}

static void *migration_thread(void *opaque)
{
    MainContext *ctx = opaque;

    if (ctx->needs_bql) {
        qemu_mutex_lock(&ctx->bql);
    }
    old_aio_poll(ctx); /* bdrv_save_vmstate(): AIO_WAIT_WHILE() */
    if (ctx->needs_bql) {
        qemu_mutex_unlock(&ctx->bql);
    }
    return NULL;
}

static void old_main_loop_wait(MainContext *ctx)
{
    qemu_mutex_lock(&ctx->bql);
    old_aio_poll(ctx);
    qemu_mutex_unlock(&ctx->bql);
}

static void run(const ScenarioArgs *args)
{
    MainContext ctx = {.needs_bql = scenario_is_variant(args, "fixed")};
    QemuThread migration;

    qemu_mutex_init(&ctx.bql);
    qemu_thread_create(&migration, "migration", migration_thread, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_main_loop_wait(&ctx);
    qemu_thread_join(&migration);
    SCENARIO_CHECK(ctx.turns == 2, "a turn was lost");
    qemu_mutex_destroy(&ctx.bql);
}

SCENARIO(b46_two_pollers) = {
    .name = "b46-two-pollers",
    .summary = "the migration thread polls the main context without the BQL, "
               "beside the main thread (QEMU 5f50be9b58)",
    .shows = "two threads are inside aio_poll() of one context; the fix makes "
             "the main context current only for who holds the BQL",
    .variants = (const ScenarioVariant[]){
        {"buggy", "any thread without a context is at home there"},
        {"fixed", "only with the BQL"},
        {NULL}},
    .run = run,
};
