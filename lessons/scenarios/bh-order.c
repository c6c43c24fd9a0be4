/* SPDX-License-Identifier: MIT */
/* bh-order: three bottom halves, and the order in which they run. */
#include "aiolab/scenario.h"

static char order[8];
static unsigned n_run;

static void run_one(const char *name)
{
    order[n_run++] = *name;
    scenario_note("%s runs", name);
}

static void bh_a(void *opaque)
{
    run_one("A");
}

static void bh_b(void *opaque)
{
    run_one("B");
}

static void bh_c(void *opaque)
{
    run_one("C");
}

static void run(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUBH *a = aio_bh_new(ctx, bh_a, NULL);
    QEMUBH *b = aio_bh_new(ctx, bh_b, NULL);
    QEMUBH *c = aio_bh_new(ctx, bh_c, NULL);

    memset(order, 0, sizeof(order));
    n_run = 0;
    qemu_bh_schedule(a);
    qemu_bh_schedule(b);
    qemu_bh_schedule(c);
    aio_poll(ctx, false);
    SCENARIO_CHECK(g_str_equal(order, "CBA"), "they ran in the order %s",
                   order);
    qemu_bh_delete(a);
    qemu_bh_delete(b);
    qemu_bh_delete(c);
    aio_poll(ctx, false);
}

SCENARIO(bh_order) = {
    .name = "bh-order",
    .summary = "three bottom halves scheduled A, B, C run C, B, A",
    .shows = "aio_bh_poll() takes the whole list as a slice, newest first",
    .run = run,
};
