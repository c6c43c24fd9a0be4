/* SPDX-License-Identifier: MIT */
/*
 * Runs: stretches of records in order, of which a trace has more than one if
 * its times go back further than the writer's window.  They are kept packed in
 * a temporary table, and merged in the end, some at a time.
 */
#ifndef TRACES_RUNS_H
#define TRACES_RUNS_H

#include "log.h"
#include "record.h"

typedef struct TraceRuns TraceRuns;

/* The log's chunks so far become the first run, and leave trace_chunk. */
TraceRuns *trace_runs_new(Log *log, TraceAt at);
void trace_runs_free(TraceRuns *runs);
/* Up to COLUMN_VALUES records go to the end of the newest run... */
void trace_runs_put(TraceRuns *runs, const TraceRecord *records, unsigned n);
/* ...and what follows to one that begins. */
void trace_runs_begin(TraceRuns *runs);
/* All records in order; of equals, those of the earlier run first. */
void trace_runs_merge(TraceRuns *runs,
                      void (*emit)(const TraceRecord *record, void *opaque),
                      void *opaque);

#endif
