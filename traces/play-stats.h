/* SPDX-License-Identifier: MIT */
/* What a play measured: latencies, lag and drift. */
#ifndef TRACES_PLAY_STATS_H
#define TRACES_PLAY_STATS_H

#include "histogram.h"
#include "play-plan.h"

typedef struct PlayStats {
    size_t n, done, failed, dropped, outside, waiting;
    size_t unplanned;      /* failures that no fault explains */
    uint64_t bytes;
    int64_t elapsed_ns;    /* from the first issue to the last completion */
    double drift;          /* how much longer than planned, as a part */
    Histogram lag;     /* of those that were issued */
    Histogram all, captured; /* latencies */
    Histogram by_op[TRACE_OP_MAX], captured_by_op[TRACE_OP_MAX];
    uint64_t hash;
} PlayStats;

/* @config: for what was captured; g_free it.  NULL and *errp. */
PlayStats *play_stats_new(const PlayPlan *plan, const PlayConfig *config,
                          Error **errp);
double play_stats_iops(const PlayStats *stats);
/*
 * The same for two plays that were the same, to the nanosecond: from their number
 * on, with each request added.
 */
uint64_t play_hash_add(uint64_t hash, const PlayRequest *request);

#endif
