/* SPDX-License-Identifier: MIT */
/* The wait-for graph: what contexts, requests and reasons wait for. */
#include "wait-graph-internal.h"

/* ---- Objects as nodes ---- */

typedef struct Kind {
    WaitNodeKind node;
    FrameKind frame;  /* in which it runs */
    const char *noun; /* "bottom half %s" */
    const char *done; /* of an edge to it: "bottom half %s has run" */
    const char *when; /* "bottom half %s runs when" */
} Kind;

/* By kind of the model's objects. */
static const Kind kinds[MODEL_KIND_MAX] = {
    [MODEL_CONTEXT] = {WAIT_CONTEXT, 0, "%s", "somebody polls %s",
                       "%s is polled by"},
    [MODEL_HANDLER] = {WAIT_HANDLER, FRAME_FD, "the handler of %s",
                       "the handler of %s has run",
                       "the handler of %s runs when"},
    [MODEL_BH] = {WAIT_BH, FRAME_BH, "bottom half %s",
                  "bottom half %s has run", "bottom half %s runs when"},
    [MODEL_TIMER] = {WAIT_TIMER, FRAME_TIMER, "the timer %s",
                     "the timer %s has fired", "the timer %s fires when"},
    [MODEL_COROUTINE] = {WAIT_COROUTINE, FRAME_COROUTINE, "coroutine %s",
                         "coroutine %s goes on", "coroutine %s goes on when"},
    [MODEL_BLK] = {WAIT_DRAIN, 0, "%s", "%s has no request in flight",
                   "%s is drained when"},
    [MODEL_REQUEST] = {WAIT_REQUEST, 0, "request %s", "request %s is done",
                       "request %s is done when"},
    [MODEL_SQE] = {WAIT_SQE, FRAME_CQE, "the completion of %s",
                   "the completion of %s is dispatched",
                   "the completion of %s comes when"},
    [MODEL_MUTEX] = {WAIT_MUTEX, 0, "mutex %s", "mutex %s is given up", NULL},
    [MODEL_JOB] = {WAIT_JOB, FRAME_JOB, "the pool's job %s",
                   "the pool's job %s is done",
                   "the pool's job %s is done when"},
    [MODEL_REASON] = {WAIT_REASON, 0, "%s", "%s is done", "%s is done when"},
};

unsigned wait_of_object(WaitGraph *graph, uint64_t id)
{
    const ModelObject *object = model_find(graph->model, id);
    const ModelThread *thread = id >> 32 ? NULL
                                         : model_thread(graph->model, id);

    if (thread) {
        return wait_of_thread(graph, thread);
    }
    return object ? wait_graph_find(graph, kinds[object->kind].node, id)
                  : WAIT_NO_NODE;
}

/* @format holds one %s, for a name. */
static char *with_name(const char *format, const char *name)
{
    const char *at = strstr(format, "%s");

    return g_strdup_printf("%.*s%s%s", (int)(at - format), format, name,
                           at + 2);
}

char *wait_object_until(const WaitGraph *graph, uint64_t id)
{
    const ModelObject *object = model_find(graph->model, id);
    const ModelThread *thread = id >> 32 ? NULL
                                         : model_thread(graph->model, id);
    g_autofree char *name = model_name(graph->model, id);

    if (thread) {
        return g_strdup_printf("thread %s has done it", thread->name);
    }
    return with_name(kinds[object->kind].done, name);
}

char *wait_object_noun(const WaitGraph *graph, uint64_t id)
{
    g_autofree char *name = model_name(graph->model, id);

    return with_name(kinds[model_find(graph->model, id)->kind].noun, name);
}

/* ---- Expanding ---- */

void wait_link_to(const WaitExpansion *x, unsigned to, char *until, char *note)
{
    wait_graph_link(x->graph, x->index, to, WAIT_COST_FACT, until, note);
}

