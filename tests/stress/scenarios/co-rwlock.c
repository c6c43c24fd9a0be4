/* SPDX-License-Identifier: MIT */
/*
 * co-rwlock: readers and writers in five threads, upgrades and downgrades.
 *
 * Writers keep two words equal; readers, of which many are inside, must never
 * see them differ.
 */
#include "stress.h"

enum { LANES = 5, PER_LANE = 2 };

typedef struct Shared {
    CoRwlock lock;
    int64_t a, b;   /* with the lock; equal outside of writers */
    Trace order;    /* as a writer */
    int running, readers;
    int64_t rounds;
} Shared;

typedef struct Worker {
    Shared *shared;
    Lane *lane;
    unsigned index;
    uint64_t rng;
} Worker;

static void coroutine_fn pause_here(Worker *worker)
{
    aio_co_schedule(worker->lane->ctx, qemu_coroutine_self());
    qemu_coroutine_yield();
}

static void coroutine_fn as_reader(Worker *worker)
{
    Shared *shared = worker->shared;
    int64_t a = shared->a;

    qatomic_inc(&shared->readers);
    if (next_random(&worker->rng) % 4 == 0) {
        pause_here(worker);
    }
    SCENARIO_CHECK(shared->a == a && shared->b == a,
                   "a reader saw %" PRId64 " and %" PRId64, shared->a,
                   shared->b);
    trace_add(&worker->lane->trace, a);
    qatomic_dec(&shared->readers);
}

static void coroutine_fn as_writer(Worker *worker)
{
    Shared *shared = worker->shared;

    SCENARIO_CHECK(qatomic_read(&shared->readers) == 0,
                   "a writer and a reader are inside");
    shared->a++;
    if (next_random(&worker->rng) % 4 == 0) {
        pause_here(worker);
    }
    shared->b++;
    SCENARIO_CHECK(shared->a == shared->b, "two writers are inside");
    trace_add(&shared->order, worker->index);
}

static void coroutine_fn one_turn(Worker *worker)
{
    Shared *shared = worker->shared;
    unsigned what = next_random(&worker->rng) % 8;

    if (what < 5) {
        qemu_co_rwlock_rdlock(&shared->lock);
        as_reader(worker);
    } else {
        qemu_co_rwlock_wrlock(&shared->lock);
        as_writer(worker);
    }
    if (what == 0) {
        qemu_co_rwlock_upgrade(&shared->lock);
        as_writer(worker);
    } else if (what == 5) {
        qemu_co_rwlock_downgrade(&shared->lock);
        as_reader(worker);
    }
    qemu_co_rwlock_unlock(&shared->lock);
}

static void coroutine_fn work(void *opaque)
{
    Worker *worker = opaque;

    for (int64_t i = 0; i < worker->shared->rounds; i++) {
        one_turn(worker);
    }
    qatomic_dec(&worker->shared->running);
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    Shared shared = {.rounds = stress_rounds(args),
                     .running = LANES * PER_LANE};
    Worker workers[LANES * PER_LANE];
    Lane lanes[LANES];
    Trace total = {0, 0};

    qemu_co_rwlock_init(&shared.lock);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < LANES * PER_LANE; i++) {
        workers[i] = (Worker){&shared, &lanes[i % LANES], i, random_seed(i)};
        aio_co_schedule(workers[i].lane->ctx,
                        qemu_coroutine_create(work, &workers[i]));
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&shared.running) > 0);
    lanes_stop(lanes, LANES, &total);
    lanes_destroy(lanes, LANES);
    SCENARIO_CHECK(shared.a == shared.b && (uint64_t)shared.a == shared.order.n,
                   "%" PRId64 " and %" PRId64 " after %" PRIu64 " writes",
                   shared.a, shared.b, shared.order.n);
    trace_fold(&total, &shared.order);
    trace_report(&total);
}

SCENARIO(co_rwlock) = {
    .name = "co-rwlock",
    .summary = "readers and writers of a CoRwlock in five threads",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "150", "turns of each of ten coroutines"}, {NULL}},
    .run = run,
};
