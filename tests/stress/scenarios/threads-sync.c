/* SPDX-License-Identifier: MIT */
/*
 * threads-sync: four threads without a loop meet in events, semaphores,
 * counters with a lock, spin locks, recursive and tried mutexes.
 */
#include "stress.h"

enum { THREADS = 4 };

typedef struct Node {
    uint64_t value;
    struct Node *next;
} Node;

typedef struct Shared {
    int64_t rounds;
    Gate gate;
    QemuSpin spin;
    int64_t spun;        /* with the spin lock */
    QemuRecMutex rec;
    int64_t nested;      /* with rec */
    QemuMutex mutex;
    int64_t tried;       /* with the mutex */
    QemuSemaphore sem;
    QemuLockCnt visitors;
    Node *list;          /* changed with the lock of visitors */
    uint64_t removed;    /* with the lock of visitors */
} Shared;

typedef struct Worker {
    QemuThread thread;
    Shared *shared;
    unsigned index;
    struct Worker *partner;
    QemuEvent event;
    unsigned step; /* how often it has come to meet; any thread */
    uint64_t busy, timeouts;
    Trace trace;
} Worker;

static void spin_and_nest(Worker *worker)
{
    Shared *shared = worker->shared;

    qemu_spin_lock(&shared->spin);
    trace_add(&worker->trace, shared->spun++);
    qemu_spin_unlock(&shared->spin);
    qemu_rec_mutex_lock(&shared->rec);
    qemu_rec_mutex_lock(&shared->rec);
    trace_add(&worker->trace, shared->nested++);
    qemu_rec_mutex_unlock(&shared->rec);
    qemu_rec_mutex_unlock(&shared->rec);
}

static void try_lock(Worker *worker)
{
    Shared *shared = worker->shared;

    if (qemu_mutex_trylock(&shared->mutex) == 0) {
        trace_add(&worker->trace, shared->tried++);
        qemu_mutex_unlock(&shared->mutex);
    } else {
        worker->busy++;
        trace_add(&worker->trace, 77);
    }
}

/* Whoever waits for it was posted by somebody, or gives up soon. */
static void semaphores(Worker *worker)
{
    if (worker->index % 2) {
        qemu_sem_post(&worker->shared->sem);
    } else if (qemu_sem_timedwait(&worker->shared->sem, 1) < 0) {
        worker->timeouts++;
        trace_add(&worker->trace, 88);
    }
}

/* A list that is walked without a lock, and emptied by the last visitor. */
static void visit(Worker *worker, int64_t i)
{
    Shared *shared = worker->shared;
    Node *node = g_new(Node, 1), *list;

    node->value = worker->index * 100000 + i;
    qemu_lockcnt_lock(&shared->visitors);
    node->next = shared->list;
    qatomic_rcu_set(&shared->list, node);
    qemu_lockcnt_inc_and_unlock(&shared->visitors);
    for (list = qatomic_rcu_read(&shared->list); list; list = list->next) {
        trace_add(&worker->trace, list->value);
    }
    if (!qemu_lockcnt_dec_and_lock(&shared->visitors)) {
        return;
    }
    while ((list = shared->list)) {
        qatomic_set(&shared->list, list->next);
        shared->removed++;
        g_free(list);
    }
    qemu_lockcnt_unlock(&shared->visitors);
}

/* Pairs go in step; a set that comes between is seen by the second look. */
static void meet(Worker *worker)
{
    unsigned step = worker->step + 1;

    qatomic_set(&worker->step, step);
    qemu_event_set(&worker->partner->event);
    while (qatomic_load_acquire(&worker->partner->step) < step) {
        qemu_event_reset(&worker->event);
        if (qatomic_load_acquire(&worker->partner->step) < step) {
            qemu_event_wait(&worker->event);
        }
    }
    trace_add(&worker->trace, qatomic_read(&worker->partner->step));
}

static void *work(void *opaque)
{
    Worker *worker = opaque;

    gate_pass(&worker->shared->gate);
    for (int64_t i = 0; i < worker->shared->rounds; i++) {
        spin_and_nest(worker);
        try_lock(worker);
        if (i % 4 == 0) {
            semaphores(worker);
        }
        visit(worker, i);
        if (i % 8 == 0) {
            meet(worker);
        }
    }
    return NULL;
}

static void check(const Shared *shared)
{
    int64_t all = shared->rounds * THREADS;

    SCENARIO_CHECK(shared->spun == all, "%" PRId64 " spins", shared->spun);
    SCENARIO_CHECK(shared->nested == all, "%" PRId64 " nested locks",
                   shared->nested);
    SCENARIO_CHECK(!shared->list && shared->removed == (uint64_t)all,
                   "%" PRIu64 " nodes were removed", shared->removed);
}

static void run(const ScenarioArgs *args)
{
    Shared shared = {.rounds = stress_rounds(args)};
    Worker workers[THREADS];
    Trace total = {0, 0};
    uint64_t busy = 0;

    gate_init(&shared.gate);
    qemu_spin_init(&shared.spin);
    qemu_rec_mutex_init(&shared.rec);
    qemu_mutex_init(&shared.mutex);
    qemu_sem_init(&shared.sem, 0);
    qemu_lockcnt_init(&shared.visitors);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (Worker){.shared = &shared, .index = i,
                              .partner = &workers[i ^ 1]};
        qemu_event_init(&workers[i].event, false);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_create(&workers[i].thread, "worker", work, &workers[i],
                           QEMU_THREAD_JOINABLE);
    }
    gate_open(&shared.gate);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&workers[i].thread);
        trace_fold(&total, &workers[i].trace);
        busy += workers[i].busy;
    }
    check(&shared);
    SCENARIO_CHECK(shared.tried + busy == (uint64_t)shared.rounds * THREADS,
                   "%" PRId64 " tried with success", shared.tried);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_event_destroy(&workers[i].event);
    }
    qemu_lockcnt_destroy(&shared.visitors);
    qemu_sem_destroy(&shared.sem);
    qemu_mutex_destroy(&shared.mutex);
    qemu_rec_mutex_destroy(&shared.rec);
    qemu_spin_destroy(&shared.spin);
    gate_destroy(&shared.gate);
    trace_report(&total);
}

SCENARIO(threads_sync) = {
    .name = "threads-sync",
    .summary = "events, semaphores, lockcnts, spins, tried locks; no loop",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "rounds of each of four threads"}, {NULL}},
    .run = run,
};
