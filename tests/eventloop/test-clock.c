/* SPDX-License-Identifier: MIT */
/*
 * Clocks that are disabled: their timers neither run nor are deadlines, and
 * disabling waits for callbacks that run in another thread.
 */
#include "harness.h"

#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "system/iothread.h"

static unsigned n_fired;

static void count_cb(void *opaque)
{
    n_fired++;
}

static void test_enable(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer virtual, real;

    n_fired = 0;
    aio_timer_init(ctx, &virtual, QEMU_CLOCK_VIRTUAL, SCALE_NS, count_cb, NULL);
    aio_timer_init(ctx, &real, QEMU_CLOCK_REALTIME, SCALE_NS, count_cb, NULL);
    timer_mod(&virtual, 0);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
    CHECK_EQ(aio_compute_timeout(ctx), -1);
    CHECK_EQ(qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, -1), -1);
    poll_until_idle(ctx);
    CHECK_EQ(n_fired, 0);
    CHECK(timer_pending(&virtual));
    timer_mod(&real, 0); /* another clock */
    poll_until_idle(ctx);
    CHECK_EQ(n_fired, 1);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false); /* again: nothing */
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    CHECK_EQ(aio_compute_timeout(ctx), 0);
    CHECK_EQ(qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, -1), 0);
    poll_until_idle(ctx);
    CHECK_EQ(n_fired, 2);
}

static void enable_bh(void *opaque)
{
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
}

/* Enabling wakes whoever sleeps without a deadline. */
static void test_enable_wakes(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    IOThread *iothread = iothread_create("enabler", &error_abort);
    QEMUTimer virtual;

    n_fired = 0;
    aio_timer_init(ctx, &virtual, QEMU_CLOCK_VIRTUAL, SCALE_NS, count_cb, NULL);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
    timer_mod(&virtual, 0);
    aio_bh_schedule_oneshot(iothread_get_aio_context(iothread), enable_bh,
                            NULL);
    while (!n_fired) {
        aio_poll(ctx, true);
    }
    iothread_destroy(iothread);
}

/* ---- Waiting for a callback ---- */

typedef struct Slow {
    QEMUTimer timer;
    QemuEvent begun;
    QemuEvent go_on;
    bool ended; /* the callback's last step */
} Slow;

static void slow_cb(void *opaque)
{
    Slow *slow = opaque;

    qemu_event_set(&slow->begun);
    qemu_event_wait(&slow->go_on);
    qatomic_set(&slow->ended, true);
}

static void *let_go_on_thread(void *opaque)
{
    Slow *slow = opaque;

    qemu_event_set(&slow->go_on);
    return NULL;
}

static void test_disable_waits(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("timers", &error_abort);
    AioContext *ctx = iothread_get_aio_context(iothread);
    Slow slow = {.ended = false};
    QemuThread thread;

    qemu_event_init(&slow.begun, false);
    qemu_event_init(&slow.go_on, false);
    aio_timer_init(ctx, &slow.timer, QEMU_CLOCK_VIRTUAL, SCALE_NS, slow_cb,
                   &slow);
    timer_mod(&slow.timer, 0);
    qemu_event_wait(&slow.begun);
    qemu_thread_create(&thread, "let-go-on", let_go_on_thread, &slow,
                       QEMU_THREAD_JOINABLE);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
    CHECK(qatomic_read(&slow.ended));
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    qemu_thread_join(&thread);
    iothread_destroy(iothread);
    qemu_event_destroy(&slow.begun);
    qemu_event_destroy(&slow.go_on);
}

/* Timers armed, moved and deleted by one thread, and run by another. */
enum { TIMERS = 8, ROUNDS = 30 };

static QEMUTimer crowd[TIMERS];

static void test_threads(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("timers", &error_abort);
    AioContext *ctx = iothread_get_aio_context(iothread);

    for (unsigned i = 0; i < TIMERS; i++) {
        aio_timer_init(ctx, &crowd[i], QEMU_CLOCK_REALTIME, SCALE_NS, count_cb,
                       NULL);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

        for (unsigned i = 0; i < TIMERS; i++) {
            timer_mod(&crowd[i], now + (i * 7 + round) % 11 * SCALE_US);
        }
        timer_mod_anticipate(&crowd[round % TIMERS], now);
        timer_del(&crowd[(round + 1) % TIMERS]);
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_del(&crowd[i]);
        CHECK(!timer_pending(&crowd[i]));
    }
    iothread_destroy(iothread);
}

static void disable_own_cb(void *opaque)
{
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
}

static void abort_disable_own(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer ts;

    aio_timer_init(ctx, &ts, QEMU_CLOCK_VIRTUAL, SCALE_NS, disable_own_cb,
                   NULL);
    timer_mod(&ts, 0);
    aio_poll(ctx, true);
}

int main(int argc, char **argv)
{
    static const LoopTest tests[] = {
        {"/clock/enable", test_enable},
        {"/clock/enable-wakes", test_enable_wakes, TEST_THREADS},
        {"/clock/disable-waits", test_disable_waits, TEST_THREADS},
        {"/clock/threads", test_threads, TEST_THREADS},
        {NULL}};
    static const AbortTest aborts[] = {
        {"/clock/disable-own", abort_disable_own,
         "a timer's callback disables its own clock"},
        {NULL}};

    return harness_main(argc, argv, tests, aborts);
}
