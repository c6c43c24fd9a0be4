/* SPDX-License-Identifier: MIT */
/*
 * drained-end: the wait of bdrv_drained_end(), from the report in
 * docs/scenario-guide.md.
 *
 * What QEMU 4.1's release candidate did, in small: the end of a drained section
 * starts a coroutine in the node's IOThread, which ends what the driver had
 * begun; the main thread polls a counter until it is done.
 */
#include "aiolab/scenario.h"

/* What the coroutine is given. */
typedef struct BdrvCoDrainData {
    unsigned *in_flight;
    unsigned *drained_end_counter;
    bool fixed;
} BdrvCoDrainData;

static void dec_in_flight(BdrvCoDrainData *data)
{
    qatomic_dec(data->in_flight);
    aio_wait_kick(); /* bdrv_wakeup() */
}

static void coroutine_fn bdrv_drain_invoke_entry(void *opaque)
{
    BdrvCoDrainData *data = opaque;

    /* The driver's bdrv_co_drain_end() is called here; it does not matter. */
    if (data->fixed) {
        qatomic_dec(data->drained_end_counter);
        dec_in_flight(data);
    } else {
        dec_in_flight(data);
        qatomic_dec(data->drained_end_counter);
    }
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("iothread0", &error_abort);
    AioContext *ctx = iothread_get_aio_context(iothread);
    unsigned in_flight = 1, drained_end_counter = 1;
    BdrvCoDrainData data = {
        &in_flight, &drained_end_counter, scenario_is_variant(args, "fixed"),
    };

    aio_co_schedule(ctx, qemu_coroutine_create(bdrv_drain_invoke_entry, &data));
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&drained_end_counter) > 0);
    iothread_destroy(iothread);
    SCENARIO_CHECK(in_flight == 0, "a request is in flight");
}

SCENARIO(drained_end) = {
    .name = "drained-end",
    .summary = "the wait of bdrv_drained_end(), which does not always end",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the kick comes before the counter is decremented"},
        {"fixed", "it comes afterwards"},
        {NULL}},
    .run = run,
};
