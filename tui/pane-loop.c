/* SPDX-License-Identifier: MIT */
/* One context's loop: the phase of its turn, and all that it watches. */
#include "view.h"

#include "report.h"

/* "timeout  wait  [bhs]  fds  timers": where the innermost turn is. */
static void draw_phases(const View *view, Frame *frame, Rect rect, int *line,
                        const ModelThread *thread)
{
    const ModelFrame *poll = thread ? model_top_frame(thread, FRAME_POLL)
                                    : NULL;
    GString *text = g_string_new(" ");

    for (unsigned i = 0; i < ARRAY_SIZE(model_phases); i++) {
        bool now = poll && poll->phase == model_phases[i];

        g_string_append_printf(text, now ? "[%s] " : " %s  ", model_phases[i]);
    }
    if (poll) {
        g_string_append_printf(text, "  depth %" PRIu64, poll->depth);
    } else {
        g_string_append(text, "  not polling");
    }
    pane_line(view, PANE_LOOP, frame, rect, line, ROLE_TITLE, "%s", text->str);
    g_string_free(text, true);
}

static Role role_of(const View *view, const ModelObject *object)
{
    const Model *model = view->session->model;

    if (object->since == model->seq) {
        return ROLE_CHANGED;
    }
    if (model->stuck && object->kind == MODEL_SQE &&
        object->state == STATE_TAKEN) {
        return ROLE_PROBLEM;
    }
    return object->state == STATE_IDLE ? ROLE_DIM : ROLE_NORMAL;
}

static void draw_cause(const View *view, const ModelObject *object,
                       GString *text, Frame *frame)
{
    if (object->cause && object->state != STATE_IDLE) {
        g_string_append_printf(text, "  %s event %" PRIu64,
                               frame_glyph(frame, GLYPH_FROM), object->cause);
    }
}

static void draw_object(const View *view, Frame *frame, Rect rect, int *line,
                        const ModelObject *object)
{
    const Model *model = view->session->model;
    g_autofree char *name = model_name(model, object->id);
    bool on = object->state != STATE_IDLE;
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, " %s %s  %s",
                           frame_glyph(frame, on ? GLYPH_ON : GLYPH_OFF), name,
                           model_state_names[object->state]);
    if (object->kind == MODEL_TIMER && object->state == STATE_SCHEDULED) {
        g_autofree char *due = report_time((int64_t)object->a - model->t_ns);

        g_string_append_printf(text, ", due in %s", due);
    }
    if (object->kind == MODEL_SQE && object->state == STATE_TAKEN) {
        g_string_append_printf(text, ", position %" PRIu64 " of its batch",
                               object->b + 1);
    }
    draw_cause(view, object, text, frame);
    pane_line(view, PANE_LOOP, frame, rect, line, role_of(view, object), "%s",
              text->str);
    g_string_free(text, true);
}

void draw_loop(const View *view, Frame *frame, Rect rect)
{
    static const ModelKind kinds[] = {
        MODEL_HANDLER, MODEL_SQE, MODEL_BH, MODEL_TIMER,
    };
    const Model *model = view->session->model;
    const ModelThread *thread = view_thread(view);
    uint64_t ctx = thread ? thread->ctx : 0;
    int line = 0;

    draw_phases(view, frame, rect, &line, thread);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        ModelObject *object;

        QTAILQ_FOREACH(object, &model->objects[kinds[i]], next) {
            if (object->ctx == ctx) {
                draw_object(view, frame, rect, &line, object);
            }
        }
    }
}
