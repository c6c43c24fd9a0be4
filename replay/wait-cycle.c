/* SPDX-License-Identifier: MIT */
/*
 * The headline of a wait-for graph: its cheapest cycle among the nodes that can
 * never go on, or the chain to where nobody is left; and what that is called.
 *
 * A cycle with two guesses in it would explain anything, so it may have one.
 * Where only one is left who could have done it, that is no guess.
 */
#include "wait-graph-internal.h"

/* ---- Shortest ways ---- */

/* A node, reached with or without a guess. */
typedef struct Reached {
    unsigned cost; /* UINT_MAX: not yet */
    unsigned from, edge; /* the state before, and the edge out of its node */
} Reached;

typedef struct Ways {
    const WaitGraph *graph;
    GArray *reached; /* of Reached, by state: 2 * node + guessed */
    GPtrArray *by_cost; /* of GArray of states */
    unsigned limit;  /* what costs more is of no use */
} Ways;

static bool matters(const WaitNode *node)
{
    return !node->alive && !node->idle;
}

static bool is_guess(const WaitNode *node)
{
    return node->kind == WAIT_SOMEBODY && node->edges->len > 1;
}

static unsigned state_of(const WaitGraph *graph, unsigned node, bool guessed)
{
    return 2 * node + (guessed || is_guess(wait_node(graph, node)));
}

static void put(Ways *ways, unsigned state, unsigned cost)
{
    while (ways->by_cost->len <= cost) {
        g_ptr_array_add(ways->by_cost,
                        g_array_new(false, false, sizeof(unsigned)));
    }
    g_array_append_val((GArray *)ways->by_cost->pdata[cost], state);
}

static void reach(Ways *ways, unsigned from, unsigned edge_index)
{
    const WaitGraph *graph = ways->graph;
    const WaitEdge *edge = wait_edge(wait_node(graph, from / 2), edge_index);
    unsigned cost = g_array_index(ways->reached, Reached, from).cost +
                    edge->cost;
    bool guessed = from & 1;
    unsigned to = state_of(graph, edge->to, guessed);
    Reached *reached = &g_array_index(ways->reached, Reached, to);

    if (wait_node(graph, edge->to)->alive || cost > ways->limit ||
        cost >= reached->cost ||
        (guessed && is_guess(wait_node(graph, edge->to)))) {
        return;
    }
    *reached = (Reached){cost, from, edge_index};
    put(ways, to, cost);
}

static void ways_init(Ways *ways, const WaitGraph *graph, unsigned limit)
{
    *ways = (Ways){
        .graph = graph, .limit = limit,
        .reached = g_array_sized_new(false, false, sizeof(Reached),
                                     2 * graph->nodes->len),
        .by_cost = g_ptr_array_new_with_free_func(
            (GDestroyNotify)g_array_unref),
    };
    for (unsigned i = 0; i < 2 * graph->nodes->len; i++) {
        Reached none = {UINT_MAX, WAIT_NO_NODE, WAIT_NO_NODE};

        g_array_append_val(ways->reached, none);
    }
}

static void ways_finish(Ways *ways)
{
    g_array_free(ways->reached, true);
    g_ptr_array_free(ways->by_cost, true);
}

/*
 * All ways out of @start, the cheapest first; back at it, too, because it is
 * not reached in the beginning.
 */
static void find_ways(Ways *ways, unsigned start)
{
    unsigned first = state_of(ways->graph, start, false);

    for (unsigned i = 0; i < wait_node(ways->graph, start)->edges->len; i++) {
        g_array_index(ways->reached, Reached, first).cost = 0;
        reach(ways, first, i);
        g_array_index(ways->reached, Reached, first).cost = UINT_MAX;
    }
    for (unsigned cost = 0; cost < ways->by_cost->len; cost++) {
        GArray *states = ways->by_cost->pdata[cost];

        for (unsigned i = 0; i < states->len; i++) {
            unsigned state = g_array_index(states, unsigned, i);
            const WaitNode *node = wait_node(ways->graph, state / 2);

            if (state / 2 == start ||
                g_array_index(ways->reached, Reached, state).cost != cost) {
                continue;
            }
            for (unsigned j = 0; j < node->edges->len; j++) {
                reach(ways, state, j);
            }
        }
    }
}

/* The steps from @start to @state, which was reached. */
static GArray *steps_to(const Ways *ways, unsigned start, unsigned state)
{
    GArray *steps = g_array_new(false, false, sizeof(WaitStep));

    do {
        const Reached *reached = &g_array_index(ways->reached, Reached, state);
        WaitStep step = {reached->from / 2, reached->edge};

        g_array_prepend_val(steps, step);
        state = reached->from;
    } while (state / 2 != start);
    return steps;
}

/* ---- Words for a chain ---- */

/* The labels from step @first on. */
static char *labels(const WaitGraph *graph, const GArray *steps, unsigned first)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < steps->len; i++) {
        const WaitStep *step = &g_array_index(steps, WaitStep,
                                              (first + i) % steps->len);

        g_string_append_printf(text, "%s%s", i ? " > " : "",
                               wait_node(graph, step->node)->label);
    }
    return g_string_free(text, false);
}

