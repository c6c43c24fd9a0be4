/* SPDX-License-Identifier: MIT */
/* The wait-for graph: who could end a wait that nobody has explained. */
#include "wait-graph-internal.h"

typedef struct Search {
    WaitGraph *graph;
    unsigned index;
    const ModelThread *waiter; /* NULL: a coroutine waits */
    uint64_t coroutine; /* or 0 */
    uint64_t queue;     /* those that wait in it cannot, either; or 0 */
} Search;

static void link_guess(const Search *search, unsigned to, unsigned cost,
                       char *until)
{
    wait_graph_link(search->graph, search->index, to, cost, until, NULL);
}

/* What is there to be done, but for what can be done at any time. */
static void guess_work(const Search *search)
{
    static const ModelKind work[] = {
        MODEL_BH, MODEL_SQE, MODEL_JOB, MODEL_REQUEST, MODEL_COROUTINE,
    };
    const Model *model = search->graph->model;
    const ModelObject *object;

    for (unsigned i = 0; i < ARRAY_SIZE(work); i++) {
        QTAILQ_FOREACH(object, &model->objects[work[i]], next) {
            bool waits = object->state != STATE_IDLE &&
                         object->state != STATE_DELETED &&
                         object->state != STATE_RUNNING;

            if (waits && object->id != search->coroutine &&
                !(search->queue && object->kind == MODEL_COROUTINE &&
                  object->a == search->queue)) {
                link_guess(search, wait_of_object(search->graph, object->id),
                           WAIT_COST_LIKELY,
                           wait_object_noun(search->graph, object->id));
            }
        }
    }
}

static void guess_threads(const Search *search)
{
    const Model *model = search->graph->model;

    for (unsigned i = 0; i < model->threads->len; i++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   i);

        if (thread != search->waiter && wait_thread_is_busy(thread)) {
            link_guess(search, wait_of_thread(search->graph, thread),
                       WAIT_COST_PERHAPS, wait_thread_until(model, thread));
        }
    }
}

/* Who called us, from an outer turn of the loop, has more to do. */
static void guess_outer_turns(const Search *search)
{
    const GArray *frames = search->waiter->frames;

    for (unsigned i = 0; i + 2 < frames->len; i++) {
        const ModelFrame *frame = &g_array_index(frames, ModelFrame, i);
        unsigned to;

        if (frame->kind != FRAME_POLL) {
            continue;
        }
        to = wait_graph_find(search->graph, WAIT_POLL, frame->seq);
        wait_node_owner(wait_node(search->graph, to), search->waiter,
                        frame->seq);
        link_guess(search, to, WAIT_COST_PERHAPS,
                   g_strdup_printf("aio_poll depth %" PRIu64 " of %s, which is "
                                   "in a callback", frame->depth,
                                   search->waiter->name));
    }
}

void wait_expand_somebody(WaitGraph *graph, unsigned index)
{
    const WaitNode *waiter = wait_node(graph, wait_node(graph, index)->id);
    Search search = {
        .graph = graph, .index = index,
        .waiter = waiter->thread ? model_thread(graph->model, waiter->thread)
                                 : NULL,
        .coroutine = waiter->kind == WAIT_COROUTINE ? waiter->id : 0,
        .queue = waiter->kind == WAIT_COQUEUE ? waiter->id : 0,
    };

    wait_node_name(wait_node(graph, index), g_strdup("that may be done by"),
                   g_strdup("somebody"));
    wait_node(graph, index)->any = true;
    wait_node(graph, index)->source = !graph->quiet;
    guess_work(&search);
    if (search.waiter) {
        guess_outer_turns(&search);
    }
    guess_threads(&search);
    wait_node(graph, index)->end =
        g_strdup(wait_node(graph, index)->edges->len
                     ? "nobody that is known: who is left waits, too"
                     : "nobody: all else is idle or has ended");
}
