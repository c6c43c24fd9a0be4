/* SPDX-License-Identifier: MIT */
/*
 * b57-defer-under-lock: a deferred call is not deferred, under a lock.
 *
 * QEMU 66547f416a, "block/nvme: invoke blk_io_plug_call() outside q->lock"
 * (2023); the function is defer_call() today.  Outside a deferred section it
 * calls at once.  nvme_submit_command() called it with q->lock held, and what
 * it defers takes q->lock: fine for a guest's requests, which come in
 * sections; when the drive is opened there is none.
 *
 *   buggy  deferred with q->lock held
 *   fixed  after q->lock was given up
 */
#include "aiolab/scenario.h"
#include "qemu/defer-call.h"
#include "qemu/thread.h"

typedef struct NVMeQueuePair {
    QemuMutex lock;
    unsigned need_kick;
    unsigned kicked;
    bool defers_unlocked;
} NVMeQueuePair;

static void nvme_deferred_fn(void *opaque)
{
    NVMeQueuePair *q = opaque;

    qemu_mutex_lock(&q->lock);
    q->kicked += q->need_kick; /* nvme_kick() */
    q->need_kick = 0;
    qemu_mutex_unlock(&q->lock);
}

static void nvme_submit_command(NVMeQueuePair *q)
{
    qemu_mutex_lock(&q->lock);
    q->need_kick++;
    if (!q->defers_unlocked) {
        defer_call(nvme_deferred_fn, q);
    }
    qemu_mutex_unlock(&q->lock);
    if (q->defers_unlocked) {
        defer_call(nvme_deferred_fn, q);
    }
}

static void run(const ScenarioArgs *args)
{
    NVMeQueuePair q = {.defers_unlocked = scenario_is_variant(args, "fixed")};

    qemu_mutex_init(&q.lock);
    defer_call_begin(); /* virtio_blk_handle_vq() */
    nvme_submit_command(&q);
    defer_call_end();
    nvme_submit_command(&q); /* nvme_identify(), when the drive is opened */
    SCENARIO_CHECK(q.kicked == 2, "a command was not kicked");
    qemu_mutex_destroy(&q.lock);
}

SCENARIO(b57_defer_under_lock) = {
    .name = "b57-defer-under-lock",
    .summary = "defer_call() outside a section calls at once, with the lock "
               "held that the function takes (QEMU 66547f416a)",
    .shows = "nvme_deferred_fn() waits for q->lock, held by "
             "nvme_submit_command(), which has called it; the fix unlocks "
             "first",
    .variants = (const ScenarioVariant[]){
        {"buggy", "deferred with the lock held"},
        {"fixed", "deferred without it"},
        {NULL}},
    .run = run,
};
