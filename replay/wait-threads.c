/* SPDX-License-Identifier: MIT */
/*
 * The wait-for graph: where threads are.
 *
 * Of what a thread is in the middle of, the innermost wait says whether it can
 * go on; those around it end only when what they have called returns.
 */
#include "wait-graph-internal.h"

/* ---- A thread's waits ---- */

static const WaitNodeKind wait_kinds[] = {
    [FRAME_POLL] = WAIT_POLL, [FRAME_WAIT] = WAIT_WHILE,
    [FRAME_LOCK] = WAIT_LOCK, [FRAME_COND] = WAIT_COND,
    [FRAME_JOIN] = WAIT_JOIN, [FRAME_LOOP] = WAIT_LOOP,
};

const ModelFrame *wait_frame_at(const ModelThread *thread, unsigned i)
{
    return &g_array_index(thread->frames, ModelFrame, i);
}

/* AIO_WAIT_WHILE() and the aio_poll() that it calls are one wait. */
static unsigned outer_of_wait(const ModelThread *thread, unsigned i)
{
    return i > 0 && wait_frame_at(thread, i)->kind == FRAME_POLL &&
           wait_frame_at(thread, i - 1)->kind == FRAME_WAIT ? i - 1 : i;
}

static unsigned wait_of_frame(WaitGraph *graph, const ModelThread *thread,
                              unsigned i)
{
    const ModelFrame *frame = wait_frame_at(thread, i);
    unsigned index = wait_graph_find(graph, wait_kinds[frame->kind],
                                     frame->seq);

    wait_node_owner(wait_node(graph, index), thread, frame->seq);
    return index;
}

unsigned wait_of_thread(WaitGraph *graph, const ModelThread *thread)
{
    unsigned n = thread->frames->len, index;

    if (n && model_frame_waits(wait_frame_at(thread, n - 1))) {
        return wait_of_frame(graph, thread, outer_of_wait(thread, n - 1));
    }
    index = wait_graph_find(graph, WAIT_THREAD, thread->id);
    wait_node_owner(wait_node(graph, index), thread, thread->last);
    return index;
}

void wait_add_outer(WaitGraph *graph, const ModelThread *thread)
{
    for (unsigned i = thread->frames->len; i > 0; i--) {
        if (wait_frame_at(thread, i - 1)->kind == FRAME_WAIT) {
            wait_of_frame(graph, thread, i - 1);
        }
    }
}

const ModelThread *wait_thread_of_frame(const Model *model, uint64_t seq,
                                        unsigned *index)
{
    for (unsigned t = 0; t < model->threads->len; t++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   t);

        for (unsigned i = 0; i < thread->frames->len; i++) {
            if (wait_frame_at(thread, i)->seq == seq) {
                *index = i;
                return thread;
            }
        }
    }
    return NULL;
}

/* The nearest wait inside frame @i that is not its own aio_poll(). */
unsigned wait_inside(WaitGraph *graph, const ModelThread *thread, unsigned i)
{
    for (unsigned j = i + 1; j < thread->frames->len; j++) {
        if (model_frame_waits(wait_frame_at(thread, j)) &&
            outer_of_wait(thread, j) != i) {
            return wait_of_frame(graph, thread, outer_of_wait(thread, j));
        }
    }
    return WAIT_NO_NODE;
}

unsigned wait_inside_frame(WaitGraph *graph, uint64_t seq)
{
    unsigned i;
    const ModelThread *thread = wait_thread_of_frame(graph->model, seq, &i);

    return thread ? wait_inside(graph, thread, i) : WAIT_NO_NODE;
}

/* ---- Who polls ---- */

const ModelThread *wait_poller(const Model *model, const ModelObject *ctx)
{
    for (unsigned i = 0; ctx && i < model->threads->len; i++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   i);

        if (thread->ctx == ctx->id && !thread->exited) {
            return thread;
        }
    }
    return ctx ? model_thread(model, ctx->owner) : NULL;
}

bool wait_polls(const ModelThread *thread, uint64_t ctx)
{
    unsigned n = thread->frames->len;
    const ModelFrame *frame = n ? wait_frame_at(thread, n - 1) : NULL;

    if (!frame) {
        return false;
    }
    switch (frame->kind) {
    case FRAME_POLL:
        return frame->obj == ctx;
    case FRAME_WAIT: /* about to: that context, or the thread's own */
        return frame->obj == ctx || thread->ctx == ctx;
    default: /* a GLib loop has the context among its sources */
        return frame->kind == FRAME_LOOP;
    }
}

/* Threads of pools wait for work, in the condition of that name. */
static bool waits_for_jobs(const ModelFrame *frame)
{
    return frame->kind == FRAME_COND && frame->text &&
           strstr(frame->site->file, "eventloop/thread-pool") &&
           (g_str_equal(frame->text, "request_cond") ||
            g_str_equal(frame->text, "work_cond"));
}

/* In the middle of nothing but its loop, or its pool's. */
bool wait_thread_is_busy(const ModelThread *thread)
{
    const ModelFrame *frame;

    if (thread->exited) {
        return false;
    }
    if (thread->id == 1 || thread->frames->len != 1) {
        return true;
    }
    frame = wait_frame_at(thread, 0);
    return frame->kind != FRAME_POLL && frame->kind != FRAME_LOOP &&
           !waits_for_jobs(frame);
}
