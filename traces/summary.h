/* SPDX-License-Identifier: MIT */
/*
 * What a captured trace was like, in numbers: computed in one pass over its
 * records, in memory that does not grow with them.
 */
#ifndef TRACES_SUMMARY_H
#define TRACES_SUMMARY_H

#include "histogram.h"
#include "store.h"

enum {
    SUMMARY_SLICES = 60,   /* of the trace's time */
    SUMMARY_PLACES = 16,   /* of the range of offsets */
    SUMMARY_LATENCIES = 12, /* decades by thirds: see summary_latency_from() */
    SUMMARY_SIZES = 24,    /* powers of two from 512 bytes */
    SUMMARY_SLOWEST = 10,
    SUMMARY_GROUPS = 4096, /* devices or processes that are told apart */
};

/* Requests of one operation, one device or one process. */
typedef struct SummaryGroup {
    uint64_t n, bytes;
    Histogram *latency; /* of those whose end is known */
} SummaryGroup;

typedef struct SummarySlow {
    uint64_t seq;
    TraceRecord record;
    int64_t latency_ns;
    const char *reason; /* "queue" or "device": where most went; or NULL */
} SummarySlow;

typedef struct TraceSummary {
    TraceAt at;
    uint64_t records, bytes_read, bytes_written, errors, unfinished;
    int64_t span_ns;
    uint64_t largest_offset; /* the end of what lies furthest behind */
    SummaryGroup all, ops[TRACE_OP_MAX];
    GArray *devices, *processes; /* of SummaryGroup, by number */
    uint64_t qualities[TRACE_QUALITY_COUNT];

    /* Over time: requests that began, and how many were in flight, on average
     * and at most. */
    uint64_t begun[SUMMARY_SLICES];
    double depth[SUMMARY_SLICES];
    unsigned depth_most[SUMMARY_SLICES], depth_max;
    /* Offsets and latencies against time. */
    uint32_t places[SUMMARY_PLACES][SUMMARY_SLICES];
    uint32_t latencies[SUMMARY_LATENCIES][SUMMARY_SLICES];

    uint64_t sizes[SUMMARY_SIZES];
    uint64_t sequential, ranged; /* begins where the device's last one ended */
    Histogram *gaps; /* between one request and the next */
    double gap_cv;   /* their standard deviation by their mean: 1 is random */

    SummarySlow slowest[SUMMARY_SLOWEST];
    unsigned n_slowest;
} TraceSummary;

/* NULL and *errp if the log is damaged or holds no trace. */
TraceSummary *trace_summary_new(Log *log, Error **errp);
void trace_summary_free(TraceSummary *summary);

/* The least latency of a row of the heat map, in nanoseconds. */
int64_t summary_latency_from(unsigned row);
/* Indices of the groups with the most requests, at most @n. */
unsigned summary_largest(const GArray *groups, unsigned *indices, unsigned n);

#endif
