/* SPDX-License-Identifier: MIT */
/* What a play measured: latencies, lag and drift. */
#ifndef TRACES_PLAY_STATS_H
#define TRACES_PLAY_STATS_H

#include "play-plan.h"

/* Counts of times, by logarithm, to 3 % of each. */
enum { HISTOGRAM_SUB_BITS = 5, HISTOGRAM_BUCKETS = 60 << HISTOGRAM_SUB_BITS };

typedef struct PlayHistogram {
    uint64_t n;
    double sum;
    int64_t most;
    uint32_t buckets[HISTOGRAM_BUCKETS];
} PlayHistogram;

/* Negative times count as 0. */
void play_histogram_add(PlayHistogram *h, int64_t ns);
/* That which @part of all, from 0 to 1, do not exceed; 0 if there are none. */
int64_t play_histogram_at(const PlayHistogram *h, double part);

typedef struct PlayStats {
    size_t n, done, failed, dropped, outside, waiting;
    size_t unplanned;      /* failures that no fault explains */
    uint64_t bytes;
    int64_t elapsed_ns;    /* from the first issue to the last completion */
    double drift;          /* how much longer than planned, as a part */
    PlayHistogram lag;     /* of those that were issued */
    PlayHistogram all, captured; /* latencies */
    PlayHistogram by_op[TRACE_OP_MAX], captured_by_op[TRACE_OP_MAX];
    uint64_t hash;
} PlayStats;

/* @config: for what was captured; g_free it.  NULL and *errp. */
PlayStats *play_stats_new(const PlayPlan *plan, const PlayConfig *config,
                          Error **errp);
double play_stats_iops(const PlayStats *stats);
/* The same for two plays that were the same, to the nanosecond. */
uint64_t play_hash(const PlayPlan *plan);

#endif
