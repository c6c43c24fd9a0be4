/* SPDX-License-Identifier: MIT */
/*
 * nested-laio: two completions in one batch, and a callback that waits.
 *
 * The deadlock that QEMU's 2cdff7f620 ("linux-aio: avoid deadlock in nested
 * aio_poll() calls", 2014) fixed.  The engine below is linux-aio in small: the
 * device appends finished requests to a completion queue and sets a notifier;
 * the notifier's handler fetches all of them and calls their callbacks.  The
 * callback of A needs B, and runs the loop until B is done.
 *
 *   buggy  the fetched batch stands in a local array of the handler.  If B was
 *          fetched together with A, nobody but the handler that waits for us
 *          can call B's callback.
 *   fixed  the batch stands in the engine's state, and before the first
 *          callback a bottom half is scheduled that goes on with the rest: the
 *          nested loop runs it.
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

enum { MAX_EVENTS = 8 };

typedef struct Engine Engine;

typedef struct Request {
    Engine *engine;
    const char *name;
    bool done;
    struct Request *needs; /* or NULL */
    WaitReason is_done;
    CqeHandler cqe;        /* the device's end */
} Request;

struct Engine {
    AioContext *ctx;
    EventNotifier e;
    bool resumable;

    Request *queue[MAX_EVENTS]; /* finished, not fetched */
    unsigned n_queue;

    Request *events[MAX_EVENTS]; /* fixed: the batch, and how far we are */
    unsigned event_idx, event_max;
    QEMUBH *completion_bh;
};

static void complete(Request *req)
{
    scenario_note("callback of request %s", req->name);
    wait_reason_begun(&req->is_done);
    if (req->needs) {
        wait_reason_next(&req->needs->is_done);
        /* As mirror_wait_for_free_in_flight_slot() did. */
        AIO_WAIT_WHILE(req->engine->ctx, !req->needs->done);
    }
    req->done = true;
    wait_reason_done(&req->is_done);
}

static unsigned fetch(Engine *engine, Request **events)
{
    unsigned n = engine->n_queue;

    memcpy(events, engine->queue, n * sizeof(*events));
    engine->n_queue = 0;
    for (unsigned i = 0; i < n; i++) {
        if (engine->resumable) {
            wait_reason_by_bh(&events[i]->is_done, engine->completion_bh);
        } else {
            wait_reason_held(&events[i]->is_done, i + 1, n);
        }
    }
    scenario_note("%u completions fetched", n);
    return n;
}

static void process_completions_local(Engine *engine)
{
    Request *events[MAX_EVENTS];
    unsigned n = fetch(engine, events);

    for (unsigned i = 0; i < n; i++) {
        complete(events[i]);
    }
}

static void process_completions_resumable(Engine *engine)
{
    /* A nested loop goes on here with what the outer one has fetched. */
    qemu_bh_schedule(engine->completion_bh);
    do {
        while (engine->event_idx < engine->event_max) {
            complete(engine->events[engine->event_idx++]);
        }
        engine->event_idx = 0;
        engine->event_max = fetch(engine, engine->events);
    } while (engine->event_max);
    qemu_bh_cancel(engine->completion_bh);
}

static void process_completions(Engine *engine)
{
    if (engine->resumable) {
        process_completions_resumable(engine);
    } else {
        process_completions_local(engine);
    }
}

static void completion_bh(void *opaque)
{
    process_completions(opaque);
}

static void completion_cb(EventNotifier *e)
{
    Engine *engine = container_of(e, Engine, e);

    if (event_notifier_test_and_clear(e)) {
        process_completions(engine);
    }
}

/* The device's interrupt. */
static void device_done(CqeHandler *cqe)
{
    Request *req = container_of(cqe, Request, cqe);
    Engine *engine = req->engine;

    engine->queue[engine->n_queue++] = req;
    event_notifier_set(&engine->e);
}

static void prep_nop(struct io_uring_sqe *sqe, void *opaque)
{
    io_uring_prep_nop(sqe);
}

static void submit(Request *req)
{
    req->cqe.cb = device_done;
    aio_add_sqe(prep_nop, req, &req->cqe);
    wait_reason_by_request(&req->is_done, &req->cqe);
}

static void run(const ScenarioArgs *args)
{
    Engine engine = {
        .ctx = qemu_get_aio_context(),
        .resumable = scenario_is_variant(args, "fixed"),
    };
    Request b = {.engine = &engine, .name = "B"};
    Request a = {.engine = &engine, .name = "A", .needs = &b};

    engine.completion_bh = aio_bh_new(engine.ctx, completion_bh, &engine);
    event_notifier_init(&engine.e, false);
    aio_set_event_notifier(engine.ctx, &engine.e, completion_cb, NULL, NULL);

    wait_reason_init(&a.is_done, "request A");
    wait_reason_init(&b.is_done, "request B");
    submit(&a);
    submit(&b);
    wait_reason_next(&a.is_done);
    AIO_WAIT_WHILE(engine.ctx, !a.done);
    wait_reason_next(&b.is_done);
    AIO_WAIT_WHILE(engine.ctx, !b.done);

    aio_set_event_notifier(engine.ctx, &engine.e, NULL, NULL, NULL);
    event_notifier_cleanup(&engine.e);
    qemu_bh_delete(engine.completion_bh);
    aio_poll(engine.ctx, false);
}

SCENARIO(nested_laio) = {
    .name = "nested-laio",
    .summary = "two completions in one batch; the callback of the first waits "
               "for the second (QEMU 2cdff7f620, 2014)",
    .shows = "who holds the completion that a nested aio_poll() waits for",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the batch is a local array: it deadlocks"},
        {"fixed", "the batch can be resumed by a bottom half"},
        {NULL}},
    .run = run,
};
