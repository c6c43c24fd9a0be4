/* SPDX-License-Identifier: MIT */
/* aiolab inspect: who waits for whom, as lines, as a graph, as JSON. */
#include "inspect-waits.h"

/* ---- JSON ---- */

static void put_edge(JsonBuilder *b, const WaitEdge *edge)
{
    json_builder_begin_object(b);
    cli_json_int(b, "to", edge->to);
    cli_json_string(b, "until", edge->until);
    cli_json_string(b, "note", edge->note);
    cli_json_bool(b, "fact", edge->cost == 1);
    json_builder_end_object(b);
}

static void put_node(JsonBuilder *b, const WaitNode *node, unsigned index)
{
    json_builder_begin_object(b);
    cli_json_int(b, "node", index);
    cli_json_string(b, "kind", wait_node_table[node->kind].name);
    cli_json_string(b, "label", node->label);
    cli_json_string(b, "who", node->who);
    cli_json_string(b, "subject", node->subject);
    cli_json_string(b, "end", node->end);
    cli_json_int(b, "since", node->event);
    cli_json_bool(b, "any", node->any);
    cli_json_bool(b, "idle", node->idle);
    cli_json_bool(b, "can_go_on", node->alive);
    json_builder_set_member_name(b, "edges");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < node->edges->len; i++) {
        put_edge(b, &g_array_index(node->edges, WaitEdge, i));
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void put_chain(JsonBuilder *b, const WaitGraph *graph)
{
    json_builder_set_member_name(b, "headline");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < wait_graph_chain_length(graph); i++) {
        const WaitNode *node = wait_graph_chain_node(graph, i);
        const WaitEdge *edge = wait_graph_chain_edge(graph, i);

        json_builder_begin_object(b);
        cli_json_string(b, "label", node->label);
        cli_json_string(b, "subject", node->subject);
        cli_json_string(b, "until", edge ? edge->until : node->end);
        cli_json_string(b, "note", edge ? edge->note : NULL);
        cli_json_int(b, "since", node->event);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

void inspect_graph_json(JsonBuilder *b, const WaitGraph *graph)
{
    bool stuck = wait_graph_is_stuck(graph);
    g_autofree char *signature = stuck ? wait_graph_signature(graph) : NULL;

    json_builder_begin_object(b);
    cli_json_bool(b, "stuck", stuck);
    cli_json_string(b, "class", stuck ? wait_graph_class(graph) : NULL);
    cli_json_string(b, "signature", signature);
    cli_json_bool(b, "cycle", wait_graph_has_cycle(graph));
    put_chain(b, graph);
    json_builder_set_member_name(b, "nodes");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < wait_graph_size(graph); i++) {
        put_node(b, wait_graph_node(graph, i), i);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

/* ---- Text ---- */

static const char *state_of(const WaitNode *node)
{
    return node->idle ? "idle" : node->alive ? "" : "STUCK";
}

/* One line for each thread and coroutine that waits. */
void inspect_waits(const WaitGraph *graph)
{
    for (unsigned i = 0; i < wait_graph_size(graph); i++) {
        const WaitNode *node = wait_graph_node(graph, i);
        const WaitEdge *edge = node->edges->len
                                   ? &g_array_index(node->edges, WaitEdge, 0)
                                   : NULL;

        if (node->kind == WAIT_THREAD || !node->who) {
            continue;
        }
        printf("%-5s  %s %s", state_of(node), node->subject,
               edge ? edge->until : node->idle ? "there is work"
               : node->end ? node->end : "its time has come");
        if (edge && edge->note) {
            printf("  (%s)", edge->note);
        }
        printf("  since event %" PRIu64 "\n", node->event);
    }
}

void inspect_graph(const WaitGraph *graph)
{
    if (wait_graph_is_stuck(graph)) {
        g_autofree char *report = wait_graph_report(graph, NULL);
        g_autofree char *signature = wait_graph_signature(graph);

        printf("%sSignature: %s\n", report, signature);
    }
    for (unsigned i = 0; i < wait_graph_size(graph); i++) {
        const WaitNode *node = wait_graph_node(graph, i);

        printf("%3u %-10s %s%s%s%s\n", i, wait_node_table[node->kind].name,
               node->label, node->idle ? "  idle" : node->alive
                                         ? "" : "  STUCK",
               node->end ? "  " : "", node->end ? node->end : "");
        for (unsigned j = 0; j < node->edges->len; j++) {
            const WaitEdge *edge = &g_array_index(node->edges, WaitEdge, j);

            printf("      %s %u  %s\n", edge->cost > 1 ? "-->?" : "--> ",
                   edge->to, edge->until);
        }
    }
}
