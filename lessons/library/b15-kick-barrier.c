/* SPDX-License-Identifier: MIT */
/*
 * b15-kick-barrier: the kick looks for waiters before its change is visible.
 *
 * QEMU 7455ff1aa0, "aio_wait_kick: add missing memory barrier" (2022).  Whoever
 * ends a wait changes the condition and then reads num_waiters; whoever waits
 * raises num_waiters and then reads the condition.  Without a barrier on the
 * first side its store may still be in a buffer when it reads zero waiters:
 * nobody is kicked, and the waiter has read the old condition.
 *
 *   buggy  aio_wait_kick() has no barrier
 *   fixed  smp_mb() before num_waiters is read
 *
 * It needs a machine with store buffers.
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct OldAioWait {
    unsigned num_waiters;
    bool has_barrier;
    bool done;    /* what is waited for */
    bool goes_on; /* the IOThread, with something else */
    WaitReason request;
} OldAioWait;

static void dummy_bh_cb(void *opaque)
{
    /* That it is scheduled is enough: aio_poll() returns. */
}

static void old_aio_wait_kick(OldAioWait *wait)
{
    if (wait->has_barrier) {
        smp_mb();
    }
    if (qatomic_read(&wait->num_waiters)) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), dummy_bh_cb, NULL);
    }
}

/* Today's AIO_WAIT_WHILE() has a counter of its own, which nobody looks at. */
static void old_aio_wait_while_not_done(OldAioWait *wait)
{
    qatomic_inc(&wait->num_waiters);
    smp_mb();
    wait_reason_next(&wait->request);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&wait->done));
    qatomic_dec(&wait->num_waiters);
}

static void *iothread_run(void *opaque)
{
    OldAioWait *wait = opaque;

    qatomic_set(&wait->done, true);
    wait_reason_done(&wait->request);
    old_aio_wait_kick(wait);
    qatomic_set(&wait->goes_on, true);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    OldAioWait wait = {.has_barrier = scenario_is_variant(args, "fixed")};
    QemuThread iothread;

    wait_reason_init(&wait.request, "the request");
    qemu_thread_create(&iothread, "iothread", iothread_run, &wait,
                       QEMU_THREAD_JOINABLE);
    old_aio_wait_while_not_done(&wait);
    qemu_thread_join(&iothread);
}

SCENARIO(b15_kick_barrier) = {
    .name = "b15-kick-barrier",
    .summary = "aio_wait_kick() reads num_waiters while its caller's change is "
               "still in a store buffer (QEMU 7455ff1aa0)",
    .shows = "the waiter has read the old condition, the kick no waiters; the "
             "fix is smp_mb() in aio_wait_kick(), which pairs with the one in "
             "AIO_WAIT_WHILE()",
    .variants = (const ScenarioVariant[]){
        {"buggy", "no barrier; fails with store buffers only"},
        {"fixed", "smp_mb() before num_waiters is read"},
        {NULL}},
    .run = run,
};
