/* SPDX-License-Identifier: MIT */
/*
 * b05-submit-recursion: submitting completes, completing submits.
 *
 * QEMU 6864bec553, "block/linux-aio: bound ioq_submit() recursion depth"
 * (2026).  io_submit() completes at once; ioq_submit() therefore processes
 * completions; that wakes a coroutine, which submits its next request; the
 * submission is deferred to the end of the section that processing completions
 * has opened, and there ioq_submit() is called again, inside itself.
 *
 *   buggy  as deep as there are requests
 *   fixed  below a depth of 8, a bottom half submits the rest
 */
#include "aiolab/scenario.h"
#include "qemu/defer-call.h"

enum { IOQ_SUBMIT_MAX_DEPTH = 8, REQUESTS = 12 };

typedef struct LinuxAioQueue {
    unsigned pending;        /* requests to be submitted; one at a time here */
    unsigned depth, deepest; /* of ioq_submit() */
    bool bounded;
    QEMUBH *completion_bh;
    Coroutine *co;  /* who waits for the request */
    bool finished;
} LinuxAioQueue;

static void ioq_submit(LinuxAioQueue *q);

static void qemu_laio_process_completions(LinuxAioQueue *q)
{
    defer_call_begin();
    aio_co_wake(q->co);
    defer_call_end();
}

static void ioq_submit(LinuxAioQueue *q)
{
    if (q->bounded && q->depth == IOQ_SUBMIT_MAX_DEPTH) {
        qemu_bh_schedule(q->completion_bh);
        return;
    }
    q->depth++;
    q->deepest = MAX(q->deepest, q->depth);
    if (q->pending) { /* io_submit(): it is complete when that returns */
        q->pending--;
        qemu_laio_process_completions(q);
    }
    q->depth--;
}

static void qemu_laio_completion_bh(void *opaque)
{
    ioq_submit(opaque);
}

static void laio_deferred_fn(void *opaque)
{
    ioq_submit(opaque);
}

static void coroutine_fn laio_co_submit(LinuxAioQueue *q)
{
    q->pending++;
    defer_call(laio_deferred_fn, q);
    qemu_coroutine_yield();
}

static void coroutine_fn requests_entry(void *opaque)
{
    LinuxAioQueue *q = opaque;

    for (unsigned i = 0; i < REQUESTS; i++) {
        laio_co_submit(q);
    }
    q->finished = true;
}

static void virtio_blk_handle_vq(LinuxAioQueue *q)
{
    defer_call_begin();
    qemu_coroutine_enter(q->co);
    defer_call_end();
}

static void run(const ScenarioArgs *args)
{
    LinuxAioQueue q = {.bounded = scenario_is_variant(args, "fixed")};

    q.completion_bh = qemu_bh_new(qemu_laio_completion_bh, &q);
    q.co = qemu_coroutine_create(requests_entry, &q);
    virtio_blk_handle_vq(&q);
    AIO_WAIT_WHILE(qemu_get_aio_context(), !q.finished);
    SCENARIO_CHECK(q.deepest <= IOQ_SUBMIT_MAX_DEPTH, "ioq_submit() was inside "
                   "itself %u times: with more requests the stack ends",
                   q.deepest);
    qemu_bh_delete(q.completion_bh);
    aio_poll(qemu_get_aio_context(), false);
}

SCENARIO(b05_submit_recursion) = {
    .name = "b05-submit-recursion",
    .summary = "ioq_submit() completes requests whose coroutines submit again, "
               "inside itself (QEMU 6864bec553)",
    .shows = "ioq_submit(), qemu_laio_process_completions(), laio_co_submit() "
             "and the end of its deferred section call each other without "
             "bound; the fix leaves what is deeper than 8 to a bottom half",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the depth is not bounded"},
        {"fixed", "it is at most 8"},
        {NULL}},
    .run = run,
};
