/* SPDX-License-Identifier: MIT */
/*
 * main-loop: everything that only the main loop has, at once: notifiers of the
 * iohandler context, timers that belong to no context, clocks that are stopped
 * and go on, hooks around its poll; two threads with the BQL now and then.
 */
#include "stress.h"

enum { THREADS = 2, TIMERS = 3 };

typedef struct Irq {
    EventNotifier e;
    unsigned index;
    uint64_t raised; /* any thread */
    QemuSemaphore served;
} Irq;

typedef struct Device {
    QemuThread thread;
    unsigned index;
    int64_t rounds;
    Irq irq;
    Trace trace;
} Device;

static Device devices[THREADS];
static QEMUTimer *timers[TIMERS];
static Trace own;       /* of the main thread */
static int running;     /* with the BQL */
static uint64_t served; /* of the main thread */

static void irq_handler(EventNotifier *e)
{
    Irq *irq = container_of(e, Irq, e);

    if (event_notifier_test_and_clear(e)) {
        served++;
        trace_add(&own, irq->index * 100000 + qatomic_read(&irq->raised));
        qemu_sem_post(&irq->served);
    }
}

static void timer_rings(void *opaque)
{
    QEMUTimer **timer = opaque;

    trace_add(&own, 500 + (timer - timers));
    timer_mod(*timer, qemu_clock_get_us(timer == timers ? QEMU_CLOCK_REALTIME
                                        : QEMU_CLOCK_VIRTUAL) + 150);
}

static void around_poll(Notifier *notifier, void *opaque)
{
    MainLoopPoll *poll = opaque;

    if (poll->state == MAIN_LOOP_POLL_FILL && own.n % 3 == 0) {
        poll->timeout = MIN(poll->timeout, 1);
    }
    trace_add(&own, 900 + poll->state);
}

/* With the BQL, in a thread that is not the main one. */
static void with_bql(Device *device, int64_t i)
{
    BQL_LOCK_GUARD();

    trace_add(&device->trace, own.n);
    trace_add(&own, 700 + device->index);
    if (i % 8 == 0) {
        timer_mod_anticipate(timers[i % TIMERS],
                             qemu_clock_get_us(QEMU_CLOCK_VIRTUAL) + 10);
    } else if (i % 8 == 4) {
        timer_del(timers[i % TIMERS]);
    }
}

/* As somebody would that stops the machine; one thread, in pairs. */
static void stop_and_go(int64_t i)
{
    if (i % 32 == 5) {
        qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
    } else if (i % 32 == 9) {
        qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    }
}

static void *device_thread(void *opaque)
{
    Device *device = opaque;

    for (int64_t i = 0; i < device->rounds; i++) {
        qatomic_inc(&device->irq.raised);
        event_notifier_set(&device->irq.e);
        if (i % 2 == 0) {
            with_bql(device, i);
        }
        if (i % 4 == 3) {
            trace_add(&device->trace,
                      qemu_sem_timedwait(&device->irq.served, 2) + 1);
        }
        if (device->index == 0) {
            stop_and_go(i);
        } else if (i % 16 == 0) {
            qemu_clock_notify(QEMU_CLOCK_REALTIME);
            qemu_notify_event();
        }
    }
    bql_lock();
    running--;
    qemu_notify_event();
    bql_unlock();
    return NULL;
}

static void start(Device *device, unsigned index, int64_t rounds)
{
    *device = (Device){.index = index, .rounds = rounds};
    device->irq.index = index;
    qemu_sem_init(&device->irq.served, 0);
    event_notifier_init(&device->irq.e, false);
    event_notifier_set_handler(&device->irq.e, irq_handler);
    qemu_thread_create(&device->thread, "device", device_thread, device,
                       QEMU_THREAD_JOINABLE);
}

static void finish(Device *device, Trace *total)
{
    qemu_thread_join(&device->thread);
    event_notifier_set_handler(&device->irq.e, NULL);
    event_notifier_cleanup(&device->irq.e);
    qemu_sem_destroy(&device->irq.served);
    trace_fold(total, &device->trace);
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Notifier hook = {.notify = around_poll};
    Trace total = {0, 0};

    own = (Trace){0, 0};
    served = 0;
    running = THREADS;
    main_loop_poll_add_notifier(&hook);
    bql_lock();
    for (unsigned i = 0; i < TIMERS; i++) {
        timers[i] = timer_new_us(i ? QEMU_CLOCK_VIRTUAL : QEMU_CLOCK_REALTIME,
                                 timer_rings, &timers[i]);
        timer_mod(timers[i], 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        start(&devices[i], i, rounds);
    }
    while (running > 0) {
        main_loop_wait(false);
    }
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_free(timers[i]);
    }
    bql_unlock();
    for (unsigned i = 0; i < THREADS; i++) {
        finish(&devices[i], &total);
    }
    main_loop_poll_remove_notifier(&hook);
    SCENARIO_CHECK(served > 0, "no interrupt was served");
    trace_fold(&total, &own);
    trace_report(&total);
}

SCENARIO(main_loop) = {
    .name = "main-loop",
    .summary = "iohandlers, main timers, stopped clocks, hooks, and the BQL",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "interrupts of each of two devices"}, {NULL}},
    .run = run,
};
