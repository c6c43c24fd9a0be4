/* SPDX-License-Identifier: MIT */
/*
 * co-queue: producers and consumers of four threads, a bounded buffer with two
 * CoQueues under one CoMutex, and sleeps that others end early.
 */
#include "stress.h"

enum { LANES = 4, WORKERS = 8, CAPACITY = 4 };

typedef struct Buffer {
    CoMutex mutex;
    CoQueue not_full, not_empty;
    uint64_t items[CAPACITY]; /* with the mutex, as all below */
    unsigned first, n;
    uint64_t in, out;
    Trace order;
} Buffer;

typedef struct Worker {
    Lane *lane;
    unsigned index;
    QemuCoSleep sleep; /* of the lane's thread */
    uint64_t rng;
} Worker;

static Lane lanes[LANES];
static Buffer buffer;
static Worker workers[WORKERS];
static int64_t rounds;
static int running;

static void wake_sleeper(void *opaque)
{
    Worker *worker = opaque;

    trace_add(&worker->lane->trace, worker->sleep.to_wake != NULL);
    qemu_co_sleep_wake(&worker->sleep);
}

static void coroutine_fn rest(Worker *worker)
{
    Worker *other = &workers[next_random(&worker->rng) % WORKERS];

    aio_bh_schedule_oneshot(other->lane->ctx, wake_sleeper, other);
    qemu_co_sleep_ns_wakeable(&worker->sleep, QEMU_CLOCK_REALTIME,
                              next_random(&worker->rng) % 100000);
}

static void coroutine_fn produce(Worker *worker, int64_t i)
{
    while (buffer.n == CAPACITY) {
        qemu_co_queue_wait(&buffer.not_full, &buffer.mutex);
    }
    buffer.items[(buffer.first + buffer.n++) % CAPACITY] =
        worker->index * 1000000 + i;
    buffer.in++;
    qemu_co_queue_next(&buffer.not_empty);
}

static void coroutine_fn consume(Worker *worker)
{
    while (buffer.n == 0) {
        qemu_co_queue_wait_flags(&buffer.not_empty, &buffer.mutex,
                                 worker->index % 4 == 1
                                     ? CO_QUEUE_WAIT_FRONT : 0);
    }
    trace_add(&buffer.order, buffer.items[buffer.first]);
    trace_add(&worker->lane->trace, buffer.items[buffer.first]);
    buffer.first = (buffer.first + 1) % CAPACITY;
    buffer.n--;
    buffer.out++;
    if (buffer.out % 7 == 0) {
        qemu_co_queue_restart_all(&buffer.not_full);
    } else {
        qemu_co_queue_next(&buffer.not_full);
    }
}

static void coroutine_fn work(void *opaque)
{
    Worker *worker = opaque;

    for (int64_t i = 0; i < rounds; i++) {
        qemu_co_mutex_lock(&buffer.mutex);
        if (worker->index % 2) {
            consume(worker);
        } else {
            produce(worker, i);
        }
        qemu_co_mutex_unlock(&buffer.mutex);
        if (next_random(&worker->rng) % 8 == 0) {
            rest(worker);
        }
    }
    qatomic_dec(&running);
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    Trace total = {0, 0};

    rounds = stress_rounds(args);
    memset(&buffer, 0, sizeof(buffer));
    qemu_co_mutex_init(&buffer.mutex);
    qemu_co_queue_init(&buffer.not_full);
    qemu_co_queue_init(&buffer.not_empty);
    qatomic_set(&running, WORKERS);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (Worker){.lane = &lanes[i / 2 % LANES], .index = i,
                              .rng = random_seed(i + 70)};
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        aio_co_schedule(workers[i].lane->ctx,
                        qemu_coroutine_create(work, &workers[i]));
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&running) > 0);
    lanes_stop(lanes, LANES, &total);
    lanes_destroy(lanes, LANES);
    SCENARIO_CHECK(buffer.in == buffer.out &&
                   buffer.in == (uint64_t)rounds * WORKERS / 2,
                   "%" PRIu64 " in, %" PRIu64 " out", buffer.in, buffer.out);
    trace_fold(&total, &buffer.order);
    trace_report(&total);
}

SCENARIO(co_queue) = {
    .name = "co-queue",
    .summary = "producers and consumers of four threads, and sleeps",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "150", "items of each of eight coroutines"}, {NULL}},
    .run = run,
};
