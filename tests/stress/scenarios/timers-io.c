/* SPDX-License-Identifier: MIT */
/*
 * timers-io: timers of two contexts against requests of the same contexts;
 * two threads without a loop arm the timers again, sooner or later, and
 * delete them.
 */
#include "stress.h"

enum { LANES = 2, TIMERS = 6, THREADS = 2, DEPTH = 3, BLOCK = 512 };

typedef struct Alarm {
    QEMUTimer timer;
    Lane *lane;
    unsigned index;
    uint64_t rings;
} Alarm;

typedef struct Slot {
    Lane *lane;
    unsigned index;
    uint64_t requests;
    QEMUIOVector qiov;
    uint8_t buf[BLOCK];
} Slot;

typedef struct Meddler {
    QemuThread thread;
    unsigned index;
    int64_t rounds;
    Trace trace;
} Meddler;

static Lane lanes[LANES];
static BlockBackend *blk[LANES];
static Alarm alarms[TIMERS];
static Slot slots[LANES * DEPTH];
static Gate gate;
static bool stop;   /* any thread */
static int running; /* slots; any thread */

static int64_t now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
}

static void ring(void *opaque)
{
    Alarm *alarm = opaque;

    alarm->rings++;
    trace_add(&alarm->lane->trace, 100 + alarm->index);
    if (alarm->rings % 4) {
        timer_mod(&alarm->timer,
                  now() + next_random(&alarm->lane->rng) % 100000);
    }
}

static void submit(void *opaque);

static void request_done(void *opaque, int ret)
{
    Slot *slot = opaque;

    SCENARIO_CHECK(ret == 0, "a request failed: %d", ret);
    slot->requests++;
    trace_add(&slot->lane->trace, slot->index);
    submit(slot);
}

static void submit(void *opaque)
{
    Slot *slot = opaque;

    if (qatomic_read(&stop)) {
        qatomic_dec(&running);
        aio_wait_kick();
        return;
    }
    blk_aio_preadv(blk[slot->lane->index], slot->index * BLOCK, &slot->qiov, 0,
                   request_done, slot);
}

static void *meddle(void *opaque)
{
    Meddler *self = opaque;
    uint64_t rng = random_seed(self->index + 20);

    gate_pass(&gate);
    for (int64_t i = 0; i < self->rounds; i++) {
        uint64_t value = next_random(&rng);
        Alarm *alarm = &alarms[value % TIMERS];

        switch (value >> 8 & 3) {
        case 0:
            timer_del(&alarm->timer);
            break;
        case 1:
            timer_mod_anticipate(&alarm->timer, now() + (value >> 16) % 50000);
            break;
        default:
            timer_mod(&alarm->timer, now() + (value >> 16) % 200000);
            break;
        }
        trace_add(&self->trace, timer_pending(&alarm->timer));
    }
    return NULL;
}

static BlockBackend *new_disk(AioContext *ctx)
{
    BlockdevOptions options = {
        .driver = "null-aio", .latency_ns = 30 * SCALE_US, .size = 1 << 20,
    };
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);
    BlockBackend *new_blk = blk_new(ctx, "disk");

    blk_insert_bs(new_blk, bs);
    bdrv_unref(bs);
    return new_blk;
}

static void set_up(void)
{
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < LANES; i++) {
        blk[i] = new_disk(lanes[i].ctx);
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        alarms[i] = (Alarm){.lane = &lanes[i % LANES], .index = i};
        aio_timer_init(alarms[i].lane->ctx, &alarms[i].timer,
                       i < 4 ? QEMU_CLOCK_REALTIME : QEMU_CLOCK_VIRTUAL,
                       SCALE_NS, ring, &alarms[i]);
        timer_mod(&alarms[i].timer, now() + i * 10000);
    }
    for (unsigned i = 0; i < LANES * DEPTH; i++) {
        slots[i] = (Slot){.lane = &lanes[i % LANES], .index = i};
        qemu_iovec_init_buf(&slots[i].qiov, slots[i].buf, BLOCK);
        aio_bh_schedule_oneshot(slots[i].lane->ctx, submit, &slots[i]);
    }
}

static void tear_down(Trace *total)
{
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_del(&alarms[i].timer);
    }
    for (unsigned i = 0; i < LANES; i++) {
        blk_drain(blk[i]);
    }
    /* A callback may still arm one: stop the threads before the last look. */
    lanes_stop(lanes, LANES, total);
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_del(&alarms[i].timer);
        trace_add(total, alarms[i].rings);
        timer_deinit(&alarms[i].timer);
    }
    for (unsigned i = 0; i < LANES; i++) {
        blk_unref(blk[i]);
    }
    lanes_destroy(lanes, LANES);
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Meddler meddlers[THREADS];
    Trace total = {0, 0};

    gate_init(&gate);
    qatomic_set(&stop, false);
    qatomic_set(&running, LANES * DEPTH);
    set_up();
    for (unsigned i = 0; i < THREADS; i++) {
        meddlers[i] = (Meddler){.index = i, .rounds = rounds};
        qemu_thread_create(&meddlers[i].thread, "meddler", meddle,
                           &meddlers[i], QEMU_THREAD_JOINABLE);
    }
    gate_open(&gate);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&meddlers[i].thread);
        trace_fold(&total, &meddlers[i].trace);
    }
    gate_destroy(&gate);
    qatomic_set(&stop, true);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&running) > 0);
    tear_down(&total);
    trace_report(&total);
}

SCENARIO(timers_io) = {
    .name = "timers-io",
    .summary = "timers against requests, re-armed and deleted by others",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "3000", "calls of each of two threads"}, {NULL}},
    .run = run,
};
