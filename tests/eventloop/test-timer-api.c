/* SPDX-License-Identifier: MIT */
/*
 * The functions of qemu/timer.h, one by one: scales, attributes, the main
 * loop's list, lists of one's own, and what is told when the first deadline
 * changes.
 */
#include "harness.h"

#include "qemu/main-loop.h"

static unsigned n_fired, n_notified;
static void *notified;

static void count_cb(void *opaque)
{
    n_fired++;
}

static void notify_cb(void *opaque, QEMUClockType type)
{
    n_notified++;
    notified = opaque;
}

static int64_t past(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - NANOSECONDS_PER_SECOND / 2;
}

static int64_t future(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
           1000 * NANOSECONDS_PER_SECOND;
}

/* ---- Clocks and units ---- */

static void test_clocks(const ScenarioArgs *args)
{
    int64_t ns = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    CHECK(qemu_clock_get_us(QEMU_CLOCK_REALTIME) >= ns / SCALE_US);
    CHECK(qemu_clock_get_ms(QEMU_CLOCK_REALTIME) >= ns / SCALE_MS);
    CHECK(get_clock() >= ns);
    CHECK(get_clock_realtime() > 0);
    for (QEMUClockType type = 0; type < QEMU_CLOCK_MAX; type++) {
        CHECK(qemu_clock_use_for_deadline(type));
    }
}

static void test_timeouts(const ScenarioArgs *args)
{
    CHECK_EQ(qemu_timeout_ns_to_ms(-1), -1);
    CHECK_EQ(qemu_timeout_ns_to_ms(-12345678), -1);
    CHECK_EQ(qemu_timeout_ns_to_ms(0), 0);
    CHECK_EQ(qemu_timeout_ns_to_ms(1), 1);
    CHECK_EQ(qemu_timeout_ns_to_ms(SCALE_MS), 1);
    CHECK_EQ(qemu_timeout_ns_to_ms(SCALE_MS + 1), 2);
    CHECK_EQ(qemu_timeout_ns_to_ms(INT64_MAX), INT32_MAX);
    CHECK_EQ(qemu_soonest_timeout(-1, 5), 5);
    CHECK_EQ(qemu_soonest_timeout(5, -1), 5);
    CHECK_EQ(qemu_soonest_timeout(0, 5), 0);
    CHECK_EQ(qemu_soonest_timeout(-1, -1), -1);
}

static void test_scales(const ScenarioArgs *args)
{
    QEMUTimer ns, us, ms;

    timer_init_ns(&ns, QEMU_CLOCK_REALTIME, count_cb, NULL);
    timer_init_us(&us, QEMU_CLOCK_REALTIME, count_cb, NULL);
    timer_init_ms(&ms, QEMU_CLOCK_REALTIME, count_cb, NULL);
    CHECK_EQ(timer_expire_time_ns(&ns), -1);
    timer_mod(&ns, 7);
    timer_mod(&us, 7);
    timer_mod(&ms, 7);
    CHECK_EQ(timer_expire_time_ns(&ns), 7);
    CHECK_EQ(timer_expire_time_ns(&us), 7 * SCALE_US);
    CHECK_EQ(timer_expire_time_ns(&ms), 7 * SCALE_MS);
    CHECK(!timer_expired(&ms, 6));
    CHECK(timer_expired(&ms, 7));
    CHECK(!timer_expired(NULL, 7));
    timer_mod_ns(&ms, 8); /* nanoseconds whatever the scale */
    CHECK_EQ(timer_expire_time_ns(&ms), 8);
    timer_mod_ns(&ms, -8); /* long ago is 0: -1 means that it is not armed */
    CHECK_EQ(timer_expire_time_ns(&ms), 0);
    timer_mod(&us, 7);
    timer_mod_anticipate(&us, 8);
    CHECK_EQ(timer_expire_time_ns(&us), 7 * SCALE_US);
    timer_mod_anticipate(&us, 6);
    CHECK_EQ(timer_expire_time_ns(&us), 6 * SCALE_US);
    timer_mod_anticipate_ns(&us, 5);
    CHECK_EQ(timer_expire_time_ns(&us), 5);
    timer_del(&ns);
    timer_del(&ns);
    timer_del(&us);
    timer_del(&ms);
    CHECK(!timer_pending(&ns) && !timer_expired(&ns, 100));
    timer_mod_anticipate(&ns, 100); /* not armed: as timer_mod() */
    CHECK_EQ(timer_expire_time_ns(&ns), 100);
    timer_del(&ns);
    timer_deinit(&ns);
    timer_del(&ns); /* on no list any more: nothing */
}

/* ---- The main loop's timers ---- */

