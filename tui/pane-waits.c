/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom: the cycle or chain of what is stuck, step by step, and
 * below it everybody else who waits.  It needs the whole width.
 */
#include "view.h"

#include "wait-graph.h"

typedef struct Drawing {
    const View *view;
    Frame *frame;
    Rect rect;
    int line;
    const WaitGraph *graph;
} Drawing;

static void put(Drawing *d, Role role, const char *text)
{
    pane_line(d->view, PANE_WAITS, d->frame, d->rect, &d->line, role, "%s",
              text);
}

/* The text, and at the right end of the line the event. */
static void put_with_event(Drawing *d, Role role, const char *text,
                           uint64_t event)
{
    g_autofree char *number = event ? g_strdup_printf("  event %" PRIu64, event)
                                    : g_strdup("");
    int room = MAX(0, d->rect.cols - (int)strlen(number) - 1);
    int wide = g_utf8_strlen(text, -1);
    g_autofree char *cut = g_utf8_substring(text, 0, wide <= room ? wide
                                                     : MAX(room - 1, 0));
    g_autofree char *line = g_strdup_printf(
        "%s%s%*s%s", cut, wide <= room ? "" : frame_glyph(d->frame, GLYPH_MORE),
        MAX(0, room - wide), "", number);

    put(d, role, line);
}

/* One step of the headline: who, until when, and where. */
static void draw_step(Drawing *d, unsigned i)
{
    const WaitNode *node = wait_graph_chain_node(d->graph, i);
    const WaitEdge *edge = wait_graph_chain_edge(d->graph, i);
    const char *bar = frame_glyph(d->frame, GLYPH_BAR);
    g_autofree char *who = g_strdup_printf("  %u. %s", i + 1, node->subject);
    g_autofree char *until = g_strdup_printf("     %s  %s", bar,
                                             edge ? edge->until : node->end
                                             ? node->end : "nobody knows");

    put_with_event(d, ROLE_PROBLEM, who, node->event);
    put(d, ROLE_NORMAL, until);
    if (edge && edge->note) {
        g_autofree char *note = g_strdup_printf("     %s  %s", bar,
                                                edge->note);

        put(d, ROLE_DIM, note);
    }
}

static void draw_headline(Drawing *d)
{
    unsigned n = wait_graph_chain_length(d->graph);
    g_autofree char *title = g_strdup_printf(
        "%s, %s of %u", wait_graph_class(d->graph),
        wait_graph_has_cycle(d->graph) ? "a cycle" : "a chain", n);

    put(d, ROLE_TITLE, title);
    for (unsigned i = 0; i < n; i++) {
        draw_step(d, i);
    }
    if (wait_graph_has_cycle(d->graph)) {
        g_autofree char *back = g_strdup_printf(
            "     %s  and that is 1. again", frame_glyph(d->frame,
                                                         GLYPH_PROBLEM));

        put(d, ROLE_PROBLEM, back);
    }
}

static bool is_told(const WaitGraph *graph, const WaitNode *node)
{
    for (unsigned i = 0; i < wait_graph_chain_length(graph); i++) {
        if (wait_graph_chain_node(graph, i) == node) {
            return true;
        }
    }
    return false;
}

static void draw_wait(Drawing *d, const WaitNode *node)
{
    const WaitEdge *edge = node->edges->len
                               ? &g_array_index(node->edges, WaitEdge, 0)
                               : NULL;
    g_autofree char *text = g_strdup_printf(
        "  %s %s", node->subject, edge ? edge->until
        : node->idle ? "there is work"
        : node->end ? node->end : "its time has come");

    put_with_event(d, node->idle ? ROLE_DIM : node->alive ? ROLE_NORMAL
                                                          : ROLE_PROBLEM,
                   text, node->event);
}

/* Threads and coroutines; locks and requests are told with them. */
static void draw_others(Drawing *d)
{
    bool any = false;

    for (unsigned i = 0; i < wait_graph_size(d->graph); i++) {
        const WaitNode *node = wait_graph_node(d->graph, i);

        if (!node->who || node->kind == WAIT_THREAD ||
            is_told(d->graph, node)) {
            continue;
        }
        if (!any) {
            put(d, ROLE_TITLE, wait_graph_is_stuck(d->graph) ? "Others wait, too"
                                                             : "Who waits");
        }
        any = true;
        draw_wait(d, node);
    }
    if (!any && !wait_graph_is_stuck(d->graph)) {
        put(d, ROLE_DIM, " nobody waits");
    }
}

void draw_waits(const View *view, Frame *frame, Rect rect)
{
    WaitGraph *graph = wait_graph_new(view->session->model);
    Drawing d = {view, frame, rect, 0, graph};

    if (wait_graph_is_stuck(graph)) {
        draw_headline(&d);
        put(&d, ROLE_NORMAL, "");
    }
    draw_others(&d);
    wait_graph_free(graph);
}
