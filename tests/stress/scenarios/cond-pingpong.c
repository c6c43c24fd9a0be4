/* SPDX-License-Identifier: MIT */
/*
 * cond-pingpong: threads hand a ball around by a condition, in an order that
 * the ball's holder chooses; some wait with a time-out, which sometimes wins.
 */
#include "stress.h"

enum { THREADS = 4 };

typedef struct Table {
    QemuMutex mutex;
    QemuCond turn, idle;
    unsigned at;       /* with the mutex, as all of it */
    int64_t left;
    uint64_t timeouts, wakeups;
    Trace order;
} Table;

typedef struct Player {
    QemuThread thread;
    Table *table;
    unsigned index;
    Trace trace;
} Player;

/* Waits without a time-out would do; these see which comes first. */
static void wait_for_turn(Player *player)
{
    Table *table = player->table;

    if (player->index % 2) {
        qemu_cond_wait(&table->turn, &table->mutex);
        trace_add(&player->trace, 1);
    } else if (qemu_cond_timedwait(&table->turn, &table->mutex, 1)) {
        trace_add(&player->trace, 2);
    } else {
        table->timeouts++;
        trace_add(&player->trace, 3);
    }
    table->wakeups++;
}

static void *play(void *opaque)
{
    Player *player = opaque;
    Table *table = player->table;

    qemu_mutex_lock(&table->mutex);
    while (table->left > 0) {
        if (table->at != player->index) {
            wait_for_turn(player);
            continue;
        }
        table->left--;
        trace_add(&table->order, player->index);
        trace_add(&player->trace, table->wakeups);
        table->at = (table->at + 1 + table->wakeups % (THREADS - 1)) % THREADS;
        qemu_cond_broadcast(&table->turn);
        qemu_cond_signal(&table->idle);
        if (table->left % 4 == 0) {
            qemu_mutex_unlock(&table->mutex);
            qemu_mutex_lock(&table->mutex);
        }
    }
    qemu_cond_broadcast(&table->turn);
    qemu_cond_broadcast(&table->idle);
    qemu_mutex_unlock(&table->mutex);
    return NULL;
}

/* The main thread only watches; short time-outs, which often pass. */
static uint64_t watch(Table *table)
{
    uint64_t seen = 0;

    qemu_mutex_lock(&table->mutex);
    while (table->left > 0) {
        seen = seen * 3 + qemu_cond_timedwait(&table->idle, &table->mutex,
                                              seen % 2);
    }
    qemu_mutex_unlock(&table->mutex);
    return seen;
}

static void run(const ScenarioArgs *args)
{
    Table table = {.left = stress_rounds(args)};
    int64_t rounds = table.left;
    Player players[THREADS];
    Trace total = {0, 0};
    uint64_t seen;

    qemu_mutex_init(&table.mutex);
    qemu_cond_init(&table.turn);
    qemu_cond_init(&table.idle);
    for (unsigned i = 0; i < THREADS; i++) {
        players[i] = (Player){.table = &table, .index = i};
        qemu_thread_create(&players[i].thread, "player", play, &players[i],
                           QEMU_THREAD_JOINABLE);
    }
    seen = watch(&table);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&players[i].thread);
        trace_fold(&total, &players[i].trace);
    }
    SCENARIO_CHECK(table.order.n == (uint64_t)rounds, "%" PRIu64 " turns",
                   table.order.n);
    trace_fold(&total, &table.order);
    trace_add(&total, seen);
    qemu_cond_destroy(&table.idle);
    qemu_cond_destroy(&table.turn);
    qemu_mutex_destroy(&table.mutex);
    trace_report(&total);
}

SCENARIO(cond_pingpong) = {
    .name = "cond-pingpong",
    .summary = "a ball goes round by conditions, some with time-outs",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "1500", "throws"}, {NULL}},
    .run = run,
};
