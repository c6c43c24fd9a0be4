/* SPDX-License-Identifier: MIT */
/*
 * b07-wakeup-recursion: two coroutines that wake each other need more stack
 * with each round.
 *
 * QEMU c40a254570, "coroutine: avoid co_queue_wakeup recursion" (2018).  What
 * a coroutine has woken is entered when it yields, by a function that calls
 * qemu_coroutine_enter(), which calls that function for the next one.
 *
 *   buggy  qemu_co_queue_run_restart() enters by recursion
 *   fixed  by a loop over a list of pending coroutines
 */
#include "aiolab/scenario.h"

enum { ROUNDS = 12, STACK_ENDS = 8 };

/* Of the function that enters: how often it is inside itself. */
typedef struct Depth {
    unsigned now, most;
} Depth;

/* A coroutine, and the one that it wakes before it yields. */
typedef struct Player {
    Coroutine *co;
    struct Player *peer;
    struct Player *co_queue_wakeup;
    unsigned left;
} Player;

static void old_qemu_coroutine_enter(Player *player, Depth *depth);

static Player *take_woken(Player *player)
{
    Player *woken = player->co_queue_wakeup;

    player->co_queue_wakeup = NULL;
    return woken;
}

static void old_qemu_co_queue_run_restart(Player *player, Depth *depth)
{
    Player *next = take_woken(player);

    if (next) {
        old_qemu_coroutine_enter(next, depth);
    }
}

static void old_qemu_coroutine_enter(Player *player, Depth *depth)
{
    depth->now++;
    depth->most = MAX(depth->most, depth->now);
    qemu_coroutine_enter(player->co);
    old_qemu_co_queue_run_restart(player, depth);
    depth->now--;
}

static void new_qemu_coroutine_enter(Player *player, Depth *depth)
{
    depth->most = 1;
    for (; player; player = take_woken(player)) {
        qemu_coroutine_enter(player->co);
    }
}

static void coroutine_fn player_entry(void *opaque)
{
    Player *self = opaque;

    while (self->left-- > 0) {
        if (self->peer->left > 0) {
            self->co_queue_wakeup = self->peer; /* aio_co_wake() */
        }
        qemu_coroutine_yield();
    }
}

static void run(const ScenarioArgs *args)
{
    Player a = {.left = ROUNDS}, b = {.peer = &a, .left = ROUNDS};
    Depth depth = {.now = 0};

    a.peer = &b;
    a.co = qemu_coroutine_create(player_entry, &a);
    b.co = qemu_coroutine_create(player_entry, &b);
    if (scenario_is_variant(args, "fixed")) {
        new_qemu_coroutine_enter(&a, &depth);
    } else {
        old_qemu_coroutine_enter(&a, &depth);
    }
    SCENARIO_CHECK(depth.most < STACK_ENDS, "after %u rounds "
                   "qemu_coroutine_enter() was inside itself %u times",
                   ROUNDS, depth.most);
    qemu_coroutine_enter(a.co); /* to their ends */
    qemu_coroutine_enter(b.co);
}

SCENARIO(b07_wakeup_recursion) = {
    .name = "b07-wakeup-recursion",
    .summary = "coroutines that wake each other are entered by recursion "
               "(QEMU c40a254570)",
    .shows = "qemu_coroutine_enter() and qemu_co_queue_run_restart() call each "
             "other once a wake-up, and neither returns before the last; the "
             "fix enters woken coroutines in a loop",
    .variants = (const ScenarioVariant[]){
        {"buggy", "one frame more for each wake-up"},
        {"fixed", "a loop"},
        {NULL}},
    .run = run,
};
