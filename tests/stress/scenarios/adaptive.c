/* SPDX-License-Identifier: MIT */
/*
 * adaptive: two IOThreads answer notifiers, and poll for them; how long, and
 * whether at all, the main thread changes all the time.
 *
 * A queue is two counters: the sender moves one, the receiver looks at it,
 * with or without the notifier.
 */
#include "stress.h"

enum { LANES = 2 };

typedef struct Queue {
    EventNotifier e;
    Lane *lane;
    uint64_t sent;     /* by the other side; any thread */
    uint64_t received; /* of the lane's thread */
    unsigned begins, ends;
} Queue;

static Lane lanes[LANES];
static Queue queues[LANES];
static int64_t limit;
static int running;

static void receive(Queue *queue);

static void send_to(Queue *queue)
{
    qatomic_inc(&queue->sent);
    event_notifier_set(&queue->e);
}

static bool queue_poll(void *opaque)
{
    Queue *queue = container_of((EventNotifier *)opaque, Queue, e);

    return qatomic_read(&queue->sent) != queue->received;
}

static void queue_poll_ready(EventNotifier *e)
{
    Queue *queue = container_of(e, Queue, e);

    trace_add(&queue->lane->trace, 1);
    receive(queue);
}

static void queue_read(EventNotifier *e)
{
    Queue *queue = container_of(e, Queue, e);

    trace_add(&queue->lane->trace, 2);
    if (event_notifier_test_and_clear(e)) {
        receive(queue);
    }
}

static void poll_begin(EventNotifier *e)
{
    container_of(e, Queue, e)->begins++;
}

static void poll_end(EventNotifier *e)
{
    Queue *queue = container_of(e, Queue, e);

    queue->ends++;
    receive(queue); /* QEMU's virtio looks once more, too */
}

static void receive(Queue *queue)
{
    uint64_t sent = qatomic_load_acquire(&queue->sent);

    while (queue->received < sent) {
        queue->received++;
        trace_add(&queue->lane->trace, 10);
        if (queue->received == (uint64_t)limit) {
            qatomic_dec(&running);
            aio_wait_kick();
        }
        if (queue->received < (uint64_t)limit ||
            queue->lane->index == 0) {
            send_to(&queues[(queue->lane->index + 1) % LANES]);
        }
    }
}

static void set_up(Queue *queue, Lane *lane)
{
    *queue = (Queue){.lane = lane};
    event_notifier_init(&queue->e, false);
    aio_set_event_notifier(lane->ctx, &queue->e, queue_read, queue_poll,
                           queue_poll_ready);
    aio_set_event_notifier_poll(lane->ctx, &queue->e, poll_begin, poll_end);
}

static void tear_down(Queue *queue)
{
    aio_set_event_notifier(queue->lane->ctx, &queue->e, NULL, NULL, NULL);
    event_notifier_cleanup(&queue->e);
}

/* Changed in the context's own thread, as the header demands of this one. */
static void set_params(void *opaque)
{
    Lane *lane = opaque;
    int64_t max_ns = lane->rng % 3 * 20000;

    next_random(&lane->rng);
    aio_context_set_poll_params(lane->ctx, max_ns, 0, 2, 0, &error_fatal);
}

static void nothing(void *opaque)
{
}

static void change(int64_t i)
{
    static const int64_t values[] = {0, 8000, 32768, 100000};

    if (i % 5 == 0) {
        aio_wait_bh_oneshot(lanes[i % LANES].ctx, set_params,
                            &lanes[i % LANES]);
    } else {
        iothread_set_parameter(lanes[i % LANES].iothread, "poll-max-ns",
                               values[i / LANES % ARRAY_SIZE(values)],
                               &error_fatal);
        aio_notify(lanes[i % LANES].ctx);
    }
}

static void run(const ScenarioArgs *args)
{
    Trace total = {0, 0};
    int64_t changes = 0;

    limit = stress_rounds(args);
    qatomic_set(&running, LANES);
    lanes_start(lanes, LANES);
    for (unsigned i = 0; i < LANES; i++) {
        set_up(&queues[i], &lanes[i]);
    }
    send_to(&queues[0]);
    while (qatomic_load_acquire(&running) > 0) {
        change(changes++);
        aio_wait_bh_oneshot(lanes[changes % LANES].ctx, nothing, NULL);
    }
    for (unsigned i = 0; i < LANES; i++) {
        lanes_stop(&lanes[i], 1, &total);
        SCENARIO_CHECK(queues[i].received >= (uint64_t)limit,
                       "%" PRIu64 " were received", queues[i].received);
        trace_add(&total, queues[i].begins * 1000 + queues[i].ends);
        tear_down(&queues[i]);
    }
    lanes_destroy(lanes, LANES);
    trace_add(&total, changes);
    trace_report(&total);
}

SCENARIO(adaptive) = {
    .name = "adaptive",
    .summary = "two IOThreads poll for notifiers, with changing parameters",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "1500", "messages in each direction"}, {NULL}},
    .run = run,
};
