/* SPDX-License-Identifier: MIT */
/*
 * threads-life: threads come and go, detached ones too, with notifiers of
 * their end; and coroutines that wait for each other with a time-out.
 */
#include "stress.h"

#include "qemu/notify.h"

enum { LANES = 2, PARALLEL = 3 };

typedef struct Mayfly {
    Notifier at_exit;
    unsigned index;
    bool detached, leaves_early;
    Trace trace;
} Mayfly;

static Lane lanes[LANES];
static QemuSemaphore detached_gone;
static uint64_t exits; /* any thread */
static int running;    /* coroutines; any thread */

/* ---- Threads ---- */

static void at_exit(Notifier *notifier, void *unused)
{
    Mayfly *mayfly = container_of(notifier, Mayfly, at_exit);

    trace_add(&mayfly->trace, qatomic_fetch_inc(&exits));
    if (mayfly->detached) {
        qemu_sem_post(&detached_gone);
    }
}

static void lane_bh(void *opaque)
{
    Lane *lane = opaque;

    trace_add(&lane->trace, qatomic_read(&exits));
}

static void *mayfly_thread(void *opaque)
{
    Mayfly *mayfly = opaque;
    Lane *lane = &lanes[mayfly->index % LANES];

    qemu_thread_atexit_add(&mayfly->at_exit);
    trace_add(&mayfly->trace, qatomic_read(&exits));
    aio_bh_schedule_oneshot(lane->ctx, lane_bh, lane);
    if (mayfly->leaves_early) {
        qemu_thread_exit(mayfly);
    }
    return mayfly;
}

static void one_generation(int64_t n, Trace *total)
{
    Mayfly mayflies[PARALLEL];
    QemuThread threads[PARALLEL];

    for (unsigned i = 0; i < PARALLEL; i++) {
        mayflies[i] = (Mayfly){
            .at_exit = {.notify = at_exit}, .index = i,
            .detached = (n + i) % 4 == 0, .leaves_early = (n + i) % 3 == 0,
        };
        qemu_thread_create(&threads[i], "mayfly", mayfly_thread, &mayflies[i],
                           mayflies[i].detached ? QEMU_THREAD_DETACHED
                                                : QEMU_THREAD_JOINABLE);
    }
    for (unsigned i = 0; i < PARALLEL; i++) {
        if (mayflies[i].detached) {
            qemu_sem_wait(&detached_gone);
        } else {
            SCENARIO_CHECK(qemu_thread_join(&threads[i]) == &mayflies[i],
                           "a thread returned something else");
        }
    }
    for (unsigned i = 0; i < PARALLEL; i++) {
        trace_fold(total, &mayflies[i].trace);
    }
}

/* ---- Coroutines with a time-out ---- */

typedef struct Nap {
    Lane *lane;
    int64_t ns;
    bool done, cleaned;
} Nap;

static void coroutine_fn nap_entry(void *opaque)
{
    Nap *nap = opaque;

    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, nap->ns);
    nap->done = true;
}

static void nap_clean(void *opaque)
{
    Nap *nap = opaque;

    trace_add(&nap->lane->trace, 8000 + nap->done);
    nap->cleaned = true;
    g_free(nap);
    qatomic_dec(&running);
    aio_wait_kick();
}

static void coroutine_fn sleeper(void *opaque)
{
    Lane *lane = opaque;

    for (unsigned i = 0; i < 20; i++) {
        Nap *nap = g_new0(Nap, 1);
        int ret;

        *nap = (Nap){.lane = lane,
                     .ns = next_random(&lane->rng) % 200 * SCALE_US};
        qatomic_inc(&running);
        ret = qemu_co_timeout(nap_entry, nap, 100 * SCALE_US, nap_clean);
        trace_add(&lane->trace, 9000 + (ret == -ETIMEDOUT));
        SCENARIO_CHECK(ret == 0 || ret == -ETIMEDOUT, "it returned %d", ret);
        if (ret == 0) {
            nap_clean(nap); /* else it will be, when the nap is over */
        }
    }
    qatomic_dec(&running);
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Trace total = {0, 0};

    qatomic_set(&exits, 0);
    qatomic_set(&running, LANES);
    qemu_sem_init(&detached_gone, 0);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < LANES; i++) {
        aio_co_schedule(lanes[i].ctx,
                        qemu_coroutine_create(sleeper, &lanes[i]));
    }
    for (int64_t i = 0; i < rounds; i++) {
        one_generation(i, &total);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&running) > 0);
    lanes_stop(lanes, LANES, &total);
    lanes_destroy(lanes, LANES);
    SCENARIO_CHECK(qatomic_read(&exits) == (uint64_t)rounds * PARALLEL,
                   "%" PRIu64 " threads have ended", qatomic_read(&exits));
    qemu_sem_destroy(&detached_gone);
    trace_report(&total);
}

SCENARIO(threads_life) = {
    .name = "threads-life",
    .summary = "threads come and go, and coroutines wait with a time-out",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "30", "generations of three threads"}, {NULL}},
    .run = run,
};
