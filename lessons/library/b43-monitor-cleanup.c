/* SPDX-License-Identifier: MIT */
/*
 * b43-monitor-cleanup: work arrives in a context that was polled just before.
 *
 * QEMU fc1a2ec7da, "monitor: Fix deadlock in monitor_cleanup" (2026).  The main
 * thread waits for the QMP dispatcher to end.  AIO_WAIT_WHILE_UNLOCKED() blocks
 * in qemu_aio_context; its condition polls iohandler_ctx, where the dispatcher
 * lives, without blocking.  When the monitor's IOThread wakes the dispatcher
 * after that poll, its bottom half is in iohandler_ctx, and the main thread
 * sleeps in the other context.
 *
 *   buggy  whoever wakes the dispatcher does nothing else
 *   fixed  it kicks the waiter, whose condition polls iohandler_ctx again
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct Monitor {
    Coroutine *qmp_dispatcher_co;
    bool kicks;
    bool co_running; /* main thread */
    WaitReason shutdown;
} Monitor;

static void coroutine_fn monitor_qmp_dispatcher_co(void *opaque)
{
    Monitor *mon = opaque;

    mon->co_running = false; /* it was asked to shut down */
}

static void *mon_iothread_run(void *opaque)
{
    Monitor *mon = opaque;

    aio_co_schedule(iohandler_get_aio_context(), mon->qmp_dispatcher_co);
    if (mon->kicks) {
        aio_wait_kick();
    }
    return NULL;
}

static void monitor_cleanup(Monitor *mon)
{
    wait_reason_next(&mon->shutdown);
    AIO_WAIT_WHILE_UNLOCKED(NULL,
                            (aio_poll(iohandler_get_aio_context(), false),
                             mon->co_running));
}

static void run(const ScenarioArgs *args)
{
    Monitor mon = {
        .kicks = scenario_is_variant(args, "fixed"), .co_running = true,
    };
    QemuThread mon_iothread;

    mon.qmp_dispatcher_co = qemu_coroutine_create(monitor_qmp_dispatcher_co,
                                                  &mon);
    wait_reason_init(&mon.shutdown, "the dispatcher");
    wait_reason_by_coroutine(&mon.shutdown, mon.qmp_dispatcher_co);
    qemu_thread_create(&mon_iothread, "mon_iothread", mon_iothread_run, &mon,
                       QEMU_THREAD_JOINABLE);
    monitor_cleanup(&mon);
    qemu_thread_join(&mon_iothread);
}

SCENARIO(b43_monitor_cleanup) = {
    .name = "b43-monitor-cleanup",
    .summary = "monitor_cleanup() sleeps in qemu_aio_context, and what it "
               "waits for is scheduled in iohandler_ctx (QEMU fc1a2ec7da)",
    .shows = "the dispatcher's bottom half is in iohandler_ctx, which only the "
             "main thread polls, and that sleeps in the other context; fixed, "
             "whoever scheduled it kicks the waiter",
    .variants = (const ScenarioVariant[]){
        {"buggy", "nobody wakes the main thread"},
        {"fixed", "aio_wait_kick() after the dispatcher is scheduled"},
        {NULL}},
    .run = run,
};
