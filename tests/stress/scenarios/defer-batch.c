/* SPDX-License-Identifier: MIT */
/*
 * defer-batch: three IOThreads send each other messages, in batches that
 * defer_call() makes: many are queued in a section, one call at its end sends
 * them.  A section may have one inside.
 */
#include "stress.h"

enum { LANES = 3, MESSAGES = 24 };

typedef struct Message {
    unsigned index;
    int64_t left;
    QSLIST_ENTRY(Message) next;
} Message;

typedef QSLIST_HEAD(MessageList, Message) MessageList;

typedef struct Port {
    Lane base;
    QEMUBH *bh;
    MessageList inbox;         /* any thread */
    MessageList outbox[LANES]; /* of the lane's thread */
    unsigned n_out[LANES];
    unsigned flushes;
} Port;

typedef struct Flush {
    Port *from, *to;
} Flush;

static Port ports[LANES];
static Flush flushes[LANES][LANES];
static int running; /* messages; any thread */

/* At the end of the outermost section, once for each destination. */
static void flush_outbox(void *opaque)
{
    Flush *flush = opaque;
    Port *from = flush->from;
    unsigned to = flush->to->base.index;
    Message *message;

    SCENARIO_CHECK(from->n_out[to] > 0, "an empty batch is flushed");
    trace_add(&from->base.trace, 1000 + to * 100 + from->n_out[to]);
    while ((message = QSLIST_FIRST(&from->outbox[to]))) {
        QSLIST_REMOVE_HEAD(&from->outbox[to], next);
        QSLIST_INSERT_HEAD_ATOMIC(&flush->to->inbox, message, next);
    }
    from->n_out[to] = 0;
    from->flushes++;
    qemu_bh_schedule(flush->to->bh);
}

static void post(Port *from, Message *message)
{
    unsigned to = (from->base.trace.hash >> 8) % LANES;

    if (message->left-- <= 0) {
        qatomic_dec(&running);
        aio_wait_kick();
        return;
    }
    QSLIST_INSERT_HEAD(&from->outbox[to], message, next);
    from->n_out[to]++;
    defer_call(flush_outbox, &flushes[from->base.index][to]);
}

static void inbox_bh(void *opaque)
{
    Port *port = opaque;
    MessageList list;
    Message *message, *next;

    QSLIST_MOVE_ATOMIC(&list, &port->inbox);
    defer_call_begin();
    QSLIST_FOREACH_SAFE(message, &list, next, next) {
        trace_add(&port->base.trace, message->index);
        if (message->index % 5 == 0) {
            defer_call_begin();
            post(port, message);
            defer_call_end();
        } else {
            post(port, message);
        }
    }
    defer_call_end();
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Message messages[MESSAGES];
    Trace total = {0, 0};

    memset(ports, 0, sizeof(ports));
    qatomic_set(&running, MESSAGES);
    for (unsigned i = 0; i < LANES; i++) {
        lane_start(&ports[i].base, i);
        ports[i].bh = aio_bh_new(ports[i].base.ctx, inbox_bh, &ports[i]);
        for (unsigned k = 0; k < LANES; k++) {
            flushes[i][k] = (Flush){&ports[i], &ports[k]};
        }
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        Port *port = &ports[i % LANES];

        messages[i] = (Message){.index = i, .left = rounds};
        QSLIST_INSERT_HEAD_ATOMIC(&port->inbox, &messages[i], next);
        qemu_bh_schedule(port->bh);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&running) > 0);
    for (unsigned i = 0; i < LANES; i++) {
        lanes_stop(&ports[i].base, 1, &total);
        trace_add(&total, ports[i].flushes);
        qemu_bh_delete(ports[i].bh);
    }
    for (unsigned i = 0; i < LANES; i++) {
        iothread_destroy(ports[i].base.iothread);
    }
    trace_report(&total);
}

SCENARIO(defer_batch) = {
    .name = "defer-batch",
    .summary = "messages between three IOThreads, sent in deferred batches",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "150", "hops of each of 24 messages"}, {NULL}},
    .run = run,
};
