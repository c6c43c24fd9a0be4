/* SPDX-License-Identifier: MIT */
/*
 * vcpu: two vCPU threads use a device that an IOThread emulates.
 *
 * They put requests into a ring and kick through an event notifier, as an
 * ioeventfd would; the IOThread completes them and raises an interrupt by a
 * bottom half in the main loop, which takes the BQL's waiters out of their
 * sleep.  Some registers are only accessed with the BQL.
 */
#include "stress.h"

enum { VCPUS = 2, RING = 16 };

typedef struct Vcpu {
    QemuThread thread;
    unsigned index;
    int64_t rounds;
    EventNotifier kick;
    QemuCond halt;
    bool interrupt;   /* with the BQL */
    QEMUBH *irq_bh;   /* in the main loop */
    uint64_t ring[RING];
    uint32_t avail, used; /* indices; any thread */
    uint32_t next;    /* of the IOThread: what it has not looked at */
    Trace trace;
} Vcpu;

static Lane lane;
static Vcpu vcpus[VCPUS];
static int64_t reg;     /* with the BQL */
static Trace reg_order; /* with the BQL */
static int running;     /* vCPUs; with the BQL */

/* ---- The device, in the IOThread ---- */

static void complete_all(Vcpu *vcpu)
{
    uint32_t avail = qatomic_load_acquire(&vcpu->avail);
    unsigned n = 0;

    for (; vcpu->next != avail; vcpu->next++, n++) {
        uint64_t *slot = &vcpu->ring[vcpu->next % RING];

        trace_add(&lane.trace, vcpu->index * 1000 + *slot % 1000);
        *slot = ~*slot;
    }
    if (n) {
        qatomic_store_release(&vcpu->used, vcpu->next);
        qemu_bh_schedule(vcpu->irq_bh);
    }
}

static void kicked(EventNotifier *e)
{
    if (event_notifier_test_and_clear(e)) {
        complete_all(container_of(e, Vcpu, kick));
    }
}

/* ---- The interrupt, in the main loop with the BQL ---- */

static void raise_irq(void *opaque)
{
    Vcpu *vcpu = opaque;

    vcpu->interrupt = true;
    qemu_cond_broadcast(&vcpu->halt);
}

/* ---- The vCPU's own thread ---- */

static void submit(Vcpu *vcpu, unsigned n, int64_t i)
{
    uint32_t avail = vcpu->avail;

    for (unsigned k = 0; k < n; k++) {
        vcpu->ring[(avail + k) % RING] = i * RING + k;
    }
    qatomic_store_release(&vcpu->avail, avail + n);
    event_notifier_set(&vcpu->kick);
}

static void wait_for_used(Vcpu *vcpu)
{
    while (qatomic_load_acquire(&vcpu->used) != vcpu->avail) {
        bql_lock();
        while (!vcpu->interrupt) {
            qemu_cond_wait_bql(&vcpu->halt);
        }
        vcpu->interrupt = false;
        bql_unlock();
        trace_add(&vcpu->trace, qatomic_read(&vcpu->used));
    }
}

static void access_register(Vcpu *vcpu)
{
    BQL_LOCK_GUARD();

    trace_add(&reg_order, vcpu->index);
    trace_add(&vcpu->trace, ++reg);
}

static void *vcpu_thread(void *opaque)
{
    Vcpu *vcpu = opaque;
    uint64_t rng = random_seed(vcpu->index + 30);

    for (int64_t i = 0; i < vcpu->rounds; i++) {
        unsigned n = 1 + next_random(&rng) % (RING / 2);
        uint32_t first = vcpu->avail;

        submit(vcpu, n, i);
        if (i % 3 == 0) {
            access_register(vcpu);
        }
        wait_for_used(vcpu);
        for (unsigned k = 0; k < n; k++) {
            SCENARIO_CHECK(vcpu->ring[(first + k) % RING] ==
                           ~(uint64_t)(i * RING + k), "a wrong answer");
        }
    }
    bql_lock();
    running--;
    qemu_notify_event();
    bql_unlock();
    return NULL;
}

static void start(Vcpu *vcpu, unsigned index, int64_t rounds)
{
    *vcpu = (Vcpu){.index = index, .rounds = rounds};
    qemu_cond_init(&vcpu->halt);
    event_notifier_init(&vcpu->kick, false);
    aio_set_event_notifier(lane.ctx, &vcpu->kick, kicked, NULL, NULL);
    vcpu->irq_bh = qemu_bh_new(raise_irq, vcpu);
    qemu_thread_create(&vcpu->thread, "vcpu", vcpu_thread, vcpu,
                       QEMU_THREAD_JOINABLE);
}

static void finish(Vcpu *vcpu, Trace *total)
{
    qemu_thread_join(&vcpu->thread);
    aio_set_event_notifier(lane.ctx, &vcpu->kick, NULL, NULL, NULL);
    trace_fold(total, &vcpu->trace);
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Trace total = {0, 0};

    reg = 0;
    reg_order = (Trace){0, 0};
    running = VCPUS;
    lane_start(&lane, 0);
    bql_lock();
    for (unsigned i = 0; i < VCPUS; i++) {
        start(&vcpus[i], i, rounds);
    }
    while (running > 0) {
        main_loop_wait(false);
    }
    bql_unlock();
    for (unsigned i = 0; i < VCPUS; i++) {
        finish(&vcpus[i], &total);
    }
    lanes_stop(&lane, 1, &total);
    lanes_destroy(&lane, 1);
    for (unsigned i = 0; i < VCPUS; i++) {
        qemu_bh_delete(vcpus[i].irq_bh);
        event_notifier_cleanup(&vcpus[i].kick);
        qemu_cond_destroy(&vcpus[i].halt);
    }
    SCENARIO_CHECK(reg == VCPUS * ((rounds + 2) / 3),
                   "the register holds %" PRId64, reg);
    trace_fold(&total, &reg_order);
    trace_report(&total);
}

SCENARIO(vcpu) = {
    .name = "vcpu",
    .summary = "two vCPU threads kick a device and wait for its interrupts",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "kicks of each vCPU"}, {NULL}},
    .run = run,
};
