/* SPDX-License-Identifier: MIT */
/* Threads and their contexts: what each is in the middle of. */
#include "view.h"

#include "report.h"

static const char *const doing_names[] = {
    [FRAME_POLL] = "in aio_poll", [FRAME_WAIT] = "AIO_WAIT_WHILE",
    [FRAME_BH] = "in bottom half", [FRAME_FD] = "in fd handler",
    [FRAME_TIMER] = "in timer", [FRAME_CQE] = "in completion",
    [FRAME_COROUTINE] = "in coroutine", [FRAME_JOB] = "in a job",
    [FRAME_LOCK] = "wants a mutex", [FRAME_COND] = "wants a signal",
    [FRAME_JOIN] = "joins", [FRAME_LOOP] = "waiting",
};

static const char *doing(const ModelFrame *frame)
{
    return frame->kind == FRAME_POLL && frame->sleeping
               ? "waiting" : doing_names[frame->kind];
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
