/* SPDX-License-Identifier: MIT */
/*
 * b33-reconnect-and-drain: what the requests wait for is paused by the drain.
 *
 * QEMU 8c517de24a, "block/nbd: fix drain dead-lock because of nbd
 * reconnect-delay" (2020).  The connection is lost, and requests wait for the
 * coroutine that makes a new one.  A drain pauses that coroutine, as it pauses
 * everything that starts I/O, and waits until no request is in flight.
 *
 *   buggy  requests go on waiting in a drained section
 *   fixed  its beginning fails them
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct BDRVNBDState {
    unsigned in_flight;
    bool drained;
    bool fails_waiting;
    bool connected, gave_up;
    CoQueue free_sema; /* requests that wait for the connection */
    Coroutine *connection_co;
    int result;
    WaitReason idle, drain_ended;
} BDRVNBDState;

static void coroutine_fn nbd_reconnect_attempt(void *opaque)
{
    BDRVNBDState *s = opaque;

    if (s->drained) {
        wait_reason_next(&s->drain_ended);
        qemu_coroutine_yield(); /* until the section ends */
    }
    s->connected = true;
    s->connection_co = NULL;
    qemu_co_queue_restart_all(&s->free_sema);
}

static void coroutine_fn nbd_co_request(void *opaque)
{
    BDRVNBDState *s = opaque;

    s->in_flight++;
    wait_reason_by_coroutine(&s->idle, qemu_coroutine_self());
    while (!s->connected && !s->gave_up) {
        qemu_co_queue_wait(&s->free_sema, NULL);
    }
    s->result = s->connected ? 0 : -EIO;
    s->in_flight--;
    aio_wait_kick();
}

static void nbd_client_co_drain_begin(BDRVNBDState *s)
{
    s->drained = true;
    if (s->fails_waiting) {
        s->gave_up = true; /* NBD_CLIENT_CONNECTING_NOWAIT */
        qemu_co_enter_all(&s->free_sema, NULL);
    }
}

static void nbd_client_co_drain_end(BDRVNBDState *s)
{
    s->drained = false;
    if (s->connection_co) {
        aio_co_wake(s->connection_co);
    }
}

static void run(const ScenarioArgs *args)
{
    BDRVNBDState s = {
        .fails_waiting = scenario_is_variant(args, "fixed"), .result = 1,
    };
    AioContext *ctx = qemu_get_aio_context();
    QemuThread self;

    qemu_co_queue_init(&s.free_sema);
    wait_reason_init(&s.idle, "the request in flight");
    wait_reason_init(&s.drain_ended, "the drained section");
    qemu_thread_get_self(&self);
    wait_reason_by_thread(&s.drain_ended, &self);
    qemu_coroutine_enter(qemu_coroutine_create(nbd_co_request, &s));
    s.connection_co = qemu_coroutine_create(nbd_reconnect_attempt, &s);

    nbd_client_co_drain_begin(&s); /* bdrv_drained_begin() */
    aio_co_schedule(ctx, s.connection_co); /* its delay is over */
    wait_reason_next(&s.idle);
    AIO_WAIT_WHILE(ctx, s.in_flight > 0);
    aio_poll(ctx, false);
    nbd_client_co_drain_end(&s);
    SCENARIO_CHECK(s.connected && s.result <= 0, "the request has no result");
}

SCENARIO(b33_reconnect_and_drain) = {
    .name = "b33-reconnect-and-drain",
    .summary = "a drain pauses the reconnection that its requests wait for "
               "(QEMU 8c517de24a)",
    .shows = "the drain waits for a request, the request for the connection, "
             "the reconnecting coroutine for the drain to end; the fix fails "
             "waiting requests when the section begins",
    .variants = (const ScenarioVariant[]){
        {"buggy", "requests wait for the connection in a drained section"},
        {"fixed", "they fail"},
        {NULL}},
    .run = run,
};
