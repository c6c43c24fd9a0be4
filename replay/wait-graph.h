/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom, at one event: an AND/OR graph, from the model alone.
 *
 * A node can go on when all nodes that it waits for can (or, if it is an `any`
 * node, one of them).  What can go on by itself is a source: a thread that
 * runs, a request that the device has, a timer.  What no source reaches is
 * stuck.  Nobody but the model is asked, so it is the same for a simulation, a
 * recording and a replay.
 *
 * Edges are facts, or they are inferred: who will make a condition false is
 * known only if the program has said so (aiolab/wait-reason.h).  Inferred
 * edges cost more, so an explanation holds as few of them as possible.
 */
#ifndef REPLAY_WAIT_GRAPH_H
#define REPLAY_WAIT_GRAPH_H

#include "model.h"

typedef enum WaitNodeKind {
#define WAIT_NODE(ID, name, shape, help) WAIT_##ID,
#include "wait-nodes.def"
#undef WAIT_NODE
    WAIT_NODE_KINDS
} WaitNodeKind;

typedef struct WaitNodeInfo {
    const char *name, *shape;
} WaitNodeInfo;

extern const WaitNodeInfo wait_node_table[WAIT_NODE_KINDS];

typedef struct WaitEdge {
    unsigned to;
    unsigned cost; /* 1: a fact; more: inferred */
    char *until;   /* "request B is done" */
    char *note;    /* "complete, from the callback of request A", or NULL */
} WaitEdge;

typedef struct WaitNode {
    WaitNodeKind kind;
    uint64_t id;     /* the object; of a frame its event */
    uint32_t thread; /* whose wait it is, or 0 */
    uint64_t event;  /* since when */
    bool any;        /* one of what it waits for is enough */
    bool source;     /* can go on by itself */
    bool idle;       /* waits for work, as it should */
    bool alive;      /* some source reaches it */
    char *subject;   /* "main waits in aio_poll depth 2 until" */
    char *label;     /* for signatures: names of the source only */
    char *end;       /* nothing leads on: why nobody does it */
    char *who;       /* "main", "coroutine co1"; of threads and coroutines */
    const char *verdict; /* the class of a deadlock that ends here, or NULL */
    GArray *edges;   /* of WaitEdge */
} WaitNode;

typedef struct WaitGraph WaitGraph;

/* The graph keeps nothing of @model. */
WaitGraph *wait_graph_new(const Model *model);
void wait_graph_free(WaitGraph *graph);

/* Whether some part can never go on, even if the rest runs. */
bool wait_graph_is_stuck(const WaitGraph *graph);

/*
 * "lock cycle", "self-deadlock", "wait-while-holding", "nested-poll
 * starvation", "drain cycle", "lost wake-up", "disabled handler" or "dead
 * context"; of a graph that is not stuck, "starvation" if somebody waits, else
 * "livelock".  Static.
 */
const char *wait_graph_class(const WaitGraph *graph);

/*
 * The class, and the cycle (or the chain, if there is none) in one line, made
 * of kinds and names of the source only: no ordinals, times, events or lines.
 * Two schedules that get stuck in the same way have the same.  Freed by the
 * caller, as the texts below.
 */
char *wait_graph_signature(const WaitGraph *graph);

/*
 * "DEADLOCK  class     @where", the chain in columns, and the rest of the
 * stuck set.  @where: "scenario nested-laio/buggy", or NULL.
 */
char *wait_graph_report(const WaitGraph *graph, const char *where);
char *wait_graph_dot(const WaitGraph *graph, const char *title);

/* ---- For views ---- */

unsigned wait_graph_size(const WaitGraph *graph);
const WaitNode *wait_graph_node(const WaitGraph *graph, unsigned index);
/*
 * The headline: node I of the chain, from 0 on, and the edge by which it goes
 * on, which is NULL for the last of a chain that is no cycle.
 */
unsigned wait_graph_chain_length(const WaitGraph *graph);
const WaitNode *wait_graph_chain_node(const WaitGraph *graph, unsigned i);
const WaitEdge *wait_graph_chain_edge(const WaitGraph *graph, unsigned i);
bool wait_graph_has_cycle(const WaitGraph *graph);

#endif
