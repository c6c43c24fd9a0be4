/* SPDX-License-Identifier: MIT */
/* libuv: a handle that sends to itself, empty turns, and timers. */
#include "peer.h"

#include <uv.h>

static void async_cb(uv_async_t *handle)
{
}

static void finish(uv_loop_t *loop, uv_async_t *handle)
{
    uv_close((uv_handle_t *)handle, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void async_self(uint64_t n)
{
    uv_loop_t *loop = uv_default_loop();
    uv_async_t async;

    uv_async_init(loop, &async, async_cb);
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        uv_async_send(&async);
        uv_run(loop, UV_RUN_NOWAIT);
    }
    peer_end();
    finish(loop, &async);
}

/* The handle keeps the loop alive: without one, uv_run() returns at once. */
static void empty(uint64_t n)
{
    uv_loop_t *loop = uv_default_loop();
    uv_async_t async;

    uv_async_init(loop, &async, async_cb);
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        uv_run(loop, UV_RUN_NOWAIT);
    }
    peer_end();
    finish(loop, &async);
}

/* ---- Timers ---- */

static uint64_t fired;

static void timer_cb(uv_timer_t *timer)
{
    fired++;
}

static uv_timer_t *new_timers(uv_loop_t *loop, uint64_t n)
{
    uv_timer_t *timers = malloc(n * sizeof(*timers));

    peer_check(timers != NULL, "malloc");
    for (uint64_t i = 0; i < n; i++) {
        uv_timer_init(loop, &timers[i]);
    }
    return timers;
}

/* Their deadlines pass in between, while the clock of this does not run. */
static void timer_fire(uint64_t n)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *timers = new_timers(loop, n);
    uint64_t random = PEER_SEED;

    uv_update_time(loop);
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        uv_timer_start(&timers[i], timer_cb,
                       peer_random(&random) % PEER_SPREAD_MS, 0);
    }
    peer_end();
    uv_sleep(PEER_SPREAD_MS + 1);
    peer_begin();
    while (fired < n) {
        uv_run(loop, UV_RUN_NOWAIT);
    }
    peer_end();
    free(timers);
}

static void timer_mod(uint64_t n)
{
    enum { ARMED = 1000000, AHEAD = 1000 * PEER_SPREAD_MS };
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *timers = new_timers(loop, ARMED);
    uint64_t random = PEER_SEED;

    uv_update_time(loop);
    for (unsigned i = 0; i < ARMED; i++) {
        uv_timer_start(&timers[i], timer_cb,
                       AHEAD + peer_random(&random) % PEER_SPREAD_MS, 0);
    }
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        uv_timer_t *timer = &timers[peer_random(&random) % ARMED];

        uv_timer_start(timer, timer_cb,
                       AHEAD + peer_random(&random) % PEER_SPREAD_MS, 0);
    }
    peer_end();
    free(timers);
}

int main(int argc, char **argv)
{
    static const Peer peers[] = {
        {"async", async_self}, {"empty", empty}, {"timer-fire", timer_fire},
        {"timer-mod", timer_mod}, {NULL, NULL}};

    return peer_main(argc, argv, peers);
}
