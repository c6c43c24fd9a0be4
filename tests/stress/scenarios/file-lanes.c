/* SPDX-License-Identifier: MIT */
/*
 * file-lanes: three IOThreads read and write a file, and wait inside.
 *
 * Each has requests in flight in its own third of the image.  Some completions
 * schedule a bottom half that needs one read more at once and runs the loop
 * until it is there, while other completions come in and do the same.
 */
#include "stress.h"

enum { LANES = 3, DEPTH = 8, BLOCK = 4096, MAX_NESTED = 4 };

typedef struct FileLane FileLane;

typedef struct Slot {
    FileLane *lane;
    unsigned index;
    int64_t left;
    uint64_t version; /* of what the slot's block holds; 0: not written yet */
    bool write;
    int64_t offset;
    QEMUIOVector qiov;
    uint64_t *buf;
} Slot;

struct FileLane {
    Lane base;
    BlockBackend *blk;
    int64_t first;    /* byte of the file */
    unsigned nested;
    Slot slots[DEPTH];
};

static int running; /* slots that still submit; any thread */

static void submit(Slot *slot);

/* ---- A read that somebody waits for ---- */

typedef struct Nested {
    bool done;
    int ret;
} Nested;

static void nested_done(void *opaque, int ret)
{
    Nested *nested = opaque;

    nested->ret = ret;
    nested->done = true;
}

static void read_nested(void *opaque)
{
    Slot *slot = opaque;
    FileLane *lane = slot->lane;
    Nested nested = {.done = false};

    lane->nested++;
    blk_aio_preadv(lane->blk, slot->offset, &slot->qiov, 0, nested_done,
                   &nested);
    AIO_WAIT_WHILE(lane->base.ctx, !nested.done);
    lane->nested--;
    SCENARIO_CHECK(nested.ret == 0, "a nested read failed: %d", nested.ret);
    SCENARIO_CHECK(!slot->version || slot->buf[0] == slot->version,
                   "a nested read found another version");
    trace_add(&lane->base.trace, 1000 + slot->index * 10 + lane->nested);
    submit(slot);
}

/* ---- The slots ---- */

static void check(Slot *slot)
{
    if (slot->write || !slot->version) {
        return;
    }
    for (unsigned i = 0; i < BLOCK / sizeof(uint64_t); i++) {
        SCENARIO_CHECK(slot->buf[i] == slot->version + i,
                       "word %u of slot %u is wrong", i, slot->index);
    }
}

static void request_done(void *opaque, int ret)
{
    Slot *slot = opaque;
    FileLane *lane = slot->lane;

    SCENARIO_CHECK(ret == 0, "a request failed: %d", ret);
    check(slot);
    trace_add(&lane->base.trace, slot->index * 2 + slot->write);
    if (next_random(&lane->base.rng) % 4 == 0 && lane->nested < MAX_NESTED) {
        aio_bh_schedule_oneshot(lane->base.ctx, read_nested, slot);
    } else {
        submit(slot);
    }
}

static void write_next(Slot *slot)
{
    slot->version = next_random(&slot->lane->base.rng) | 1;
    for (unsigned i = 0; i < BLOCK / sizeof(uint64_t); i++) {
        slot->buf[i] = slot->version + i;
    }
    blk_aio_pwritev(slot->lane->blk, slot->offset, &slot->qiov, 0,
                    request_done, slot);
}

static void submit(Slot *slot)
{
    if (slot->left-- <= 0) {
        qatomic_dec(&running);
        aio_wait_kick();
        return;
    }
    slot->write = next_random(&slot->lane->base.rng) % 3 == 0;
    if (slot->write) {
        write_next(slot);
    } else {
        blk_aio_preadv(slot->lane->blk, slot->offset, &slot->qiov, 0,
                       request_done, slot);
    }
}

static void begin(void *opaque)
{
    FileLane *lane = opaque;

    for (unsigned i = 0; i < DEPTH; i++) {
        submit(&lane->slots[i]);
    }
}

/* ---- All of it ---- */

static BlockBackend *open_image(AioContext *ctx, const ScenarioArgs *args)
{
    bool native = scenario_is_variant(args, "laio");
    BlockdevOptions options = {
        .driver = "file",
        .filename = scenario_param(args, "image"),
        .cache_direct = native,
        .aio = native ? "native"
             : scenario_is_variant(args, "threads") ? "threads" : "io_uring",
    };
    Error *err = NULL;
    BlockDriverState *bs = bdrv_open_blockdev(&options, &err);
    BlockBackend *blk;

    if (!bs) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return NULL;
    }
    blk = blk_new(ctx, "disk");
    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    return blk;
}

static bool lane_init(FileLane *lane, unsigned index, const ScenarioArgs *args,
                      int64_t rounds)
{
    lane_start(&lane->base, index);
    lane->blk = open_image(lane->base.ctx, args);
    if (!lane->blk) {
        return false;
    }
    lane->first = blk_getlength(lane->blk) / LANES / BLOCK * BLOCK * index;
    for (unsigned i = 0; i < DEPTH; i++) {
        Slot *slot = &lane->slots[i];

        *slot = (Slot){.lane = lane, .index = i, .left = rounds};
        slot->offset = lane->first + i * BLOCK;
        slot->buf = g_aligned_alloc(1, BLOCK, 4096);
        memset(slot->buf, 0, BLOCK);
        qemu_iovec_init_buf(&slot->qiov, slot->buf, BLOCK);
    }
    return true;
}

static void lane_finish(FileLane *lane, Trace *total)
{
    if (lane->blk) {
        blk_drain(lane->blk);
    }
    if (lane->base.iothread) {
        lanes_stop(&lane->base, 1, total);
    }
    if (lane->blk) {
        blk_unref(lane->blk);
    }
    if (lane->base.iothread) {
        iothread_destroy(lane->base.iothread);
    }
    for (unsigned i = 0; i < DEPTH; i++) {
        g_aligned_free(lane->slots[i].buf);
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    FileLane *lanes = g_new0(FileLane, LANES);
    Trace total = {0, 0};
    bool ok = rounds > 0;

    for (unsigned i = 0; i < LANES && ok; i++) {
        ok = lane_init(&lanes[i], i, args, rounds);
    }
    qatomic_set(&running, LANES * DEPTH);
    for (unsigned i = 0; i < LANES && ok; i++) {
        aio_bh_schedule_oneshot(lanes[i].base.ctx, begin, &lanes[i]);
    }
    if (ok) {
        AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&running) > 0);
    }
    for (unsigned i = 0; i < LANES; i++) {
        lane_finish(&lanes[i], &total);
    }
    g_free(lanes);
    if (ok) {
        trace_report(&total);
    }
}

SCENARIO(file_lanes) = {
    .name = "file-lanes",
    .summary = "three IOThreads read and write a file, with nested polls",
    .host = "live",
    .variants = (const ScenarioVariant[]){
        {"uring", "by io_uring"},
        {"laio", "by linux-aio, with O_DIRECT"},
        {"threads", "by the thread pools"},
        {NULL}},
    .params = (const ScenarioParam[]){
        {"image", "disk.img", "the file (simulated: any name, in memory)"},
        {"rounds", "40", "requests of each of the 24 slots"},
        {NULL}},
    .run = run,
};