static void test_main_loop(const ScenarioArgs *args)
{
    QEMUTimer *ms = timer_new_ms(QEMU_CLOCK_REALTIME, count_cb, NULL);
    QEMUTimer *us = timer_new_us(QEMU_CLOCK_HOST, count_cb, NULL);
    QEMUTimer *ns = timer_new_ns(QEMU_CLOCK_VIRTUAL, count_cb, NULL);
    QEMUTimer *own = timer_new(QEMU_CLOCK_VIRTUAL_RT, 100, count_cb, NULL);

    n_fired = 0;
    CHECK(!qemu_clock_has_timers(QEMU_CLOCK_REALTIME));
    CHECK(!qemu_clock_expired(QEMU_CLOCK_REALTIME));
    CHECK_EQ(timerlistgroup_deadline_ns(&main_loop_tlg), -1);
    timer_mod_ns(ms, future());
    CHECK(qemu_clock_has_timers(QEMU_CLOCK_REALTIME));
    CHECK(!qemu_clock_expired(QEMU_CLOCK_REALTIME));
    CHECK(!qemu_clock_run_timers(QEMU_CLOCK_REALTIME));
    CHECK(timerlistgroup_deadline_ns(&main_loop_tlg) > 0);
    timer_mod_ns(ms, past());
    CHECK(qemu_clock_expired(QEMU_CLOCK_REALTIME));
    CHECK_EQ(timerlistgroup_deadline_ns(&main_loop_tlg), 0);
    CHECK(!qemu_clock_run_timers(QEMU_CLOCK_HOST));
    CHECK(qemu_clock_run_timers(QEMU_CLOCK_REALTIME));
    CHECK_EQ(n_fired, 1);
    timer_mod(ms, 0);
    timer_mod(us, 0);
    timer_mod(ns, 0); /* VIRTUAL runs from the start */
    timer_mod(own, 0);
    CHECK(qemu_clock_run_all_timers());
    CHECK_EQ(n_fired, 5);
    CHECK(!qemu_clock_run_all_timers());
    timer_mod_ns(ms, future());
    timer_free(ms); /* armed */
    timer_free(us);
    timer_free(ns);
    timer_free(own);
    timer_free(NULL);
    CHECK(!qemu_clock_has_timers(QEMU_CLOCK_REALTIME));
}

static void stop_cb(void *opaque)
{
    *(bool *)opaque = true;
}

static void test_main_loop_wait(const ScenarioArgs *args)
{
    bool done = false;
    QEMUTimer *ts = timer_new_ns(QEMU_CLOCK_REALTIME, stop_cb, &done);

    timer_mod(ts, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 200 * SCALE_US);
    while (!done) {
        main_loop_wait(false);
    }
    timer_free(ts);
}

/* ---- Contexts' timers ---- */

static void test_context(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer embedded;
    QEMUTimer *ts = aio_timer_new(ctx, QEMU_CLOCK_REALTIME, SCALE_MS, count_cb,
                                  NULL);
    QEMUTimer *external = aio_timer_new_with_attrs(
        ctx, QEMU_CLOCK_REALTIME, SCALE_MS, QEMU_TIMER_ATTR_EXTERNAL, count_cb,
        NULL);

    aio_timer_init_with_attrs(ctx, &embedded, QEMU_CLOCK_REALTIME, SCALE_MS,
                              QEMU_TIMER_ATTR_EXTERNAL, count_cb, NULL);
    n_fired = 0;
    timer_mod(ts, 0);
    timer_mod(external, 0);
    timer_mod(&embedded, 0);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(n_fired, 3);
    timer_free(ts);
    timer_free(external);
    timer_deinit(&embedded);
}

static void test_attributes(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer timers[40];
    int64_t base = future();
    int64_t all, ours;

    CHECK_EQ(qemu_clock_deadline_ns_all(QEMU_CLOCK_REALTIME, 0), -1);
    /* The later, the fewer external ones. */
    for (int i = 0; i < (int)ARRAY_SIZE(timers); i++) {
        aio_timer_init_with_attrs(ctx, &timers[i], QEMU_CLOCK_REALTIME,
                                  SCALE_NS,
                                  i < 30 ? QEMU_TIMER_ATTR_EXTERNAL : 0,
                                  count_cb, NULL);
        timer_mod(&timers[i], base + i * NANOSECONDS_PER_SECOND);
    }
    all = qemu_clock_deadline_ns_all(QEMU_CLOCK_REALTIME, QEMU_TIMER_ATTR_ALL);
    ours = qemu_clock_deadline_ns_all(QEMU_CLOCK_REALTIME, 0);
    CHECK(all > 0);
    CHECK(ours - all > 29 * NANOSECONDS_PER_SECOND);
    CHECK(ours - all <= 30 * NANOSECONDS_PER_SECOND);
    for (unsigned i = 30; i < ARRAY_SIZE(timers); i++) {
        timer_del(&timers[i]);
    }
    CHECK_EQ(qemu_clock_deadline_ns_all(QEMU_CLOCK_REALTIME, 0), -1);
    CHECK(qemu_clock_deadline_ns_all(QEMU_CLOCK_REALTIME,
                                     QEMU_TIMER_ATTR_EXTERNAL) > 0);
    for (unsigned i = 0; i < 30; i++) {
        timer_del(&timers[i]);
    }
}

