/* SPDX-License-Identifier: MIT */
/* A screen: title, panes, footer; a pure function of the view. */
#include "view.h"

#include "keymap.h"
#include "report.h"

const Pane panes[PANE_MAX] = {
    [PANE_CONTEXTS] = {"Contexts", draw_contexts},
    [PANE_COROUTINES] = {"Coroutines", draw_coroutines},
    [PANE_BLOCK] = {"Requests and drains", draw_block},
    [PANE_LOOP] = {"Loop", draw_loop},
    [PANE_SOURCE] = {"Source", draw_source},
    [PANE_LOG] = {"Log", draw_log},
    [PANE_TIME] = {"Time", draw_time},
    [PANE_CHOICES] = {"Choices", draw_choices},
    [PANE_WAITS] = {"Waits", draw_waits},
};

const ModelThread *view_thread(const View *view)
{
    return model_thread(view->session->model, view->session->model->thread);
}

const ProbeSite *view_site(const View *view)
{
    const ModelThread *thread = view_thread(view);
    const ModelFrame *wait = thread && thread->stuck
                                 ? model_top_frame(thread, FRAME_WAIT) : NULL;

    if (!view->session->position) {
        return NULL;
    }
    return wait ? wait->site : session_event(view->session).site;
}

void pane_line(const View *view, PaneId pane, Frame *frame, Rect rect,
               int *line, Role role, const char *fmt, ...)
{
    int row = (*line)++ - view->scroll[pane];
    g_autofree char *text = NULL;
    va_list ap;

    if (row < 0 || row >= rect.rows) {
        return;
    }
    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    frame_put(frame, rect.row + row, rect.col, rect.cols, role, text);
    if (role == ROLE_NOW && pane == view->focus) {
        frame->cursor_row = rect.row + row;
        frame->cursor_col = rect.col;
    }
}

/* How the run ended, once the position is at its end. */
static const char *verdict(const Session *session)
{
    if (session->position < session_count(session)) {
        return NULL;
    }
    switch (session->end) {
    case SESSION_STUCK:
        return "DEADLOCK";
    case SESSION_FAILED:
        return "CHECK FAILED";
    case SESSION_CRASHED:
        return "CRASHED";
    case SESSION_DIVERGED:
        return "DIVERGED";
    case SESSION_CUT:
    case SESSION_BUDGET:
        return "CUT HERE";
    default:
        return NULL;
    }
}

static void draw_title(const View *view, Frame *frame)
{
    const Session *session = view->session;
    g_autofree char *time = report_time(session->model->t_ns);
    g_autofree char *fork = view->forks
        ? g_strdup_printf(" fork %u", view->forks) : g_strdup("");
    g_autofree char *text = g_strdup_printf(
        " %s%s   t=%s   event %" PRIu64 "/%" PRIu64, session->title, fork, time,
        session->position, session_count(session));
    const char *problem = verdict(session);

    frame_put(frame, 0, 0, frame->cols, ROLE_TITLE, text);
    if (problem) {
        g_autofree char *marked = g_strdup_printf(
            "%s %s ", frame_glyph(frame, GLYPH_PROBLEM), problem);
        int width = g_utf8_strlen(marked, -1);

        frame_put(frame, 0, MAX(0, frame->cols - width), width, ROLE_PROBLEM,
                  marked);
    }
}

static void draw_footer(const View *view, Frame *frame)
{
    static const Action shown[] = {
        ACTION_STEP, ACTION_NEXT, ACTION_ITERATION, ACTION_FINISH,
        ACTION_CONTINUE, ACTION_GOTO, ACTION_WAITS, ACTION_HELP, ACTION_QUIT,
        ACTION_FOCUS, ACTION_ZOOM, ACTION_BREAK, ACTION_CHOICES, ACTION_FORK,
    };
    int row = frame->rows - 1, col = 1;

    if (view->prompt) {
        g_autofree char *text = g_strdup_printf("%s: %s_",
                                                view->prompt_label,
                                                view->prompt);

        frame_put(frame, row, 1, frame->cols - 1, ROLE_KEY, text);
        return;
    }
    if (view->message) {
        frame_put(frame, row, 1, frame->cols - 1, ROLE_NORMAL, view->message);
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(shown); i++) {
        const char *help = key_table[shown[i]].short_help;
        const char *keys = keymap_keys(shown[i]);
        int width = strlen(keys) + 1 + strlen(help) + 1;

        if (col + width > frame->cols) {
            break;
        }
        col += frame_put(frame, row, col, frame->cols - col, ROLE_KEY, keys);
        col += 1;
        col += frame_put(frame, row, col, frame->cols - col, ROLE_DIM, help);
        col += frame->cols >= 100 ? 2 : 1;
    }
}

static void draw_too_small(Frame *frame)
{
    g_autofree char *need = g_strdup_printf("needs %d x %d", LAYOUT_MIN_COLS,
                                            LAYOUT_MIN_ROWS);
    g_autofree char *have = g_strdup_printf("has %d x %d", frame->cols,
                                            frame->rows);

    frame_put(frame, 0, 0, frame->cols, ROLE_PROBLEM, "too small");
    frame_put(frame, 1, 0, frame->cols, ROLE_NORMAL, need);
    frame_put(frame, 2, 0, frame->cols, ROLE_NORMAL, have);
    frame_put(frame, 3, 0, frame->cols, ROLE_KEY, "q quits");
}

static void draw_pane(const View *view, Frame *frame, PaneId id, Rect rect)
{
    bool focus = id == view->focus;
    g_autofree char *title = g_strdup_printf("%d %s", id + 1, panes[id].title);
    Rect inside = {rect.row + 1, rect.col + 1, rect.rows - 2, rect.cols - 2};

    frame_box(frame, rect, focus ? ROLE_FOCUS : ROLE_BORDER, title);
    if (inside.rows > 0 && inside.cols > 0) {
        panes[id].draw(view, frame, inside);
    }
}

Frame *screen(const View *view, int rows, int cols)
{
    Frame *frame = frame_new(rows, cols, view->ascii);
    Rect rects[PANE_MAX];

    if (rows < LAYOUT_MIN_ROWS || cols < LAYOUT_MIN_COLS) {
        draw_too_small(frame);
        return frame;
    }
    if (view->help) {
        draw_help(frame);
        return frame;
    }
    layout(rows, cols, view->focus, view->zoom, rects);
    for (PaneId id = 0; id < PANE_MAX; id++) {
        if (id != view->focus && rects[id].rows) {
            draw_pane(view, frame, id, rects[id]);
        }
    }
    draw_pane(view, frame, view->focus, rects[view->focus]);
    frame_finish_borders(frame);
    draw_title(view, frame);
    draw_footer(view, frame);
    return frame;
}
