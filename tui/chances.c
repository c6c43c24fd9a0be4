/* SPDX-License-Identifier: MIT */
/* How likely a failure is along the run, if a search has told. */
#include "view.h"

enum { NAME_COLS = 10 };

int view_chance(const View *view, uint64_t n)
{
    const Finding *f = view->finding;
    int percent = -1;

    if (!f || view->forks || f->events != session_count(view->session)) {
        return -1;
    }
    if (n >= f->point_of_no_return) {
        return 100;
    }
    for (unsigned i = 0; i < f->chances->len; i++) {
        const FailureChance *c = &g_array_index(f->chances, FailureChance, i);

        if (c->event <= n) {
            percent = c->percent;
        }
    }
    return percent;
}

/* Only what is certain is the highest, and what never fails is empty. */
static const char *bar(const Frame *frame, int percent)
{
    return percent <= 0 ? " "
         : frame_glyph(frame, percent == 100 ? GLYPH_BAR8
                                             : GLYPH_BAR1 + percent * 7 / 100);
}

void draw_chances(const View *view, Frame *frame, Rect rect, int64_t first)
{
    const Session *session = view->session;
    int64_t count = session_count(session);
    int now = view_chance(view, session->position);
    g_autofree char *label = g_strdup_printf("%3d%% fail", now);

    frame_put(frame, rect.row, rect.col, NAME_COLS,
              now == 100 ? ROLE_PROBLEM : ROLE_NORMAL, label);
    for (int i = 0; i < rect.cols - NAME_COLS && first + i <= count; i++) {
        int percent = view_chance(view, first + i);
        bool here = first + i == (int64_t)session->position;

        frame_put(frame, rect.row, rect.col + NAME_COLS + i, 1,
                  here ? ROLE_NOW : percent == 100 ? ROLE_PROBLEM
                                                   : ROLE_NORMAL,
                  bar(frame, percent));
    }
}
