/* SPDX-License-Identifier: MIT */
/* Sentences about events and deadlocks. */
#include "report.h"

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
        "mutex", "cond",
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

char *report_event(const Model *model, const ProbeEvent *event)
{
    const ProbeInfo *info = &probe_table[event->kind];
    GString *text = g_string_new(NULL);
    g_autofree char *name = event->obj ? model_name(model, event->obj) : NULL;

    g_string_append_printf(text, "%-12s", info->name);
    if (name) {
        g_string_append_printf(text, " %s", name);
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
    }
}

/* A stuck thread's lock or condition, and who has it. */
static void describe_lock_wait(GString *text, const Model *model,
                               const ModelThread *thread)
{
    const ModelObject *mutex = model_find(model, thread->waits_mutex);
    const ModelThread *holder = mutex ? model_thread(model, mutex->a) : NULL;
    g_autofree char *name = model_name(model, thread->waits_mutex);

    if (!thread->waits_mutex) {
        return;
    }
    g_string_append_printf(text, "    waits for %s %s%s  in %s, %s:%d\n",
                           thread->waits_cond ? "a condition, with" : "mutex",
                           name, thread->waits_cond ? " released" : "",
                           thread->waits_at->func, thread->waits_at->file,
                           thread->waits_at->line);
    if (holder) {
        g_string_append_printf(text, "      which %s holds  since event %"
                               PRIu64 ", in %s, %s:%d\n", holder->name,
                               mutex->cause, mutex->site->func,
                               mutex->site->file, mutex->site->line);
    }
}

void report_thread(GString *text, const Model *model, const ModelThread *thread)
{
    g_string_append_printf(text, "  thread %s\n", thread->name);
    describe_lock_wait(text, model, thread);
    for (unsigned i = thread->frames->len; i > 0; i--) {
        const ModelFrame *frame = &g_array_index(thread->frames, ModelFrame,
                                                 i - 1);

        g_string_append(text, "    ");
        describe_frame(text, model, frame);
        g_string_append_c(text, '\n');
    }
    if (thread->stuck && !thread->frames->len && !thread->waits_mutex) {
        g_string_append(text, "    waits for a thread\n");
    }
}

static void describe_objects(GString *text, const Model *model, ModelKind kind,
                             ModelState state, const char *sentence)
{
    ModelObject *object;

    QTAILQ_FOREACH(object, &model->objects[kind], next) {
        if (object->state == state) {
            g_autofree char *name = model_name(model, object->id);

            g_string_append_printf(text, "  %s %s since event %" PRIu64 "\n",
                                   name, sentence, object->since);
        }
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
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "DEADLOCK  nothing can run any more     "
                           "%s, event %" PRIu64 "\n", session->title,
                           session_count(session));
    for (unsigned i = 0; i < model->threads->len; i++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   i);

        if (thread->stuck) {
            report_thread(text, model, thread);
        }
    }
    describe_objects(text, model, MODEL_REQUEST, STATE_PENDING,
                     "is in flight, and nobody will complete it,");
    describe_objects(text, model, MODEL_SQE, STATE_TAKEN,
                     "was taken from the ring and is not dispatched,");
    describe_objects(text, model, MODEL_COROUTINE, STATE_YIELDED,
                     "has yielded, and nobody will wake it,");
    describe_notes(text, session);
    return g_string_free(text, false);
}
