/* SPDX-License-Identifier: MIT */
/* Solution of two-completions: the batch stands in the engine's state. */
#include "aiolab/scenario.h"

enum { MAX_EVENTS = 8 };

typedef struct Engine Engine;

typedef struct Request {
    Engine *engine;
    const char *name;
    bool done;
    struct Request *needs; /* or NULL */
    CqeHandler cqe;        /* the device's end */
} Request;

struct Engine {
    AioContext *ctx;
    EventNotifier e;

    Request *queue[MAX_EVENTS]; /* finished, not fetched */
    unsigned n_queue;

    Request *events[MAX_EVENTS]; /* room for a batch, and how far we are */
    unsigned event_idx, event_max;
    QEMUBH *completion_bh;
};

static void complete(Request *req)
{
    scenario_note("callback of request %s", req->name);
    if (req->needs) {
        /* As mirror_wait_for_free_in_flight_slot() did. */
        AIO_WAIT_WHILE(req->engine->ctx, !req->needs->done);
    }
    req->done = true;
}

static unsigned fetch(Engine *engine, Request **events)
{
    unsigned n = engine->n_queue;

    memcpy(events, engine->queue, n * sizeof(*events));
    engine->n_queue = 0;
    scenario_note("%u completions fetched", n);
    return n;
}

/* ---- your code ---- */

static void process_completions(Engine *engine)
{
    /* A nested loop goes on here with what we have fetched. */
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

/* ---- end ---- */

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
}

static void run(const ScenarioArgs *args)
{
    Engine engine = {.ctx = qemu_get_aio_context()};
    Request b = {.engine = &engine, .name = "B"};
    Request a = {.engine = &engine, .name = "A", .needs = &b};

    engine.completion_bh = aio_bh_new(engine.ctx, completion_bh, &engine);
    event_notifier_init(&engine.e, false);
    aio_set_event_notifier(engine.ctx, &engine.e, completion_cb, NULL, NULL);

    submit(&a);
    submit(&b);
    AIO_WAIT_WHILE(engine.ctx, !a.done);
    AIO_WAIT_WHILE(engine.ctx, !b.done);

    aio_set_event_notifier(engine.ctx, &engine.e, NULL, NULL, NULL);
    event_notifier_cleanup(&engine.e);
    qemu_bh_delete(engine.completion_bh);
    aio_poll(engine.ctx, false);
}

SCENARIO(exercise) = {
    .name = "two-completions-exercise",
    .summary = "two completions in one batch; the first waits for the second",
    .run = run,
};
