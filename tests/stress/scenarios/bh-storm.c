/* SPDX-License-Identifier: MIT */
/*
 * bh-storm: threads that run no loop throw bottom halves at two that do.
 *
 * Some are scheduled already, some are cancelled by another thread, some are
 * deleted while they may be running.  Those that are used once and never
 * cancelled must all have run in the end.
 */
#include "stress.h"

enum { LANES = 2, THREADS = 3, SHARED = 8 };

typedef struct Shot {
    Lane *lane;
    unsigned value;
} Shot;

typedef struct SharedBh {
    Lane *lane;
    unsigned index;
    uint64_t runs; /* of the lane's thread */
    QEMUBH *bh;
} SharedBh;

typedef struct Storm {
    unsigned index;
    int64_t rounds;
    uint64_t rng;
    uint64_t shots;
    QemuThread thread;
    QEMUBH *own;   /* deleted and made again */
    Shot own_shot;
} Storm;

static Lane lanes[LANES];
static SharedBh shared[SHARED];
static Gate gate;
static uint64_t shots_run; /* any thread */

static void shared_bh(void *opaque)
{
    SharedBh *s = opaque;

    s->runs++;
    trace_add(&s->lane->trace, s->index);
}

static void own_bh(void *opaque)
{
    Shot *shot = opaque;

    trace_add(&shot->lane->trace, 100 + shot->value);
}

static void shot_bh(void *opaque)
{
    Shot *shot = opaque;

    trace_add(&shot->lane->trace, 1000 + shot->value);
    qatomic_inc(&shots_run);
    g_free(shot);
}

static void shoot(Storm *storm, unsigned value)
{
    Shot *shot = g_new(Shot, 1);

    *shot = (Shot){&lanes[value % LANES], value % 100 + storm->index * 100};
    storm->shots++;
    aio_bh_schedule_oneshot(shot->lane->ctx, shot_bh, shot);
}

/* The callback may be running; what it uses lives on. */
static void renew(Storm *storm)
{
    qemu_bh_delete(storm->own);
    storm->own = aio_bh_new(storm->own_shot.lane->ctx, own_bh,
                            &storm->own_shot);
}

static void one_step(Storm *storm)
{
    unsigned value = next_random(&storm->rng) % 4096;
    SharedBh *s = &shared[value % SHARED];

    switch (value >> 8) {
    case 0 ... 7:
        qemu_bh_schedule(s->bh);
        break;
    case 8 ... 9:
        qemu_bh_cancel(s->bh);
        break;
    case 10:
        qemu_bh_schedule_idle(s->bh);
        break;
    case 11 ... 12:
        shoot(storm, value);
        break;
    case 13 ... 14:
        qemu_bh_schedule(storm->own);
        break;
    default:
        renew(storm);
        break;
    }
}

static void *storm_thread(void *opaque)
{
    Storm *storm = opaque;

    gate_pass(&gate);
    for (int64_t i = 0; i < storm->rounds; i++) {
        one_step(storm);
    }
    qemu_bh_delete(storm->own);
    return NULL;
}

static void start(Storm *storm, unsigned index, int64_t rounds)
{
    *storm = (Storm){.index = index, .rounds = rounds,
                     .rng = random_seed(index + 50)};
    storm->own_shot = (Shot){&lanes[index % LANES], index};
    storm->own = aio_bh_new(storm->own_shot.lane->ctx, own_bh,
                            &storm->own_shot);
    qemu_thread_create(&storm->thread, "storm", storm_thread, storm,
                       QEMU_THREAD_JOINABLE);
}

/* Whatever was cancelled runs once more now. */
static void last_round(void)
{
    for (unsigned i = 0; i < SHARED; i++) {
        qemu_bh_schedule(shared[i].bh);
    }
    /* The newest is the first of a slice, so the rest may be behind it. */
    for (unsigned i = 0; i < 2 * LANES; i++) {
        Lane *lane = &lanes[i % LANES];

        aio_wait_bh_oneshot(lane->ctx, shot_bh,
                            memcpy(g_new(Shot, 1), &(Shot){lane, 99},
                                   sizeof(Shot)));
    }
    for (unsigned i = 0; i < SHARED; i++) {
        qemu_bh_delete(shared[i].bh);
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Storm storms[THREADS];
    Trace total = {0, 0};
    uint64_t shots = 2 * LANES;

    qatomic_set(&shots_run, 0);
    gate_init(&gate);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < SHARED; i++) {
        shared[i] = (SharedBh){&lanes[i / 2 % LANES], i, 0, NULL};
        shared[i].bh = aio_bh_new(shared[i].lane->ctx, shared_bh, &shared[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        start(&storms[i], i, rounds);
    }
    gate_open(&gate);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&storms[i].thread);
        shots += storms[i].shots;
    }
    gate_destroy(&gate);
    last_round();
    lanes_stop(lanes, LANES, &total);
    lanes_destroy(lanes, LANES);
    SCENARIO_CHECK(qatomic_read(&shots_run) == shots,
                   "%" PRIu64 " of %" PRIu64 " shots have run",
                   qatomic_read(&shots_run), shots);
    for (unsigned i = 0; i < SHARED; i++) {
        SCENARIO_CHECK(shared[i].runs > 0, "bottom half %u never ran", i);
    }
    trace_report(&total);
}

SCENARIO(bh_storm) = {
    .name = "bh-storm",
    .summary = "three threads without a loop schedule, cancel and delete",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "2000", "calls of each of three threads"}, {NULL}},
    .run = run,
};
