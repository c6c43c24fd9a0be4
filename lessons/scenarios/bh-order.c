/* SPDX-License-Identifier: MIT */
/*
 * bh-order: three bottom halves, and the order in which they run.
 *
 * In the variant "thread" another thread schedules them while the main thread
 * polls, so that a slice may be taken between two of the calls.
 */
#include "aiolab/scenario.h"

#include "qemu/thread.h"

static char order[8];
static unsigned n_run;
static QEMUBH *bh[3];

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

static void *schedule_all(void *opaque)
{
    for (unsigned i = 0; i < ARRAY_SIZE(bh); i++) {
        qemu_bh_schedule(bh[i]);
    }
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QemuThread thread;

    memset(order, 0, sizeof(order));
    n_run = 0;
    bh[0] = aio_bh_new(ctx, bh_a, NULL);
    bh[1] = aio_bh_new(ctx, bh_b, NULL);
    bh[2] = aio_bh_new(ctx, bh_c, NULL);
    if (scenario_is_variant(args, "thread")) {
        qemu_thread_create(&thread, "scheduler", schedule_all, NULL,
                           QEMU_THREAD_JOINABLE);
        while (n_run < 3) {
            aio_poll(ctx, true);
        }
        qemu_thread_join(&thread);
    } else {
        schedule_all(NULL);
        aio_poll(ctx, false);
    }
    SCENARIO_CHECK(g_str_equal(order, "CBA"), "they ran in the order %s",
                   order);
    for (unsigned i = 0; i < ARRAY_SIZE(bh); i++) {
        qemu_bh_delete(bh[i]);
    }
    aio_poll(ctx, false);
}

SCENARIO(bh_order) = {
    .name = "bh-order",
    .summary = "three bottom halves scheduled A, B, C run C, B, A",
    .shows = "aio_bh_poll() takes the whole list as a slice, newest first",
    .variants = (const ScenarioVariant[]){
        {"plain", "scheduled by the thread that polls"},
        {"thread", "scheduled by another thread: the order may break"},
        {NULL}},
    .run = run,
};
