/* SPDX-License-Identifier: MIT */
/*
 * b17-kick-before-decrement: two statements in the wrong order.
 *
 * QEMU 65181d6381, "block: Dec. drained_end_counter before bdrv_wakeup" (2019).
 * The coroutine that ends a drained section wakes the main thread and then
 * decrements the counter that it polls.
 *
 *   buggy  bdrv_wakeup(), then the decrement
 *   fixed  the decrement, then bdrv_wakeup()
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct BdrvCoDrainData {
    int *drained_end_counter;
    bool decrements_first;
    WaitReason drain_ended;
} BdrvCoDrainData;

static void old_bdrv_wakeup(void)
{
    aio_wait_kick();
}

static void decrement(BdrvCoDrainData *data)
{
    qatomic_dec(data->drained_end_counter);
    wait_reason_done(&data->drain_ended);
}

/* In an IOThread that has nothing else to do. */
static void *bdrv_drain_invoke_entry(void *opaque)
{
    BdrvCoDrainData *data = opaque;

    if (data->decrements_first) {
        decrement(data);
        old_bdrv_wakeup();
    } else {
        old_bdrv_wakeup();
        decrement(data);
    }
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    QemuThread iothread;
    int drained_end_counter = 1;
    BdrvCoDrainData data = {
        &drained_end_counter, scenario_is_variant(args, "fixed"),
    };

    wait_reason_init(&data.drain_ended, "the decrement");
    wait_reason_next(&data.drain_ended);
    qemu_thread_create(&iothread, "iothread", bdrv_drain_invoke_entry, &data,
                       QEMU_THREAD_JOINABLE);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&drained_end_counter) > 0);
    qemu_thread_join(&iothread);
}

SCENARIO(b17_kick_before_decrement) = {
    .name = "b17-kick-before-decrement",
    .summary = "bdrv_wakeup() comes before the decrement that it tells of "
               "(QEMU 65181d6381)",
    .shows = "the main thread wakes, sees the old drained_end_counter and "
             "sleeps again, and nobody kicks after the decrement; the fix "
             "exchanges the two statements",
    .variants = (const ScenarioVariant[]){
        {"buggy", "wake-up, then decrement"},
        {"fixed", "decrement, then wake-up"},
        {NULL}},
    .run = run,
};