void wait_link_object(const WaitExpansion *x, uint64_t id)
{
    unsigned to = wait_of_object(x->graph, id);

    if (to != WAIT_NO_NODE) {
        wait_link_to(x, to, wait_object_until(x->graph, id), NULL);
    }
}

static void link_somebody(const WaitExpansion *x, const char *until)
{
    wait_link_to(x, wait_graph_find(x->graph, WAIT_SOMEBODY, x->index),
            g_strdup(until), NULL);
}

/* Nothing leads on from here, but what comes from outside. */
void wait_set_end(const WaitExpansion *x, char *end)
{
    WaitNode *node = wait_node(x->graph, x->index);

    node->source = !x->graph->quiet;
    node->end = end;
}

static void link_context(const WaitExpansion *x, uint64_t ctx)
{
    if (model_find(x->graph->model, ctx)) {
        wait_link_object(x, ctx);
    } else {
        wait_set_end(x, g_strdup("its context is gone"));
    }
}

/* It is in the middle of its callback, which waits; or does not. */
static void link_running(const WaitExpansion *x)
{
    const Model *model = x->graph->model;
    FrameKind kind = kinds[x->object->kind].frame;

    for (unsigned t = 0; t < model->threads->len; t++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   t);

        for (unsigned i = 0; i < thread->frames->len; i++) {
            const ModelFrame *frame = &g_array_index(thread->frames,
                                                     ModelFrame, i);
            unsigned inner;

            if (frame->kind != kind || frame->obj != x->id) {
                continue;
            }
            inner = wait_inside_frame(x->graph, frame->seq);
            wait_link_to(x, inner != WAIT_NO_NODE
                           ? inner : wait_of_thread(x->graph, thread),
                    g_strdup("its callback has returned"), NULL);
            return;
        }
    }
    wait_set_end(x, g_strdup("nobody knows where it runs"));
}

static void expand_context(const WaitExpansion *x)
{
    const ModelThread *thread = wait_poller(x->graph->model, x->object);

    if (!thread) {
        wait_set_end(x, g_strdup("nobody: no thread has it as its own"));
        wait_node(x->graph, x->index)->verdict = "dead context";
    } else if (thread->exited) {
        wait_set_end(x, g_strdup_printf("nobody: %s has ended", thread->name));
        wait_node(x->graph, x->index)->verdict = "dead context";
        wait_node(x->graph, x->index)->source = false;
    } else if (wait_polls(thread, x->id)) {
        wait_set_end(x, g_strdup_printf("%s, which sleeps there and was not "
                                   "notified", thread->name));
    } else {
        wait_link_to(x, wait_of_thread(x->graph, thread),
                wait_thread_until(x->graph->model, thread), NULL);
    }
}

static void expand_bh(const WaitExpansion *x)
{
    switch (x->object->state) {
    case STATE_SCHEDULED:
    case STATE_TAKEN:
        link_context(x, x->object->ctx);
        break;
    case STATE_RUNNING:
        link_running(x);
        break;
    default:
        wait_set_end(x, g_strdup("nobody has scheduled it"));
        break;
    }
}

static void expand_handler(const WaitExpansion *x)
{
    if (x->object->state == STATE_DISABLED) {
        wait_set_end(x, g_strdup_printf("nobody: it is disabled since event %"
                                   PRIu64, x->object->since));
        wait_node(x->graph, x->index)->verdict = "disabled handler";
    } else if (x->object->state == STATE_RUNNING) {
        link_running(x);
    } else {
        link_context(x, x->object->ctx);
    }
}

static void expand_timer(const WaitExpansion *x)
{
    if (x->object->state == STATE_RUNNING) {
        link_running(x);
    } else if (x->object->state == STATE_SCHEDULED) {
        link_context(x, x->object->ctx);
    } else {
        wait_set_end(x, g_strdup("nobody has armed it"));
    }
}

static void expand_sqe(const WaitExpansion *x)
{
    if (x->object->state == STATE_RUNNING) {
        link_running(x);
    } else {
        link_context(x, x->object->ctx);
    }
}

