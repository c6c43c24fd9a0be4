/* SPDX-License-Identifier: MIT */
/*
 * b08-drain-in-coroutine: a coroutine polls for one that it has woken itself.
 *
 * QEMU a77fd4bb29, "block: Fix bdrv_drain in coroutine" (2016).  The mirror
 * job gives up a CoMutex; the request that waited for it is woken, which in a
 * coroutine means: it runs when the job yields.  The job then drains, polls in
 * its own stack until no request is in flight, and does not yield.
 *
 *   buggy  bdrv_drain() polls inside the coroutine
 *   fixed  in a coroutine it lets a bottom half poll, and yields
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct Disk {
    CoMutex lock;
    unsigned in_flight;
    WaitReason idle; /* in_flight is 0 */
    bool yields_to_drain;
    bool mirror_finished;
} Disk;

static void bdrv_drain_poll_loop(Disk *bs)
{
    wait_reason_next(&bs->idle);
    AIO_WAIT_WHILE(qemu_get_aio_context(), bs->in_flight > 0);
}

typedef struct BdrvCoDrainData {
    Disk *bs;
    Coroutine *co;
} BdrvCoDrainData;

static void bdrv_co_drain_bh_cb(void *opaque)
{
    BdrvCoDrainData *data = opaque;

    bdrv_drain_poll_loop(data->bs);
    aio_co_wake(data->co);
}

static void coroutine_fn bdrv_co_yield_to_drain(Disk *bs)
{
    BdrvCoDrainData data = {bs, qemu_coroutine_self()};

    aio_bh_schedule_oneshot(qemu_get_aio_context(), bdrv_co_drain_bh_cb, &data);
    qemu_coroutine_yield();
}

static void coroutine_fn bdrv_drain_disk(Disk *bs)
{
    if (bs->yields_to_drain) {
        bdrv_co_yield_to_drain(bs);
    } else {
        bdrv_drain_poll_loop(bs);
    }
}

static void coroutine_fn request_entry(void *opaque)
{
    Disk *bs = opaque;

    bs->in_flight++;
    wait_reason_by_coroutine(&bs->idle, qemu_coroutine_self());
    qemu_co_mutex_lock(&bs->lock);
    qemu_co_mutex_unlock(&bs->lock);
    bs->in_flight--;
}

static void coroutine_fn mirror_run(void *opaque)
{
    Disk *bs = opaque;

    qemu_co_mutex_lock(&bs->lock);
    qemu_coroutine_enter(qemu_coroutine_create(request_entry, bs));
    qemu_co_mutex_unlock(&bs->lock);
    bdrv_drain_disk(bs);
    bs->mirror_finished = true;
}

static void run(const ScenarioArgs *args)
{
    Disk bs = {.yields_to_drain = scenario_is_variant(args, "fixed")};

    qemu_co_mutex_init(&bs.lock);
    wait_reason_init(&bs.idle, "the request in flight");
    qemu_coroutine_enter(qemu_coroutine_create(mirror_run, &bs));
    AIO_WAIT_WHILE(qemu_get_aio_context(), !bs.mirror_finished);
}

SCENARIO(b08_drain_in_coroutine) = {
    .name = "b08-drain-in-coroutine",
    .summary = "a coroutine drains by polling, and waits for a coroutine that "
               "runs when it yields (QEMU a77fd4bb29)",
    .shows = "the request was woken by the mirror job and runs as soon as that "
             "yields; the job polls instead until the request is done; the fix "
             "yields, and lets a bottom half poll",
    .variants = (const ScenarioVariant[]){
        {"buggy", "polls in the coroutine"},
        {"fixed", "yields to a bottom half that polls"},
        {NULL}},
    .run = run,
};
