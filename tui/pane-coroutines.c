/* SPDX-License-Identifier: MIT */
/* Coroutines, and all stacks when they were fetched. */
#include "view.h"

static void draw_one(const View *view, Frame *frame, Rect rect, int *line,
                     const ModelObject *co)
{
    const Model *model = view->session->model;
    g_autofree char *name = model_name(model, co->id);
    g_autofree char *ctx = co->ctx ? model_name(model, co->ctx) : NULL;
    bool now = co->since == model->seq;

    pane_line(view, PANE_COROUTINES, frame, rect, line,
              now ? ROLE_CHANGED : ROLE_NORMAL, "%s%s %s%s%s",
              co->state == STATE_RUNNING ? frame_glyph(frame, GLYPH_NOW) : " ",
              name, co->state == STATE_IDLE ? "created"
                                            : model_state_names[co->state],
              ctx ? " in " : "", ctx ? ctx : "");
}

void draw_coroutines(const View *view, Frame *frame, Rect rect)
{
    const Model *model = view->session->model;
    ModelObject *co;
    int line = 0;

    QTAILQ_FOREACH(co, &model->objects[MODEL_COROUTINE], next) {
        draw_one(view, frame, rect, &line, co);
    }
    if (line == 0) {
        pane_line(view, PANE_COROUTINES, frame, rect, &line, ROLE_DIM,
                  " no coroutines");
    }
    if (!view->stacks || view->stacks_at != model->seq) {
        return;
    }
    for (unsigned i = 0; i < view->stacks->len; i++) {
        const char *text = g_ptr_array_index(view->stacks, i);

        pane_line(view, PANE_COROUTINES, frame, rect, &line,
                  *text == ' ' ? ROLE_DIM : ROLE_TITLE, "%s", text);
    }
}
