/* SPDX-License-Identifier: MIT */
/*
 * b01-laio-batch: a callback polls for a completion that its caller holds.
 *
 * QEMU 2cdff7f620, "linux-aio: avoid deadlock in nested aio_poll() calls"
 * (2014).  io_getevents() returns A and B together.  A's callback runs the
 * loop until B is done, but B's event stands in the array of the function that
 * is calling A's callback, and no nested loop can get at it.
 *
 *   buggy  the events are a local array
 *   fixed  they stand in the state, with an index; a bottom half, scheduled
 *          before the first callback, goes on where the outer call stopped
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

enum { MAX_EVENTS = 2 };

struct qemu_laio_state;

typedef struct LaioCB {
    struct qemu_laio_state *ctx;
    struct LaioCB *needs; /* its callback waits for that one */
    bool done;
    WaitReason is_done;
    CqeHandler cqe; /* what the kernel does meanwhile */
} LaioCB;

struct qemu_laio_state {
    AioContext *aio_context;
    EventNotifier e;
    QEMUBH *completion_bh;
    bool resumable;
    LaioCB *ring[MAX_EVENTS]; /* complete, and not fetched */
    int n_ring;
    LaioCB *events[MAX_EVENTS]; /* fetched */
    int event_idx, event_max;
};

static int io_getevents(struct qemu_laio_state *s, LaioCB **events)
{
    int n = s->n_ring;

    memcpy(events, s->ring, n * sizeof(*events));
    s->n_ring = 0;
    return n;
}

static void qemu_laio_process_completion(LaioCB *laiocb)
{
    wait_reason_begun(&laiocb->is_done);
    if (laiocb->needs) {
        wait_reason_next(&laiocb->needs->is_done);
        AIO_WAIT_WHILE(laiocb->ctx->aio_context, !laiocb->needs->done);
    }
    laiocb->done = true;
    wait_reason_done(&laiocb->is_done);
}

static void qemu_laio_process_completions(struct qemu_laio_state *s)
{
    LaioCB *local[MAX_EVENTS];
    int n;

    if (!s->resumable) {
        n = io_getevents(s, local);
        for (int i = 0; i < n; i++) {
            wait_reason_held(&local[i]->is_done, i + 1, n);
        }
        for (int i = 0; i < n; i++) {
            qemu_laio_process_completion(local[i]);
        }
        return;
    }
    if (s->event_idx == s->event_max) {
        s->event_idx = 0;
        s->event_max = io_getevents(s, s->events);
    }
    qemu_bh_schedule(s->completion_bh);
    while (s->event_idx < s->event_max) {
        qemu_laio_process_completion(s->events[s->event_idx++]);
    }
    qemu_bh_cancel(s->completion_bh);
}

static void qemu_laio_completion_bh(void *opaque)
{
    qemu_laio_process_completions(opaque);
}

static void qemu_laio_completion_cb(EventNotifier *e)
{
    if (event_notifier_test_and_clear(e)) {
        qemu_laio_process_completions(
            container_of(e, struct qemu_laio_state, e));
    }
}

static void kernel_completes(CqeHandler *cqe)
{
    LaioCB *laiocb = container_of(cqe, LaioCB, cqe);
    struct qemu_laio_state *s = laiocb->ctx;

    s->ring[s->n_ring++] = laiocb;
    event_notifier_set(&s->e);
}

static void prep_nop(struct io_uring_sqe *sqe, void *opaque)
{
    io_uring_prep_nop(sqe);
}

static void laio_submit(LaioCB *laiocb, const char *name)
{
    wait_reason_init(&laiocb->is_done, name);
    laiocb->cqe.cb = kernel_completes;
    aio_add_sqe(prep_nop, NULL, &laiocb->cqe);
    wait_reason_by_request(&laiocb->is_done, &laiocb->cqe);
}

static void run(const ScenarioArgs *args)
{
    struct qemu_laio_state s = {
        .aio_context = qemu_get_aio_context(),
        .resumable = scenario_is_variant(args, "fixed"),
    };
    LaioCB b = {.ctx = &s}, a = {.ctx = &s, .needs = &b};

    s.completion_bh = qemu_bh_new(qemu_laio_completion_bh, &s);
    event_notifier_init(&s.e, false);
    aio_set_event_notifier(s.aio_context, &s.e, qemu_laio_completion_cb, NULL,
                           NULL);
    laio_submit(&a, "request A");
    laio_submit(&b, "request B");
    AIO_WAIT_WHILE(s.aio_context, !a.done || !b.done);

    aio_set_event_notifier(s.aio_context, &s.e, NULL, NULL, NULL);
    event_notifier_cleanup(&s.e);
    qemu_bh_delete(s.completion_bh);
    aio_poll(s.aio_context, false);
}

SCENARIO(b01_laio_batch) = {
    .name = "b01-laio-batch",
    .summary = "two completions in one batch; the callback of the first polls "
               "for the second (QEMU 2cdff7f620)",
    .shows = "the nested aio_poll() waits for a completion that the outer call "
             "of qemu_laio_process_completions() has fetched; the fix keeps "
             "the batch where a bottom half of the nested loop can go on",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the batch is a local array"},
        {"fixed", "the batch stands in the state, and can be resumed"},
        {NULL}},
    .run = run,
};
