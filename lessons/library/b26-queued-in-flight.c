/* SPDX-License-Identifier: MIT */
/*
 * b26-queued-in-flight: the drain waits for a request that waits for the drain.
 *
 * QEMU 7f16476fab, "block: Fix blk->in_flight during blk_wait_while_drained()"
 * (2020).  A request that arrives in a drained section queues itself until the
 * section ends.  It has been counted in in_flight before, and the drain waits
 * for that to be zero before the section can begin, and end.
 *
 *   buggy  a queued request is in flight
 *   fixed  it is not: the count is given back around the wait
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct Backend {
    unsigned in_flight;
    unsigned quiesce_counter;
    CoQueue queued_requests;
    bool uncounts_queued;
    WaitReason idle; /* in_flight is 0 */
    bool completed;
} Backend;

static void old_blk_dec_in_flight(Backend *blk)
{
    blk->in_flight--;
    aio_wait_kick();
}

static void coroutine_fn blk_wait_while_drained(Backend *blk)
{
    if (!blk->quiesce_counter) {
        return;
    }
    if (blk->uncounts_queued) {
        old_blk_dec_in_flight(blk);
    }
    qemu_co_queue_wait(&blk->queued_requests, NULL);
    if (blk->uncounts_queued) {
        blk->in_flight++;
    }
}

static void coroutine_fn blk_co_do_preadv(void *opaque)
{
    Backend *blk = opaque;

    wait_reason_by_coroutine(&blk->idle, qemu_coroutine_self());
    blk_wait_while_drained(blk);
    blk->completed = true;
    old_blk_dec_in_flight(blk);
}

static void blk_aio_preadv_bh(void *opaque)
{
    Backend *blk = opaque;

    blk->in_flight++;
    qemu_coroutine_enter(qemu_coroutine_create(blk_co_do_preadv, blk));
}

static void run(const ScenarioArgs *args)
{
    Backend blk = {.uncounts_queued = scenario_is_variant(args, "fixed")};
    AioContext *ctx = qemu_get_aio_context();

    qemu_co_queue_init(&blk.queued_requests);
    wait_reason_init(&blk.idle, "the request in flight");
    aio_bh_schedule_oneshot(ctx, blk_aio_preadv_bh, &blk);

    blk.quiesce_counter++; /* blk_drain() */
    aio_poll(ctx, false);
    wait_reason_next(&blk.idle);
    AIO_WAIT_WHILE(ctx, blk.in_flight > 0);
    blk.quiesce_counter--;
    qemu_co_enter_all(&blk.queued_requests, NULL);
    AIO_WAIT_WHILE(ctx, !blk.completed);
}

SCENARIO(b26_queued_in_flight) = {
    .name = "b26-queued-in-flight",
    .summary = "a request that a drain has queued still counts as in flight "
               "(QEMU 7f16476fab)",
    .shows = "the drain waits for in_flight to be 0, the request that counts "
             "there waits in queued_requests for the drain to end; the fix "
             "does not count it while it is queued",
    .variants = (const ScenarioVariant[]){
        {"buggy", "counted while queued"},
        {"fixed", "not counted"},
        {NULL}},
    .run = run,
};
