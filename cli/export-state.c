/* SPDX-License-Identifier: MIT */
/* The wait-for graph of a state, as DOT and as JSON. */
#include "export-state.h"

#include "inspect-waits.h"

char *state_export_dot(const Session *session)
{
    WaitGraph *graph = wait_graph_new(session->model);
    g_autofree char *title = g_strdup_printf("%s, event %" PRIu64,
                                             session->title,
                                             session->position);
    char *dot = wait_graph_dot(graph, title);

    wait_graph_free(graph);
    return dot;
}

char *state_export_json(const Session *session)
{
    WaitGraph *graph = wait_graph_new(session->model);
    JsonBuilder *b = json_builder_new();
    JsonNode *root;
    char *text, *line;

    inspect_graph_json(b, graph);
    root = json_builder_get_root(b);
    text = json_to_string(root, true);
    line = g_strconcat(text, "\n", NULL);
    g_free(text);
    json_node_unref(root);
    g_object_unref(b);
    wait_graph_free(graph);
    return line;
}

static int write_state(Session *session, StateExporter *exporter, int64_t at,
                       const CommonOptions *common, const char *name)
{
    g_autofree char *text = NULL;

    if (at == -1) {
        at = session_count(session);
    }
    if (at < 1 || (uint64_t)at > session_count(session)) {
        cli_error("--at %" PRId64 ": the run has events 1 to %" PRIu64, at,
                  session_count(session));
        return STATUS_USAGE;
    }
    session_goto(session, at);
    text = exporter(session);
    if (!cli_open_output(common, name)) {
        return STATUS_BAD_INPUT;
    }
    fputs(text, stdout);
    return STATUS_OK;
}

int export_state(const char *name, StateExporter *exporter,
                 ScenarioOptions *scenario, int64_t at,
                 const CommonOptions *common)
{
    int status;
    Session *session = open_session_by_name(name, scenario, NULL, &status);

    if (session) {
        status = write_state(session, exporter, at, common, name);
        session_free(session);
    }
    return status;
}
