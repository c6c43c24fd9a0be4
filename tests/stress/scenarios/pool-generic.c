/* SPDX-License-Identifier: MIT */
/*
 * pool-generic: two threads share a ThreadPool that belongs to no context;
 * work submits more work, and how many threads there may be changes meanwhile.
 */
#include "stress.h"

#include "block/thread-pool.h"

enum { THREADS = 2 };

typedef struct Submitter {
    QemuThread thread;
    unsigned index;
    int64_t rounds;
} Submitter;

typedef struct Work {
    unsigned value, depth;
    uint64_t saw;
} Work;

static ThreadPool *pool;
static uint64_t performed, destroyed; /* any thread */
static QemuMutex mutex;
static Trace order; /* with the mutex: the only way to see who was first */

static int perform(void *opaque);

static void destroy(gpointer opaque)
{
    Work *work = opaque;

    qemu_mutex_lock(&mutex);
    trace_add(&order, work->value * 1000 + work->saw % 1000);
    qemu_mutex_unlock(&mutex);
    qatomic_inc(&destroyed);
    g_free(work);
}

static void submit(unsigned value, unsigned depth)
{
    Work *work = g_new(Work, 1);

    *work = (Work){.value = value, .depth = depth};
    if (value % 5 == 0) {
        thread_pool_submit_immediate(pool, perform, work, destroy);
    } else {
        thread_pool_submit(pool, perform, work, destroy);
    }
}

static int perform(void *opaque)
{
    Work *work = opaque;
    uint64_t x = work->value + 1;

    for (unsigned i = 0; i < work->value % 64 * 16; i++) {
        next_random(&x);
    }
    work->saw = qatomic_fetch_inc(&performed);
    if (work->depth > 0) {
        submit(work->value + 1, work->depth - 1);
    }
    return 0;
}

static void *submit_thread(void *opaque)
{
    Submitter *self = opaque;

    for (int64_t i = 0; i < self->rounds; i++) {
        submit(self->index * 100 + i % 100, i % 3);
        if (i % 16 == 5) {
            thread_pool_set_max_threads(pool, 1 + i % 4);
        } else if (i % 16 == 11) {
            thread_pool_adjust_max_threads_to_work(pool);
        } else if (i % 16 == 15) {
            thread_pool_wait(pool);
        }
    }
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Submitter submitters[THREADS];
    uint64_t expected = 0;

    order = (Trace){0, 0};
    qatomic_set(&performed, 0);
    qatomic_set(&destroyed, 0);
    qemu_mutex_init(&mutex);
    pool = thread_pool_new();
    thread_pool_set_max_threads(pool, 2);
    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] = (Submitter){.index = i, .rounds = rounds};
        qemu_thread_create(&submitters[i].thread, "submitter", submit_thread,
                           &submitters[i], QEMU_THREAD_JOINABLE);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&submitters[i].thread);
    }
    for (int64_t i = 0; i < rounds; i++) {
        expected += THREADS * (1 + i % 3);
    }
    thread_pool_wait(pool);
    SCENARIO_CHECK(qatomic_read(&performed) == expected,
                   "%" PRIu64 " of %" PRIu64 " were performed",
                   qatomic_read(&performed), expected);
    thread_pool_free(pool);
    SCENARIO_CHECK(qatomic_read(&destroyed) == expected,
                   "%" PRIu64 " of %" PRIu64 " were destroyed",
                   qatomic_read(&destroyed), expected);
    qemu_mutex_destroy(&mutex);
    trace_report(&order);
}

SCENARIO(pool_generic) = {
    .name = "pool-generic",
    .summary = "a ThreadPool of nobody's, and work that submits work",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "submissions by each of two threads"}, {NULL}},
    .run = run,
};
