/* SPDX-License-Identifier: MIT */
/*
 * s1-hmp-screendump: the monitor waits where nobody serves what it waits for.
 *
 * From the sources of QEMU 11.1, monitor/hmp.c: handle_hmp_command() runs a
 * command that is a coroutine, and then waits by AIO_WAIT_WHILE_UNLOCKED(NULL,
 * !data.done).  That polls qemu_aio_context only.  hmp_screendump() waits for
 * the display to be updated, which is reported by a handler of iohandler_ctx;
 * only the main loop runs that, and the main loop is where the monitor was
 * called from.
 *
 *   buggy  the monitor waits in a nested loop
 *   fixed  it goes back to the main loop, as QMP's dispatcher does
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct Hmp {
    EventNotifier display; /* set when the update is complete */
    Coroutine *co;
    bool done;
    WaitReason command, update;
} Hmp;

static void graphic_hw_update_done(EventNotifier *e)
{
    Hmp *hmp = container_of(e, Hmp, display);

    if (event_notifier_test_and_clear(e)) {
        aio_co_wake(hmp->co);
    }
}

static void graphic_hw_update(Hmp *hmp)
{
    event_notifier_set(&hmp->display);
}

static void coroutine_fn hmp_screendump(void *opaque)
{
    Hmp *hmp = opaque;

    graphic_hw_update(hmp);
    wait_reason_by_notifier(&hmp->update, iohandler_get_aio_context(),
                            &hmp->display);
    wait_reason_next(&hmp->update);
    qemu_coroutine_yield();
    hmp->done = true;
    aio_wait_kick();
}

static void handle_hmp_command(Hmp *hmp, bool nested)
{
    hmp->co = qemu_coroutine_create(hmp_screendump, hmp);
    wait_reason_init(&hmp->command, "the command");
    wait_reason_init(&hmp->update, "the display's update");
    wait_reason_by_coroutine(&hmp->command, hmp->co);
    qemu_coroutine_enter(hmp->co);
    if (nested) {
        wait_reason_next(&hmp->command);
        AIO_WAIT_WHILE_UNLOCKED(NULL, !hmp->done);
    }
}

static void run(const ScenarioArgs *args)
{
    Hmp hmp = {.done = false};

    event_notifier_init(&hmp.display, false);
    event_notifier_set_handler(&hmp.display, graphic_hw_update_done);
    handle_hmp_command(&hmp, scenario_is_variant(args, "buggy"));
    while (!hmp.done) {
        main_loop_wait(false);
    }
    event_notifier_set_handler(&hmp.display, NULL);
    event_notifier_cleanup(&hmp.display);
}

SCENARIO(s1_hmp_screendump) = {
    .name = "s1-hmp-screendump",
    .summary = "a monitor command waits in qemu_aio_context for a handler of "
               "iohandler_ctx",
    .shows = "the display's event is there, but its handler is in "
             "iohandler_ctx, which nested loops do not poll; going back to the "
             "main loop lets it run",
    .variants = (const ScenarioVariant[]){
        {"buggy", "AIO_WAIT_WHILE_UNLOCKED(NULL, ...)"},
        {"fixed", "main_loop_wait()"},
        {NULL}},
    .run = run,
};
