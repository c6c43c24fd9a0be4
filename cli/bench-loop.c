/* SPDX-License-Identifier: MIT */
/* One thread's loop: turns with nothing, a bottom half, or a descriptor. */
#include "bench.h"
#include "cli.h"

#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"

void bench_poll_empty(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();

    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        aio_poll(ctx, false);
    }
    bench_end(run);
}

static void empty_bh(void *opaque)
{
}

void bench_bh(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUBH *bh = aio_bh_new(ctx, empty_bh, NULL);

    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        qemu_bh_schedule(bh);
        aio_poll(ctx, true);
    }
    bench_end(run);
    qemu_bh_delete(bh);
    aio_poll(ctx, false);
}

static void clear_notifier(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
}

static void add_notifier(AioContext *ctx, EventNotifier *e)
{
    int ret = event_notifier_init(e, false);

    if (ret < 0) {
        cli_error("cannot create an event notifier: %s", g_strerror(-ret));
        exit(STATUS_MACHINE);
    }
    aio_set_event_notifier(ctx, e, clear_notifier, NULL, NULL);
}

static void remove_notifier(AioContext *ctx, EventNotifier *e)
{
    aio_set_event_notifier(ctx, e, NULL, NULL, NULL);
    event_notifier_cleanup(e);
}

void bench_notifier(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    EventNotifier e;

    add_notifier(ctx, &e);
    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        event_notifier_set(&e);
        aio_poll(ctx, true);
    }
    bench_end(run);
    remove_notifier(ctx, &e);
}

/* ---- Many handlers that stay idle ---- */

/* A monitor may take changes in portions: give it turns for all of them. */
static void settle(AioContext *ctx)
{
    for (int i = 0; i < 8; i++) {
        aio_poll(ctx, false);
    }
}

enum { PORTION = 128 };

static void add_idle(AioContext *ctx, EventNotifier *idle, int n)
{
    for (int i = 0; i < n; i++) {
        add_notifier(ctx, &idle[i]);
        if (i % PORTION == PORTION - 1) {
            settle(ctx);
        }
    }
    settle(ctx);
}

/* The last first, where a list of them begins. */
static void remove_idle(AioContext *ctx, EventNotifier *idle, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        remove_notifier(ctx, &idle[i]);
        if (i % PORTION == 0) {
            settle(ctx);
        }
    }
    settle(ctx);
}

void bench_fd_idle(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    g_autofree EventNotifier *idle = g_new(EventNotifier, run->arg);

    add_idle(ctx, idle, run->arg);
    bench_poll_empty(run);
    remove_idle(ctx, idle, run->arg);
}

void bench_fd_ready(BenchRun *run)
{
    AioContext *ctx = qemu_get_aio_context();
    g_autofree EventNotifier *idle = g_new(EventNotifier, run->arg);

    add_idle(ctx, idle, run->arg);
    bench_notifier(run);
    remove_idle(ctx, idle, run->arg);
}
