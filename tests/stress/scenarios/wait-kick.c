/* SPDX-License-Identifier: MIT */
/*
 * wait-kick: the main thread waits for conditions that three threads make
 * true, each followed by a kick: an IOThread, and two without a loop.
 */
#include "stress.h"

enum { THREADS = 2 };

typedef struct Kicker {
    QemuSemaphore go;
    QemuThread thread;
    unsigned index;
    int64_t rounds;
    Trace trace;
} Kicker;

static int pending;       /* who has not answered yet; any thread */
static uint64_t answers;  /* any thread */
static Lane lane;

static void answer(Trace *trace)
{
    trace_add(trace, qatomic_fetch_inc(&answers));
    qatomic_dec(&pending);
    aio_wait_kick();
}

static void *kicker_thread(void *opaque)
{
    Kicker *kicker = opaque;

    for (int64_t i = 0; i < kicker->rounds; i++) {
        qemu_sem_wait(&kicker->go);
        for (unsigned n = 0; n < kicker->index + 1; n++) {
            answer(&kicker->trace);
        }
    }
    return NULL;
}

static void lane_answers(void *opaque)
{
    answer(&lane.trace);
}

/* Beside the waits, so that they have something to poll. */
static void main_bh(void *opaque)
{
    Trace *trace = opaque;

    trace_add(trace, 7000 + qatomic_read(&pending));
}

static void ask_all(Kicker *kickers, Trace *own)
{
    qatomic_set(&pending, 1 + 1 + 2);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_sem_post(&kickers[i].go);
    }
    aio_bh_schedule_oneshot(lane.ctx, lane_answers, NULL);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), main_bh, own);
}

static void one_round(Kicker *kickers, Trace *own, int64_t i)
{
    bool waited;

    ask_all(kickers, own);
    waited = AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&pending) > 2);
    trace_add(own, waited);
    waited = AIO_WAIT_WHILE(lane.ctx, qatomic_read(&pending) > 0);
    trace_add(own, waited);
    if (i % 8 == 0) {
        qatomic_set(&pending, 1);
        aio_wait_bh_oneshot(lane.ctx, lane_answers, NULL);
        SCENARIO_CHECK(qatomic_read(&pending) == 0, "it did not wait");
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Kicker kickers[THREADS];
    Trace own = {0, 0}, total = {0, 0};

    qatomic_set(&answers, 0);
    lane_start(&lane, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        kickers[i] = (Kicker){.index = i, .rounds = rounds};
        qemu_sem_init(&kickers[i].go, 0);
        qemu_thread_create(&kickers[i].thread, "kicker", kicker_thread,
                           &kickers[i], QEMU_THREAD_JOINABLE);
    }
    for (int64_t i = 0; i < rounds; i++) {
        one_round(kickers, &own, i);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&kickers[i].thread);
        qemu_sem_destroy(&kickers[i].go);
        trace_fold(&total, &kickers[i].trace);
    }
    aio_poll(qemu_get_aio_context(), false);
    lanes_stop(&lane, 1, &total);
    lanes_destroy(&lane, 1);
    trace_fold(&total, &own);
    SCENARIO_CHECK(qatomic_read(&answers) ==
                   (uint64_t)rounds * 4 + (rounds + 7) / 8,
                   "%" PRIu64 " answers", qatomic_read(&answers));
    trace_report(&total);
}

SCENARIO(wait_kick) = {
    .name = "wait-kick",
    .summary = "AIO_WAIT_WHILE() in the main thread, kicks from three threads",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "waits for all three"}, {NULL}},
    .run = run,
};
