/* SPDX-License-Identifier: MIT */
/* One pass over a plan that was played. */
#include "play-stats.h"

/* ---- A hash ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

uint64_t play_hash_add(uint64_t hash, const PlayRequest *r)
{
    hash = mix(hash, r->issued_ns);
    hash = mix(hash, r->completed_ns);
    return mix(hash, (uint32_t)r->result);
}

/* ---- What was played ---- */

typedef struct PlaySpan {
    int64_t begin, end; /* of issues and completions */
    const PlayRequest *first, *last; /* as planned; or NULL */
} PlaySpan;

static void add_done(PlayStats *stats, PlaySpan *span, const PlayRequest *r)
{
    histogram_add(&stats->lag, r->issued_ns - r->planned_ns);
    histogram_add(&stats->by_op[r->op], r->completed_ns - r->issued_ns);
    stats->bytes += r->bytes;
    if (r->result < 0) {
        stats->failed++;
        stats->unplanned += r->result != -r->fault;
    } else {
        stats->done++;
    }
    span->begin = MIN(span->begin, r->issued_ns);
    span->end = MAX(span->end, r->completed_ns);
    if (!span->first || r->planned_ns < span->first->planned_ns) {
        span->first = r;
    }
    if (!span->last || r->planned_ns > span->last->planned_ns) {
        span->last = r;
    }
}

static void add_request(PlayStats *stats, PlaySpan *span, const PlayRequest *r)
{
    if (r->result == PLAY_DROPPED) {
        stats->dropped++;
    } else if (r->result == PLAY_OUTSIDE) {
        stats->outside++;
    } else if (!play_was_done(r)) {
        stats->waiting++;
    } else {
        add_done(stats, span, r);
    }
}

/* How late the last request was, as a part of the time that all should take. */
static double drift_of(const PlaySpan *span)
{
    const PlayRequest *first = span->first, *last = span->last;
    int64_t planned = first ? last->planned_ns - first->planned_ns : 0;

    return planned > 0
        ? (double)(last->issued_ns - last->planned_ns) / planned : 0;
}

static void add_requests(PlayStats *stats, const PlayPlan *plan)
{
    PlaySpan span = {.begin = INT64_MAX, .end = INT64_MIN};

    stats->n = stats->hash = plan->n;
    for (size_t i = 0; i < plan->n; i++) {
        const PlayRequest *r = &plan->requests[i];

        add_request(stats, &span, r);
        stats->hash = play_hash_add(stats->hash, r);
    }
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        histogram_add_all(&stats->all, &stats->by_op[op]);
    }
    stats->elapsed_ns = span.end > span.begin ? span.end - span.begin : 0;
    stats->drift = drift_of(&span);
}

/* ---- What was captured ---- */

/* In how many loops was it played? */
static unsigned times_done(const PlayPlan *plan, size_t i)
{
    unsigned n = 0;

    for (; i < plan->n; i += plan->per_loop) {
        n += play_was_done(&plan->requests[i]);
    }
    return n;
}

/* The trace is read once, however many loops there are. */
static void add_captured(PlayStats *stats, const PlayPlan *plan,
                         PlayCaptured *captured)
{
    bool all = stats->done + stats->failed == plan->n;
    unsigned loops = plan->n / plan->per_loop;

    for (size_t i = 0; i < plan->per_loop; i++) {
        const PlayRequest *r = &plan->requests[i];
        int64_t then = play_captured_latency(captured, r->record);
        unsigned n = then == TRACE_NO_TIME ? 0
                   : all ? loops : times_done(plan, i);

        if (n) {
            histogram_add_many(&stats->captured_by_op[r->op], then, n);
        }
    }
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        histogram_add_all(&stats->captured, &stats->captured_by_op[op]);
    }
}

PlayStats *play_stats_new(const PlayPlan *plan, const PlayConfig *config,
                          Error **errp)
{
    PlayCaptured *captured = play_captured_new(config, errp);
    PlayStats *stats;

    if (!captured) {
        return NULL;
    }
    stats = g_new0(PlayStats, 1);
    add_requests(stats, plan);
    add_captured(stats, plan, captured);
    play_captured_free(captured);
    return stats;
}

double play_stats_iops(const PlayStats *stats)
{
    return stats->elapsed_ns
        ? (double)(stats->done + stats->failed) * NANOSECONDS_PER_SECOND /
          stats->elapsed_ns : 0;
}
