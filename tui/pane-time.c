/* SPDX-License-Identifier: MIT */
/* A lane for each thread, a column for each event: who ran when. */
#include "view.h"

enum { NAME_COLS = 10 };

static Glyph glyph_for(const ProbeEvent *event, const ModelThread *thread)
{
    if (event->thread != thread->id) {
        return GLYPH_LANE;
    }
    return event->kind == PROBE_POLL_WAIT || event->kind == PROBE_STUCK
               ? GLYPH_SLEEP : GLYPH_BUSY;
}

/* The event in the first column. */
static int64_t first_event(const Session *session, Rect rect)
{
    int64_t width = rect.cols - NAME_COLS;
    int64_t count = session_count(session), position = session->position;

    return MAX(1, MIN(position - width * 2 / 3, count - width + 1));
}

static void draw_lane(const View *view, Frame *frame, Rect rect, int row,
                      const ModelThread *thread)
{
    const Session *session = view->session;
    int width = rect.cols - NAME_COLS;
    int64_t count = session_count(session), position = session->position;
    int64_t first = first_event(session, rect);
    g_autofree char *name = g_strdup_printf("%-9.9s", thread->name);

    frame_put(frame, row, rect.col, NAME_COLS, ROLE_DIM, name);
    for (int i = 0; i < width && first + i <= count; i++) {
        ProbeEvent event = event_store_get(session->events, first + i);
        bool here = first + i == position;
        Glyph glyph = glyph_for(&event, thread);

        if (here && event.thread == thread->id) {
            glyph = GLYPH_HERE;
        }
        frame_put(frame, row, rect.col + NAME_COLS + i, 1,
                  here ? ROLE_NOW : first + i > position ? ROLE_DIM
                                                         : ROLE_NORMAL,
                  frame_glyph(frame, glyph));
    }
}

void draw_time(const View *view, Frame *frame, Rect rect)
{
    const Model *model = view->session->model;

    if (view_chance(view, view->session->position) >= 0) {
        draw_chances(view, frame, rect, first_event(view->session, rect));
        rect.row++;
        rect.rows--;
    }
    for (unsigned i = 0; i < model->threads->len; i++) {
        int row = (int)i - view->scroll[PANE_TIME];

        if (row >= 0 && row < rect.rows) {
            draw_lane(view, frame, rect, rect.row + row,
                      &g_array_index(model->threads, ModelThread, i));
        }
    }
}
