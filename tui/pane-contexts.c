/* SPDX-License-Identifier: MIT */
/* Threads and their contexts: what each is in the middle of. */
#include "view.h"

#include "report.h"

static const char *doing(const ModelFrame *frame)
{
    switch (frame->kind) {
    case FRAME_POLL:
        return frame->sleeping ? "waiting" : "in aio_poll";
    case FRAME_WAIT:
        return "AIO_WAIT_WHILE";
    case FRAME_BH:
        return "in bottom half";
    case FRAME_FD:
        return "in fd handler";
    case FRAME_TIMER:
        return "in timer";
    case FRAME_CQE:
        return "in completion";
    case FRAME_COROUTINE:
        return "in coroutine";
    }
    return "";
}

static void draw_thread(const View *view, Frame *frame, Rect rect, int *line,
                        const ModelThread *thread)
{
    const Model *model = view->session->model;
    bool now = thread->id == model->thread;
    const ModelFrame *top =
        thread->frames->len ? &g_array_index(thread->frames, ModelFrame,
                                             thread->frames->len - 1) : NULL;
    const ModelFrame *poll = model_top_frame(thread, FRAME_POLL);
    const ModelFrame *wait = model_top_frame(thread, FRAME_WAIT);
    Role role = thread->stuck ? ROLE_PROBLEM : now ? ROLE_NOW : ROLE_NORMAL;

    pane_line(view, PANE_CONTEXTS, frame, rect, line, role, "%s%-9s %s %s",
              now ? frame_glyph(frame, GLYPH_NOW) : " ", thread->name,
              thread->exited ? "ended" : top ? doing(top) : "running",
              thread->stuck ? frame_glyph(frame, GLYPH_PROBLEM) : "");
    if (wait) {
        pane_line(view, PANE_CONTEXTS, frame, rect, line,
                  thread->stuck ? ROLE_PROBLEM : ROLE_DIM, "   while %s",
                  wait->text);
    }
    if (poll && poll->sleeping) {
        g_autofree char *time = report_time(poll->timeout_ns);

        pane_line(view, PANE_CONTEXTS, frame, rect, line, ROLE_DIM,
                  "   depth %" PRIu64 ", timeout %s", poll->depth,
                  poll->timeout_ns < 0 ? "none" : time);
    } else if (poll) {
        pane_line(view, PANE_CONTEXTS, frame, rect, line, ROLE_DIM,
                  "   depth %" PRIu64, poll->depth);
    }
}

void draw_contexts(const View *view, Frame *frame, Rect rect)
{
    const Model *model = view->session->model;
    int line = 0;

    for (unsigned i = 0; i < model->threads->len; i++) {
        draw_thread(view, frame, rect, &line,
                    &g_array_index(model->threads, ModelThread, i));
    }
}
