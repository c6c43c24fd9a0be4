/* SPDX-License-Identifier: MIT */
/*
 * co-mutex: coroutines of five threads hand one CoMutex to each other.
 *
 * What it protects is not atomic: two holders at a time would lose updates.
 */
#include "stress.h"

enum { LANES = 5, PER_LANE = 3 };

typedef struct Shared {
    CoMutex mutex;
    int64_t count;  /* with the mutex */
    Trace order;    /* with the mutex: who had it */
    int running;    /* coroutines; any thread */
    int64_t rounds;
} Shared;

typedef struct Worker {
    Shared *shared;
    Lane *lane;
    unsigned index;
} Worker;

/* With the mutex; another context may run meanwhile, and must stay out. */
static void coroutine_fn hold(Worker *worker, int64_t i)
{
    Shared *shared = worker->shared;
    int64_t before = shared->count;

    if (i % 8 == 0) {
        aio_co_schedule(worker->lane->ctx, qemu_coroutine_self());
        qemu_coroutine_yield();
    }
    SCENARIO_CHECK(shared->count == before, "somebody else was inside");
    shared->count = before + 1;
    trace_add(&shared->order, worker->index);
    trace_add(&worker->lane->trace, before);
}

static void coroutine_fn work(void *opaque)
{
    Worker *worker = opaque;
    Shared *shared = worker->shared;

    for (int64_t i = 0; i < shared->rounds; i++) {
        qemu_co_mutex_lock(&shared->mutex);
        hold(worker, i);
        qemu_co_mutex_unlock(&shared->mutex);
    }
    qatomic_dec(&shared->running);
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    Shared shared = {.rounds = stress_rounds(args),
                     .running = LANES * PER_LANE};
    Worker workers[LANES * PER_LANE];
    Lane lanes[LANES];
    Trace total = {0, 0};

    qemu_co_mutex_init(&shared.mutex);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < LANES * PER_LANE; i++) {
        workers[i] = (Worker){&shared, &lanes[i % LANES], i};
        aio_co_schedule(workers[i].lane->ctx,
                        qemu_coroutine_create(work, &workers[i]));
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&shared.running) > 0);
    lanes_stop(lanes, LANES, &total);
    lanes_destroy(lanes, LANES);
    SCENARIO_CHECK(shared.count == shared.rounds * LANES * PER_LANE,
                   "%" PRId64 " turns were counted", shared.count);
    trace_fold(&total, &shared.order);
    trace_report(&total);
}

SCENARIO(co_mutex) = {
    .name = "co-mutex",
    .summary = "fifteen coroutines of five threads hand a CoMutex around",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "200", "turns of each coroutine"}, {NULL}},
    .run = run,
};
