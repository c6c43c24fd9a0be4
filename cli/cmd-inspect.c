/* SPDX-License-Identifier: MIT */
/*
 * aiolab inspect: one state as text or JSON.
 *
 * What QEMU's gdb scripts print (bt, handlers, timers, coroutines), and what
 * they lack: bottom halves, drains, waits.
 */
#include "inspect-waits.h"
#include "open-session.h"

#include "report.h"
#include "stack-lines.h"

typedef struct Topic {
    const char *name;
    ModelKind kinds[3];
    unsigned n_kinds;
} Topic;

static const Topic topics[] = {
    {"contexts", {MODEL_CONTEXT}, 1},
    {"handlers", {MODEL_HANDLER}, 1},
    {"bhs", {MODEL_BH}, 1},
    {"timers", {MODEL_TIMER}, 1},
    {"coroutines", {MODEL_COROUTINE}, 1},
    {"requests", {MODEL_REQUEST, MODEL_SQE}, 2},
    {"drains", {MODEL_BLK}, 1},
};

static const Topic *find_topic(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(topics); i++) {
        if (g_str_equal(topics[i].name, name)) {
            return &topics[i];
        }
    }
    return NULL;
}

static bool is_topic(const char *name)
{
    return find_topic(name) || g_str_equal(name, "bt") ||
           g_str_equal(name, "waits") || g_str_equal(name, "graph") ||
           g_str_equal(name, "locks");
}

/* What fields a, b and c are called, by kind; see model.c. */
static const char *const fields[MODEL_KIND_MAX][3] = {
    [MODEL_CONTEXT] = {"depth", "notified"},
    [MODEL_HANDLER] = {"events", "revents"},
    [MODEL_BH] = {"flags"},
    [MODEL_TIMER] = {"deadline_ns", "clock"},
    [MODEL_BLK] = {"in_flight", "drains"},
    [MODEL_REQUEST] = {"offset", "bytes"},
    [MODEL_SQE] = {"result", "position"},
};

static void print_object(const Model *model, const ModelObject *object,
                         JsonBuilder *b)
{
    g_autofree char *name = model_name(model, object->id);
    g_autofree char *owner = object->ctx ? model_name(model, object->ctx)
                                         : NULL;
    const uint64_t values[3] = {object->a, object->b, object->c};

    if (b) {
        json_builder_begin_object(b);
        cli_json_string(b, "kind", model_kind_names[object->kind]);
        cli_json_string(b, "name", name);
        cli_json_string(b, "state", model_state_names[object->state]);
        cli_json_string(b, "of", owner);
        cli_json_int(b, "since", object->since);
        cli_json_int(b, "cause", object->cause);
    } else {
        printf("%-28s %-10s", name, model_state_names[object->state]);
    }
    for (unsigned i = 0; i < 3; i++) {
        const char *field = fields[object->kind][i];

        if (field && b) {
            cli_json_int(b, field, values[i]);
        } else if (field) {
            printf(" %s %" PRId64, field, (int64_t)values[i]);
        }
    }
    if (b) {
        json_builder_end_object(b);
        return;
    }
    if (owner) {
        printf("  in %s", owner);
    }
    printf("  since event %" PRIu64, object->since);
    if (object->cause) {
        printf(", caused by event %" PRIu64, object->cause);
    }
    putchar('\n');
}

static void print_topic(const Model *model, const Topic *topic, JsonBuilder *b)
{
    for (unsigned i = 0; i < topic->n_kinds; i++) {
        ModelObject *object;

        QTAILQ_FOREACH(object, &model->objects[topic->kinds[i]], next) {
            print_object(model, object, b);
        }
    }
}

static void print_waits(const Model *model, bool all, JsonBuilder *b)
{
    WaitGraph *graph = wait_graph_new(model);

    if (b) {
        inspect_graph_json(b, graph);
    } else if (all) {
        inspect_graph(graph);
    } else {
        inspect_waits(graph);
    }
    wait_graph_free(graph);
}

static void print_lock(const Model *model, const ModelObject *mutex,
                       JsonBuilder *b)
{
    const ModelThread *holder = model_thread(model, mutex->a);
    g_autofree char *name = model_name(model, mutex->id);

    if (b) {
        json_builder_begin_object(b);
        cli_json_string(b, "mutex", name);
        cli_json_string(b, "thread", holder->name);
        cli_json_string(b, "function", mutex->site->func);
        cli_json_string(b, "file", mutex->site->file);
        cli_json_int(b, "line", mutex->site->line);
        cli_json_int(b, "since", mutex->since);
    } else {
        printf("%-10s holds %s  in %s, %s:%d  since event %" PRIu64 "\n",
               holder->name, name, mutex->site->func, mutex->site->file,
               mutex->site->line, mutex->since);
    }
}

static const ModelFrame *lock_wait(const ModelThread *thread, uint64_t mutex)
{
    const ModelFrame *frame = model_top_frame(thread, FRAME_LOCK);

    return frame && frame->obj == mutex ? frame : NULL;
}

