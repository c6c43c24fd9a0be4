/* SPDX-License-Identifier: MIT */
/* The wait-for graph: what the program has said of its waits. */
#include "wait-graph-internal.h"

/* "A, B" of those that the same callback has fetched. */
static char *batch_names(const Model *model, const ModelObject *held)
{
    GString *names = g_string_new(NULL);

    for (unsigned position = 1; position <= held->b; position++) {
        const ModelObject *other;
        const char *name = "...";

        QTAILQ_FOREACH(other, &model->objects[MODEL_REASON], next) {
            if (other->batch == held->batch && other->a == position &&
                other->b == held->b && other->name) {
                name = strrchr(other->name, ' ') ? strrchr(other->name, ' ') + 1
                                                 : other->name;
            }
        }
        g_string_append_printf(names, "%s%s", position > 1 ? ", " : "", name);
    }
    return g_string_free(names, false);
}

/* The aio_poll() in which frame @seq is, or the frame itself. */
static uint64_t poll_around(const Model *model, uint64_t seq, uint64_t *depth)
{
    unsigned i;
    const ModelThread *thread = wait_thread_of_frame(model, seq, &i);

    for (; thread && i > 0; i--) {
        const ModelFrame *frame = &g_array_index(thread->frames, ModelFrame,
                                                 i - 1);

        if (frame->kind == FRAME_POLL) {
            *depth = frame->depth;
            return frame->seq;
        }
    }
    return 0;
}

/* Of a reason that is held: its holder goes on when what it called returns. */
void wait_expand_completion(const WaitExpansion *x)
{
    const Model *model = x->graph->model;
    const ModelThread *thread = model_thread(model, x->object->owner);
    uint64_t depth, poll = poll_around(model, x->object->c, &depth);
    g_autofree char *names = batch_names(model, x->object);
    unsigned to;

    wait_node_name(wait_node(x->graph, x->index),
                   g_strdup("that completion is held by"),
                   g_strdup("completion"));
    if (poll) {
        to = wait_graph_find(x->graph, WAIT_POLL, poll);
        wait_node_owner(wait_node(x->graph, to), thread, poll);
        wait_link_to(x, to,
                g_strdup_printf("aio_poll depth %" PRIu64 " of %s, batch [%s], "
                                "position %" PRIu64 " of %" PRIu64, depth,
                                thread->name, names, x->object->a,
                                x->object->b), NULL);
    } else if (thread) {
        wait_link_to(x, wait_of_thread(x->graph, thread),
                g_strdup_printf("%s, batch [%s], position %" PRIu64 " of %"
                                PRIu64, thread->name, names, x->object->a,
                                x->object->b), NULL);
    } else {
        wait_link_object(x, x->object->owner);
    }
}

static void expand_begun(const WaitExpansion *x)
{
    const ModelThread *thread = model_thread(x->graph->model,
                                             x->object->owner);
    unsigned inner = x->object->c ? wait_inside_frame(x->graph, x->object->c)
                                  : WAIT_NO_NODE;

    if (inner != WAIT_NO_NODE) {
        wait_link_to(x, inner, g_strdup("its callback has returned"), NULL);
    } else if (thread) {
        wait_link_to(x, wait_of_thread(x->graph, thread),
                g_strdup_printf("%s has done it", thread->name), NULL);
    } else {
        wait_link_object(x, x->object->owner);
    }
}

void wait_expand_reason(const WaitExpansion *x)
{
    const ModelObject *reason = x->object;

    if (reason->state == STATE_HELD) {
        wait_link_to(x, wait_graph_find(x->graph, WAIT_COMPLETION, x->id),
                g_strdup("its completion is dispatched"), NULL);
    } else if (reason->state == STATE_RUNNING) {
        expand_begun(x);
    } else if (reason->state == STATE_DONE) {
        wait_set_end(x, g_strdup_printf("it is, since event %" PRIu64 "; but "
                                        "nobody has woken who waits for it",
                                        reason->since));
    } else if (reason->disabled) {
        wait_set_end(x, g_strdup("its handler runs, and that is not there"));
        wait_node(x->graph, x->index)->verdict = "disabled handler";
    } else if (reason->owner) {
        wait_link_object(x, reason->owner);
    }
    if (!wait_node(x->graph, x->index)->edges->len &&
        !wait_node(x->graph, x->index)->end) {
        wait_set_end(x, g_strdup("nobody is there to do it"));
    }
}

bool wait_link_purposes(WaitGraph *graph, unsigned index, PurposeOf of,
                        uint64_t waiter, const char *note)
{
    const Model *model = graph->model;
    bool any = false;

    for (unsigned i = 0; i < model->purposes->len; i++) {
        const ModelPurpose *purpose = &g_array_index(model->purposes,
                                                     ModelPurpose, i);
        unsigned to;

        if (purpose->of != of || purpose->waiter != waiter) {
            continue;
        }
        to = wait_of_object(graph, purpose->what);
        if (to != WAIT_NO_NODE) {
            wait_graph_link(graph, index, to, WAIT_COST_FACT,
                            wait_object_until(graph, purpose->what),
                            g_strdup(note));
            any = true;
        }
    }
    return any;
}
