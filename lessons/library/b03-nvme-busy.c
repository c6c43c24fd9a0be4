/* SPDX-License-Identifier: MIT */
/*
 * b03-nvme-busy: a queue that is busy calling back ignores new completions.
 *
 * QEMU 7838c67f22, "block/nvme: support nested aio_poll()" (2020).  The queue
 * pair is marked busy while completions are processed, callbacks included.  A
 * callback that polls for another request gets the interrupt for it, and
 * nvme_process_completion() returns at once because the queue is busy.
 *
 *   buggy  busy is set while callbacks run
 *   fixed  nothing is marked busy: the queue's state is consistent before each
 *          callback, and a bottom half goes on with what is left in it
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct NVMeQueuePair NVMeQueuePair;

typedef struct NVMeRequest {
    NVMeQueuePair *q;
    struct NVMeRequest *needs; /* its callback waits for that one */
    bool done;
    WaitReason is_done;
    CqeHandler device;
    QSIMPLEQ_ENTRY(NVMeRequest) next;
} NVMeRequest;

struct NVMeQueuePair {
    QSIMPLEQ_HEAD(, NVMeRequest) cq; /* complete, and not processed */
    EventNotifier irq_notifier;
    QEMUBH *completion_bh;
    bool busy;
    bool reentrant;
    WaitReason not_busy;
};

static void request_cb(NVMeRequest *req)
{
    wait_reason_begun(&req->is_done);
    if (req->needs) {
        wait_reason_next(&req->needs->is_done);
        AIO_WAIT_WHILE(qemu_get_aio_context(), !req->needs->done);
    }
    req->done = true;
    wait_reason_done(&req->is_done);
}

static void nvme_process_completion(NVMeQueuePair *q)
{
    NVMeRequest *req;

    if (q->busy) {
        return;
    }
    if (q->reentrant) {
        qemu_bh_schedule(q->completion_bh);
    } else {
        q->busy = true;
        wait_reason_begun(&q->not_busy);
    }
    while ((req = QSIMPLEQ_FIRST(&q->cq))) {
        QSIMPLEQ_REMOVE_HEAD(&q->cq, next);
        request_cb(req);
    }
    q->busy = false;
    qemu_bh_cancel(q->completion_bh);
}

static void nvme_process_completion_bh(void *opaque)
{
    nvme_process_completion(opaque);
}

static void nvme_handle_event(EventNotifier *n)
{
    event_notifier_test_and_clear(n);
    nvme_process_completion(container_of(n, NVMeQueuePair, irq_notifier));
}

static void device_completes(CqeHandler *cqe)
{
    NVMeRequest *req = container_of(cqe, NVMeRequest, device);

    QSIMPLEQ_INSERT_TAIL(&req->q->cq, req, next);
    wait_reason_by_reason(&req->is_done, &req->q->not_busy);
    event_notifier_set(&req->q->irq_notifier);
}

static void prep_nop(struct io_uring_sqe *sqe, void *opaque)
{
    io_uring_prep_nop(sqe);
}

static void nvme_submit_command(NVMeQueuePair *q, NVMeRequest *req,
                                const char *name)
{
    wait_reason_init(&req->is_done, name);
    req->q = q;
    req->device.cb = device_completes;
    aio_add_sqe(prep_nop, NULL, &req->device);
    wait_reason_by_request(&req->is_done, &req->device);
}

static void run(const ScenarioArgs *args)
{
    NVMeQueuePair q = {.reentrant = scenario_is_variant(args, "fixed")};
    NVMeRequest b = {.done = false}, a = {.needs = &b};
    AioContext *ctx = qemu_get_aio_context();

    QSIMPLEQ_INIT(&q.cq);
    wait_reason_init(&q.not_busy, "the outer call");
    q.completion_bh = qemu_bh_new(nvme_process_completion_bh, &q);
    event_notifier_init(&q.irq_notifier, false);
    aio_set_event_notifier(ctx, &q.irq_notifier, nvme_handle_event, NULL, NULL);
    nvme_submit_command(&q, &a, "request A");
    nvme_submit_command(&q, &b, "request B");
    AIO_WAIT_WHILE(ctx, !a.done || !b.done);
    aio_set_event_notifier(ctx, &q.irq_notifier, NULL, NULL, NULL);
    event_notifier_cleanup(&q.irq_notifier);
    qemu_bh_delete(q.completion_bh);
    aio_poll(ctx, false);
}

SCENARIO(b03_nvme_busy) = {
    .name = "b03-nvme-busy",
    .summary = "a busy queue pair ignores the interrupt that its own callback "
               "polls for (QEMU 7838c67f22)",
    .shows = "the nested aio_poll() gets the event, but the outer "
             "nvme_process_completion() has the queue marked busy until the "
             "callback returns; the fix lets a bottom half go on with it",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the queue is busy while callbacks run"},
        {"fixed", "it can be entered again, and a bottom half does"},
        {NULL}},
    .run = run,
};
