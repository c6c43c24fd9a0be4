/* SPDX-License-Identifier: MIT */
/* The line of C that emitted the event. */
#include "view.h"

void draw_source(const View *view, Frame *frame, Rect rect)
{
    const ProbeSite *site = view_site(view);
    int line = 0, first, count;

    if (!site) {
        return;
    }
    pane_line(view, PANE_SOURCE, frame, rect, &line, ROLE_DIM, "%s:%d  %s()",
              site->file, site->line, site->func);
    if (!view->source_lines) {
        return;
    }
    first = MAX(1, site->line - (rect.rows - 1) / 2);
    count = g_strv_length(view->source_lines);
    for (int n = first; n <= MIN(count, first + 200); n++) {
        bool now = n == site->line;

        pane_line(view, PANE_SOURCE, frame, rect, &line,
                  now ? ROLE_NOW : ROLE_NORMAL, "%s%4d  %s",
                  now ? frame_glyph(frame, GLYPH_NOW) : " ", n,
                  view->source_lines[n - 1]);
    }
}
