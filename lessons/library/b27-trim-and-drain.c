/* SPDX-License-Identifier: MIT */
/*
 * b27-trim-and-drain: a large operation is in flight, its next part is queued.
 *
 * QEMU 095c08a7ba, "ide: Minimal fix for deadlock between TRIM and drain"
 * (2026), and 34a6763776, which gave BDRV_REQ_NO_QUEUE to such operations.  A
 * TRIM command discards one range after the other and counts itself in flight
 * for the whole time.  A drain begins between two ranges: the request for the
 * next one is queued until it ends.
 *
 *   buggy  a part of the operation is a request like any other
 *   fixed  a part is not queued: the operation is counted already
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

enum { RANGES = 2 };

typedef struct Backend {
    unsigned in_flight;
    unsigned quiesce_counter;
    CoQueue queued_requests;
} Backend;

typedef struct TrimAIOCB {
    Backend *blk;
    unsigned ranges_left;
    bool no_queue; /* BDRV_REQ_NO_QUEUE */
    bool completed;
    WaitReason trim_done, range_done;
} TrimAIOCB;

static void ide_issue_trim_cb(TrimAIOCB *iocb);

static void coroutine_fn blk_aio_pdiscard_entry(void *opaque)
{
    TrimAIOCB *iocb = opaque;
    Backend *blk = iocb->blk;

    wait_reason_by_coroutine(&iocb->range_done, qemu_coroutine_self());
    if (blk->quiesce_counter && !iocb->no_queue) {
        blk->in_flight--; /* blk_wait_while_drained() */
        qemu_co_queue_wait(&blk->queued_requests, NULL);
        blk->in_flight++;
    }
    blk->in_flight--;
    iocb->ranges_left--;
    ide_issue_trim_cb(iocb);
}

static void discard_next_bh(void *opaque)
{
    TrimAIOCB *iocb = opaque;

    iocb->blk->in_flight++;
    qemu_coroutine_enter(qemu_coroutine_create(blk_aio_pdiscard_entry, iocb));
}

static void ide_issue_trim_cb(TrimAIOCB *iocb)
{
    if (iocb->ranges_left) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), discard_next_bh, iocb);
        return;
    }
    iocb->blk->in_flight--; /* of ide_issue_trim() */
    iocb->completed = true;
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    Backend blk = {.in_flight = 1}; /* ide_issue_trim() has counted itself */
    TrimAIOCB iocb = {
        .blk = &blk, .ranges_left = RANGES,
        .no_queue = scenario_is_variant(args, "fixed"),
    };
    AioContext *ctx = qemu_get_aio_context();

    qemu_co_queue_init(&blk.queued_requests);
    wait_reason_init(&iocb.trim_done, "the TRIM");
    wait_reason_init(&iocb.range_done, "its next range");
    wait_reason_by_reason(&iocb.trim_done, &iocb.range_done);
    ide_issue_trim_cb(&iocb);
    aio_poll(ctx, false); /* the first range */

    blk.quiesce_counter++; /* blk_drain() */
    wait_reason_next(&iocb.trim_done);
    AIO_WAIT_WHILE(ctx, blk.in_flight > 0);
    blk.quiesce_counter--;
    qemu_co_enter_all(&blk.queued_requests, NULL);
    AIO_WAIT_WHILE(ctx, !iocb.completed);
}

SCENARIO(b27_trim_and_drain) = {
    .name = "b27-trim-and-drain",
    .summary = "a TRIM holds in_flight while a drain queues its next range "
               "(QEMU 095c08a7ba)",
    .shows = "the drain waits for the TRIM, the TRIM for its next range, the "
             "range in queued_requests for the drain to end; the fix is that "
             "parts of a counted operation are not queued",
    .variants = (const ScenarioVariant[]){
        {"buggy", "ranges are queued like requests"},
        {"fixed", "BDRV_REQ_NO_QUEUE"},
        {NULL}},
    .run = run,
};
