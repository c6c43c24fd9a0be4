/* SPDX-License-Identifier: MIT */
/*
 * Two threads: a bottom half scheduled in an IOThread schedules one back here.
 * Both loops sleep in between, unless they are told to poll.  Then each has a
 * processor of its own, as with the peer: two that spin on one would measure
 * the scheduler.
 */
#include "bench.h"

#include "qapi/error.h"
#include "qemu/aio-wait.h"
#include "qemu/main-loop.h"
#include "system/iothread.h"

#include <sched.h>

typedef struct RoundTrip {
    QEMUBH *there, *back;
    uint64_t n;
} RoundTrip;

static void go_back(void *opaque)
{
    RoundTrip *trip = opaque;

    qemu_bh_schedule(trip->back);
}

static void arrived(void *opaque)
{
    RoundTrip *trip = opaque;

    trip->n++;
}

/* How long a loop looks for work before it sleeps; in its own thread. */
static void set_polling(AioContext *ctx, int max_ns)
{
    aio_context_set_poll_params(ctx, max_ns, 0, 0, 0, &error_abort);
}

/* To the @nth processor that we may use, if there are so many. */
static void pin(unsigned nth)
{
    cpu_set_t allowed, one;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0) {
        return;
    }
    CPU_ZERO(&one);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && !nth--) {
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof(one), &one);
            return;
        }
    }
}

static void set_polling_bh(void *opaque)
{
    BenchRun *run = opaque;

    if (run->arg) {
        pin(1);
    }
    set_polling(qemu_get_current_aio_context(), run->arg);
}

void bench_bh_thread(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    IOThread *iothread = iothread_create("bench", &error_fatal);
    AioContext *iothread_ctx = iothread_get_aio_context(iothread);
    RoundTrip trip = {.n = 0};
    cpu_set_t allowed;

    set_polling(ctx, run->arg);
    aio_wait_bh_oneshot(iothread_ctx, set_polling_bh, run);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    if (run->arg) {
        pin(0);
    }
    trip.there = aio_bh_new(iothread_ctx, go_back, &trip);
    trip.back = aio_bh_new(ctx, arrived, &trip);
    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        qemu_bh_schedule(trip.there);
        while (trip.n == i) {
            aio_poll(ctx, true);
        }
    }
    bench_end(run);
    qemu_bh_delete(trip.there);
    qemu_bh_delete(trip.back);
    aio_poll(ctx, false);
    iothread_destroy(iothread);
    set_polling(ctx, 0);
    sched_setaffinity(0, sizeof(allowed), &allowed);
}
