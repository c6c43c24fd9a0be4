/* SPDX-License-Identifier: MIT */
/*
 * Exercise bh-order: make the callbacks run A, B, C, whatever the schedule.
 *
 * Edit what is between "your code" and "end".  Then: aiolab check bh-order
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

static char order[8];
static unsigned n_run;
static QEMUBH *a, *b, *c;

static void record(char name)
{
    order[n_run++] = name;
}

/* ---- your code ---- */

static void bh_a(void *opaque)
{
    record('A');
}

static void bh_b(void *opaque)
{
    record('B');
}

static void bh_c(void *opaque)
{
    record('C');
}

static void *scheduler(void *opaque)
{
    qemu_bh_schedule(a);
    qemu_bh_schedule(b);
    qemu_bh_schedule(c);
    return NULL;
}

/* ---- end ---- */

static void run(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QemuThread thread;

    n_run = 0;
    memset(order, 0, sizeof(order));
    a = aio_bh_new(ctx, bh_a, NULL);
    b = aio_bh_new(ctx, bh_b, NULL);
    c = aio_bh_new(ctx, bh_c, NULL);
    qemu_thread_create(&thread, "scheduler", scheduler, NULL,
                       QEMU_THREAD_JOINABLE);
    while (n_run < 3) {
        aio_poll(ctx, true);
    }
    qemu_thread_join(&thread);
    SCENARIO_CHECK(g_str_equal(order, "ABC"), "they ran in the order %s",
                   order);
    qemu_bh_delete(a);
    qemu_bh_delete(b);
    qemu_bh_delete(c);
    aio_poll(ctx, false);
}

SCENARIO(exercise) = {
    .name = "bh-order-exercise",
    .summary = "three bottom halves that shall run in order",
    .run = run,
};
