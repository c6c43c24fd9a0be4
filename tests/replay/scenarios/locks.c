/* SPDX-License-Identifier: MIT */
/*
 * Every way to hold a mutex: contended, tried, guarded, recursive, given up
 * by a wait for a condition; and two threads that each want the other's.
 */
#include "aiolab/scenario.h"
#include "qemu/lockable.h"

enum { THREADS = 3, ROUNDS = 4 };

static QemuMutex shared, other;
static QemuRecMutex recursive;
static QemuCond turn_over;
static QemuEvent has_shared, has_other;
static unsigned turn, tried;

static void take_a_turn(unsigned self)
{
    qemu_mutex_lock(&shared);
    while (turn % THREADS != self) {
        qemu_cond_wait(&turn_over, &shared);
    }
    turn++;
    qemu_cond_broadcast(&turn_over);
    qemu_mutex_unlock(&shared);
}

static void *take_turns(void *opaque)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        take_a_turn((uintptr_t)opaque);
        if (qemu_mutex_trylock(&other) == 0) {
            tried++;
            qemu_mutex_unlock(&other);
        }
        qemu_rec_mutex_lock(&recursive);
        qemu_rec_mutex_lock(&recursive);
        qemu_rec_mutex_unlock(&recursive);
        qemu_rec_mutex_unlock(&recursive);
        WITH_QEMU_LOCK_GUARD(&other) {
            qemu_cond_timedwait(&turn_over, &other, 1);
        }
    }
    return NULL;
}

static void run_turns(void)
{
    QemuThread threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++) {
        qemu_thread_create(&threads[i], "taker", take_turns, (void *)i,
                           QEMU_THREAD_JOINABLE);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&threads[i]);
    }
    SCENARIO_CHECK(turn == THREADS * ROUNDS, "%u turns", turn);
    scenario_result("tried", tried);
}

static void *other_way_round(void *opaque)
{
    qemu_mutex_lock(&other);
    qemu_event_set(&has_other);
    qemu_event_wait(&has_shared);
    qemu_mutex_lock(&shared);
    return NULL;
}

static void run_deadlock(void)
{
    QemuThread thread;

    qemu_thread_create(&thread, "crosser", other_way_round, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_mutex_lock(&shared);
    qemu_event_set(&has_shared);
    qemu_event_wait(&has_other);
    QEMU_LOCK_GUARD(&other);
}

static void run(const ScenarioArgs *args)
{
    turn = tried = 0;
    qemu_mutex_init(&shared);
    qemu_mutex_init(&other);
    qemu_rec_mutex_init(&recursive);
    qemu_cond_init(&turn_over);
    qemu_event_init(&has_shared, false);
    qemu_event_init(&has_other, false);
    if (scenario_is_variant(args, "deadlock")) {
        run_deadlock();
    } else {
        run_turns();
    }
}

SCENARIO(locks) = {
    .name = "locks",
    .summary = "takes locks in every way",
    .variants = (const ScenarioVariant[]){
        {"turns", "threads that take turns"},
        {"deadlock", "two threads that each want the other's lock"},
        {NULL}},
    .run = run,
};
