/* SPDX-License-Identifier: MIT */
/* One pass over a plan that was played. */
#include "play-stats.h"

/* ---- The pass ---- */

static void add_done(PlayStats *stats, const PlayRequest *r,
                     PlayCaptured *captured)
{
    int64_t latency = r->completed_ns - r->issued_ns;
    int64_t then = play_captured_latency(captured, r->record);

    histogram_add(&stats->all, latency);
    histogram_add(&stats->by_op[r->op], latency);
    if (then != TRACE_NO_TIME) {
        histogram_add(&stats->captured, then);
        histogram_add(&stats->captured_by_op[r->op], then);
    }
    stats->bytes += r->bytes;
    if (r->result < 0) {
        stats->failed++;
        stats->unplanned += r->result != -r->fault;
    } else {
        stats->done++;
    }
}

/* How late the last request was, as a part of the time that all should take. */
static double drift_of(const PlayPlan *plan)
{
    const PlayRequest *first = NULL, *last = NULL;
    int64_t planned;

    for (size_t i = 0; i < plan->n; i++) {
        const PlayRequest *r = &plan->requests[i];

        if (play_was_done(r)) {
            first = !first || r->planned_ns < first->planned_ns ? r : first;
            last = !last || r->planned_ns > last->planned_ns ? r : last;
        }
    }
    planned = first ? last->planned_ns - first->planned_ns : 0;
    return planned > 0
        ? (double)(last->issued_ns - last->planned_ns) / planned : 0;
}

static void add_request(PlayStats *stats, const PlayRequest *r,
                        PlayCaptured *captured)
{
    if (r->result == PLAY_DROPPED) {
        stats->dropped++;
    } else if (r->result == PLAY_OUTSIDE) {
        stats->outside++;
    } else if (!play_was_done(r)) {
        stats->waiting++;
    } else {
        histogram_add(&stats->lag, r->issued_ns - r->planned_ns);
        add_done(stats, r, captured);
    }
}

PlayStats *play_stats_new(const PlayPlan *plan, const PlayConfig *config,
                          Error **errp)
{
    PlayCaptured *captured = play_captured_new(config, errp);
    PlayStats *stats;
    int64_t begin = INT64_MAX, end = INT64_MIN;

    if (!captured) {
        return NULL;
    }
    stats = g_new0(PlayStats, 1);
    stats->n = plan->n;
    for (size_t i = 0; i < plan->n; i++) {
        const PlayRequest *r = &plan->requests[i];

        add_request(stats, r, captured);
        if (play_was_done(r)) {
            begin = MIN(begin, r->issued_ns);
            end = MAX(end, r->completed_ns);
        }
    }
    stats->elapsed_ns = end > begin ? end - begin : 0;
    stats->drift = drift_of(plan);
    stats->hash = play_hash(plan);
    play_captured_free(captured);
    return stats;
}

double play_stats_iops(const PlayStats *stats)
{
    return stats->elapsed_ns
        ? (double)(stats->done + stats->failed) * NANOSECONDS_PER_SECOND /
          stats->elapsed_ns : 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

uint64_t play_hash(const PlayPlan *plan)
{
    uint64_t hash = plan->n;

    for (size_t i = 0; i < plan->n; i++) {
        const PlayRequest *r = &plan->requests[i];

        hash = mix(hash, r->issued_ns);
        hash = mix(hash, r->completed_ns);
        hash = mix(hash, (uint32_t)r->result);
    }
    return hash;
}
