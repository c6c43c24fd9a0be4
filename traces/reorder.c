/* SPDX-License-Identifier: MIT */
/* Queues of events, one for each CPU, in an array of nodes. */
#include "reorder.h"

enum {
    QUEUES = 256, /* CPUs beyond share them */
    NONE = UINT32_MAX,
};

typedef struct Node {
    BlockEvent event;
    uint32_t next;
} Node;

typedef struct Queue {
    uint32_t head, tail;
} Queue;

struct Reorder {
    Join *join;
    Queue queues[QUEUES];
    unsigned n_queues; /* that were used */
    uint32_t spare;    /* the first node that is free */
    unsigned n;        /* events */
    Node nodes[REORDER_WINDOW];
};

Reorder *reorder_new(Join *join)
{
    Reorder *r = g_new(Reorder, 1);

    r->join = join;
    r->n = r->n_queues = 0;
    for (unsigned i = 0; i < QUEUES; i++) {
        r->queues[i].head = NONE;
    }
    for (unsigned i = 0; i < REORDER_WINDOW; i++) {
        r->nodes[i].next = i + 1;
    }
    r->spare = 0;
    return r;
}

static int64_t first_time(const Reorder *r, unsigned queue)
{
    uint32_t head = r->queues[queue].head;

    return head == NONE ? INT64_MAX : r->nodes[head].event.time_ns;
}

static void give_earliest(Reorder *r)
{
    unsigned best = 0;
    uint32_t head;

    for (unsigned i = 1; i < r->n_queues; i++) {
        if (first_time(r, i) < first_time(r, best)) {
            best = i;
        }
    }
    while (r->queues[best].head == NONE) {
        best++; /* the others have the last time there is */
    }
    head = r->queues[best].head;
    r->queues[best].head = r->nodes[head].next;
    join_add(r->join, &r->nodes[head].event);
    r->nodes[head].next = r->spare;
    r->spare = head;
    r->n--;
}

void reorder_add(Reorder *r, const BlockEvent *event)
{
    unsigned queue = event->cpu % QUEUES;
    Queue *q = &r->queues[queue];
    uint32_t at;

    if (r->n == REORDER_WINDOW) {
        give_earliest(r);
    }
    at = r->spare;
    r->spare = r->nodes[at].next;
    r->nodes[at].event = *event;
    r->nodes[at].next = NONE;
    *(q->head == NONE ? &q->head : &r->nodes[q->tail].next) = at;
    q->tail = at;
    r->n_queues = MAX(r->n_queues, queue + 1);
    r->n++;
}

void reorder_end(Reorder *r)
{
    while (r->n) {
        give_earliest(r);
    }
    g_free(r);
}
