/* SPDX-License-Identifier: MIT */
/*
 * b28-resume-and-drain: a resumed request slips into the next drained section.
 *
 * QEMU 8eeaa706ba, "block-backend: Fix race when resuming queued requests"
 * (2025).  The end of a drained section wakes a queued request, which is an
 * IOThread's: it will count itself in flight when it runs there.  Before that
 * a second drained section begins, sees nothing in flight, and the request
 * runs inside it.
 *
 *   buggy  the request counts itself when it runs
 *   fixed  whoever wakes it counts it first
 */
#include "aiolab/scenario.h"
#include "iothread.h"

typedef struct Backend {
    QemuMutex queued_requests_lock;
    CoQueue queued_requests;
    unsigned in_flight;
    bool quiesced;
    bool waker_counts;
    bool queued;
    bool completed;
} Backend;

static void coroutine_fn blk_co_do_preadv(void *opaque)
{
    Backend *blk = opaque;

    qemu_mutex_lock(&blk->queued_requests_lock);
    qatomic_set(&blk->queued, true);
    aio_wait_kick();
    qemu_co_queue_wait(&blk->queued_requests, &blk->queued_requests_lock);
    qemu_mutex_unlock(&blk->queued_requests_lock);
    if (!blk->waker_counts) {
        qatomic_inc(&blk->in_flight);
    }
    SCENARIO_CHECK(!qatomic_read(&blk->quiesced),
                   "a request runs in a drained section");
    qatomic_set(&blk->completed, true);
    qatomic_dec(&blk->in_flight);
    aio_wait_kick();
}

static void blk_root_drained_begin(Backend *blk)
{
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&blk->in_flight) > 0);
    qatomic_set(&blk->quiesced, true);
}

static void blk_root_drained_end(Backend *blk)
{
    qatomic_set(&blk->quiesced, false);
    qemu_mutex_lock(&blk->queued_requests_lock);
    if (blk->waker_counts) {
        qatomic_inc(&blk->in_flight);
    }
    if (!qemu_co_enter_next(&blk->queued_requests,
                            &blk->queued_requests_lock) &&
        blk->waker_counts) {
        qatomic_dec(&blk->in_flight);
    }
    qemu_mutex_unlock(&blk->queued_requests_lock);
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    Backend blk = {
        .quiesced = true, .waker_counts = scenario_is_variant(args, "fixed"),
    };

    qemu_mutex_init(&blk.queued_requests_lock);
    qemu_co_queue_init(&blk.queued_requests);
    aio_co_enter(iothread_get_aio_context(iothread),
                 qemu_coroutine_create(blk_co_do_preadv, &blk));
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&blk.queued));

    blk_root_drained_end(&blk);
    blk_root_drained_begin(&blk);
    blk_root_drained_end(&blk);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&blk.completed));
    iothread_join(iothread);
    qemu_mutex_destroy(&blk.queued_requests_lock);
}

SCENARIO(b28_resume_and_drain) = {
    .name = "b28-resume-and-drain",
    .summary = "a request that was woken is not counted in flight yet when the "
               "next drain looks (QEMU 8eeaa706ba)",
    .shows = "the second drained section begins with in_flight at 0 and the "
             "request on its way to the IOThread; the fix counts the request "
             "before it is woken",
    .variants = (const ScenarioVariant[]){
        {"buggy", "counted when it runs"},
        {"fixed", "counted when it is woken"},
        {NULL}},
    .run = run,
};
