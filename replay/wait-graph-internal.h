/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the wait-for graph:
 *
 *   wait-graph.c    nodes and edges; what can still go on
 *   wait-threads.c  where threads are
 *   wait-thread-nodes.c  what they and their locks wait for
 *   wait-coroutines.c  what coroutines and theirs wait for
 *   wait-work.c     what contexts, callbacks and requests wait for
 *   wait-reasons.c  what the program has said of its waits
 *   wait-guess.c    who might do what nobody has said
 *   wait-cycle.c    the cheapest cycle
 *   wait-class.c    its class and its signature
 *   wait-words.c    the report, and DOT
 */
#ifndef REPLAY_WAIT_GRAPH_INTERNAL_H
#define REPLAY_WAIT_GRAPH_INTERNAL_H

#include "wait-graph.h"

#define WAIT_NO_NODE UINT_MAX

/* What an edge costs that says who might do something. */
enum {
    WAIT_COST_FACT = 1,
    WAIT_COST_LIKELY = 4, /* it is there to be done */
    WAIT_COST_PERHAPS = 8, /* somebody is busy, who knows with what */
};

struct WaitGraph {
    const Model *model; /* while it is built */
    GArray *nodes;      /* of WaitNode */
    GHashTable *index;  /* "kind id" -> index + 1 */
    bool quiet;         /* nothing can run any more: model->stuck */
    bool stuck;
    GArray *chain;      /* of WaitStep */
    bool cycle;
};

/* One row of the headline. */
typedef struct WaitStep {
    unsigned node, edge; /* edge: WAIT_NO_NODE: the chain ends here */
} WaitStep;

static inline WaitNode *wait_node(const WaitGraph *graph, unsigned index)
{
    return &g_array_index(graph->nodes, WaitNode, index);
}

static inline WaitEdge *wait_edge(const WaitNode *node, unsigned index)
{
    return &g_array_index(node->edges, WaitEdge, index);
}

/*
 * The node of that kind and id; a new one is expanded later.  A pointer to a
 * node is good until the next call.
 */
unsigned wait_graph_find(WaitGraph *graph, WaitNodeKind kind, uint64_t id);
/* Both strings become the graph's. */
void wait_graph_link(WaitGraph *graph, unsigned from, unsigned to,
                     unsigned cost, char *until, char *note);
void wait_node_name(WaitNode *node, char *subject, char *label);
/* It is that thread's wait, since event @seq. */
void wait_node_owner(WaitNode *node, const ModelThread *thread, uint64_t seq);

/* ---- wait-threads.c ---- */

/* What @thread is in: its innermost wait, else the thread itself. */
unsigned wait_of_thread(WaitGraph *graph, const ModelThread *thread);
/* Its other AIO_WAIT_WHILE()s, too. */
void wait_add_outer(WaitGraph *graph, const ModelThread *thread);
/* The wait inside frame @seq of a thread, or WAIT_NO_NODE. */
unsigned wait_inside_frame(WaitGraph *graph, uint64_t seq);
const ModelThread *wait_thread_of_frame(const Model *model, uint64_t seq,
                                        unsigned *index);
/* Whose home @ctx is, or who polled it last; or NULL. */
const ModelThread *wait_poller(const Model *model, const ModelObject *ctx);
/* True if @thread sleeps in aio_poll(@ctx). */
bool wait_polls(const ModelThread *thread, uint64_t ctx);
/* In the middle of something, not only of its loop, or its pool's. */
bool wait_thread_is_busy(const ModelThread *thread);
const ModelFrame *wait_frame_at(const ModelThread *thread, unsigned i);
/* The nearest wait inside frame @i that is not its own aio_poll(). */
unsigned wait_inside(WaitGraph *graph, const ModelThread *thread, unsigned i);

/* ---- wait-thread-nodes.c ---- */

/* "main, which is in bottom half completion_bh (bh1)" */
char *wait_thread_until(const Model *model, const ModelThread *thread);
/* "complete, from the callback of request A": where frame @i waits. */
char *wait_place(const Model *model, const ModelThread *thread, unsigned i);
void wait_expand_thread(WaitGraph *graph, unsigned index);

/* ---- wait-work.c ---- */

/* The node of any object of the model, of whatever kind; or WAIT_NO_NODE. */
unsigned wait_of_object(WaitGraph *graph, uint64_t id);
/* "its bottom half completion_bh has run", for an edge to that node. */
char *wait_object_until(const WaitGraph *graph, uint64_t id);
/* "bottom half completion_bh (bh1)" */
char *wait_object_noun(const WaitGraph *graph, uint64_t id);
void wait_expand_work(WaitGraph *graph, unsigned index);

/* A node that is being expanded. */
typedef struct WaitExpansion {
    WaitGraph *graph;
    unsigned index;
    const ModelObject *object;
    uint64_t id;
} WaitExpansion;

/* A fact; both strings become the graph's. */
void wait_link_to(const WaitExpansion *x, unsigned to, char *until, char *note);
void wait_link_object(const WaitExpansion *x, uint64_t id);
/* Nothing leads on from here, but what comes from outside. */
void wait_set_end(const WaitExpansion *x, char *end);

/* ---- wait-reasons.c ---- */

void wait_expand_reason(const WaitExpansion *x);
void wait_expand_completion(const WaitExpansion *x);
/* Edges to all that the wait is for; false if nobody has said. */
bool wait_link_purposes(WaitGraph *graph, unsigned index, PurposeOf of,
                        uint64_t waiter, const char *note);
/* ---- wait-coroutines.c ---- */

/* Of coroutines, and of the locks and queues that they wait for. */
void wait_expand_coroutine(WaitGraph *graph, unsigned index);

/* ---- wait-guess.c ---- */

/* Its id is the index of the node whose wait it explains. */
void wait_expand_somebody(WaitGraph *graph, unsigned index);

/* ---- wait-cycle.c ---- */

void wait_graph_find_chain(WaitGraph *graph);

/* The headline's labels, in an order that does not depend on who is who. */
char *wait_chain_labels(const WaitGraph *graph);

/* ---- wait-class.c ---- */

/* A name without its numbers: "request 17" is "request #". */
char *wait_plain_name(const char *name);

#endif
