/* SPDX-License-Identifier: MIT */
/* Events around the position; what comes later is dim. */
#include "view.h"

#include "report.h"

static void draw_event(const View *view, Frame *frame, int row, Rect rect,
                       uint64_t seq)
{
    const Session *session = view->session;
    const Model *model = session->model;
    ProbeEvent event = event_store_get(session->events, seq);
    const ModelThread *thread = model_thread(model, event.thread);
    g_autofree char *time = report_time(event.t_ns);
    g_autofree char *what = report_event(model, &event);
    bool now = seq == session->position;
    bool problem = event.kind == PROBE_STUCK || event.kind == PROBE_CHECK;
    g_autofree char *text = g_strdup_printf(
        "%s%6" PRIu64 " %10s %-9.9s %s%s",
        now ? frame_glyph(frame, GLYPH_NOW) : " ", seq, time,
        thread ? thread->name : "?", view->breakpoints[event.kind] ? "*" : " ",
        what);

    frame_put(frame, row, rect.col, rect.cols,
              problem ? ROLE_PROBLEM : now ? ROLE_NOW
              : seq > session->position ? ROLE_DIM : ROLE_NORMAL, text);
    if (now && view->focus == PANE_LOG) {
        frame->cursor_row = row;
        frame->cursor_col = rect.col;
    }
}

void draw_log(const View *view, Frame *frame, Rect rect)
{
    uint64_t count = session_count(view->session);
    int64_t last = (int64_t)view->session->position + 2 +
                   view->scroll[PANE_LOG];
    int64_t first;

    last = CLAMP(last, rect.rows, (int64_t)MAX(count, (uint64_t)rect.rows));
    first = last - rect.rows + 1;
    for (int64_t seq = first; seq <= last; seq++) {
        if (seq >= 1 && seq <= (int64_t)count) {
            draw_event(view, frame, rect.row + (seq - first), rect, seq);
        }
    }
}
