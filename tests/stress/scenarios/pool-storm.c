/* SPDX-License-Identifier: MIT */
/*
 * pool-storm: three contexts throw work at their thread pools and take a part
 * of it back, some of it at once, some while it runs.
 */
#include "stress.h"

#include "block/thread-pool.h"

enum { LANES = 3, BURST = 12 };

typedef struct StormLane StormLane;

typedef struct Job {
    StormLane *lane;
    unsigned index, loops;
    unsigned performed; /* by a pool's thread; read after the callback */
    BlockAIOCB *acb;    /* NULL once the callback was called */
} Job;

struct StormLane {
    Lane base;
    int64_t left;      /* bursts */
    unsigned pending;  /* of the burst */
    uint64_t done, cancelled;
    Job jobs[BURST];
};

static int running;
static uint64_t performed; /* any thread */

static void burst(void *opaque);

static int perform(void *opaque)
{
    Job *job = opaque;
    uint64_t x = job->index + 1;

    for (unsigned i = 0; i < job->loops; i++) {
        next_random(&x);
    }
    job->performed++;
    qatomic_inc(&performed);
    return x % 1000;
}

static void job_done(void *opaque, int ret)
{
    Job *job = opaque;
    StormLane *lane = job->lane;

    job->acb = NULL;
    SCENARIO_CHECK(job->performed == (ret != -ECANCELED),
                   "job %u was performed %u times and returned %d", job->index,
                   job->performed, ret);
    trace_add(&lane->base.trace, job->index * 10000 + (ret + ECANCELED));
    if (ret == -ECANCELED) {
        lane->cancelled++;
    } else {
        lane->done++;
    }
    if (--lane->pending == 0) {
        aio_bh_schedule_oneshot(lane->base.ctx, burst, lane);
    }
}

/* A synchronous cancel runs the loop, so callbacks come meanwhile. */
static void take_back(StormLane *lane)
{
    for (unsigned i = 0; i < 3; i++) {
        Job *job = &lane->jobs[next_random(&lane->base.rng) % BURST];

        if (job->acb && i == 0) {
            bdrv_aio_cancel(job->acb);
            SCENARIO_CHECK(!job->acb, "cancelled, but not called back");
        } else if (job->acb) {
            bdrv_aio_cancel_async(job->acb);
        }
    }
}

static void burst(void *opaque)
{
    StormLane *lane = opaque;

    if (lane->left-- <= 0) {
        qatomic_dec(&running);
        aio_wait_kick();
        return;
    }
    lane->pending = BURST + 1; /* the last one is ours */
    for (unsigned i = 0; i < BURST; i++) {
        Job *job = &lane->jobs[i];

        *job = (Job){.lane = lane, .index = i};
        job->loops = next_random(&lane->base.rng) % 2000;
        job->acb = thread_pool_submit_aio(perform, job, job_done, job);
    }
    take_back(lane);
    if (--lane->pending == 0) {
        aio_bh_schedule_oneshot(lane->base.ctx, burst, lane);
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    StormLane *lanes = g_new0(StormLane, LANES);
    Trace total = {0, 0};
    uint64_t done = 0, cancelled = 0;

    qatomic_set(&running, LANES);
    qatomic_set(&performed, 0);
    for (unsigned i = 0; i < LANES; i++) {
        lane_start(&lanes[i].base, i);
        lanes[i].left = rounds;
        aio_context_set_thread_pool_params(lanes[i].base.ctx, i, 2 + i,
                                           &error_fatal);
        aio_bh_schedule_oneshot(lanes[i].base.ctx, burst, &lanes[i]);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&running) > 0);
    for (unsigned i = 0; i < LANES; i++) {
        lanes_stop(&lanes[i].base, 1, &total);
        iothread_destroy(lanes[i].base.iothread);
        done += lanes[i].done;
        cancelled += lanes[i].cancelled;
    }
    SCENARIO_CHECK(done + cancelled == (uint64_t)rounds * LANES * BURST,
                   "%" PRIu64 " done and %" PRIu64 " cancelled", done,
                   cancelled);
    SCENARIO_CHECK(qatomic_read(&performed) == done,
                   "%" PRIu64 " performed, %" PRIu64 " done",
                   qatomic_read(&performed), done);
    scenario_result("cancelled", cancelled);
    trace_report(&total);
    g_free(lanes);
}

SCENARIO(pool_storm) = {
    .name = "pool-storm",
    .summary = "bursts of work for three thread pools, and cancels",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "60", "bursts of 12 on each of 3 contexts"}, {NULL}},
    .run = run,
};
