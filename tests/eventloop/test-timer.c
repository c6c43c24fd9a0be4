/* SPDX-License-Identifier: MIT */
/*
 * Timers: never early, in the order of their deadlines and, for equal ones, of
 * their arming; armed again, deleted and freed from callbacks; and what
 * aio_compute_timeout() makes of them.
 */
#include "harness.h"

typedef struct TimerTest {
    QEMUTimer timer;
    QEMUClockType clock;
    int n, max;
    int64_t deadline; /* the callback must not come before it */
    int64_t step;     /* re-armed that much after the old deadline */
    Trace *trace;
    char name;
    QEMUTimer *victim; /* the callback deletes it */
} TimerTest;

static void timer_cb(void *opaque)
{
    TimerTest *data = opaque;

    data->n++;
    CHECK(!timer_pending(&data->timer));
    CHECK(qemu_clock_get_ns(data->clock) >= data->deadline);
    if (data->trace) {
        trace(data->trace, data->name);
    }
    if (data->victim) {
        timer_del(data->victim);
    }
    if (data->n < data->max) {
        data->deadline += data->step;
        timer_mod_ns(&data->timer, data->deadline);
    }
}

static void timer_test_init(TimerTest *data, QEMUClockType clock)
{
    *data = (TimerTest){.clock = clock};
    aio_timer_init(qemu_get_aio_context(), &data->timer, clock, SCALE_NS,
                   timer_cb, data);
}

static void arm(TimerTest *data, int64_t ns_from_now)
{
    data->deadline = qemu_clock_get_ns(data->clock) + ns_from_now;
    timer_mod_ns(&data->timer, data->deadline);
}

static void test_schedule(const ScenarioArgs *args)
{
    static const QEMUClockType clocks[] = {
        QEMU_CLOCK_REALTIME, QEMU_CLOCK_VIRTUAL, QEMU_CLOCK_HOST,
        QEMU_CLOCK_VIRTUAL_RT,
    };
    AioContext *ctx = qemu_get_aio_context();

    for (unsigned i = 0; i < ARRAY_SIZE(clocks); i++) {
        TimerTest data;

        timer_test_init(&data, clocks[i]);
        data.max = 2;
        data.step = 200 * SCALE_US;
        CHECK(!timer_pending(&data.timer));
        arm(&data, 300 * SCALE_US);
        CHECK(timer_pending(&data.timer));
        while (data.n < 2) {
            aio_poll(ctx, true);
        }
        CHECK(!timer_pending(&data.timer));
        CHECK(!aio_poll(ctx, false));
        CHECK_EQ(data.n, 2);
        timer_deinit(&data.timer);
    }
}

static void test_progress(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    TimerTest data;

    timer_test_init(&data, QEMU_CLOCK_REALTIME);
    arm(&data, 0);
    CHECK_EQ(data.n, 0); /* never from timer_mod() itself */
    CHECK(aio_poll(ctx, false));
    CHECK_EQ(data.n, 1);
    arm(&data, 0);
    CHECK(timerlistgroup_run_timers(&ctx->tlg));
    CHECK_EQ(data.n, 2);
    CHECK(!aio_poll(ctx, false));
}

static void test_order(const ScenarioArgs *args)
{
    static const int64_t offsets[] = {3, 1, 2, 1, 3, 0};
    AioContext *ctx = qemu_get_aio_context();
    TimerTest data[ARRAY_SIZE(offsets)];
    int64_t base = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    Trace order = {.n = 0};

    for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
        timer_test_init(&data[i], QEMU_CLOCK_VIRTUAL);
        data[i].trace = &order;
        data[i].name = 'A' + i;
        timer_mod_ns(&data[i].timer, base + offsets[i]);
    }
    /* Armed again with the same deadline: behind its equals. */
    timer_mod_ns(&data[1].timer, base + 1);
    while (order.n < ARRAY_SIZE(offsets)) {
        aio_poll(ctx, true);
    }
    CHECK_STR(order.text, "FDBCAE");
}

static void test_rearm(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    TimerTest data;

    /* Into the past: all in one turn, whose clock was read once. */
    timer_test_init(&data, QEMU_CLOCK_REALTIME);
    data.max = 5;
    arm(&data, 0);
    CHECK(aio_poll(ctx, false));
    CHECK_EQ(data.n, 5);
    /* Far into the future: once. */
    data.max = 100;
    data.step = 1000 * NANOSECONDS_PER_SECOND;
    arm(&data, 0);
    CHECK(aio_poll(ctx, false));
    CHECK_EQ(data.n, 6);
    CHECK(timer_pending(&data.timer));
    CHECK(!aio_poll(ctx, false));
    timer_del(&data.timer);
    CHECK(!timer_pending(&data.timer));
}

