/* SPDX-License-Identifier: MIT */
/*
 * opt-in: two IOThreads hand what they have done to the main thread, which
 * completes each request by an explicit call of QEMU's record/replay.
 *
 * The hand-over itself is a plain bottom half: somebody has forgotten that one.
 * So a log of the explicit calls says in which order requests were completed,
 * and not why.  One of the threads takes its time, which nothing but the order
 * in which threads arrive will ever tell.
 */
#include "aiolab/scenario.h"

#include "system/replay.h"

enum { MAX_REQUESTS = 1000 };

typedef struct Lane {
    IOThread *iothread; /* NULL: the main thread does it itself */
    AioContext *ctx;
    const char *name;
    int64_t work; /* rounds of computing for each request */
    uint64_t sum;
} Lane;

typedef struct Request {
    Lane *lane;
    unsigned number;
    QEMUBH *complete_bh;
    struct Request *next; /* of the same lane, which does one at a time */
} Request;

static int64_t completed; /* main thread */

/* Main thread: the guest would be told now. */
static void complete(void *opaque)
{
    Request *request = opaque;

    completed++;
    scenario_note("%s completes request %u", request->lane->name,
                  request->number);
}

/* Main thread. */
static void handed_over(void *opaque)
{
    Request *request = opaque;

    replay_bh_schedule_event(request->complete_bh);
}

/* As if data were decrypted: it takes time, and no clock is read. */
static void perform(void *opaque)
{
    Request *request = opaque, *next = request->next;
    Lane *lane = request->lane;

    for (int64_t i = 0; i < lane->work; i++) {
        lane->sum = (lane->sum ^ i) * 0x100000001b3ULL;
    }
    aio_bh_schedule_oneshot(qemu_get_aio_context(), handed_over, request);
    /* If it was the last, the main thread may have ended the run by now. */
    if (next) {
        aio_bh_schedule_oneshot(lane->ctx, perform, next);
    }
}

static void lane_begin(Lane *lane, const char *name, bool threads, int64_t work)
{
    *lane = (Lane){.name = name, .work = work, .ctx = qemu_get_aio_context()};
    if (threads) {
        lane->iothread = iothread_create(name, &error_fatal);
        lane->ctx = iothread_get_aio_context(lane->iothread);
    }
}

static void lane_end(Lane *lane)
{
    if (lane->iothread) {
        iothread_stop(lane->iothread);
        iothread_destroy(lane->iothread);
    }
}

/* Main thread. */
static void submit(void *opaque)
{
    Request *first = opaque;

    for (unsigned i = 0; i < 2; i++) {
        aio_bh_schedule_oneshot(first[i].lane->ctx, perform, &first[i]);
    }
}

static void run_requests(Lane *lanes, int64_t requests)
{
    AioContext *ctx = qemu_get_aio_context();
    g_autofree Request *all = g_new0(Request, requests);
    QEMUBH *submit_bh = aio_bh_new(ctx, submit, all);

    completed = 0;
    for (int64_t i = 0; i < requests; i++) {
        all[i] = (Request){.lane = &lanes[i % 2], .number = i / 2 + 1};
        all[i].complete_bh = aio_bh_new(ctx, complete, &all[i]);
        all[i].next = i + 2 < requests ? &all[i + 2] : NULL;
    }
    replay_bh_schedule_event(submit_bh);
    while (completed < requests) {
        aio_poll(ctx, true);
    }
    scenario_result("completed", completed);
    qemu_bh_delete(submit_bh);
    for (int64_t i = 0; i < requests; i++) {
        qemu_bh_delete(all[i].complete_bh);
    }
    aio_poll(ctx, false);
}

static void run(const ScenarioArgs *args)
{
    int64_t requests = scenario_param_int(args, "requests");
    int64_t work = scenario_param_int(args, "work");
    bool threads = !scenario_is_variant(args, "alone");
    Lane lanes[2];

    if (requests < 2 || requests > MAX_REQUESTS || work < 0) {
        scenario_bad_input("requests goes from 2 to %d, work from 0",
                           MAX_REQUESTS);
        return;
    }
    lane_begin(&lanes[0], "slow", threads, work);
    lane_begin(&lanes[1], "fast", threads, 0);
    run_requests(lanes, requests);
    lane_end(&lanes[0]);
    lane_end(&lanes[1]);
}

SCENARIO(opt_in) = {
    .name = "opt-in",
    .summary = "two IOThreads race, and only their completions are explicit",
    .shows = "why a recording of QEMU's opt-in calls alone is not enough: "
             "record it with --capture=explicit, and replay",
    .host = "live",
    .variants = (const ScenarioVariant[]){
        {"threads", "a slow and a fast IOThread"},
        {"alone", "the main thread does everything: nothing is decided"},
        {NULL}},
    .params = (const ScenarioParam[]){
        {"requests", "8", "how many, for each thread in turn"},
        {"work", "2000000", "how long the slow thread computes for each"},
        {NULL}},
    .run = run,
};
