/* SPDX-License-Identifier: MIT */
/*
 * A captured trace in another format.
 *
 * What a format cannot say is left out or rounded, and counted.
 */
#ifndef TRACES_EXPORT_H
#define TRACES_EXPORT_H

#include "store.h"

typedef struct TraceExport {
    uint64_t written;
    uint64_t left_out;     /* operations or sizes that the format has not */
    uint64_t rounded;      /* to whole sectors */
    uint64_t changed_kind; /* the nearest operation was written */
    unsigned files;
    bool no_room;          /* that is why it failed */
} TraceExport;

/* To @path, or files whose names begin so; false and *errp if it cannot. */
typedef bool TraceExporter(Log *log, const char *path, TraceExport *result,
                           Error **errp);

TraceExporter trace_export_fio2, trace_export_fio3, trace_export_blktrace,
    trace_export_csv;

/* The first line of our own CSV, which imports without loss. */
#define TRACE_CSV_HEADER                                                    \
    "queue_ns,issue_ns,complete_ns,op,flags,offset,bytes,device,comm,pid,"  \
    "tid,cpu,error,quality"

#endif