static void test_del(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    TimerTest a, b;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    timer_test_init(&a, QEMU_CLOCK_REALTIME);
    timer_test_init(&b, QEMU_CLOCK_REALTIME);
    timer_mod_ns(&a.timer, now);
    timer_del(&a.timer);
    timer_del(&a.timer);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(a.n, 0);
    /* Both have expired; the first deletes the second. */
    a.victim = &b.timer;
    timer_mod_ns(&a.timer, now);
    timer_mod_ns(&b.timer, now);
    CHECK(aio_poll(ctx, false));
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(a.n, 1);
    CHECK_EQ(b.n, 0);
    CHECK(!timer_pending(&b.timer));
}

static void test_anticipate(const ScenarioArgs *args)
{
    int64_t future = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                     1000 * NANOSECONDS_PER_SECOND;
    TimerTest data;

    timer_test_init(&data, QEMU_CLOCK_REALTIME);
    CHECK_EQ(timer_expire_time_ns(&data.timer), -1);
    timer_mod_anticipate_ns(&data.timer, future);
    CHECK_EQ(timer_expire_time_ns(&data.timer), future);
    timer_mod_anticipate_ns(&data.timer, future + 1);
    CHECK_EQ(timer_expire_time_ns(&data.timer), future);
    timer_mod_anticipate_ns(&data.timer, future - 1);
    CHECK_EQ(timer_expire_time_ns(&data.timer), future - 1);
    timer_del(&data.timer);
    CHECK_EQ(timer_expire_time_ns(&data.timer), -1);
}

static void test_scale(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    TimerTest data = {.clock = QEMU_CLOCK_REALTIME};

    aio_timer_init(ctx, &data.timer, QEMU_CLOCK_REALTIME, SCALE_MS, timer_cb,
                   &data);
    timer_mod(&data.timer, 5000000000);
    CHECK_EQ(timer_expire_time_ns(&data.timer), 5000000000LL * SCALE_MS);
    timer_mod(&data.timer, -1); /* as early as can be, not "never" */
    CHECK(timer_pending(&data.timer));
    CHECK_EQ(timer_expire_time_ns(&data.timer), 0);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(data.n, 1);
}

static void test_timeout(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    int64_t second = NANOSECONDS_PER_SECOND, timeout;
    TimerTest a, b;

    timer_test_init(&a, QEMU_CLOCK_REALTIME);
    timer_test_init(&b, QEMU_CLOCK_HOST);
    CHECK_EQ(aio_compute_timeout(ctx), -1);
    arm(&a, 2000 * second);
    timeout = aio_compute_timeout(ctx);
    CHECK(timeout > 1000 * second && timeout <= 2000 * second);
    arm(&b, 500 * second);
    timeout = aio_compute_timeout(ctx);
    CHECK(timeout > 0 && timeout <= 500 * second);
    arm(&b, 0);
    CHECK_EQ(aio_compute_timeout(ctx), 0);
    CHECK(aio_poll(ctx, false));
    CHECK_EQ(b.n, 1);
    timer_del(&a.timer);
    CHECK_EQ(aio_compute_timeout(ctx), -1);
}

static QEMUTimer *own_timer;
static int freed;

static void free_cb(void *opaque)
{
    timer_free(own_timer);
    freed++;
}

static void test_free_from_cb(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    freed = 0;
    own_timer = aio_timer_new(ctx, QEMU_CLOCK_VIRTUAL, SCALE_NS, free_cb, NULL);
    timer_mod(own_timer, 0);
    CHECK(aio_poll(ctx, true));
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(freed, 1);
}

static void *arm_thread(void *opaque)
{
    arm(opaque, 0);
    return NULL;
}

/* The main thread may sleep for ever when another one arms the timer. */
static void test_thread(const ScenarioArgs *args)
{
    QemuThread thread;
    TimerTest data;

    timer_test_init(&data, QEMU_CLOCK_REALTIME);
    for (int i = 1; i <= 10; i++) {
        qemu_thread_create(&thread, "timer", arm_thread, &data,
                           QEMU_THREAD_JOINABLE);
        while (data.n < i) {
            aio_poll(qemu_get_aio_context(), true);
        }
        qemu_thread_join(&thread);
    }
    CHECK_EQ(data.n, 10);
}

static const LoopTest tests[] = {
    {"/aio/timer/schedule", test_schedule},
    {"/aio/timer/progress", test_progress},
    {"/aio/timer/order", test_order},
    {"/aio/timer/rearm", test_rearm},
    {"/aio/timer/del", test_del},
    {"/aio/timer/anticipate", test_anticipate},
    {"/aio/timer/scale", test_scale},
    {"/aio/timer/timeout", test_timeout},
    {"/aio/timer/free-from-cb", test_free_from_cb},
    {"/aio/timer/thread", test_thread, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
