/* SPDX-License-Identifier: MIT */
/* The wait-for graph: nodes, edges, and what can still go on. */
#include "wait-graph-internal.h"

const WaitNodeInfo wait_node_table[WAIT_NODE_KINDS] = {
#define WAIT_NODE(ID, name, shape, help) {name, shape},
#include "wait-nodes.def"
#undef WAIT_NODE
};

/* ---- Nodes and edges ---- */

unsigned wait_graph_find(WaitGraph *graph, WaitNodeKind kind, uint64_t id)
{
    g_autofree char *key = g_strdup_printf("%u %" PRIu64, kind, id);
    unsigned found = GPOINTER_TO_UINT(g_hash_table_lookup(graph->index, key));
    WaitNode node = {.kind = kind, .id = id};

    if (found) {
        return found - 1;
    }
    node.edges = g_array_new(false, true, sizeof(WaitEdge));
    g_array_append_val(graph->nodes, node);
    g_hash_table_insert(graph->index, g_steal_pointer(&key),
                        GUINT_TO_POINTER(graph->nodes->len));
    return graph->nodes->len - 1;
}

void wait_graph_link(WaitGraph *graph, unsigned from, unsigned to,
                     unsigned cost, char *until, char *note)
{
    WaitEdge edge = {.to = to, .cost = cost, .until = until, .note = note};

    g_array_append_val(wait_node(graph, from)->edges, edge);
}

void wait_node_name(WaitNode *node, char *subject, char *label)
{
    node->subject = subject;
    node->label = label;
}

void wait_node_owner(WaitNode *node, const ModelThread *thread, uint64_t seq)
{
    node->thread = thread->id;
    node->event = seq;
    if (!node->who) {
        node->who = g_strdup(thread->name);
    }
}

static void node_finish(WaitNode *node)
{
    for (unsigned i = 0; i < node->edges->len; i++) {
        g_free(wait_edge(node, i)->until);
        g_free(wait_edge(node, i)->note);
    }
    g_array_free(node->edges, true);
    g_free(node->subject);
    g_free(node->label);
    g_free(node->end);
    g_free(node->who);
}

/* ---- Building ---- */

/* Everything that waits; what it waits for follows. */
static void add_waiters(WaitGraph *graph)
{
    const Model *model = graph->model;
    const ModelObject *co;

    for (unsigned i = 0; i < model->threads->len; i++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   i);

        if (!thread->exited) {
            wait_of_thread(graph, thread);
            wait_add_outer(graph, thread);
        }
    }
    QTAILQ_FOREACH(co, &model->objects[MODEL_COROUTINE], next) {
        if (co->state != STATE_IDLE) {
            wait_graph_find(graph, WAIT_COROUTINE, co->id);
        }
    }
}

/* Expanding a node may add nodes at the end. */
static void expand_all(WaitGraph *graph)
{
    for (unsigned i = 0; i < graph->nodes->len; i++) {
        WaitNodeKind kind = wait_node(graph, i)->kind;

        if (kind <= WAIT_JOIN || kind == WAIT_MUTEX) {
            wait_expand_thread(graph, i);
        } else if (kind == WAIT_COROUTINE || kind == WAIT_COLOCK ||
                   kind == WAIT_COQUEUE) {
            wait_expand_coroutine(graph, i);
        } else if (kind == WAIT_SOMEBODY) {
            wait_expand_somebody(graph, i);
        } else {
            wait_expand_work(graph, i);
        }
    }
}

/* ---- What can still go on ---- */

static bool can_go_on(const WaitGraph *graph, const WaitNode *node)
{
    unsigned alive = 0;

    if (node->source || !node->edges->len) {
        return node->source;
    }
    for (unsigned i = 0; i < node->edges->len; i++) {
        alive += wait_node(graph, wait_edge(node, i)->to)->alive;
    }
    return node->any ? alive > 0 : alive == node->edges->len;
}

/* From the sources on, until nothing changes. */
static void reduce(WaitGraph *graph)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (unsigned i = 0; i < graph->nodes->len; i++) {
            WaitNode *node = wait_node(graph, i);

            if (!node->alive && can_go_on(graph, node)) {
                node->alive = changed = true;
            }
        }
    }
}

static bool any_stuck(const WaitGraph *graph)
{
    for (unsigned i = 0; i < graph->nodes->len; i++) {
        const WaitNode *node = wait_node(graph, i);

        if (!node->alive && !node->idle &&
            (node->thread || node->kind == WAIT_COROUTINE)) {
            return true;
        }
    }
    return false;
}

WaitGraph *wait_graph_new(const Model *model)
{
    WaitGraph *graph = g_new0(WaitGraph, 1);

    graph->model = model;
    graph->quiet = model->stuck;
    graph->nodes = g_array_new(false, true, sizeof(WaitNode));
    graph->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    graph->chain = g_array_new(false, true, sizeof(WaitStep));
    add_waiters(graph);
    expand_all(graph);
    if (!graph->quiet) { /* else nothing can, whatever it looks like */
        reduce(graph);
    }
    graph->stuck = graph->quiet || any_stuck(graph);
    wait_graph_find_chain(graph);
    graph->model = NULL;
    return graph;
}

void wait_graph_free(WaitGraph *graph)
{
    if (!graph) {
        return;
    }
    for (unsigned i = 0; i < graph->nodes->len; i++) {
        node_finish(wait_node(graph, i));
    }
    g_array_free(graph->nodes, true);
    g_array_free(graph->chain, true);
    g_hash_table_destroy(graph->index);
    g_free(graph);
}

/* ---- Looking ---- */

bool wait_graph_is_stuck(const WaitGraph *graph)
{
    return graph->stuck;
}

unsigned wait_graph_size(const WaitGraph *graph)
{
    return graph->nodes->len;
}

const WaitNode *wait_graph_node(const WaitGraph *graph, unsigned index)
{
    return wait_node(graph, index);
}

unsigned wait_graph_chain_length(const WaitGraph *graph)
{
    return graph->chain->len;
}

const WaitNode *wait_graph_chain_node(const WaitGraph *graph, unsigned i)
{
    return wait_node(graph, g_array_index(graph->chain, WaitStep, i).node);
}

const WaitEdge *wait_graph_chain_edge(const WaitGraph *graph, unsigned i)
{
    unsigned edge = g_array_index(graph->chain, WaitStep, i).edge;

    return edge == WAIT_NO_NODE
               ? NULL : wait_edge(wait_graph_chain_node(graph, i), edge);
}

bool wait_graph_has_cycle(const WaitGraph *graph)
{
    return graph->cycle;
}
