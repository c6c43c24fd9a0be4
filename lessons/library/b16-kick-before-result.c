/* SPDX-License-Identifier: MIT */
/*
 * b16-kick-before-result: the waiter is kicked, and the result comes after.
 *
 * QEMU 4720cbeea1, "block: Fix hangs in synchronous APIs with iothreads"
 * (2019).  A synchronous read waits in the main thread for a coroutine of the
 * IOThread.  bdrv_dec_in_flight() kicks inside the request; only then does the
 * coroutine store its result, which is what the main thread polls for.
 *
 *   buggy  no kick after the result was stored
 *   fixed  aio_wait_kick() as the coroutine's last act
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

enum { NOT_DONE = 0x7fffffff };

typedef struct RwCo {
    int ret;
    unsigned in_flight;
    bool kicks_at_end;
    WaitReason result;
} RwCo;

static void old_bdrv_dec_in_flight(RwCo *rwco)
{
    qatomic_dec(&rwco->in_flight);
    aio_wait_kick(); /* bdrv_wakeup() */
}

static int coroutine_fn old_bdrv_co_preadv(RwCo *rwco)
{
    qatomic_inc(&rwco->in_flight);
    old_bdrv_dec_in_flight(rwco);
    return 0;
}

static void coroutine_fn bdrv_rw_co_entry(void *opaque)
{
    RwCo *rwco = opaque;

    qatomic_set(&rwco->ret, old_bdrv_co_preadv(rwco));
    wait_reason_done(&rwco->result);
    if (rwco->kicks_at_end) {
        aio_wait_kick();
    }
}

/* An IOThread that has this to do and nothing else. */
static void *iothread_run(void *opaque)
{
    qemu_coroutine_enter(qemu_coroutine_create(bdrv_rw_co_entry, opaque));
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    QemuThread iothread;
    RwCo rwco = {
        .ret = NOT_DONE, .kicks_at_end = scenario_is_variant(args, "fixed"),
    };

    wait_reason_init(&rwco.result, "storing the result");
    wait_reason_next(&rwco.result);
    qemu_thread_create(&iothread, "iothread", iothread_run, &rwco,
                       QEMU_THREAD_JOINABLE);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&rwco.ret) == NOT_DONE);
    qemu_thread_join(&iothread);
}

SCENARIO(b16_kick_before_result) = {
    .name = "b16-kick-before-result",
    .summary = "a request kicks the waiter, then stores the result that it "
               "waits for (QEMU 4720cbeea1)",
    .shows = "the main thread was woken, has found the result missing and "
             "sleeps again when it is stored; the fix kicks after the store",
    .variants = (const ScenarioVariant[]){
        {"buggy", "kick, then result"},
        {"fixed", "result, then a kick"},
        {NULL}},
    .run = run,
};
