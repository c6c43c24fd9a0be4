/* SPDX-License-Identifier: MIT */
/* The wait-for graph: what threads and their locks wait for. */
#include "wait-graph-internal.h"

/* ---- Words ---- */

/* Who does @frame, if the program has said: "the callback of request A". */
static const ModelObject *reason_of_frame(const Model *model, uint64_t seq)
{
    ModelObject *reason;

    QTAILQ_FOREACH(reason, &model->objects[MODEL_REASON], next) {
        if (reason->state == STATE_RUNNING && reason->c == seq) {
            return reason;
        }
    }
    return NULL;
}

static char *callback_name(const Model *model, const ModelFrame *frame)
{
    static const char *const what[] = {
        [FRAME_BH] = "bottom half", [FRAME_FD] = "the handler of",
        [FRAME_TIMER] = "the timer", [FRAME_CQE] = "the completion of",
        [FRAME_COROUTINE] = "coroutine", [FRAME_JOB] = "a thread pool's",
    };
    const ModelObject *reason = reason_of_frame(model, frame->seq);
    g_autofree char *name = model_name(model, frame->obj);

    return reason && reason->name
               ? g_strdup_printf("the callback of %s", reason->name)
               : g_strdup_printf("%s %s", what[frame->kind], name);
}

/* "complete, from the callback of request A" */
char *wait_place(const Model *model, const ModelThread *thread, unsigned i)
{
    const ProbeSite *site = wait_frame_at(thread, i)->site;
    GString *text = g_string_new(site->func);

    for (unsigned j = i; j > 0; j--) {
        if (!model_frame_waits(wait_frame_at(thread, j - 1))) {
            g_autofree char *name = callback_name(model,
                                                  wait_frame_at(thread, j - 1));

            g_string_append_printf(text, ", from %s", name);
            return g_string_free(text, false);
        }
    }
    g_string_append_printf(text, ", %s:%d", site->file, site->line);
    return g_string_free(text, false);
}

char *wait_thread_until(const Model *model, const ModelThread *thread)
{
    const ModelFrame *frame = NULL;

    for (unsigned i = thread->frames->len; i > 0 && !frame; i--) {
        if (!model_frame_waits(wait_frame_at(thread, i - 1))) {
            frame = wait_frame_at(thread, i - 1);
        }
    }
    if (frame) {
        g_autofree char *name = callback_name(model, frame);

        return g_strdup_printf("%s, which is in %s", thread->name, name);
    }
    return g_strdup(thread->name);
}

/* ---- Expanding, a kind at a time ---- */

typedef struct Expansion {
    WaitGraph *graph;
    unsigned index;
    const ModelThread *thread;
    unsigned at; /* the frame */
    const ModelFrame *frame;
} Expansion;

static void name_node(const Expansion *x, char *subject, const char *what,
                      const char *name)
{
    wait_node_name(wait_node(x->graph, x->index), subject,
                   g_strdup_printf("%s(%s)@%s", what, name ? name : "?",
                                   x->frame->site->func));
}

/* Nobody has said who ends it. */
static void link_somebody(const Expansion *x, const char *until)
{
    unsigned somebody = wait_graph_find(x->graph, WAIT_SOMEBODY, x->index);

    wait_graph_link(x->graph, x->index, somebody, WAIT_COST_FACT,
                    g_strdup(until),
                    wait_place(x->graph->model, x->thread, x->at));
}

static void link_purposes_or_somebody(const Expansion *x, const char *until)
{
    g_autofree char *note = wait_place(x->graph->model, x->thread, x->at);

    if (!wait_link_purposes(x->graph, x->index, PURPOSE_FRAME, x->frame->seq,
                            note)) {
        link_somebody(x, until);
    }
}

static void expand_while(const Expansion *x)
{
    const ModelFrame *poll = x->at + 1 < x->thread->frames->len
                                 ? wait_frame_at(x->thread, x->at + 1) : NULL;
    const char *text = x->frame->text ? x->frame->text : "its condition";
    g_autofree char *until = g_strdup_printf("(%s) is false", text);
    char *subject = poll && poll->kind == FRAME_POLL
                        ? g_strdup_printf("%s waits in aio_poll depth %" PRIu64
                                          " until", x->thread->name,
                                          poll->depth)
                        : g_strdup_printf("%s waits until", x->thread->name);

    name_node(x, subject, "wait", text);
    link_purposes_or_somebody(x, until);
}

/* It waits for work, which may always come. */
static void set_idle(const Expansion *x)
{
    WaitNode *node = wait_node(x->graph, x->index);

    node->idle = node->source = true;
    node->end = g_strdup("somebody wakes it, and nobody does");
}

static void expand_poll(const Expansion *x)
{
    const char *name = x->thread->name;

    if (x->at + 1 < x->thread->frames->len) { /* an outer one */
        name_node(x, g_strdup_printf("aio_poll depth %" PRIu64
                                     " continues when", x->frame->depth),
                  "poll", "nested");
        if (wait_inside(x->graph, x->thread, x->at) == WAIT_NO_NODE) {
            wait_node(x->graph, x->index)->source = !x->graph->quiet;
            wait_node(x->graph, x->index)->end = g_strdup("its callback runs");
        }
        return;
    }
    name_node(x, g_strdup_printf("%s sleeps in aio_poll depth %" PRIu64
                                 " until", name, x->frame->depth),
              "poll", "outer");
    if (!wait_thread_is_busy(x->thread)) {
        set_idle(x);
    } else {
        link_somebody(x, "its context has an event");
    }
}