/* A cycle begins where its labels come first in the alphabet. */
static char *canonical(const WaitGraph *graph, const GArray *steps, bool cycle)
{
    char *least = labels(graph, steps, 0);

    for (unsigned i = 1; cycle && i < steps->len; i++) {
        char *other = labels(graph, steps, i);

        if (strcmp(other, least) < 0) {
            g_free(least);
            least = other;
        } else {
            g_free(other);
        }
    }
    return least;
}

/* ---- Choosing ---- */

static unsigned total_cost(const WaitGraph *graph, const GArray *steps)
{
    unsigned cost = 0;

    for (unsigned i = 0; i < steps->len; i++) {
        const WaitStep *step = &g_array_index(steps, WaitStep, i);

        cost += wait_edge(wait_node(graph, step->node), step->edge)->cost;
    }
    return cost;
}

/* The cheaper of two; of equals the one whose words come first. */
static GArray *better(const WaitGraph *graph, GArray *a, GArray *b)
{
    unsigned cost_a = a ? total_cost(graph, a) : UINT_MAX;
    unsigned cost_b = total_cost(graph, b);
    bool take_b = cost_b < cost_a;

    if (cost_a == cost_b) {
        g_autofree char *words_a = canonical(graph, a, true);
        g_autofree char *words_b = canonical(graph, b, true);

        take_b = strcmp(words_b, words_a) < 0;
    }
    if (a) {
        g_array_free(take_b ? a : b, true);
    }
    return take_b ? b : a;
}

static GArray *cheapest_cycle(const WaitGraph *graph)
{
    unsigned limit = UINT_MAX - WAIT_COST_PERHAPS;
    GArray *best = NULL;

    for (unsigned i = 0; i < graph->nodes->len; i++) {
        const WaitNode *node = wait_node(graph, i);
        unsigned end = state_of(graph, i, false);
        Ways ways;

        if (!matters(node) || (!node->thread && node->kind != WAIT_COROUTINE)) {
            continue; /* each cycle has one of these */
        }
        ways_init(&ways, graph, limit);
        find_ways(&ways, i);
        if (g_array_index(ways.reached, Reached, 2 * i + 1).cost <
            g_array_index(ways.reached, Reached, end).cost) {
            end = 2 * i + 1;
        }
        if (g_array_index(ways.reached, Reached, end).cost != UINT_MAX) {
            best = better(graph, best, steps_to(&ways, i, end));
            limit = total_cost(graph, best);
        }
        ways_finish(&ways);
    }
    return best;
}

/* Where a chain may end: nothing leads on, or nobody knows who would. */
static bool is_end(const WaitNode *node)
{
    return node->end && (!node->edges->len || node->kind == WAIT_SOMEBODY);
}

static GArray *chain_from(const WaitGraph *graph, unsigned start)
{
    unsigned best = WAIT_NO_NODE, least = UINT_MAX;
    WaitStep last = {start, WAIT_NO_NODE};
    GArray *steps;
    Ways ways;

    ways_init(&ways, graph, UINT_MAX - WAIT_COST_PERHAPS);
    find_ways(&ways, start);
    for (unsigned state = 0; state < ways.reached->len; state++) {
        unsigned cost = g_array_index(ways.reached, Reached, state).cost;

        if (cost < least && is_end(wait_node(graph, state / 2))) {
            best = state;
            least = cost;
        }
    }
    steps = best == WAIT_NO_NODE ? g_array_new(false, false, sizeof(WaitStep))
                                 : steps_to(&ways, start, best);
    if (best != WAIT_NO_NODE) {
        last.node = best / 2;
    }
    g_array_append_val(steps, last);
    ways_finish(&ways);
    return steps;
}

/* The thread that was there first, or a coroutine. */
static GArray *chain_to_nobody(const WaitGraph *graph)
{
    for (int of_threads = 1; of_threads >= 0; of_threads--) {
        for (unsigned i = 0; i < graph->nodes->len; i++) {
            const WaitNode *node = wait_node(graph, i);

            if (matters(node) && (of_threads ? node->thread != 0
                                             : node->kind == WAIT_COROUTINE)) {
                return chain_from(graph, i);
            }
        }
    }
    return NULL;
}

/* People begin with the thread that was there first. */
static void rotate(const WaitGraph *graph, GArray *steps)
{
    uint32_t least = UINT32_MAX;
    unsigned first = 0;
    g_autoptr(GArray) old = g_array_copy(steps);

    for (unsigned i = 0; i < steps->len; i++) {
        const WaitNode *node =
            wait_node(graph, g_array_index(steps, WaitStep, i).node);

        if (node->thread && node->thread < least && node->kind != WAIT_POLL) {
            least = node->thread;
            first = i;
        }
    }
    for (unsigned i = 0; i < steps->len; i++) {
        g_array_index(steps, WaitStep, i) =
            g_array_index(old, WaitStep, (first + i) % old->len);
    }
}

void wait_graph_find_chain(WaitGraph *graph)
{
    GArray *steps = graph->stuck ? cheapest_cycle(graph) : NULL;

    graph->cycle = steps != NULL;
    if (steps) {
        rotate(graph, steps);
    } else if (graph->stuck) {
        steps = chain_to_nobody(graph);
    }
    if (steps) {
        g_array_append_vals(graph->chain, steps->data, steps->len);
        g_array_free(steps, true);
    }
}

char *wait_chain_labels(const WaitGraph *graph)
{
    return canonical(graph, graph->chain, graph->cycle);
}
