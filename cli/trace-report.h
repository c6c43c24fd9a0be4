/* SPDX-License-Identifier: MIT */
/* A captured trace's report, in three forms. */
#ifndef CLI_TRACE_REPORT_H
#define CLI_TRACE_REPORT_H

#include "cli.h"
#include "qemu-findings.h"
#include "summary.h"

typedef struct TraceReport {
    Log *log;
    const char *title;      /* the file's name */
    TraceSummary *summary;
    TraceNames *names;
    QemuFindings *findings; /* or NULL: it is not a QEMU's trace */
    Session *session;       /* its events, or NULL */
    bool timed;             /* the trace has times */
} TraceReport;

void trace_report_text(const TraceReport *report);
void trace_report_html(const TraceReport *report);
void trace_report_json(const TraceReport *report);

/* What they share: "1.5 ms", or "120 lines" where there are no times... */
char *trace_report_ns(int64_t ns);
char *trace_report_time(const TraceReport *report, int64_t ns);
/* ..."4.0 KiB", and "sqlite3 (123)". */
char *trace_report_bytes(uint64_t bytes);
char *trace_report_process(const TraceReport *report, unsigned number);
/* "op", "device" and "process" groups, in the order in which they are shown. */
typedef void TraceGroupFn(const char *kind, const char *name,
                          const SummaryGroup *group, void *opaque);
void trace_report_groups(const TraceReport *report, TraceGroupFn *fn,
                         void *opaque);

#endif
