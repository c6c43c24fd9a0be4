/* SPDX-License-Identifier: MIT */
/*
 * drain: the main thread drains a BlockBackend while an IOThread uses it.
 *
 * Requests that are in flight finish; requests that arrive wait in a queue;
 * blk_drain() returns when the counter is zero, woken by aio_wait_kick().
 */
#include "aiolab/scenario.h"

typedef struct Drain {
    BlockBackend *blk;
    IOThread *iothread;
    int64_t requests; /* a worker's */
    int64_t completed;
    int64_t workers;  /* that still run; any thread */
} Drain;

static void coroutine_fn worker(void *opaque)
{
    Drain *drain = opaque;
    uint8_t *buf = g_malloc(4096);
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, 4096);

    for (int64_t i = 0; i < drain->requests; i++) {
        int ret = blk_co_preadv(drain->blk, i * 4096, 4096, &qiov, 0);

        SCENARIO_CHECK(ret == 0, "request %" PRId64 " failed: %d", i, ret);
        qatomic_inc(&drain->completed);
    }
    g_free(buf);
    qatomic_dec(&drain->workers);
    aio_wait_kick();
}

static BlockBackend *new_disk(AioContext *ctx, const ScenarioArgs *args)
{
    BlockdevOptions options = {
        .driver = scenario_param(args, "driver"),
        .latency_ns = scenario_param_int(args, "latency") * SCALE_US,
        .size = 1 << 20,
    };
    Error *err = NULL;
    BlockDriverState *bs = bdrv_open_blockdev(&options, &err);
    BlockBackend *blk;

    if (!bs) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return NULL;
    }
    blk = blk_new(ctx, "disk0");
    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    return blk;
}

static void run(const ScenarioArgs *args)
{
    int64_t depth = scenario_param_int(args, "depth");
    Drain drain = {
        .iothread = iothread_create("iothread0", &error_fatal),
        .requests = scenario_param_int(args, "requests"),
        .workers = depth,
    };
    AioContext *ctx = iothread_get_aio_context(drain.iothread);
    int64_t drains = scenario_param_int(args, "drains");

    drain.blk = new_disk(ctx, args);
    if (!drain.blk) {
        iothread_destroy(drain.iothread);
        return;
    }
    for (int64_t i = 0; i < depth; i++) {
        aio_co_schedule(ctx, qemu_coroutine_create(worker, &drain));
    }
    for (int64_t i = 0; i < drains; i++) {
        blk_drained_begin(drain.blk);
        scenario_note("drained: %" PRId64 " requests are done",
                      qatomic_read(&drain.completed));
        /* A worker may still have to count a request that has ended. */
        aio_poll(qemu_get_aio_context(), false);
        SCENARIO_CHECK(!qatomic_read(&blk_bs(drain.blk)->in_flight),
                       "a request runs in the drained section");
        blk_drained_end(drain.blk);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&drain.workers) > 0);
    SCENARIO_CHECK(drain.completed == depth * drain.requests,
                   "%" PRId64 " of %" PRId64 " requests completed",
                   drain.completed, depth * drain.requests);
    scenario_result("completed", drain.completed);
    blk_drain(drain.blk);
    iothread_stop(drain.iothread);
    blk_unref(drain.blk);
    iothread_destroy(drain.iothread);
}

SCENARIO(drain) = {
    .name = "drain",
    .summary = "blk_drain() from the main loop against requests on an IOThread",
    .shows = "in-flight counts, queued requests, and the kick that ends "
             "AIO_WAIT_WHILE()",
    .params = (const ScenarioParam[]){
        {"depth", "2", "coroutines on the IOThread"},
        {"requests", "3", "requests each"},
        {"drains", "2", "how many drained sections"},
        {"driver", "null-aio", "null-aio or null-co"},
        {"latency", "100", "microseconds a request"},
        {NULL}},
    .run = run,
};
