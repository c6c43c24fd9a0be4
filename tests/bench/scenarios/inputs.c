/* SPDX-License-Identifier: MIT */
/*
 * inputs: nothing but inputs, as fast as they come.
 *
 * Each thread looks at the clock "count" times, and every look is one input of
 * a recording.  With threads=0 the main thread does it itself.  Standard
 * error says how much CPU time all looks took (input_ns), so the difference
 * between a recorded run and another is what recording them costs.
 *
 * Then each thread adds "adds" times to one word that all of them share: add_ns
 * is the CPU time of that.  A fetch_add is the least that a total order over
 * all threads costs.
 */
#include "aiolab/scenario.h"

#include <time.h>

enum { THREADS_MAX = 16 };

typedef struct Producer {
    IOThread *iothread; /* NULL: the main thread */
    int64_t count, adds;
    int64_t input_ns, add_ns;
} Producer;

static int64_t running; /* producers that are not done; the main thread's */
static uint64_t shared __attribute__((aligned(128)));

static int64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static void one_done(void *opaque)
{
    running--;
}

static void produce(void *opaque)
{
    Producer *producer = opaque;

    producer->input_ns = -cpu_ns();
    for (int64_t i = 0; i < producer->count; i++) {
        qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    }
    producer->input_ns += cpu_ns();
    aio_bh_schedule_oneshot(qemu_get_aio_context(), one_done, NULL);
}

/* Not qatomic_*(): that would be an input. */
static void add(void *opaque)
{
    Producer *producer = opaque;

    producer->add_ns = -cpu_ns();
    for (int64_t i = 0; i < producer->adds; i++) {
        __atomic_fetch_add(&shared, 1, __ATOMIC_SEQ_CST);
    }
    producer->add_ns += cpu_ns();
    aio_bh_schedule_oneshot(qemu_get_aio_context(), one_done, NULL);
}

static void run_all(Producer *producers, int64_t n, QEMUBHFunc *fn)
{
    running = n;
    for (int64_t i = 0; i < n; i++) {
        IOThread *iothread = producers[i].iothread;

        aio_bh_schedule_oneshot(iothread ? iothread_get_aio_context(iothread)
                                         : qemu_get_aio_context(),
                                fn, &producers[i]);
    }
    while (running) {
        aio_poll(qemu_get_aio_context(), true);
    }
}

static void run(const ScenarioArgs *args)
{
    Producer producers[THREADS_MAX] = {{.iothread = NULL}};
    int64_t threads = scenario_param_int(args, "threads");
    int64_t n = MAX(threads, 1), inputs = 0, adds = 0;

    if (threads < 0 || threads > THREADS_MAX) {
        scenario_bad_input("threads goes from 0 to %d", THREADS_MAX);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        producers[i].count = scenario_param_int(args, "count");
        producers[i].adds = scenario_param_int(args, "adds");
        if (threads) {
            g_autofree char *name = g_strdup_printf("producer%d", (int)i);

            producers[i].iothread = iothread_create(name, &error_abort);
        }
    }
    run_all(producers, n, produce);
    run_all(producers, n, add);
    for (int64_t i = 0; i < n; i++) {
        inputs += producers[i].input_ns;
        adds += producers[i].add_ns;
        if (threads) {
            iothread_destroy(producers[i].iothread);
        }
    }
    fprintf(stderr, "{\"input_ns\":%" PRId64 ",\"add_ns\":%" PRId64 "}\n",
            inputs, adds);
}

SCENARIO(inputs) = {
    .name = "inputs",
    .summary = "nothing but inputs, in one thread or in IOThreads",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"threads", "0", "IOThreads; 0: the main thread"},
        {"count", "1000000", "inputs of each thread"},
        {"adds", "0", "fetch_adds of each thread"},
        {NULL}},
    .run = run,
};
