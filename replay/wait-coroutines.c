/* SPDX-License-Identifier: MIT */
/* The wait-for graph: what coroutines wait for. */
#include "wait-graph-internal.h"

typedef struct Expansion {
    WaitGraph *graph;
    unsigned index;
    const ModelObject *co;
} Expansion;

static void set_end(const Expansion *x, const char *end)
{
    wait_node(x->graph, x->index)->source = !x->graph->quiet;
    wait_node(x->graph, x->index)->end = g_strdup(end);
}

static void link_fact(const Expansion *x, unsigned to, char *until)
{
    const ProbeSite *site = x->co && x->co->waits ? x->co->site : NULL;

    if (to == WAIT_NO_NODE) { /* what was in its way is gone */
        set_end(x, "nothing is in its way");
        g_free(until);
        return;
    }
    wait_graph_link(x->graph, x->index, to, WAIT_COST_FACT, until,
                    site ? g_strdup_printf("%s, %s:%d", site->func, site->file,
                                           site->line) : NULL);
}

static void link_object(const Expansion *x, uint64_t id)
{
    link_fact(x, wait_of_object(x->graph, id),
              wait_object_until(x->graph, id));
}

static void link_somebody(const Expansion *x, const char *until)
{
    link_fact(x, wait_graph_find(x->graph, WAIT_SOMEBODY, x->index),
              g_strdup(until));
}

/* ---- What a coroutine has yielded for ---- */

/* "CoMutex &s->lock" is a CoMutex called lock. */
static const char *name_in(const char *waits)
{
    const char *space = strchr(waits, ' ');

    return space && space[1] ? model_lock_name(space + 1) : NULL;
}

static void expand_told_wait(const Expansion *x)
{
    const char *waits = x->co->waits, *name = name_in(waits);
    bool lock = g_str_has_prefix(waits, "CoMutex") ||
                g_str_has_prefix(waits, "CoRwlock");
    unsigned kind_length = strcspn(waits, "( ");
    unsigned to;

    if (!x->co->a) {
        link_somebody(x, waits);
        return;
    }
    to = wait_graph_find(x->graph, lock ? WAIT_COLOCK : WAIT_COQUEUE, x->co->a);
    link_fact(x, to, g_strdup_printf(lock ? "it has %.*s %s"
                                          : "%.*s %s is restarted",
                                     (int)kind_length, waits,
                                     name ? name : "without a name"));
    if (!wait_node(x->graph, to)->label) {
        wait_node_name(wait_node(x->graph, to),
                       g_strdup_printf(lock ? "%.*s %s is held by"
                                            : "%.*s %s is restarted by",
                                       (int)kind_length, waits,
                                       name ? name : "without a name"),
                       g_strdup_printf("%.*s(%s)", (int)kind_length, waits,
                                       name ? name : "?"));
    }
}

/* The newest thing that it has begun and that is not done. */
static const ModelObject *newest_owned(const Model *model, uint64_t owner)
{
    static const ModelKind owned[] = {MODEL_SQE, MODEL_JOB, MODEL_REQUEST};
    const ModelObject *newest = NULL, *object;

    for (unsigned i = 0; i < ARRAY_SIZE(owned); i++) {
        QTAILQ_FOREACH(object, &model->objects[owned[i]], next) {
            if (object->owner == owner &&
                (object->kind != MODEL_REQUEST ||
                 object->state == STATE_QUEUED) &&
                (!newest || object->since > newest->since)) {
                newest = object;
            }
        }
    }
    return newest;
}

static void expand_yielded(const Expansion *x)
{
    const ModelObject *owned = newest_owned(x->graph->model, x->co->id);

    if (x->co->waits) {
        expand_told_wait(x);
    } else if (wait_link_purposes(x->graph, x->index, PURPOSE_COROUTINE,
                                  x->co->id, NULL)) {
        return;
    } else if (owned) {
        link_object(x, owned->id);
    } else {
        link_somebody(x, "somebody enters it");
    }
}

/* ---- States ---- */

