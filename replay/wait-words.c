/* SPDX-License-Identifier: MIT */
/* The wait-for graph for people: the report of a deadlock, and DOT. */
#include "wait-graph-internal.h"

/* ---- The chain, in columns ---- */

enum { WIDEST_COLUMN = 50 };

static unsigned columns(const char *text)
{
    return g_utf8_strlen(text, -1);
}

/* Wide enough for the rows that are not too wide themselves. */
static unsigned width(const WaitGraph *graph, bool of_until)
{
    unsigned widest = 0;

    for (unsigned i = 0; i < graph->chain->len; i++) {
        const WaitEdge *edge = wait_graph_chain_edge(graph, i);
        const WaitNode *node = wait_graph_chain_node(graph, i);
        const char *text = !of_until ? node->subject
                           : edge ? edge->until : node->end;
        unsigned n = text ? columns(text) : 0;

        if (n <= WIDEST_COLUMN) {
            widest = MAX(widest, n);
        }
    }
    return widest;
}

static void append_padded(GString *text, const char *word, unsigned wide)
{
    unsigned n = columns(word);

    g_string_append_printf(text, "  %s%*s", word, n < wide ? wide - n : 0, "");
}

static void append_row(GString *text, const WaitGraph *graph, unsigned i)
{
    const WaitNode *node = wait_graph_chain_node(graph, i);
    const WaitEdge *edge = wait_graph_chain_edge(graph, i);
    const char *end = node->end ? node->end : "nobody knows";
    bool last = i + 1 == graph->chain->len;

    append_padded(text, node->subject, width(graph, false));
    append_padded(text, edge ? edge->until : end, width(graph, true));
    if (edge && edge->note) {
        g_string_append_printf(text, "  (%s)", edge->note);
    }
    if (last && graph->cycle) {
        g_string_append_printf(text, "  <- back to %s: cycle of %u",
                               wait_graph_chain_node(graph, 0)->who,
                               graph->chain->len);
    }
    while (text->len && text->str[text->len - 1] == ' ') {
        g_string_truncate(text, text->len - 1);
    }
    g_string_append_c(text, '\n');
}

/* ---- The rest of what is stuck ---- */

static bool in_chain(const WaitGraph *graph, const WaitNode *node)
{
    for (unsigned i = 0; i < graph->chain->len; i++) {
        if (wait_graph_chain_node(graph, i) == node) {
            return true;
        }
    }
    return false;
}

static void append_rest(GString *text, const WaitGraph *graph)
{
    bool any = false;

    for (unsigned i = 0; i < graph->nodes->len; i++) {
        const WaitNode *node = wait_node(graph, i);
        bool waits = node->thread || node->kind == WAIT_COROUTINE;

        if (!waits || node->alive || node->idle || in_chain(graph, node)) {
            continue;
        }
        g_string_append_printf(text, "%s  %s %s   event %" PRIu64 "\n",
                               any ? "" : "Stuck as well:\n", node->subject,
                               node->edges->len ? wait_edge(node, 0)->until
                               : node->end ? node->end : "somebody wakes it",
                               node->event);
        any = true;
    }
}

char *wait_graph_report(const WaitGraph *graph, const char *where)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s  %s", graph->stuck ? "DEADLOCK"
                                                        : "NO END",
                           wait_graph_class(graph));
    if (where) {
        g_string_append_printf(text, "%*s%s",
                               MAX(2, 34 - (int)text->len), "", where);
    }
    g_string_append_c(text, '\n');
    for (unsigned i = 0; i < graph->chain->len; i++) {
        append_row(text, graph, i);
    }
    append_rest(text, graph);
    return g_string_free(text, false);
}

/* ---- DOT ---- */

static char *quoted(const char *text)
{
    g_autofree char *escaped = g_strescape(text, "\t");

    return g_strdup_printf("\"%s\"", escaped);
}

static void append_dot_node(GString *text, const WaitGraph *graph, unsigned i)
{
    const WaitNode *node = wait_node(graph, i);
    g_autofree char *words = g_strdup_printf("%s\n%s%s%s", node->label,
                                             node->who ? node->who : "",
                                             node->end ? "\n" : "",
                                             node->end ? node->end : "");
    g_autofree char *label = quoted(words);

    g_string_append_printf(text, "    n%u [label=%s, shape=%s%s%s];\n", i,
                           label, wait_node_table[node->kind].shape,
                           node->alive || node->idle ? ", color=gray" : "",
                           in_chain(graph, node) ? ", penwidth=2, color=red"
                                                 : "");
}

static bool edge_in_chain(const WaitGraph *graph, const WaitEdge *edge)
{
    for (unsigned i = 0; i < graph->chain->len; i++) {
        if (wait_graph_chain_edge(graph, i) == edge) {
            return true;
        }
    }
    return false;
}

static void append_dot_edges(GString *text, const WaitGraph *graph, unsigned i)
{
    const WaitNode *node = wait_node(graph, i);

    for (unsigned j = 0; j < node->edges->len; j++) {
        const WaitEdge *edge = wait_edge(node, j);
        g_autofree char *label = quoted(edge->until);

        g_string_append_printf(text, "    n%u -> n%u [label=%s%s%s];\n", i,
                               edge->to, label,
                               edge->cost > WAIT_COST_FACT || node->any
                                   ? ", style=dashed" : "",
                               edge_in_chain(graph, edge)
                                   ? ", penwidth=2, color=red" : "");
    }
}

/* Guesses that lead nowhere would hide the rest. */
static bool is_shown(const WaitNode *node)
{
    return node->thread || node->edges->len || node->end;
}

char *wait_graph_dot(const WaitGraph *graph, const char *title)
{
    GString *text = g_string_new("digraph waits {\n");
    g_autofree char *label = quoted(title);

    g_string_append_printf(text, "    graph [label=%s, rankdir=LR];\n", label);
    for (unsigned i = 0; i < graph->nodes->len; i++) {
        if (is_shown(wait_node(graph, i))) {
            append_dot_node(text, graph, i);
            append_dot_edges(text, graph, i);
        }
    }
    g_string_append(text, "}\n");
    return g_string_free(text, false);
}
