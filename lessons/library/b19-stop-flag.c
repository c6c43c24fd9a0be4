/* SPDX-License-Identifier: MIT */
/*
 * b19-stop-flag: a flag that is tested outside aio_poll().
 *
 * QEMU 2362a28ea1, "iothread: fix iothread_stop() race condition" (2018).  The
 * loop is while (!stopping) aio_poll().  The main thread sets the flag and
 * notifies after it was tested and before aio_poll() has announced itself in
 * notify_me: nobody seems to sleep, so the eventfd is not written.  aio_poll()
 * looks at bottom halves again before it sleeps, but not at this flag.
 *
 *   buggy  stopping = true; aio_notify()
 *   fixed  a bottom half clears "running": it is part of what aio_poll() looks
 *          at
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct OldIOThread {
    ModelEventfd notifier;
    unsigned notify_me;
    bool bh_scheduled; /* iothread_stop_bh() */
    bool stopping;
    bool stops_by_bh;
} OldIOThread;

static void old_aio_notify(OldIOThread *iothread)
{
    if (qatomic_read(&iothread->notify_me)) {
        model_eventfd_set(&iothread->notifier);
    }
}

static void old_aio_poll(OldIOThread *iothread)
{
    qatomic_add(&iothread->notify_me, 2);
    if (!qatomic_read(&iothread->bh_scheduled)) { /* aio_compute_timeout() */
        model_eventfd_poll(&iothread->notifier);
    }
    qatomic_sub(&iothread->notify_me, 2);
    model_eventfd_test_and_clear(&iothread->notifier);
    if (qatomic_xchg(&iothread->bh_scheduled, false)) {
        qatomic_set(&iothread->stopping, true); /* iothread_stop_bh() */
    }
}

static void *iothread_run(void *opaque)
{
    OldIOThread *iothread = opaque;

    while (!qatomic_read(&iothread->stopping)) {
        old_aio_poll(iothread);
    }
    return NULL;
}

static void old_iothread_stop(OldIOThread *iothread, QemuThread *thread)
{
    if (iothread->stops_by_bh) {
        qatomic_xchg(&iothread->bh_scheduled, true);
    } else {
        qatomic_set_mb(&iothread->stopping, true);
    }
    wait_reason_done(&iothread->notifier.event);
    old_aio_notify(iothread);
    qemu_thread_join(thread);
}

static void run(const ScenarioArgs *args)
{
    OldIOThread iothread = {
        .stops_by_bh = scenario_is_variant(args, "fixed"),
    };
    QemuThread thread;

    model_eventfd_init(&iothread.notifier, "the request to stop");
    qemu_thread_create(&thread, "iothread", iothread_run, &iothread,
                       QEMU_THREAD_JOINABLE);
    old_iothread_stop(&iothread, &thread);
    model_eventfd_destroy(&iothread.notifier);
}

SCENARIO(b19_stop_flag) = {
    .name = "b19-stop-flag",
    .summary = "iothread_stop() sets a flag that aio_poll() does not look at "
               "before it sleeps (QEMU 2362a28ea1)",
    .shows = "the main thread joins an IOThread that has tested the flag just "
             "before, and sleeps without having been notified; the fix stops "
             "it by a bottom half",
    .variants = (const ScenarioVariant[]){
        {"buggy", "a flag, and aio_notify()"},
        {"fixed", "a bottom half"},
        {NULL}},
    .run = run,
};
