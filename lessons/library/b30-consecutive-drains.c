/* SPDX-License-Identifier: MIT */
/*
 * b30-consecutive-drains: a coroutine is scheduled that is scheduled already.
 *
 * QEMU 411132c979, "export/vhost-user-blk: Fix consecutive drains" (2023).  The
 * end of a drained section attaches the server to its context and schedules
 * the coroutine that reads requests.  After two sections in a row the first
 * aio_co_schedule() may not have been carried out yet.
 *
 *   buggy  each end of a section schedules the same coroutine
 *   fixed  the coroutine ends when a section begins; its end makes a new one
 */
#include "aiolab/scenario.h"
#include "iothread.h"

enum { SECTIONS = 2 };

typedef struct VuServer {
    AioContext *ctx;
    Coroutine *co_trip; /* NULL: there is none */
    bool ends_in_drain;
    unsigned entered; /* the coroutine's own */
    unsigned n_trips; /* coroutines that have not ended */
} VuServer;

/* Where it stays, it is entered once for each section, and then ends. */
static void coroutine_fn vu_client_trip(void *opaque)
{
    VuServer *server = opaque;

    while (!server->ends_in_drain && ++server->entered < SECTIONS) {
        qemu_coroutine_yield();
    }
    qatomic_dec(&server->n_trips);
    aio_wait_kick();
}

static void new_trip(VuServer *server)
{
    qatomic_inc(&server->n_trips);
    server->co_trip = qemu_coroutine_create(vu_client_trip, server);
}

static void drained_begin(VuServer *server)
{
    if (server->ends_in_drain) {
        AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&server->n_trips) > 0);
        server->co_trip = NULL;
    }
}

static void drained_end(VuServer *server)
{
    if (!server->co_trip) {
        new_trip(server);
    }
    aio_co_schedule(server->ctx, server->co_trip);
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    VuServer server = {
        .ctx = iothread_get_aio_context(iothread),
        .ends_in_drain = scenario_is_variant(args, "fixed"),
    };

    if (!server.ends_in_drain) {
        new_trip(&server);
    }
    for (unsigned i = 0; i < SECTIONS; i++) {
        drained_begin(&server);
        drained_end(&server);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&server.n_trips) > 0);
    iothread_join(iothread);
}

SCENARIO(b30_consecutive_drains) = {
    .name = "b30-consecutive-drains",
    .summary = "two drained sections in a row schedule one coroutine twice "
               "(QEMU 411132c979)",
    .shows = "aio_co_schedule() aborts: the IOThread has not yet entered the "
             "coroutine that the first section's end has scheduled; the fix "
             "ends the coroutine in the drain and makes a new one",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the coroutine stays, and is scheduled again"},
        {"fixed", "it ends in the drain"},
        {NULL}},
    .run = run,
};
