/* SPDX-License-Identifier: MIT */
/*
 * What the views show, with numbers that are known: drained sections within
 * each other, bottom halves that are scheduled often or cancelled, a coroutine
 * that waits for a lock, and explicit replay_*() calls.
 */
#include "aiolab/scenario.h"

static CoMutex co_mutex;
static unsigned called;

static void count_call(void *opaque)
{
    called++;
}

static void run_bottom_halves(void)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUBH *bh = aio_bh_new(ctx, count_call, NULL);

    qemu_bh_schedule(bh);
    qemu_bh_cancel(bh);
    qemu_bh_schedule(bh);
    qemu_bh_schedule(bh);
    qemu_bh_schedule(bh);
    aio_poll(ctx, false);
    replay_bh_schedule_event(bh);
    replay_bh_schedule_oneshot_event(ctx, count_call, NULL);
    aio_poll(ctx, false);
    qemu_bh_delete(bh);
    aio_poll(ctx, false);
    SCENARIO_CHECK(called == 3, "%u calls", called);
}

static void nest_drains(void)
{
    BlockdevOptions options = {.driver = "null-aio", .size = 4096};
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk");

    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    blk_drained_begin(blk);
    blk_drain(blk);
    blk_drained_end(blk);
    blk_unref(blk);
}

static void coroutine_fn lock_and_sleep(void *opaque)
{
    qemu_co_mutex_lock(&co_mutex);
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 1000);
    qemu_co_mutex_unlock(&co_mutex);
    called++;
}

static void run_coroutines(void)
{
    for (unsigned i = 0; i < 2; i++) {
        qemu_coroutine_enter(qemu_coroutine_create(lock_and_sleep, NULL));
    }
    AIO_WAIT_WHILE(qemu_get_aio_context(), called < 2);
}

static void run(const ScenarioArgs *args)
{
    called = 0;
    qemu_co_mutex_init(&co_mutex);
    run_bottom_halves();
    nest_drains();
    called = 0;
    run_coroutines();
}

SCENARIO(views) = {
    .name = "views", .summary = "something for each view", .run = run,
};
