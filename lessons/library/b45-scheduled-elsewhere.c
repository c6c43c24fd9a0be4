/* SPDX-License-Identifier: MIT */
/*
 * b45-scheduled-elsewhere: a coroutine changes its context by who entered it.
 *
 * QEMU 6808ae0417, "async: use qemu_aio_coroutine_enter in co_schedule_bh_cb"
 * (2018).  The main thread could poll an IOThread's context, with that
 * context's lock held.  What it found scheduled there it entered by
 * qemu_coroutine_enter(), which sets co->ctx to the context of the thread: the
 * main one.  When the coroutine is woken later it goes on in the main thread.
 *
 *   buggy  co_schedule_bh_cb() enters in the context of the thread
 *   fixed  in the context in which the coroutine was scheduled
 */
#include "aiolab/scenario.h"
#include "aiolab/legacy.h"
#include "iothread.h"

typedef struct Disk {
    AioContext *ctx;
    Coroutine *scheduled; /* ctx->scheduled_coroutines */
    bool enters_in_ctx;
    Coroutine *co;
    bool finished;
} Disk;

/* Under the context's lock, by the IOThread or by the main thread. */
static void old_co_schedule_bh_cb(void *opaque)
{
    Disk *bs = opaque;
    Coroutine *co;

    aio_context_acquire(bs->ctx);
    co = qatomic_xchg(&bs->scheduled, NULL);
    if (co && bs->enters_in_ctx) {
        qemu_aio_coroutine_enter(bs->ctx, co);
    } else if (co) {
        qemu_coroutine_enter(co);
    }
    aio_context_release(bs->ctx);
}

static void io_completed_bh(void *opaque)
{
    Disk *bs = opaque;

    aio_context_acquire(bs->ctx);
    aio_co_wake(bs->co);
    aio_context_release(bs->ctx);
}

static void coroutine_fn request_entry(void *opaque)
{
    Disk *bs = opaque;

    aio_bh_schedule_oneshot(bs->ctx, io_completed_bh, bs);
    qemu_coroutine_yield();
    SCENARIO_CHECK(qemu_get_current_aio_context() == bs->ctx,
                   "the IOThread's coroutine goes on in the main thread");
    qatomic_set(&bs->finished, true);
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    Disk bs = {
        .ctx = iothread_get_aio_context(iothread),
        .enters_in_ctx = scenario_is_variant(args, "fixed"),
    };

    bs.co = qemu_coroutine_create(request_entry, &bs);
    qatomic_set(&bs.scheduled, bs.co); /* aio_co_schedule() */
    aio_bh_schedule_oneshot(bs.ctx, old_co_schedule_bh_cb, &bs);
    old_co_schedule_bh_cb(&bs); /* bdrv_drain() polls the disk's context */
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&bs.finished));
    iothread_join(iothread);
}

SCENARIO(b45_scheduled_elsewhere) = {
    .name = "b45-scheduled-elsewhere",
    .summary = "the main thread polls an IOThread's context and takes over the "
               "coroutine that it finds there (QEMU 6808ae0417)",
    .shows = "co->ctx became the main context because the main thread entered "
             "the coroutine; the fix enters it in the context in which it was "
             "scheduled, whoever polls that",
    .variants = (const ScenarioVariant[]){
        {"buggy", "qemu_coroutine_enter()"},
        {"fixed", "qemu_aio_coroutine_enter() with the right context"},
        {NULL}},
    .run = run,
};
