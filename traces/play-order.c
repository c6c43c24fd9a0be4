/* SPDX-License-Identifier: MIT */
/*
 * Who is issued by which thread, who waits for whom, and how many were in
 * flight; computed once, from the times of the capture.
 */
#include "play-plan.h"

int64_t play_at_speed(int64_t ns, double speed)
{
    double scaled = ns / speed;

    return scaled > PLAY_TIME_MAX ? PLAY_TIME_MAX
         : scaled < -PLAY_TIME_MAX ? -PLAY_TIME_MAX : (int64_t)scaled;
}

/* ---- Completions in order ---- */

typedef struct Completion {
    int64_t ns;
    uint32_t request;
} Completion;

static int by_completion(gconstpointer a, gconstpointer b)
{
    const Completion *x = a, *y = b;

    return x->ns != y->ns ? (x->ns < y->ns ? -1 : 1)
         : x->request < y->request ? -1 : x->request > y->request;
}

/* What has no known end, ends where it begins. */
static GArray *completions_of(const PlayTimes *times, size_t n)
{
    GArray *all = g_array_sized_new(false, false, sizeof(Completion), n);

    for (size_t i = 0; i < n; i++) {
        Completion c = {MAX(times[i].complete_ns, times[i].start_ns), i};

        g_array_append_val(all, c);
    }
    g_array_sort(all, by_completion);
    return all;
}

/* ---- Lanes ---- */

/* A process keeps to its thread, unless there are too few of them. */
static void choose_lanes(PlayPlan *plan, const PlayTimes *times)
{
    g_autoptr(GHashTable) processes = g_hash_table_new(NULL, NULL);
    bool by_process;

    if (plan->lanes == 1) {
        return;
    }
    for (size_t i = 0; i < plan->n; i++) {
        g_hash_table_add(processes, GUINT_TO_POINTER(times[i].process));
    }
    by_process = g_hash_table_size(processes) >= 2 * plan->lanes;
    for (size_t i = 0; i < plan->n; i++) {
        plan->requests[i].lane = (by_process ? times[i].process : i) %
                                 plan->lanes;
    }
}

/* ---- Dependencies ---- */

static void depend(PlayRequest *r, PlayPlan *plan, uint32_t on, int64_t ns,
                   double speed)
{
    r->after = on + 1;
    r->at_ns = play_at_speed(ns, speed);
    r->lane = plan->requests[on].lane;
}

/*
 * A request waits for the last completion before it: of its own process, or,
 * if that was at most epsilon ago, of anybody.
 */
static void find_dependencies(PlayPlan *plan, const PlayConfig *config,
                              const PlayTimes *times)
{
    bool closed = config->timing == PLAY_CLOSED_LOOP;
    g_autoptr(GArray) all = completions_of(times, plan->n);
    g_autoptr(GHashTable) latest = g_hash_table_new(NULL, NULL);
    size_t at = 0;

    for (size_t i = 0; i < plan->n; i++) {
        gpointer own = GUINT_TO_POINTER(closed ? times[i].process : 0);
        const Completion *c;
        uint32_t on;

        for (; at < all->len; at++) {
            c = &g_array_index(all, Completion, at);
            if (c->ns > times[i].start_ns || c->request >= i) {
                break;
            }
            g_hash_table_insert(
                latest,
                GUINT_TO_POINTER(closed ? times[c->request].process : 0),
                GUINT_TO_POINTER(at + 1));
        }
        on = GPOINTER_TO_UINT(g_hash_table_lookup(latest, own));
        if (!on) {
            continue;
        }
        c = &g_array_index(all, Completion, on - 1);
        if (closed || times[i].start_ns - c->ns <= config->epsilon_ns) {
            depend(&plan->requests[i], plan, c->request,
                   times[i].start_ns - c->ns, config->speed);
        }
    }
}

