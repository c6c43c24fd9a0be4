/* SPDX-License-Identifier: MIT */
/*
 * b48-entered-too-soon: a completion enters a coroutine that has not yielded.
 *
 * QEMU 0f142cbd91, "nvme: Fix coroutine waking" (2025).  The request runs in
 * one thread; its completion is a bottom half of the node's context, which is
 * another's, and calls qemu_coroutine_enter().  The coroutine may not have
 * yielded yet; and if it has, it goes on in the wrong thread.
 *
 *   buggy  qemu_coroutine_enter() in the completion's thread
 *   fixed  aio_co_wake(): in the coroutine's own context
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

typedef struct NVMeCoData {
    Coroutine *co;
    QemuThread iothread; /* the node's */
    bool wakes;
    int ret;
    bool finished;
} NVMeCoData;

static void *nvme_rw_cb_bh(void *opaque)
{
    NVMeCoData *data = opaque;

    qatomic_set(&data->ret, 0);
    if (data->wakes) {
        aio_co_wake(data->co);
    } else {
        qemu_coroutine_enter(data->co);
    }
    return NULL;
}

static void coroutine_fn nvme_co_prw_aligned(void *opaque)
{
    NVMeCoData *data = opaque;

    qemu_thread_create(&data->iothread, "iothread", nvme_rw_cb_bh, data,
                       QEMU_THREAD_JOINABLE);
    qemu_coroutine_yield();
    SCENARIO_CHECK(qatomic_read(&data->ret) == 0 &&
                   qemu_get_current_aio_context() == qemu_get_aio_context(),
                   "the request goes on in another thread");
    qatomic_set(&data->finished, true);
    aio_wait_kick();
}

static void run(const ScenarioArgs *args)
{
    NVMeCoData data = {
        .ret = -EINPROGRESS, .wakes = scenario_is_variant(args, "fixed"),
    };

    data.co = qemu_coroutine_create(nvme_co_prw_aligned, &data);
    qemu_coroutine_enter(data.co);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&data.finished));
    qemu_thread_join(&data.iothread);
}

SCENARIO(b48_entered_too_soon) = {
    .name = "b48-entered-too-soon",
    .summary = "a completion in another thread enters the request's coroutine "
               "(QEMU 0f142cbd91)",
    .shows = "the coroutine is entered before it has yielded, or goes on in "
             "the thread of the completion; the fix wakes it in its own",
    .variants = (const ScenarioVariant[]){
        {"buggy", "qemu_coroutine_enter()"},
        {"fixed", "aio_co_wake()"},
        {NULL}},
    .run = run,
};