/* Who could begin with it is busy with another one. */
static void expand_job(const WaitExpansion *x)
{
    const Model *model = x->graph->model;
    const ModelObject *other;

    if (x->object->state == STATE_RUNNING) {
        link_running(x);
        return;
    }
    wait_node(x->graph, x->index)->any = true;
    QTAILQ_FOREACH(other, &model->objects[MODEL_JOB], next) {
        if (other->state == STATE_RUNNING && other->ctx == x->object->ctx) {
            wait_link_object(x, other->id);
        }
    }
    if (!wait_node(x->graph, x->index)->edges->len) {
        wait_set_end(x, g_strdup("no thread of the pool has begun with it"));
    }
}

static void expand_request(const WaitExpansion *x)
{
    const ModelObject *blk = model_find(x->graph->model, x->object->ctx);
    const ModelThread *drainer = blk ? model_thread(x->graph->model,
                                                    blk->owner) : NULL;
    g_autofree char *name = blk ? model_name(x->graph->model, blk->id) : NULL;

    if (x->object->state == STATE_QUEUED && drainer) {
        wait_link_to(x, wait_of_thread(x->graph, drainer),
                g_strdup_printf("%s ends the drain of %s", drainer->name,
                                name), NULL);
    } else if (model_find(x->graph->model, x->object->owner)) {
        wait_link_object(x, x->object->owner);
    } else {
        link_somebody(x, "somebody completes it");
    }
}

/* A callback of a request is called with that counted, and is within it. */
static void guess_callback(const WaitExpansion *x)
{
    const ModelThread *thread = model_thread(x->graph->model,
                                             x->object->owner);
    g_autofree char *who = thread ? wait_thread_until(x->graph->model, thread)
                                  : NULL;

    if (who && !g_str_equal(who, thread->name)) {
        wait_graph_link(x->graph, x->index, wait_of_thread(x->graph, thread),
                        WAIT_COST_LIKELY,
                        g_strdup_printf("%s, gives its own count back", who),
                        NULL);
    } else {
        wait_set_end(x, g_strdup("nothing is in flight, and nobody says so"));
    }
}

/* All that is in flight has to end. */
static void expand_drain(const WaitExpansion *x)
{
    const ModelObject *request;

    QTAILQ_FOREACH(request, &x->graph->model->objects[MODEL_REQUEST], next) {
        if (request->ctx == x->id && request->state == STATE_PENDING) {
            wait_link_object(x, request->id);
        }
    }
    if (!wait_node(x->graph, x->index)->edges->len) {
        guess_callback(x);
    }
}

void wait_expand_work(WaitGraph *graph, unsigned index)
{
    static void (*const expand[WAIT_NODE_KINDS])(const WaitExpansion *) = {
        [WAIT_CONTEXT] = expand_context, [WAIT_BH] = expand_bh,
        [WAIT_HANDLER] = expand_handler, [WAIT_TIMER] = expand_timer,
        [WAIT_SQE] = expand_sqe, [WAIT_JOB] = expand_job,
        [WAIT_REQUEST] = expand_request, [WAIT_DRAIN] = expand_drain,
        [WAIT_REASON] = wait_expand_reason,
        [WAIT_COMPLETION] = wait_expand_completion,
    };
    WaitNode *node = wait_node(graph, index);
    WaitExpansion x = {
        graph, index, model_find(graph->model, node->id), node->id,
    };
    g_autofree char *name = model_name(graph->model, x.id);
    g_autofree char *plain = NULL;

    node->event = x.object->since;
    if (node->kind != WAIT_COMPLETION) {
        plain = wait_plain_name(x.object->name ? x.object->name : "?");
        wait_node_name(node, with_name(kinds[x.object->kind].when, name),
                       g_strdup_printf("%s(%s)",
                                       wait_node_table[node->kind].name,
                                       plain));
    }
    expand[node->kind](&x);
}
