/* SPDX-License-Identifier: MIT */
/* The wait-for graph: what a deadlock is called, and how it is recognised. */
#include "wait-graph-internal.h"

static unsigned count(const WaitGraph *graph, WaitNodeKind kind)
{
    unsigned n = 0;

    for (unsigned i = 0; i < graph->chain->len; i++) {
        n += wait_graph_chain_node(graph, i)->kind == kind;
    }
    return n;
}

/* How many threads have a part in it. */
static unsigned count_threads(const WaitGraph *graph)
{
    g_autoptr(GHashTable) threads = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < graph->chain->len; i++) {
        uint32_t thread = wait_graph_chain_node(graph, i)->thread;

        if (thread) {
            g_hash_table_add(threads, GUINT_TO_POINTER(thread));
        }
    }
    return g_hash_table_size(threads);
}

/* A drain, or what looks like one to who reads QEMU. */
static bool drains(const WaitGraph *graph)
{
    for (unsigned i = 0; i < graph->chain->len; i++) {
        const WaitNode *node = wait_graph_chain_node(graph, i);

        if (node->kind == WAIT_DRAIN ||
            (node->kind == WAIT_WHILE && (strstr(node->label, "in_flight") ||
                                          strstr(node->label, "drain")))) {
            return true;
        }
    }
    return false;
}

/* All that is known is that a thread which waits could have been it. */
static bool is_vague(const WaitGraph *graph)
{
    for (unsigned i = 0; i < graph->chain->len; i++) {
        const WaitNode *node = wait_graph_chain_node(graph, i);
        const WaitEdge *edge = wait_graph_chain_edge(graph, i);

        if (node->kind == WAIT_SOMEBODY && node->edges->len > 1 && edge &&
            edge->cost == WAIT_COST_PERHAPS && !count(graph, WAIT_POLL)) {
            return true;
        }
    }
    return false;
}

static const char *class_of_cycle(const WaitGraph *graph)
{
    unsigned locks = count(graph, WAIT_MUTEX) + count(graph, WAIT_COLOCK);
    unsigned askers = count(graph, WAIT_LOCK) + count(graph, WAIT_COROUTINE);

    if (drains(graph)) {
        return "drain cycle";
    }
    if (locks && locks + askers == graph->chain->len) {
        return locks == 1 ? "self-deadlock" : "lock cycle";
    }
    if (locks) {
        return "wait-while-holding";
    }
    if (is_vague(graph)) {
        return "lost wake-up";
    }
    if (count_threads(graph) > 1 || count(graph, WAIT_COQUEUE)) {
        return "wait-while-holding";
    }
    return count(graph, WAIT_CONTEXT) ? "dead context"
                                      : "nested-poll starvation";
}

static bool anybody_waits(const WaitGraph *graph)
{
    for (unsigned i = 0; i < graph->nodes->len; i++) {
        const WaitNode *node = wait_node(graph, i);

        if (node->thread && !node->idle && node->kind != WAIT_THREAD) {
            return true;
        }
    }
    return false;
}

const char *wait_graph_class(const WaitGraph *graph)
{
    const WaitNode *last;

    if (!graph->stuck) {
        return anybody_waits(graph) ? "starvation" : "livelock";
    }
    if (graph->cycle) {
        return class_of_cycle(graph);
    }
    if (!graph->chain->len) {
        return "lost wake-up";
    }
    last = wait_graph_chain_node(graph, graph->chain->len - 1);
    return last->verdict ? last->verdict : "lost wake-up";
}

/* ---- Signatures ---- */

char *wait_plain_name(const char *name)
{
    GString *plain = g_string_new(NULL);

    for (const char *p = name; *p; p++) {
        if (!g_ascii_isdigit(*p)) {
            g_string_append_c(plain, *p);
        } else if (p == name || !g_ascii_isdigit(p[-1])) {
            g_string_append_c(plain, '#');
        }
    }
    return g_string_free(plain, false);
}

static int compare_labels(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of a graph without a headline: who waits, in the order of the alphabet. */
static char *labels_of_waits(const WaitGraph *graph)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (unsigned i = 0; i < graph->nodes->len; i++) {
        const WaitNode *node = wait_node(graph, i);

        if (node->thread && !node->idle) {
            g_ptr_array_add(all, node->label);
        }
    }
    g_ptr_array_sort(all, compare_labels);
    g_ptr_array_add(all, NULL);
    return g_strjoinv(" & ", (char **)all->pdata);
}

char *wait_graph_signature(const WaitGraph *graph)
{
    g_autofree char *labels = graph->chain->len
                                  ? wait_chain_labels(graph)
                                  : labels_of_waits(graph);

    return g_strdup_printf("%s: %s", wait_graph_class(graph), labels);
}
