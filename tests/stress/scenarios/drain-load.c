/* SPDX-License-Identifier: MIT */
/*
 * drain-load: the main thread drains a BlockBackend that two IOThreads use at
 * full speed; inside of a drained section nothing may complete.
 */
#include "stress.h"

enum { LANES = 2, DEPTH = 4, BLOCK = 512 };

typedef struct Slot {
    Lane *lane;
    unsigned index;
    int64_t left;
    QEMUIOVector qiov;
    uint8_t buf[BLOCK];
} Slot;

static Lane lanes[LANES];
static BlockBackend *blk[LANES];
static int running;        /* slots; any thread */
static int64_t completed[LANES]; /* any thread */

static void submit(void *opaque);

static void request_done(void *opaque, int ret)
{
    Slot *slot = opaque;
    Lane *lane = slot->lane;

    SCENARIO_CHECK(ret == 0, "a request failed: %d", ret);
    trace_add(&lane->trace, slot->index);
    qatomic_inc(&completed[lane->index]);
    submit(slot);
}

static void submit(void *opaque)
{
    Slot *slot = opaque;

    if (slot->left-- > 0) {
        blk_aio_preadv(blk[slot->lane->index], slot->index * BLOCK,
                       &slot->qiov, 0, request_done, slot);
        return;
    }
    qatomic_dec(&running);
    aio_wait_kick();
}

static BlockBackend *new_disk(AioContext *ctx, const ScenarioArgs *args,
                              const char *driver)
{
    BlockdevOptions options = {
        .driver = driver,
        .latency_ns = scenario_param_int(args, "latency") * SCALE_US,
        .size = 1 << 20,
    };
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);
    BlockBackend *new_blk = blk_new(ctx, "disk");

    blk_insert_bs(new_blk, bs);
    bdrv_unref(bs);
    return new_blk;
}

static void drain_one(unsigned i, Trace *own)
{
    int64_t before;

    blk_drained_begin(blk[i]);
    before = qatomic_read(&completed[i]);
    trace_add(own, before);
    aio_poll(qemu_get_aio_context(), false);
    SCENARIO_CHECK(qatomic_read(&completed[i]) == before,
                   "a request completed in the drained section");
    blk_drained_end(blk[i]);
}

static void run_slots(Slot *slots, int64_t drains, Trace *own)
{
    for (unsigned i = 0; i < LANES * DEPTH; i++) {
        aio_bh_schedule_oneshot(slots[i].lane->ctx, submit, &slots[i]);
    }
    for (int64_t i = 0; i < drains; i++) {
        drain_one(i % LANES, own);
        blk_drain(blk[(i + 1) % LANES]);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&running) > 0);
}

static void run(const ScenarioArgs *args)
{
    static const char *const drivers[LANES] = {"null-aio", "null-co"};
    int64_t rounds = stress_rounds(args);
    Slot *slots = g_new0(Slot, LANES * DEPTH);
    Trace own = {0, 0}, total = {0, 0};

    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < LANES; i++) {
        completed[i] = 0;
        blk[i] = new_disk(lanes[i].ctx, args, drivers[i]);
    }
    for (unsigned i = 0; i < LANES * DEPTH; i++) {
        slots[i].lane = &lanes[i % LANES];
        slots[i].index = i;
        slots[i].left = rounds;
        qemu_iovec_init_buf(&slots[i].qiov, slots[i].buf, BLOCK);
    }
    qatomic_set(&running, LANES * DEPTH);
    run_slots(slots, rounds / 4, &own);
    for (unsigned i = 0; i < LANES; i++) {
        blk_drain(blk[i]);
        SCENARIO_CHECK(qatomic_read(&completed[i]) == rounds * DEPTH,
                       "%" PRId64 " requests completed",
                       qatomic_read(&completed[i]));
    }
    lanes_stop(lanes, LANES, &total);
    for (unsigned i = 0; i < LANES; i++) {
        blk_unref(blk[i]);
    }
    lanes_destroy(lanes, LANES);
    trace_fold(&total, &own);
    trace_report(&total);
    g_free(slots);
}

SCENARIO(drain_load) = {
    .name = "drain-load",
    .summary = "blk_drain() in the main thread, load in two others",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "300", "requests of each of eight slots"},
        {"latency", "20", "microseconds a request"},
        {NULL}},
    .run = run,
};
