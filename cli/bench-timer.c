/* SPDX-License-Identifier: MIT */
/*
 * Timers: one that is always due, many armed and fired together, and re-arming
 * one of many.
 *
 * The many have random deadlines within a second, in whole milliseconds as the
 * peer has them.  That second lies in the past when they are fired, so that
 * what is measured is work, and not waiting.
 */
#include "bench.h"

#include "qemu/main-loop.h"
#include "qemu/timer.h"

static void nothing(void *opaque)
{
}

void bench_timer(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer timer;

    aio_timer_init(ctx, &timer, QEMU_CLOCK_REALTIME, SCALE_NS, nothing, NULL);
    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        timer_mod_ns(&timer, 1);
        aio_poll(ctx, true);
    }
    bench_end(run);
}

/* The same numbers as the peers': tests/bench/peers/peer.h. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

enum { SEED = 88172645, SPREAD_MS = 1000 };

static void count(void *opaque)
{
    uint64_t *fired = opaque;

    ++*fired;
}

/* run->n timers, with callbacks that count in @fired. */
static QEMUTimer *new_timers(BenchRun *run, uint64_t *fired)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer *timers = g_new(QEMUTimer, run->n);

    for (uint64_t i = 0; i < run->n; i++) {
        aio_timer_init(ctx, &timers[i], QEMU_CLOCK_REALTIME, SCALE_MS, count,
                       fired);
    }
    return timers;
}

void bench_timer_fire(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    uint64_t fired = 0, random = SEED;
    g_autofree QEMUTimer *timers = new_timers(run, &fired);
    int64_t base = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) - 2 * SPREAD_MS;

    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        timer_mod(&timers[i], base + next_random(&random) % SPREAD_MS);
    }
    while (fired < run->n) {
        aio_poll(ctx, true);
    }
    bench_end(run);
}

/* One of a million is armed again, for another random time far ahead. */
void bench_timer_mod(BenchRun *run)
{
    enum { ARMED = 1000000 };
    BenchRun armed = {.n = ARMED};
    uint64_t fired = 0, random = SEED;
    g_autofree QEMUTimer *timers = new_timers(&armed, &fired);
    int64_t base = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + 1000 * SPREAD_MS;

    for (unsigned i = 0; i < ARMED; i++) {
        timer_mod(&timers[i], base + next_random(&random) % SPREAD_MS);
    }
    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        QEMUTimer *timer = &timers[next_random(&random) % ARMED];

        timer_mod(timer, base + next_random(&random) % SPREAD_MS);
    }
    bench_end(run);
    for (unsigned i = 0; i < ARMED; i++) {
        timer_del(&timers[i]);
    }
}
