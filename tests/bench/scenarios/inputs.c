/* SPDX-License-Identifier: MIT */
/*
 * inputs: nothing but inputs, as fast as they come.
 *
 * Each thread looks at the clock "count" times, and every look is one input of
 * a recording.  With threads=0 the main thread does it itself.  Standard
 * error says how much CPU time all looks took (input_ns), so the difference
 * between a recorded run and another is what recording them costs.
 *
 * Then each thread adds "adds" times to one word that all of them share.  A
 * fetch_add is the least that a total order over all threads costs.
 *
 * All that is done in BURSTS parts, and the threads wait for each other before
 * each.  input_wall_ns and add_wall_ns are BURSTS times the median of the times
 * from there until the last one is done with the part: where threads fight for a
 * word, each is as fast as the word goes back and forth.  A part is shorter than
 * what a scheduler gives a thread, so on a busy machine most parts are whole.
 * With pin=1 each thread has a processor of its own.
 */
#include "aiolab/scenario.h"

#include <sched.h>
#include <time.h>

enum { THREADS_MAX = 16, BURSTS = 15 };

typedef struct Producer {
    IOThread *iothread; /* NULL: the main thread */
    int64_t count, adds;
    int64_t begin_ns[BURSTS], end_ns[BURSTS];
    int processor; /* -1: any */
} Producer;

static int64_t running; /* producers that are not done; the main thread's */
static uint64_t shared __attribute__((aligned(128)));

static unsigned arrived, n_producers;
static int64_t looked_ns; /* of all of them */

static int64_t read_clock(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

/* Returns in all threads at once.  Not by qatomic_*(): that would be inputs. */
static void wait_for_all(unsigned burst)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) <
           n_producers * (burst + 1)) {
        sched_yield();
    }
}

static void in_bursts(Producer *producer, void (*fn)(int64_t n), int64_t n)
{
    if (producer->processor >= 0) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(producer->processor, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    for (unsigned i = 0; i < BURSTS; i++) {
        wait_for_all(i);
        producer->begin_ns[i] = read_clock(CLOCK_MONOTONIC);
        fn(n * (i + 1) / BURSTS - n * i / BURSTS);
        producer->end_ns[i] = read_clock(CLOCK_MONOTONIC);
    }
}

static void look_at_clock(int64_t n)
{
    int64_t begin_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);

    for (int64_t i = 0; i < n; i++) {
        qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    }
    __atomic_fetch_add(&looked_ns,
                       read_clock(CLOCK_THREAD_CPUTIME_ID) - begin_ns,
                       __ATOMIC_RELAXED);
}

static void add_to_shared(int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        __atomic_fetch_add(&shared, 1, __ATOMIC_SEQ_CST);
    }
}

static void one_done(void *opaque)
{
    running--;
}

static void produce(void *opaque)
{
    Producer *producer = opaque;

    in_bursts(producer, look_at_clock, producer->count);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), one_done, NULL);
}

static void add(void *opaque)
{
    Producer *producer = opaque;

    in_bursts(producer, add_to_shared, producer->adds);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), one_done, NULL);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* From the first one's begin to the last one's end; see above. */
static int64_t wall_ns(const Producer *producers, int64_t n)
{
    int64_t took[BURSTS];

    for (unsigned burst = 0; burst < BURSTS; burst++) {
        int64_t begin = INT64_MAX, end = 0;

        for (int64_t i = 0; i < n; i++) {
            begin = MIN(begin, producers[i].begin_ns[burst]);
            end = MAX(end, producers[i].end_ns[burst]);
        }
        took[burst] = end - begin;
    }
    qsort(took, BURSTS, sizeof(*took), compare);
    return took[BURSTS / 2] * BURSTS;
}

static int64_t run_all(Producer *producers, int64_t n, QEMUBHFunc *fn)
{
    running = n_producers = n;
    arrived = 0;
    for (int64_t i = 0; i < n; i++) {
        IOThread *iothread = producers[i].iothread;

        aio_bh_schedule_oneshot(iothread ? iothread_get_aio_context(iothread)
                                         : qemu_get_aio_context(),
                                fn, &producers[i]);
    }
    while (running) {
        aio_poll(qemu_get_aio_context(), true);
    }
    return wall_ns(producers, n);
}

static void run(const ScenarioArgs *args)
{
    Producer producers[THREADS_MAX] = {{.iothread = NULL}};
    int64_t threads = scenario_param_int(args, "threads");
    int64_t n = MAX(threads, 1), input_wall, add_wall;

    if (threads < 0 || threads > THREADS_MAX) {
        scenario_bad_input("threads goes from 0 to %d", THREADS_MAX);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        producers[i].count = scenario_param_int(args, "count");
        producers[i].adds = scenario_param_int(args, "adds");
        producers[i].processor = scenario_param_int(args, "pin") ? i : -1;
        if (threads) {
            g_autofree char *name = g_strdup_printf("producer%d", (int)i);

            producers[i].iothread = iothread_create(name, &error_abort);
        }
    }
    looked_ns = 0;
    input_wall = run_all(producers, n, produce);
    add_wall = run_all(producers, n, add);
    for (int64_t i = 0; i < n; i++) {
        if (threads) {
            iothread_destroy(producers[i].iothread);
        }
    }
    fprintf(stderr, "{\"input_ns\":%" PRId64 ",\"input_wall_ns\":%" PRId64
            ",\"add_wall_ns\":%" PRId64 "}\n", looked_ns, input_wall, add_wall);
}

SCENARIO(inputs) = {
    .name = "inputs",
    .summary = "nothing but inputs, in one thread or in IOThreads",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"threads", "0", "IOThreads; 0: the main thread"},
        {"count", "1000000", "inputs of each thread"},
        {"adds", "0", "fetch_adds of each thread"},
        {"pin", "0", "1: the nth thread on the nth processor"},
        {NULL}},
    .run = run,
};
