/* SPDX-License-Identifier: MIT */
/*
 * co-hop: coroutines move between contexts, by themselves and by others.
 *
 * Where one goes next depends on what the context has seen so far, thus on
 * everybody else.  Some park themselves instead, and are sent on by whoever
 * comes by.
 */
#include "stress.h"

enum { LANES = 4, HOPPERS = 12 };

typedef struct Hopper {
    unsigned index;
    int64_t hops;
    Coroutine *co;
    QSLIST_ENTRY(Hopper) next;
} Hopper;

static Lane lanes[LANES];
static QSLIST_HEAD(ParkedList, Hopper) parked; /* any thread */
static int running;

static Lane *here(void)
{
    AioContext *ctx = qemu_get_current_aio_context();

    for (unsigned i = 0; i < LANES; i++) {
        if (lanes[i].ctx == ctx) {
            return &lanes[i];
        }
    }
    SCENARIO_CHECK(false, "a coroutine runs in a context that is none of ours");
    return &lanes[0];
}

/* Sends all on that are parked; each exactly once. */
static void send_on(Lane *lane)
{
    struct ParkedList list;
    Hopper *hopper, *next;

    QSLIST_MOVE_ATOMIC(&list, &parked);
    QSLIST_FOREACH_SAFE(hopper, &list, next, next) {
        unsigned to = (lane->trace.hash + hopper->index) % LANES;

        trace_add(&lane->trace, 100 + hopper->index);
        aio_co_schedule(lanes[to].ctx, hopper->co);
    }
}

/* In the context that parked it, when it has yielded. */
static void publish(void *opaque)
{
    Hopper *hopper = opaque;

    QSLIST_INSERT_HEAD_ATOMIC(&parked, hopper, next);
}

static void coroutine_fn park(Hopper *hopper)
{
    hopper->co = qemu_coroutine_self();
    aio_bh_schedule_oneshot(qemu_get_current_aio_context(), publish, hopper);
    qemu_coroutine_yield();
}

static void coroutine_fn hop(Hopper *hopper)
{
    Lane *lane = here();
    unsigned to = lane->trace.hash % LANES;

    trace_add(&lane->trace, hopper->index);
    send_on(lane);
    if (to == lane->index && qatomic_read(&running) > 1 &&
        hopper->index % 2) {
        park(hopper);
        here();
    } else {
        aio_co_reschedule_self(lanes[to].ctx);
        SCENARIO_CHECK(here() == &lanes[to], "it went elsewhere");
    }
}

static void coroutine_fn hopper_entry(void *opaque)
{
    Hopper *hopper = opaque;

    while (hopper->hops-- > 0) {
        hop(hopper);
    }
    qatomic_dec(&running);
    aio_wait_kick();
}

/* The main thread looks after those that are parked when nobody comes by. */
static bool all_done(Lane *own)
{
    send_on(own);
    return qatomic_load_acquire(&running) == 0;
}

static void look_again(void *opaque)
{
    QEMUTimer *timer = opaque;

    timer_mod(timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 200 * SCALE_US);
}

static void wait_for_all(Lane *own)
{
    QEMUTimer timer;

    aio_timer_init(qemu_get_aio_context(), &timer, QEMU_CLOCK_REALTIME,
                   SCALE_NS, look_again, &timer);
    look_again(&timer);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !all_done(own));
    timer_del(&timer);
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Hopper hoppers[HOPPERS];
    Lane own = {.ctx = qemu_get_aio_context()};
    Trace total = {0, 0};

    QSLIST_INIT(&parked);
    qatomic_set(&running, HOPPERS);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < HOPPERS; i++) {
        hoppers[i] = (Hopper){.index = i, .hops = rounds};
        aio_co_schedule(lanes[i % LANES].ctx,
                        qemu_coroutine_create(hopper_entry, &hoppers[i]));
    }
    wait_for_all(&own);
    lanes_stop(lanes, LANES, &total);
    lanes_destroy(lanes, LANES);
    trace_fold(&total, &own.trace);
    SCENARIO_CHECK(total.n >= (uint64_t)rounds * HOPPERS,
                   "%" PRIu64 " hops are too few", total.n);
    trace_report(&total);
}

SCENARIO(co_hop) = {
    .name = "co-hop",
    .summary = "coroutines hop between four contexts, and are sent by others",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "200", "hops of each of twelve coroutines"}, {NULL}},
    .run = run,
};
