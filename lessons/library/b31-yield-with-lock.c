/* SPDX-License-Identifier: MIT */
/*
 * b31-yield-with-lock: a coroutine yields, and keeps a thread's lock.
 *
 * QEMU 960d5fb3e8, "block: Fix deadlock in bdrv_co_yield_to_drain()" (2020).
 * A coroutine of the main thread has the lock of an IOThread's context; to
 * drain, it schedules a bottom half there and yields, lock and all.  If that
 * bottom half is what the IOThread does next, fine; if it is a virtqueue's
 * request, that wants the lock first, and the bottom half never runs.
 *
 *   buggy  the lock is held across the yield
 *   fixed  it is given up for that time; the bottom half takes it itself
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

#include "aiolab/legacy.h"
#include "iothread.h"

typedef struct Disk {
    AioContext *ctx;
    bool releases;
    Coroutine *co;
    bool done;
    bool handled; /* under the context's lock */
    WaitReason drained, resized;
} Disk;

static void bdrv_co_drain_bh_cb(void *opaque)
{
    Disk *bs = opaque;

    if (bs->releases) {
        aio_context_acquire(bs->ctx);
        aio_context_release(bs->ctx);
    }
    aio_co_wake(bs->co);
}

static void coroutine_fn bdrv_co_yield_to_drain(Disk *bs)
{
    aio_bh_schedule_oneshot(bs->ctx, bdrv_co_drain_bh_cb, bs);
    wait_reason_next(&bs->drained);
    if (bs->releases) {
        aio_context_release(bs->ctx);
    }
    qemu_coroutine_yield();
    if (bs->releases) {
        aio_context_acquire(bs->ctx);
    }
}

static void coroutine_fn qmp_block_resize(void *opaque)
{
    Disk *bs = opaque;

    aio_context_acquire(bs->ctx);
    bdrv_co_yield_to_drain(bs);
    aio_context_release(bs->ctx);
    bs->done = true;
}

static void virtio_scsi_data_plane_handle_cmd(void *opaque)
{
    Disk *bs = opaque;

    aio_context_acquire(bs->ctx);
    bs->handled = true;
    aio_context_release(bs->ctx);
}

static void *vcpu_thread(void *opaque)
{
    Disk *bs = opaque;

    aio_bh_schedule_oneshot(bs->ctx, virtio_scsi_data_plane_handle_cmd, bs);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    Disk bs = {
        .ctx = iothread_get_aio_context(iothread),
        .releases = scenario_is_variant(args, "fixed"),
    };
    QemuThread vcpu;

    wait_reason_init(&bs.resized, "qmp_block_resize()");
    wait_reason_init(&bs.drained, "the drain");
    wait_reason_by_context(&bs.drained, bs.ctx);
    qemu_thread_create(&vcpu, "vcpu", vcpu_thread, &bs, QEMU_THREAD_JOINABLE);
    bs.co = qemu_coroutine_create(qmp_block_resize, &bs);
    wait_reason_by_coroutine(&bs.resized, bs.co);
    qemu_coroutine_enter(bs.co);
    wait_reason_next(&bs.resized);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !bs.done);
    qemu_thread_join(&vcpu);
    iothread_join(iothread);
    SCENARIO_CHECK(bs.handled, "the request was not handled");
}

SCENARIO(b31_yield_with_lock) = {
    .name = "b31-yield-with-lock",
    .summary = "a coroutine yields to a drain in an IOThread and keeps that "
               "context's lock (QEMU 960d5fb3e8)",
    .shows = "the coroutine waits for a bottom half behind a request that "
             "waits for the lock that the coroutine holds; the fix gives the "
             "lock up while it yields",
    .variants = (const ScenarioVariant[]){
        {"buggy", "yields with the AioContext lock"},
        {"fixed", "gives it up and takes it back"},
        {NULL}},
    .run = run,
};
