/* SPDX-License-Identifier: MIT */
/* BlockBackends: drains, in-flight counts, and the requests. */
#include "view.h"

static void draw_blk(const View *view, Frame *frame, Rect rect, int *line,
                     const ModelObject *blk)
{
    const Model *model = view->session->model;

    pane_line(view, PANE_BLOCK, frame, rect, line,
              blk->since == model->seq ? ROLE_CHANGED : ROLE_NORMAL,
              "%s in flight %" PRIu64 "%s", blk->name, blk->a,
              blk->b ? "  DRAINED" : "");
}

static void draw_request(const View *view, Frame *frame, Rect rect, int *line,
                         const ModelObject *req)
{
    const Model *model = view->session->model;

    pane_line(view, PANE_BLOCK, frame, rect, line,
              req->since == model->seq ? ROLE_CHANGED
              : model->stuck ? ROLE_PROBLEM : ROLE_NORMAL,
              " %s %s %" PRIu64 "+%" PRIu64,
              frame_glyph(frame, req->state == STATE_QUEUED ? GLYPH_OFF
                                                            : GLYPH_ON),
              req->name, req->a, req->b);
}

void draw_block(const View *view, Frame *frame, Rect rect)
{
    const Model *model = view->session->model;
    ModelObject *object;
    int line = 0;

    QTAILQ_FOREACH(object, &model->objects[MODEL_BLK], next) {
        draw_blk(view, frame, rect, &line, object);
    }
    QTAILQ_FOREACH(object, &model->objects[MODEL_REQUEST], next) {
        draw_request(view, frame, rect, &line, object);
    }
    if (line == 0) {
        pane_line(view, PANE_BLOCK, frame, rect, &line, ROLE_DIM,
                  " no BlockBackend");
    }
}