/* How many of its lane were in flight when a request began, and itself. */
static void find_depths(PlayPlan *plan, const PlayTimes *times)
{
    g_autoptr(GArray) all = completions_of(times, plan->n);
    unsigned in_flight[64] = {0};
    size_t at = 0;

    for (size_t i = 0; i < plan->n; i++) {
        PlayRequest *r = &plan->requests[i];

        for (; at < all->len; at++) {
            const Completion *c = &g_array_index(all, Completion, at);

            if (c->ns > times[i].start_ns || c->request >= i) {
                break;
            }
            in_flight[plan->requests[c->request].lane]--;
        }
        r->depth = MIN(++in_flight[r->lane], UINT16_MAX);
    }
}

/* ---- Faults ---- */

static void place_faults(PlayPlan *plan, const PlayConfig *config,
                         const PlayTimes *times)
{
    for (unsigned i = 0; i < config->faults->len; i++) {
        PlayFault fault = g_array_index(config->faults, PlayFault, i);

        for (size_t k = 0; k < plan->n && fault.count; k++) {
            PlayRequest *r = &plan->requests[k];

            if (times[k].start_ns >= fault.at_ns && !r->fault &&
                (fault.op == TRACE_OP_MAX || fault.op == r->op)) {
                r->fault = fault.error;
                fault.count--;
            }
        }
        plan->faults_left += fault.count;
    }
}

/*
 * Drains are at a time of the trace.  Where the play does not keep these, that
 * is when the first request from then on is issued.
 */
static void place_drains(PlayPlan *plan, const PlayConfig *config,
                         const PlayTimes *times)
{
    size_t k = 0;

    for (unsigned i = 0; i < config->drains->len; i++) {
        int64_t at = g_array_index(config->drains, PlayDrain, i).at_ns;

        while (k < plan->n && (times[k].start_ns < at ||
                               plan->requests[k].drains)) {
            k++;
        }
        if (k < plan->n) {
            plan->requests[k].drains = true;
        }
    }
}

/* ---- Loops and links ---- */

static void measure_span(PlayPlan *plan, const PlayConfig *config,
                         const PlayTimes *times)
{
    int64_t first = times[0].start_ns, last = times[plan->n - 1].start_ns;

    if (config->to_ns != INT64_MAX) {
        plan->span_ns = config->to_ns - config->from_ns;
    } else if (first != TRACE_NO_TIME) {
        int64_t mean = plan->n > 1 ? (last - first) / ((int64_t)plan->n - 1)
                                   : 0;

        plan->span_ns = MIN(last - config->from_ns, PLAY_TIME_MAX) +
                        MIN(mean, PLAY_TIME_MAX);
    }
    plan->span_ns = MIN(play_at_speed(plan->span_ns, config->speed),
                        PLAY_TIME_MAX / config->loops);
}

static void add_loops(PlayPlan *plan, unsigned loops)
{
    for (unsigned loop = 1; loop < loops; loop++) {
        size_t base = loop * plan->per_loop;

        for (size_t i = 0; i < plan->per_loop; i++) {
            PlayRequest r = plan->requests[i];

            if (r.after) {
                r.after += base;
            } else {
                r.at_ns += loop * plan->span_ns;
            }
            r.fault = 0;
            r.drains = false;
            plan->requests[base + i] = r;
        }
    }
    plan->n *= loops;
}

static void link_requests(PlayPlan *plan)
{
    for (size_t i = plan->n; i > 0; i--) {
        PlayRequest *r = &plan->requests[i - 1];
        uint32_t *head = r->after ? &plan->requests[r->after - 1].first
                                  : &plan->heads[r->lane];

        r->next = *head;
        *head = i;
        plan->in_lane[r->lane]++;
    }
}

void play_plan_order(PlayPlan *plan, const PlayConfig *config,
                     const PlayTimes *times)
{
    plan->lanes = MAX(config->iothreads, 1);
    choose_lanes(plan, times);
    if (config->timing == PLAY_CLOSED_LOOP ||
        config->timing == PLAY_DEPENDENCIES) {
        find_dependencies(plan, config, times);
    } else if (config->timing == PLAY_MATCH_DEPTH) {
        find_depths(plan, times);
    }
    place_faults(plan, config, times);
    if (config->timing != PLAY_CAPTURED) {
        place_drains(plan, config, times);
    }
    measure_span(plan, config, times);
    add_loops(plan, config->loops);
    link_requests(plan);
}
