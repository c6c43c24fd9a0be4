/* SPDX-License-Identifier: MIT */
/*
 * A thousand timers, armed, re-armed, moved forward and deleted at random,
 * against a model: a sorted array of (deadline, order of arming).
 */
#include "harness.h"

enum { TIMERS = 1000, STEPS = 6000, SPREAD_NS = 400000 };

typedef struct ModelTimer {
    QEMUTimer timer;
    int64_t deadline; /* -1: not armed */
    unsigned seq;
} ModelTimer;

static struct {
    ModelTimer *timers;
    unsigned next_seq;
    unsigned fired;
    unsigned *order; /* indices in the order in which they fired */
    uint64_t rng;
} model;

static unsigned random_below(unsigned n)
{
    model.rng = model.rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (model.rng >> 33) % n;
}

static void fired_cb(void *opaque)
{
    ModelTimer *t = opaque;

    CHECK(model.fired < TIMERS);
    model.order[model.fired++] = t - model.timers;
}

static void model_arm(ModelTimer *t, int64_t deadline)
{
    t->deadline = deadline;
    t->seq = model.next_seq++;
}

static void random_step(int64_t base)
{
    ModelTimer *t = &model.timers[random_below(TIMERS)];
    /* Few distinct deadlines, so that many are equal. */
    int64_t deadline = base + random_below(100) * (SPREAD_NS / 100);

    switch (random_below(4)) {
    case 0:
        timer_del(&t->timer);
        t->deadline = -1;
        break;
    case 1:
        timer_mod_anticipate_ns(&t->timer, deadline);
        if (t->deadline == -1 || deadline < t->deadline) {
            model_arm(t, deadline);
        }
        break;
    default:
        timer_mod_ns(&t->timer, deadline);
        model_arm(t, deadline);
        break;
    }
    CHECK_EQ(timer_expire_time_ns(&t->timer), t->deadline);
}

static int compare(const void *x, const void *y)
{
    const ModelTimer *a = &model.timers[*(const unsigned *)x];
    const ModelTimer *b = &model.timers[*(const unsigned *)y];

    return a->deadline != b->deadline ? (a->deadline < b->deadline ? -1 : 1)
                                      : (a->seq < b->seq ? -1 : 1);
}

static void run_and_compare(AioContext *ctx)
{
    g_autofree unsigned *want = g_new(unsigned, TIMERS);
    unsigned n = 0;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (model.timers[i].deadline >= 0) {
            want[n++] = i;
        }
    }
    CHECK(n > TIMERS / 2);
    qsort(want, n, sizeof(*want), compare);
    while (model.fired < n) {
        aio_poll(ctx, true);
    }
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(model.order[i], want[i]);
    }
    CHECK_EQ(aio_compute_timeout(ctx), -1);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(model.fired, n);
}

static void test_model(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    /* Late enough that none fires while they are armed: no poll till then. */
    int64_t base = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    memset(&model, 0, sizeof(model));
    model.rng = 1;
    model.timers = g_new0(ModelTimer, TIMERS);
    model.order = g_new0(unsigned, TIMERS);
    for (unsigned i = 0; i < TIMERS; i++) {
        aio_timer_init(ctx, &model.timers[i].timer, QEMU_CLOCK_REALTIME,
                       SCALE_NS, fired_cb, &model.timers[i]);
        model.timers[i].deadline = -1;
    }
    for (unsigned i = 0; i < STEPS; i++) {
        random_step(base);
    }
    run_and_compare(ctx);
    g_free(model.timers);
    g_free(model.order);
}

static const LoopTest tests[] = {
    {"/aio/timer/model", test_model},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