static void print_lock_waiters(const Model *model, uint64_t mutex,
                               JsonBuilder *b)
{
    if (b) {
        json_builder_set_member_name(b, "waited_for_by");
        json_builder_begin_array(b);
    }
    for (unsigned i = 0; i < model->threads->len; i++) {
        const ModelThread *t = &g_array_index(model->threads, ModelThread, i);
        const ModelFrame *frame = lock_wait(t, mutex);

        if (frame && b) {
            json_builder_add_string_value(b, t->name);
        } else if (frame) {
            printf("%-10s waits for it  in %s, %s:%d%s\n", t->name,
                   frame->site->func, frame->site->file, frame->site->line,
                   t->stuck ? "  STUCK" : "");
        }
    }
    if (b) {
        json_builder_end_array(b);
        json_builder_end_object(b);
    }
}

static void print_locks(const Model *model, JsonBuilder *b)
{
    ModelObject *mutex;

    QTAILQ_FOREACH(mutex, &model->objects[MODEL_MUTEX], next) {
        print_lock(model, mutex, b);
        print_lock_waiters(model, mutex->id, b);
    }
}

static bool print_stacks(Session *session, JsonBuilder *b, Error **errp)
{
    GPtrArray *lines = stack_lines(session, errp);

    if (!lines) {
        return false;
    }
    for (unsigned i = 0; i < lines->len; i++) {
        if (b) {
            json_builder_add_string_value(b, g_ptr_array_index(lines, i));
        } else {
            puts(g_ptr_array_index(lines, i));
        }
    }
    g_ptr_array_free(lines, true);
    return true;
}

static void print_event(const Session *session, JsonBuilder *b)
{
    ProbeEvent event = session_event(session);
    g_autofree char *text = report_event(session->model, &event);
    g_autofree char *time = report_time(event.t_ns);

    if (b) {
        cli_json_int(b, "event", session->position);
        cli_json_int(b, "t_ns", event.t_ns);
        cli_json_string(b, "kind", probe_table[event.kind].name);
        cli_json_string(b, "text", text);
        cli_json_string(b, "file", event.site->file);
        cli_json_int(b, "line", event.site->line);
        cli_json_string(b, "function", event.site->func);
    } else {
        printf("event %" PRIu64 "  %s  %s  at %s:%d (%s)\n", session->position,
               time, text, event.site->file, event.site->line,
               event.site->func);
    }
}

static int inspect(Session *session, const char *what, bool json)
{
    JsonBuilder *b = json ? json_builder_new() : NULL;
    const Topic *topic = find_topic(what);
    Error *err = NULL;
    bool ok = true;

    if (b) {
        json_builder_begin_object(b);
    }
    print_event(session, b);
    if (b) {
        json_builder_set_member_name(b, what);
        json_builder_begin_array(b);
    }
    if (topic) {
        print_topic(session->model, topic, b);
    } else if (g_str_equal(what, "waits")) {
        print_waits(session->model, false, b);
    } else if (g_str_equal(what, "graph")) {
        print_waits(session->model, true, b);
    } else if (g_str_equal(what, "locks")) {
        print_locks(session->model, b);
    } else {
        ok = print_stacks(session, b, &err);
    }
    if (b) {
        json_builder_end_array(b);
        json_builder_end_object(b);
        cli_print_json(b);
    }
    return ok ? STATUS_OK : cli_fail(err, STATUS_MACHINE);
}

int cmd_inspect(int argc, char **argv)
{
    static ScenarioOptions scenario;
    static CommonOptions common;
    gint64 at = -1; /* the last */
    const GOptionEntry entries[] = {
        {"at", 0, 0, G_OPTION_ARG_INT64, &at, "the state right after this "
         "event (default: the last)", "EVENT"},
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &scenario.params,
         "set a parameter of the scenario", "NAME=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &scenario.seed,
         "random choices from this seed", "N"},
        {"fine", 0, 0, G_OPTION_ARG_NONE, &scenario.fine,
         "what a kernel decides is a choice, too", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG|SCENARIO TOPIC",
                           "Prints one state.  Topics: bt, bhs, contexts, "
                           "coroutines, drains, graph,\nhandlers, locks, "
                           "requests, timers, waits.", entries, &common);
    Session *session;

    if (status >= 0) {
        return status;
    }
    if (argc != 3 || !is_topic(argv[2])) {
        cli_error("inspect needs a log or scenario, and one of bt, bhs, "
                  "contexts, coroutines, drains, graph, handlers, locks, "
                  "requests, timers, waits");
        return STATUS_USAGE;
    }
    session = open_session_by_name(argv[1], &scenario, NULL, &status);
    if (!session) {
        return status;
    }
    if (at == -1) {
        at = session_count(session);
    }
    if (at < 1 || (uint64_t)at > session_count(session)) {
        cli_error("--at %" PRId64 ": the run has events 1 to %" PRIu64, at,
                  session_count(session));
        status = STATUS_USAGE;
    } else if (!cli_open_output(&common, argv[1])) {
        status = STATUS_BAD_INPUT;
    } else {
        session_goto(session, at);
        status = inspect(session, argv[2], common.json);
    }
    session_free(session);
    return status;
}
