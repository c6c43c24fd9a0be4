/* SPDX-License-Identifier: MIT */
/*
 * fd-churn: two threads add and remove the handlers of notifiers while a third
 * sets them, and two IOThreads serve whatever is there.
 */
#include "stress.h"

enum { LANES = 2, NOTIFIERS = 8, CHURNERS = 2 };

typedef struct Wire {
    EventNotifier e;
    Lane *lane;
    unsigned index;
    uint64_t served; /* of the lane's thread */
} Wire;

typedef struct Churner {
    QemuThread thread;
    QemuSemaphore looked;
    unsigned index;
    int64_t rounds;
} Churner;

static Lane lanes[LANES];
static Wire wires[NOTIFIERS];
static int sum; /* any thread */

static void serve(EventNotifier *e)
{
    Wire *wire = container_of(e, Wire, e);

    if (event_notifier_test_and_clear(e)) {
        wire->served++;
        trace_add(&wire->lane->trace, wire->index);
        qatomic_inc(&sum);
    } else {
        trace_add(&wire->lane->trace, 100 + wire->index);
    }
}

static void serve_otherwise(EventNotifier *e)
{
    Wire *wire = container_of(e, Wire, e);

    trace_add(&wire->lane->trace, 200 + wire->index);
    serve(e);
}

static void connect_wire(Wire *wire, EventNotifierHandler *handler)
{
    aio_set_event_notifier(wire->lane->ctx, &wire->e, handler, NULL, NULL);
}

/* Now and then, so that the loops do not sleep through all of it. */
static void looked_bh(void *opaque)
{
    Churner *churner = opaque;

    qemu_sem_post(&churner->looked);
}

static void let_it_look(Churner *self, int64_t i)
{
    if (i % 16 == 0) {
        aio_bh_schedule_oneshot(lanes[i / 16 % LANES].ctx, looked_bh, self);
        qemu_sem_wait(&self->looked);
    }
}

/* Each wire is one churner's, so that it knows what it is connected to. */
static void *churn(void *opaque)
{
    Churner *self = opaque;
    uint64_t rng = random_seed(self->index + 40);

    for (int64_t i = 0; i < self->rounds; i++) {
        uint64_t value = next_random(&rng);
        unsigned which = value % (NOTIFIERS / CHURNERS) * CHURNERS +
                         self->index;

        connect_wire(&wires[which], value >> 8 & 1 ? serve
                                    : value >> 9 & 1 ? serve_otherwise : NULL);
        let_it_look(self, i);
    }
    return NULL;
}

static void *set_all(void *opaque)
{
    Churner *self = opaque;
    uint64_t rng = random_seed(60);

    for (int64_t i = 0; i < self->rounds; i++) {
        event_notifier_set(&wires[next_random(&rng) % NOTIFIERS].e);
        let_it_look(self, i);
    }
    return NULL;
}

static void start(Churner *churner, unsigned index, int64_t rounds)
{
    *churner = (Churner){.index = index, .rounds = rounds};
    qemu_sem_init(&churner->looked, 0);
    qemu_thread_create(&churner->thread, "churner",
                       index < CHURNERS ? churn : set_all, churner,
                       QEMU_THREAD_JOINABLE);
}

static void last_bh(void *opaque)
{
}

/* Everybody is connected now, and set once more: that must be served. */
static void serve_all(void)
{
    int before;

    for (unsigned i = 0; i < NOTIFIERS; i++) {
        event_notifier_test_and_clear(&wires[i].e);
        connect_wire(&wires[i], serve);
    }
    for (unsigned i = 0; i < LANES; i++) {
        aio_wait_bh_oneshot(lanes[i].ctx, last_bh, NULL);
    }
    before = qatomic_read(&sum);
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        event_notifier_set(&wires[i].e);
    }
    while (qatomic_read(&sum) < before + NOTIFIERS) {
        for (unsigned i = 0; i < LANES; i++) {
            aio_wait_bh_oneshot(lanes[i].ctx, last_bh, NULL);
        }
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Churner churners[CHURNERS + 1];
    Trace total = {0, 0};

    qatomic_set(&sum, 0);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        wires[i] = (Wire){.lane = &lanes[i / 2 % LANES], .index = i};
        event_notifier_init(&wires[i].e, false);
    }
    for (unsigned i = 0; i <= CHURNERS; i++) {
        start(&churners[i], i, rounds);
    }
    for (unsigned i = 0; i <= CHURNERS; i++) {
        qemu_thread_join(&churners[i].thread);
        qemu_sem_destroy(&churners[i].looked);
    }
    serve_all();
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        connect_wire(&wires[i], NULL);
    }
    lanes_stop(lanes, LANES, &total);
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        SCENARIO_CHECK(wires[i].served > 0, "notifier %u was not served", i);
        event_notifier_cleanup(&wires[i].e);
    }
    lanes_destroy(lanes, LANES);
    trace_report(&total);
}

SCENARIO(fd_churn) = {
    .name = "fd-churn",
    .summary = "handlers come and go by other threads while they are called",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "1200", "changes by each of two threads"}, {NULL}},
    .run = run,
};
