/* SPDX-License-Identifier: MIT */
/*
 * Records in a log: written once, in any order, and read back in the order of
 * their times, as a stream; neither side holds more than some thousands.
 *
 * A log of a captured trace has the tables of traces/trace-schema.sql, and the
 * meta rows trace.clock, trace.at, trace.origin_ns (the trace's own time at the
 * start), trace.records and trace.span_ns.  One thread.
 */
#ifndef TRACES_STORE_H
#define TRACES_STORE_H

#include "log.h"
#include "record.h"

/* Whether the log holds a captured trace. */
bool trace_log_is(Log *log);
/* Whether that is all: no run has been recorded into it that plays the trace. */
bool trace_log_is_only(Log *log);

/* ---- Writing ---- */

typedef struct TraceWriter TraceWriter;

/* @log: newly created; stays the caller's. */
TraceWriter *trace_writer_new(Log *log, TraceAt at);
/*
 * Numbers of names, from 0 in the order in which they come.  @name and @comm
 * need not end with a 0; @pid and @tid are -1 where they are not known.
 */
uint32_t trace_writer_device(TraceWriter *writer, const char *name, size_t len);
uint32_t trace_writer_process(TraceWriter *writer, const char *comm, size_t len,
                              int64_t pid, int64_t tid);
uint32_t trace_writer_file(TraceWriter *writer, const char *path,
                           const char *format);
/* Copies the record. */
void trace_writer_add(TraceWriter *writer, const TraceRecord *record);
uint64_t trace_writer_count(const TraceWriter *writer);
/* Before the first record. */
void trace_writer_set_at(TraceWriter *writer, TraceAt at);
/*
 * Puts all into order and the meta rows into the log; frees the writer.  Errors
 * are the log's.  Returns what the order is by: if no record says when it was
 * queued, it is the time of issue.
 */
TraceAt trace_writer_finish(TraceWriter *writer, TraceClock clock);
/* Frees it without that. */
void trace_writer_abandon(TraceWriter *writer);

/* ---- Reading ---- */

typedef struct TraceReader TraceReader;

/* NULL and *errp if the log holds no trace.  Free it before closing the log. */
TraceReader *trace_reader_open(Log *log, Error **errp);
void trace_reader_free(TraceReader *reader);
TraceAt trace_reader_at(const TraceReader *reader);
/* Records are numbered from 1, in order. */
uint64_t trace_reader_count(const TraceReader *reader);
/*
 * The next record; its times are since the trace's start.  False at the end,
 * or if the log is damaged: then *errp is set.
 */
bool trace_reader_next(TraceReader *reader, TraceRecord *record, Error **errp);
/* Record @number is the next one. */
void trace_reader_seek(TraceReader *reader, uint64_t number);

/* ---- Names ---- */

typedef struct TraceProcess {
    char *comm;       /* or "" */
    int64_t pid, tid; /* or -1 */
} TraceProcess;

typedef struct TraceNames {
    GPtrArray *devices; /* of char * */
    GArray *processes;  /* of TraceProcess */
    GPtrArray *files;   /* of char *: the imported files */
} TraceNames;

TraceNames *trace_names_load(Log *log);
void trace_names_free(TraceNames *names);
/* Never NULL: a number that has no name is called "?". */
const char *trace_device_name(const TraceNames *names, uint32_t device);
TraceProcess trace_process_name(const TraceNames *names, uint32_t process);

#endif
