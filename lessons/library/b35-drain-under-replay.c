/* SPDX-License-Identifier: MIT */
/*
 * b35-drain-under-replay: a drain waits for what only the replay lets go on.
 *
 * QEMU c8aa7895eb, "replay: don't drain/flush bdrv queue while RR is working"
 * (2019), and 6394578984.  Under record/replay the completion of a request is
 * an event that waits in a queue until the guest has come to its place in the
 * log.  The main thread stops the guest and drains: the queue is not looked at
 * before it is done.
 *
 *   buggy  bdrv_drain_all() waits
 *   fixed  it returns at once while replay events are enabled
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct ReplayedDisk {
    unsigned in_flight;
    bool event_queued; /* replay_block_event() */
    bool skips_drain;
    WaitReason completion, guest;
} ReplayedDisk;

static void coroutine_fn blkreplay_co_preadv(void *opaque)
{
    ReplayedDisk *bs = opaque;

    bs->in_flight++;
    bs->event_queued = true;
}

static void blkreplay_bh_cb(ReplayedDisk *bs)
{
    bs->in_flight--;
    aio_wait_kick();
}

/* At a checkpoint, when the guest runs. */
static void old_replay_async_events(ReplayedDisk *bs)
{
    if (bs->event_queued) {
        bs->event_queued = false;
        blkreplay_bh_cb(bs);
    }
}

static void old_bdrv_drain_all(ReplayedDisk *bs)
{
    if (bs->skips_drain) { /* replay_events_enabled() */
        return;
    }
    wait_reason_next(&bs->completion);
    AIO_WAIT_WHILE(qemu_get_aio_context(), bs->in_flight > 0);
}

static void run(const ScenarioArgs *args)
{
    ReplayedDisk bs = {.skips_drain = scenario_is_variant(args, "fixed")};
    QemuThread self;

    wait_reason_init(&bs.completion, "the replay event");
    wait_reason_init(&bs.guest, "the guest's next step");
    wait_reason_by_reason(&bs.completion, &bs.guest);
    qemu_thread_get_self(&self);
    wait_reason_by_thread(&bs.guest, &self);
    qemu_coroutine_enter(qemu_coroutine_create(blkreplay_co_preadv, &bs));
    old_bdrv_drain_all(&bs);      /* do_vm_stop() */
    old_replay_async_events(&bs); /* the guest goes on */
    SCENARIO_CHECK(bs.in_flight == 0, "the request was lost");
}

SCENARIO(b35_drain_under_replay) = {
    .name = "b35-drain-under-replay",
    .summary = "bdrv_drain_all() waits for a request whose completion the "
               "replay log holds back (QEMU c8aa7895eb)",
    .shows = "the drain waits for the request, the request for a replay event, "
             "and that for the guest, which goes on when the drain is over; "
             "the fix does not drain under record/replay",
    .variants = (const ScenarioVariant[]){
        {"buggy", "drains"},
        {"fixed", "returns at once"},
        {NULL}},
    .run = run,
};