static const ModelFrame *frame_of(const Model *model, uint64_t co,
                                  const ModelThread **thread)
{
    for (unsigned t = 0; t < model->threads->len; t++) {
        *thread = &g_array_index(model->threads, ModelThread, t);
        for (unsigned i = (*thread)->frames->len; i > 0; i--) {
            const ModelFrame *frame = &g_array_index((*thread)->frames,
                                                     ModelFrame, i - 1);

            if (frame->kind == FRAME_COROUTINE && frame->obj == co) {
                return frame;
            }
        }
    }
    return NULL;
}

static void expand_running(const Expansion *x)
{
    const ModelThread *thread;
    const ModelFrame *frame = frame_of(x->graph->model, x->co->id, &thread);
    unsigned inner = frame ? wait_inside_frame(x->graph, frame->seq)
                           : WAIT_NO_NODE;

    if (inner != WAIT_NO_NODE) {
        link_fact(x, inner, g_strdup("what it has called returns"));
    } else if (frame) {
        link_fact(x, wait_of_thread(x->graph, thread),
                  g_strdup_printf("%s goes on", thread->name));
    } else {
        link_somebody(x, "its thread goes on");
    }
}

static void expand_coroutine(const Expansion *x)
{
    g_autofree char *behind = model_name(x->graph->model, x->co->owner);

    switch (x->co->state) {
    case STATE_RUNNING:
        expand_running(x);
        break;
    case STATE_SCHEDULED:
        link_object(x, x->co->ctx);
        break;
    case STATE_QUEUED:
        link_fact(x, wait_of_object(x->graph, x->co->owner),
                  g_strdup_printf("coroutine %s yields or ends", behind));
        break;
    case STATE_SLEEPING:
        link_object(x, x->co->ctx);
        break;
    case STATE_IDLE:
        set_end(x, "nobody has entered it");
        break;
    default:
        expand_yielded(x);
        break;
    }
}

/* Each holder of a share has to give it up. */
static void expand_colock(WaitGraph *graph, unsigned index)
{
    const Model *model = graph->model;
    uint64_t lock = wait_node(graph, index)->id;

    for (unsigned i = 0; i < model->holds->len; i++) {
        const ModelHold *hold = &g_array_index(model->holds, ModelHold, i);
        g_autofree char *name = model_name(model, hold->coroutine);
        unsigned to = wait_of_object(graph, hold->coroutine);

        if (hold->lock == lock && to != WAIT_NO_NODE) {
            wait_graph_link(graph, index, to, WAIT_COST_FACT,
                            g_strdup_printf("coroutine %s", name),
                            g_strdup_printf("%s, %s:%d, event %" PRIu64,
                                            hold->site->func,
                                            hold->site->file,
                                            hold->site->line, hold->seq));
        }
    }
    wait_node(graph, index)->source = !wait_node(graph, index)->edges->len;
}

static void expand_coqueue(WaitGraph *graph, unsigned index)
{
    wait_graph_link(graph, index,
                    wait_graph_find(graph, WAIT_SOMEBODY, index),
                    WAIT_COST_FACT, g_strdup("somebody"), NULL);
}

void wait_expand_coroutine(WaitGraph *graph, unsigned index)
{
    WaitNode *node = wait_node(graph, index);
    Expansion x = {graph, index, model_find(graph->model, node->id)};
    g_autofree char *name = NULL;
    g_autofree char *plain = NULL;

    if (node->kind == WAIT_COLOCK) {
        expand_colock(graph, index);
    } else if (node->kind == WAIT_COQUEUE) {
        expand_coqueue(graph, index);
    } else {
        name = model_name(graph->model, node->id);
        plain = wait_plain_name(x.co->name ? x.co->name : "?");
        node->event = x.co->since;
        node->who = g_strdup_printf("coroutine %s", name);
        wait_node_name(node, g_strdup_printf("coroutine %s goes on when",
                                             name),
                       g_strdup_printf("coroutine(%s)", plain));
        expand_coroutine(&x);
    }
}
