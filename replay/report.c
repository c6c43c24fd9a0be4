/* SPDX-License-Identifier: MIT */
/* Sentences about events and deadlocks. */
#include "report.h"

#include "wait-graph.h"

char *report_time(int64_t ns)
{
    if (ns < 10000000) {
        return g_strdup_printf("%" PRId64 ".%03dus", ns / 1000,
                               (int)(ns % 1000));
    }
    return g_strdup_printf("%" PRId64 ".%03dms", ns / 1000000,
                           (int)(ns / 1000 % 1000));
}

bool report_field_is_object(const char *field)
{
    static const char *const names[] = {
        "ctx", "bh", "blk", "request", "coroutine", "from", "to", "behind",
        "mutex", "cond", "by", "what",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (g_str_equal(names[i], field)) {
            return true;
        }
    }
    return false;
}

static void append_field(GString *text, const Model *model, const char *field,
                         uint64_t value)
{
    g_autofree char *name = NULL;

    if (!field) {
        return;
    }
    if (report_field_is_object(field)) {
        if (!value) {
            return;
        }
        name = model_name(model, value);
        g_string_append_printf(text, " %s %s", field, name);
    } else {
        g_string_append_printf(text, " %s %" PRId64, field, (int64_t)value);
    }
}

/* Who does what somebody waits for: an object, or what runs here. */
static void append_doer(GString *text, const Model *model,
                        const ProbeEvent *event)
{
    if (event->b) {
        g_string_append_printf(text, " held by this callback, %" PRIu64
                               " of %" PRIu64, event->b, event->c);
    } else if (event->a) {
        append_field(text, model, "by", event->a);
    } else {
        g_string_append(text, event->text ? " has no handler"
                                          : " by this callback");
    }
}

char *report_event(const Model *model, const ProbeEvent *event)
{
    const ProbeInfo *info = &probe_table[event->kind];
    GString *text = g_string_new(NULL);
    g_autofree char *name = event->obj ? model_name(model, event->obj) : NULL;

    g_string_append_printf(text, "%-12s", info->name);
    if (name) {
        g_string_append_printf(text, " %s", name);
    }
    if (event->kind == PROBE_REASON_BY) {
        append_doer(text, model, event);
        return g_string_free(text, false);
    }
    append_field(text, model, info->a, event->a);
    append_field(text, model, info->b, event->b);
    append_field(text, model, info->c, event->c);
    if (event->text && (!name || !strstr(name, event->text))) {
        g_string_append_printf(text, "  %s", event->text);
    }
    return g_string_free(text, false);
}

/* ---- Deadlocks ---- */

/* Of the thread itself, on no context. */
static void describe_wait(GString *text, const Model *model,
                          const ModelFrame *frame)
{
    const ModelThread *other = model_thread(model, frame->obj);
    g_autofree char *name = model_name(model, frame->obj);

    if (frame->kind == FRAME_LOOP) {
        g_string_append(text, "sleeps in GLib's loop");
        return;
    }
    if (frame->kind == FRAME_LOCK) {
        g_string_append_printf(text, "waits for mutex %s", name);
    } else if (frame->kind == FRAME_JOIN) {
        g_string_append_printf(text, "waits for the end of thread %s",
                               other ? other->name : name);
    } else {
        g_string_append_printf(text, "waits for condition %s",
                               frame->text ? frame->text : name);
    }
    g_string_append_printf(text, "  in %s, %s:%d   event %" PRIu64,
                           frame->site->func, frame->site->file,
                           frame->site->line, frame->seq);
}

static void describe_frame(GString *text, const Model *model,
                           const ModelFrame *frame)
{
    g_autofree char *name = model_name(model, frame->obj);

    switch (frame->kind) {
    case FRAME_WAIT:
        g_string_append_printf(
            text, "waits while (%s)  in %s, %s:%d   event %" PRIu64,
            frame->text ? frame->text : "?", frame->site->func,
            frame->site->file, frame->site->line, frame->seq);
        break;
    case FRAME_POLL:
        g_string_append_printf(text, "is in aio_poll(%s), depth %" PRIu64 "%s",
                               name, frame->depth,
                               !frame->sleeping ? "" : frame->timeout_ns < 0
                               ? ", and sleeps with no deadline"
                               : ", and sleeps");
        break;
    case FRAME_BH:
        g_string_append_printf(text, "called from bottom half %s", name);
        break;
    case FRAME_FD:
        g_string_append_printf(text, "called from the handler of %s", name);
        break;
    case FRAME_TIMER:
        g_string_append_printf(text, "called from the timer %s", name);
        break;
    case FRAME_CQE:
        g_string_append_printf(text, "called from the completion of %s", name);
        break;
    case FRAME_COROUTINE:
        g_string_append_printf(text, "in coroutine %s", name);
        break;
    case FRAME_JOB:
        g_string_append_printf(text, "does the pool's %s", name);
        break;
    default:
        describe_wait(text, model, frame);
        break;
    }
}

void report_thread(GString *text, const Model *model, const ModelThread *thread)
{
    g_string_append_printf(text, "  thread %s\n", thread->name);
    for (unsigned i = thread->frames->len; i > 0; i--) {
        const ModelFrame *frame = &g_array_index(thread->frames, ModelFrame,
                                                 i - 1);

        g_string_append(text, "    ");
        describe_frame(text, model, frame);
        g_string_append_c(text, '\n');
    }
}

/* The last notes say in the scenario's own words where it had got to. */
static void describe_notes(GString *text, const Session *session)
{
    uint64_t n = session_count(session);
    unsigned shown = 0;

    for (uint64_t seq = n; seq > 0 && shown < 3; seq--) {
        ProbeEvent e = event_store_get(session->events, seq);

        if (e.kind == PROBE_NOTE) {
            g_string_append_printf(text, "  %s  \"%s\"  event %" PRIu64 "\n",
                                   shown++ ? "          " : "last notes", e.text,
                                   seq);
        }
    }
}

char *report_stuck(const Session *session)
{
    const Model *model = session->model;
    WaitGraph *graph = wait_graph_new(model);
    g_autofree char *where = g_strdup_printf("%s, event %" PRIu64,
                                             session->title,
                                             session_count(session));
    g_autofree char *chain = wait_graph_report(graph, where);
    GString *text = g_string_new(chain);

    g_string_append(text, "Where they are:\n");
    for (unsigned i = 0; i < model->threads->len; i++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   i);

        if (thread->stuck) {
            report_thread(text, model, thread);
        }
    }
    describe_notes(text, session);
    wait_graph_free(graph);
    return g_string_free(text, false);
}