/* ---- Lists of one's own ---- */

static void test_list(const ScenarioArgs *args)
{
    int owner;
    QEMUTimerList *list = timerlist_new(QEMU_CLOCK_REALTIME, notify_cb, &owner);
    QEMUTimerListGroup tlg = {.tl = {list, list, list, list}};
    QEMUTimer ts, later;

    n_fired = n_notified = 0;
    CHECK_EQ(timerlist_get_clock(list), QEMU_CLOCK_REALTIME);
    CHECK(!timerlist_has_timers(list));
    CHECK(!timerlist_expired(list));
    CHECK_EQ(timerlist_deadline_ns(list), -1);
    CHECK(!timerlist_run_timers(list));
    timer_init_full(&ts, &tlg, QEMU_CLOCK_REALTIME, SCALE_NS, 0, count_cb,
                    NULL);
    timer_init_full(&later, &tlg, QEMU_CLOCK_REALTIME, SCALE_NS, 0, count_cb,
                    NULL);
    timer_mod(&ts, future());
    CHECK_EQ(n_notified, 1); /* it is the first */
    CHECK(notified == &owner);
    timer_mod(&later, future() + NANOSECONDS_PER_SECOND);
    CHECK_EQ(n_notified, 1); /* that one is not */
    timer_mod(&later, 1);
    CHECK_EQ(n_notified, 2); /* now it is */
    timer_mod_anticipate_ns(&ts, 0);
    CHECK_EQ(n_notified, 3);
    CHECK(timerlist_has_timers(list) && timerlist_expired(list));
    CHECK_EQ(timerlist_deadline_ns(list), 0);
    CHECK(timerlist_run_timers(list));
    CHECK_EQ(n_fired, 2);
    timerlist_notify(list);
    CHECK_EQ(n_notified, 4);
    qemu_clock_notify(QEMU_CLOCK_REALTIME); /* every list of that clock */
    CHECK_EQ(n_notified, 5);
    qemu_clock_notify(QEMU_CLOCK_HOST);
    CHECK_EQ(n_notified, 5);
    timerlist_free(list);
}

/* ---- Misuse ---- */

static void abort_deinit_armed(const ScenarioArgs *args)
{
    QEMUTimer ts;

    timer_init_ns(&ts, QEMU_CLOCK_REALTIME, count_cb, NULL);
    timer_mod(&ts, 5);
    timer_deinit(&ts);
}

static void abort_free_list(const ScenarioArgs *args)
{
    QEMUTimerList *list = timerlist_new(QEMU_CLOCK_REALTIME, notify_cb, NULL);
    QEMUTimerListGroup tlg = {.tl = {list}};
    QEMUTimer ts;

    timer_init_full(&ts, &tlg, QEMU_CLOCK_REALTIME, SCALE_NS, 0, count_cb,
                    NULL);
    timer_mod(&ts, 5);
    timerlist_free(list);
}

static void abort_no_list(const ScenarioArgs *args)
{
    QEMUTimer ts;

    timer_init_ns(&ts, QEMU_CLOCK_REALTIME, count_cb, NULL);
    timer_deinit(&ts);
    timer_mod(&ts, 5);
}

int main(int argc, char **argv)
{
    static const LoopTest tests[] = {
        {"/timer/clocks", test_clocks},
        {"/timer/timeouts", test_timeouts},
        {"/timer/scales", test_scales},
        {"/timer/main-loop", test_main_loop},
        {"/timer/main-loop-wait", test_main_loop_wait},
        {"/timer/context", test_context},
        {"/timer/attributes", test_attributes},
        {"/timer/list", test_list},
        {NULL}};
    static const AbortTest aborts[] = {
        {"/timer/deinit-armed", abort_deinit_armed,
         "timer_deinit: the timer is still armed, for 5 ns"},
        {"/timer/free-list", abort_free_list,
         "timerlist_free: 1 timers are still armed"},
        {"/timer/no-list", abort_no_list, "the timer is on no list"},
        {NULL}};

    return harness_main(argc, argv, tests, aborts);
}
