/* SPDX-License-Identifier: MIT */
/*
 * b20-stop-too-soon: the stop comes before the loop that it stops.
 *
 * QEMU 6c95363d97, "iothread: fix iothread hang when stop too soon" (2019).
 * An IOThread calls aio_poll() until somebody wants its GMainContext; from then
 * on it runs a GMainLoop.  iothread_stop_bh() runs inside aio_poll(), clears
 * "running" and finds no main loop to quit.  Then the thread sees that there is
 * a GMainContext, and begins to run its loop, for ever.
 *
 *   buggy  after aio_poll() only the GMainContext is tested
 *   fixed  "running" is, too
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct OldIOThread {
    AioContext *ctx;
    QemuEvent init_done;
    bool running;           /* the IOThread's own */
    bool tests_twice;
    bool run_gcontext;
    bool main_loop_running; /* the IOThread's own: g_main_loop_is_running() */
    WaitReason quit;
} OldIOThread;

/* The context is a source of the loop: each iteration polls it. */
static void old_g_main_loop_run(OldIOThread *iothread)
{
    iothread->main_loop_running = true;
    wait_reason_next(&iothread->quit);
    AIO_WAIT_WHILE(iothread->ctx, iothread->main_loop_running);
}

static void *iothread_run(void *opaque)
{
    OldIOThread *iothread = opaque;

    qemu_set_current_aio_context(iothread->ctx);
    qemu_event_set(&iothread->init_done);
    while (iothread->running) {
        aio_poll(iothread->ctx, true);
        if (qatomic_read(&iothread->run_gcontext) &&
            (iothread->running || !iothread->tests_twice)) {
            old_g_main_loop_run(iothread);
        }
    }
    return NULL;
}

static void iothread_stop_bh(void *opaque)
{
    OldIOThread *iothread = opaque;

    iothread->running = false;
    iothread->main_loop_running = false; /* g_main_loop_quit(), if it runs */
}

static void old_iothread_get_g_main_context(OldIOThread *iothread)
{
    qatomic_set(&iothread->run_gcontext, true);
    aio_notify(iothread->ctx);
}

static void run(const ScenarioArgs *args)
{
    OldIOThread iothread = {
        .ctx = aio_context_new(&error_abort), .running = true,
        .tests_twice = scenario_is_variant(args, "fixed"),
    };
    QemuThread thread;

    qemu_event_init(&iothread.init_done, false);
    wait_reason_init(&iothread.quit, "g_main_loop_quit()");
    qemu_thread_create(&thread, "iothread", iothread_run, &iothread,
                       QEMU_THREAD_JOINABLE);
    qemu_event_wait(&iothread.init_done);
    old_iothread_get_g_main_context(&iothread);
    aio_bh_schedule_oneshot(iothread.ctx, iothread_stop_bh, &iothread);
    qemu_thread_join(&thread);
    qemu_event_destroy(&iothread.init_done);
    aio_context_unref(iothread.ctx);
}

SCENARIO(b20_stop_too_soon) = {
    .name = "b20-stop-too-soon",
    .summary = "an IOThread is stopped before its GMainLoop runs, and runs it "
               "then (QEMU 6c95363d97)",
    .shows = "iothread_stop_bh() found no loop to quit, and the thread begins "
             "one afterwards, which nobody will quit; the fix tests "
             "\"running\" once more",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the GMainContext alone decides"},
        {"fixed", "only if it is still running"},
        {NULL}},
    .run = run,
};