static void expand_loop(const Expansion *x)
{
    name_node(x, g_strdup_printf("%s sleeps in GLib's loop until",
                                 x->thread->name), "loop", "glib");
    if (!wait_thread_is_busy(x->thread)) {
        set_idle(x);
    } else {
        link_somebody(x, "one of its sources is ready");
    }
}

static void expand_lock(const Expansion *x)
{
    const Model *model = x->graph->model;
    g_autofree char *name = model_name(model, x->frame->obj);
    unsigned mutex = wait_graph_find(x->graph, WAIT_MUTEX, x->frame->obj);

    name_node(x, g_strdup_printf("%s waits for", x->thread->name), "lock",
              x->frame->text ? x->frame->text : "mutex");
    wait_graph_link(x->graph, x->index, mutex, WAIT_COST_FACT,
                    g_strdup_printf("mutex %s", name),
                    wait_place(model, x->thread, x->at));
}

static void expand_cond(const Expansion *x)
{
    WaitNode *node = wait_node(x->graph, x->index);
    const char *name = x->frame->text ? x->frame->text : "a condition";
    g_autofree char *until = g_strdup_printf("%s is signalled", name);

    name_node(x, g_strdup_printf("%s waits until", x->thread->name),
              "condition", name);
    node->source = x->frame->timeout_ns >= 0;
    if (!wait_thread_is_busy(x->thread)) {
        set_idle(x);
    } else if (!node->source) {
        link_purposes_or_somebody(x, until);
    }
}

static void expand_join(const Expansion *x)
{
    const ModelThread *other = model_thread(x->graph->model, x->frame->obj);

    name_node(x, g_strdup_printf("%s waits until", x->thread->name), "join",
              other ? "thread" : "?");
    if (!other || other->exited) {
        wait_node(x->graph, x->index)->source = true;
    } else {
        wait_graph_link(x->graph, x->index, wait_of_thread(x->graph, other),
                        WAIT_COST_FACT,
                        g_strdup_printf("thread %s ends", other->name),
                        wait_place(x->graph->model, x->thread, x->at));
    }
}

static void expand_mutex(WaitGraph *graph, unsigned index)
{
    uint64_t id = wait_node(graph, index)->id;
    const ModelObject *mutex = model_find(graph->model, id);
    const ModelThread *holder = mutex ? model_thread(graph->model, mutex->a)
                                      : NULL;
    g_autofree char *name = model_name(graph->model, id);

    wait_node_name(wait_node(graph, index),
                   g_strdup_printf("mutex %s is held by", name),
                   g_strdup_printf("mutex(%s)", mutex && mutex->name
                                                    ? mutex->name : "?"));
    if (!holder) {
        wait_node(graph, index)->source = true; /* it is free */
        return;
    }
    wait_node(graph, index)->event = mutex->cause;
    wait_graph_link(graph, index, wait_of_thread(graph, holder),
                    WAIT_COST_FACT, g_strdup(holder->name),
                    g_strdup_printf("%s, %s:%d, event %" PRIu64,
                                    mutex->site->func, mutex->site->file,
                                    mutex->site->line, mutex->cause));
}

/* It does not wait; or it does, and somebody wants its end. */
static void expand_plain(WaitGraph *graph, unsigned index)
{
    WaitNode *node = wait_node(graph, index);
    const ModelThread *thread = model_thread(graph->model, node->id);

    wait_node_name(node, g_strdup_printf("%s goes on when", thread->name),
                   g_strdup("thread"));
    if (thread->exited) {
        node->end = g_strdup_printf("%s has ended", thread->name);
        node->idle = true;
        return;
    }
    node->source = !graph->quiet;
    node->end = g_strdup_printf("%s does not wait for anything that is known",
                                thread->name);
}

/* Whatever else it waits for, what it has called must return. */
static void link_inside(const Expansion *x)
{
    unsigned inner = wait_inside(x->graph, x->thread, x->at);
    const ModelFrame *frame;
    unsigned i;

    if (inner == WAIT_NO_NODE) {
        return;
    }
    wait_thread_of_frame(x->graph->model, wait_node(x->graph, inner)->id, &i);
    frame = wait_frame_at(x->thread, i);
    if (frame->kind == FRAME_WAIT && i + 1 < x->thread->frames->len) {
        frame = wait_frame_at(x->thread, i + 1);
    }
    wait_graph_link(x->graph, x->index, inner, WAIT_COST_FACT,
                    frame->kind == FRAME_POLL
                        ? g_strdup_printf("depth %" PRIu64 " returns",
                                          frame->depth)
                        : g_strdup("the wait in its callback is over"), NULL);
}

void wait_expand_thread(WaitGraph *graph, unsigned index)
{
    static void (*const expand[])(const Expansion *) = {
        [WAIT_WHILE] = expand_while, [WAIT_POLL] = expand_poll,
        [WAIT_LOOP] = expand_loop, [WAIT_LOCK] = expand_lock,
        [WAIT_COND] = expand_cond, [WAIT_JOIN] = expand_join,
    };
    Expansion x = {.graph = graph, .index = index};
    WaitNodeKind kind = wait_node(graph, index)->kind;

    if (kind == WAIT_MUTEX) {
        expand_mutex(graph, index);
    } else if (kind == WAIT_THREAD) {
        expand_plain(graph, index);
    } else {
        x.thread = wait_thread_of_frame(graph->model,
                                        wait_node(graph, index)->id, &x.at);
        x.frame = wait_frame_at(x.thread, x.at);
        expand[kind](&x);
        link_inside(&x);
    }
}
