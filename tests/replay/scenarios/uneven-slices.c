/* SPDX-License-Identifier: MIT */
/*
 * uneven-slices: bottom halves in two threads, of which each slice has explicit
 * events (replay_*()) in some, in all or in none, with or without other inputs
 * between them.  So the tickets that a slice takes in advance are sometimes all
 * needed, and sometimes not.
 */
#include "aiolab/scenario.h"

enum { THREADS = 2, SLICE = 24, ROUNDS = 40 };

typedef struct Worker {
    AioContext *ctx;
    unsigned round, done, events;
} Worker;

static Worker workers[THREADS];
static unsigned running; /* the main thread's */

static void worker_ended(void *opaque)
{
    running--;
}

static void count(void *opaque)
{
    Worker *worker = opaque;

    worker->events++;
}

static void next_round(Worker *worker);

static void slice_member(void *opaque)
{
    Worker *worker = opaque;
    unsigned nth = worker->done++;

    if (worker->round % 4 < 2 || nth % 3 == worker->round % 4) {
        replay_bh_schedule_oneshot_event(worker->ctx, count, worker);
    }
    if (worker->round % 5 == 4 && nth == SLICE / 2) {
        qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    }
    if (worker->done == SLICE) {
        next_round(worker);
    }
}

static void next_round(Worker *worker)
{
    worker->done = 0;
    if (++worker->round == ROUNDS) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), worker_ended, NULL);
        return;
    }
    for (unsigned i = 0; i < SLICE; i++) {
        aio_bh_schedule_oneshot(worker->ctx, slice_member, worker);
    }
}

static void begin(void *opaque)
{
    next_round(opaque);
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothreads[THREADS];

    running = THREADS;
    for (unsigned i = 0; i < THREADS; i++) {
        g_autofree char *name = g_strdup_printf("worker%u", i);

        iothreads[i] = iothread_create(name, &error_abort);
        workers[i] = (Worker){.ctx = iothread_get_aio_context(iothreads[i])};
        aio_bh_schedule_oneshot(workers[i].ctx, begin, &workers[i]);
    }
    while (running) {
        aio_poll(qemu_get_aio_context(), true);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        iothread_destroy(iothreads[i]);
    }
}

SCENARIO(uneven_slices) = {
    .name = "uneven-slices",
    .summary = "slices of bottom halves with more and less explicit events",
    .host = "live",
    .params = (const ScenarioParam[]){{NULL}},
    .run = run,
};
