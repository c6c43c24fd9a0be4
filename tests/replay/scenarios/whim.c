/* SPDX-License-Identifier: MIT */
/*
 * whim: does one thing if the environment has WHIM, and another if not.  What
 * comes from there is no input, so a recording and its replay can be made to
 * differ, at a place of our choice.
 */
#include "aiolab/scenario.h"

#include "aiolab/assert.h"
#include "qemu/thread.h"
#include "system/replay.h"

#include <signal.h>

static unsigned calls;

static bool whim(void)
{
    return g_getenv("WHIM") != NULL;
}

static void count_call(void *opaque)
{
    calls++;
}

static void call_and_poll(void)
{
    replay_bh_schedule_oneshot_event(qemu_get_aio_context(), count_call, NULL);
    aio_poll(qemu_get_aio_context(), false);
}

/* ---- One thing, or another ---- */

static void assert_value(void)
{
    AIO_REC_ASSERT(calls);
    AIO_REC_ASSERT(whim() ? 7 : 3); /* the test looks for this line */
    call_and_poll();
}

/* A replay is another process, but what is static there, too, is not. */
static void assert_equal(void)
{
    for (unsigned i = 0; i < 5; i++) {
        call_and_poll();
        AIO_REC_ASSERT(calls);
    }
}

static void do_call(void)
{
    if (whim()) {
        call_and_poll();
    }
}

static void do_check(void)
{
    SCENARIO_CHECK(!whim(), "a whim");
}

static void get_stuck(void)
{
    if (whim()) {
        aio_poll(qemu_get_aio_context(), true);
    }
}

static void go_on(void)
{
    while (whim()) {
        aio_poll(qemu_get_aio_context(), false);
    }
}

static void spin(void)
{
    while (whim()) {
    }
}

static void die(void)
{
    if (whim()) {
        raise(SIGKILL);
    }
    call_and_poll();
}

/* How many calls there are depends on the wall clock. */
static void read_clock(void)
{
    for (unsigned i = 0; i < 5; i++) {
        int64_t n = qemu_clock_get_ns(QEMU_CLOCK_HOST) / 128 % 16;

        while (n-- > 0) {
            call_and_poll();
        }
    }
    if (whim()) {
        qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    }
}

/* ---- Two threads whose calls alone decide ---- */

enum { WORK = 20000000 };

static QEMUBH *bhs[8];
static volatile uint64_t sum;

static void *slow(void *opaque)
{
    for (unsigned i = 0; i < WORK && !whim(); i++) {
        sum += i;
    }
    for (unsigned i = 0; i < 4; i++) {
        replay_bh_schedule_event(bhs[i]);
    }
    return NULL;
}

static void *fast(void *opaque)
{
    for (unsigned i = 4; i < 8; i++) {
        replay_bh_schedule_event(bhs[i]);
    }
    return NULL;
}

static void take_turns(void)
{
    AioContext *ctx = qemu_get_aio_context();
    QemuThread threads[2];

    for (unsigned i = 0; i < ARRAY_SIZE(bhs); i++) {
        bhs[i] = aio_bh_new(ctx, count_call, NULL);
    }
    qemu_thread_create(&threads[0], "slow", slow, NULL, QEMU_THREAD_JOINABLE);
    qemu_thread_create(&threads[1], "fast", fast, NULL, QEMU_THREAD_JOINABLE);
    qemu_thread_join(&threads[0]);
    qemu_thread_join(&threads[1]);
    aio_poll(ctx, false);
    for (unsigned i = 0; i < ARRAY_SIZE(bhs); i++) {
        qemu_bh_delete(bhs[i]);
    }
    aio_poll(ctx, false);
}

static void run(const ScenarioArgs *args)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } acts[] = {
        {"assert", assert_value}, {"equal", assert_equal}, {"call", do_call},
        {"check", do_check}, {"stuck", get_stuck}, {"endless", go_on},
        {"spin", spin}, {"die", die}, {"clock", read_clock},
        {"turns", take_turns},
    };

    calls = 0;
    call_and_poll();
    for (unsigned i = 0; i < ARRAY_SIZE(acts); i++) {
        if (g_str_equal(acts[i].name, scenario_param(args, "act"))) {
            acts[i].fn();
        }
    }
}

SCENARIO(whim) = {
    .name = "whim",
    .summary = "what it does depends on the environment",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"act", "call", "what it may do"}, {NULL}},
    .run = run,
};
