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
    int64_t completed; /* any thread */
    int64_t running;   /* slots that still submit; any thread */
} Drain;

/* One request after the other, as a device's queue would send them. */
typedef struct Slot {
    Drain *drain;
    int64_t left, offset;
    QEMUIOVector qiov;
    uint8_t buf[4096];
} Slot;

static void submit(void *opaque);

/*
 * The block layer counts the request until we return, so whoever sees nothing
 * in flight also sees this one counted as completed.
 */
static void request_done(void *opaque, int ret)
{
    Slot *slot = opaque;

    SCENARIO_CHECK(ret == 0, "a request failed: %d", ret);
    qatomic_inc(&slot->drain->completed);
    submit(slot);
}

static void submit(void *opaque)
{
    Slot *slot = opaque;

    if (slot->left-- > 0) {
        blk_aio_preadv(slot->drain->blk, slot->offset, &slot->qiov, 0,
                       request_done, slot);
        slot->offset += sizeof(slot->buf);
        return;
    }
    qatomic_fetch_dec(&slot->drain->running);
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

static void drain_once(Drain *drain)
{
    int64_t before;

    blk_drained_begin(drain->blk);
    before = qatomic_read(&drain->completed);
    scenario_note("drained: %" PRId64 " requests are done", before);
    aio_poll(qemu_get_aio_context(), false);
    SCENARIO_CHECK(qatomic_read(&drain->completed) == before,
                   "a request completed in the drained section");
    blk_drained_end(drain->blk);
}

static void run_slots(Drain *drain, int64_t depth, int64_t requests,
                      int64_t drains)
{
    AioContext *ctx = iothread_get_aio_context(drain->iothread);
    Slot *slots = g_new0(Slot, depth);

    drain->running = depth;
    for (int64_t i = 0; i < depth; i++) {
        slots[i].drain = drain;
        slots[i].left = requests;
        qemu_iovec_init_buf(&slots[i].qiov, slots[i].buf,
                            sizeof(slots[i].buf));
        aio_bh_schedule_oneshot(ctx, submit, &slots[i]);
    }
    for (int64_t i = 0; i < drains; i++) {
        drain_once(drain);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&drain->running) > 0);
    blk_drain(drain->blk);
    SCENARIO_CHECK(qatomic_read(&drain->completed) == depth * requests,
                   "%" PRId64 " of %" PRId64 " requests completed",
                   qatomic_read(&drain->completed), depth * requests);
    scenario_result("completed", qatomic_read(&drain->completed));
    g_free(slots);
}

static void run(const ScenarioArgs *args)
{
    int64_t depth = scenario_param_int(args, "depth");
    int64_t requests = scenario_param_int(args, "requests");
    int64_t drains = scenario_param_int(args, "drains");
    Drain drain = {.completed = 0};

    if (depth < 1 || depth > 1000 || requests < 0 || requests > 200 ||
        drains < 0 || scenario_param_int(args, "latency") < 0) {
        scenario_bad_input("depth goes from 1 to 1000, requests from 0 to 200, "
                           "drains and latency from 0");
        return;
    }
    drain.iothread = iothread_create("iothread0", &error_fatal);
    drain.blk = new_disk(iothread_get_aio_context(drain.iothread), args);
    if (drain.blk) {
        run_slots(&drain, depth, requests, drains);
    }
    iothread_stop(drain.iothread);
    if (drain.blk) {
        blk_unref(drain.blk);
    }
    iothread_destroy(drain.iothread);
}

SCENARIO(drain) = {
    .name = "drain",
    .summary = "blk_drain() from the main loop against requests on an IOThread",
    .shows = "in-flight counts, queued requests, and the kick that ends "
             "AIO_WAIT_WHILE()",
    .params = (const ScenarioParam[]){
        {"depth", "2", "requests in flight on the IOThread"},
        {"requests", "3", "how many, one after the other, for each of those"},
        {"drains", "2", "how many drained sections"},
        {"driver", "null-aio", "null-aio or null-co"},
        {"latency", "100", "microseconds a request"},
        {NULL}},
    .run = run,
};
