/* SPDX-License-Identifier: MIT */
/* What the three forms of a report share. */
#include "trace-report.h"

enum { GROUPS_SHOWN = 10 };

char *trace_report_ns(int64_t ns)
{
    return ns < 1000 ? g_strdup_printf("%" PRId64 " ns", ns)
         : ns < 1000000 ? g_strdup_printf("%.1f us", ns / 1e3)
         : ns < 1000000000 ? g_strdup_printf("%.2f ms", ns / 1e6)
                           : g_strdup_printf("%.3f s", ns / 1e9);
}

char *trace_report_time(const TraceReport *report, int64_t ns)
{
    return report->timed ? trace_report_ns(ns)
                         : g_strdup_printf("%" PRId64 " lines", ns);
}

char *trace_report_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = bytes;
    unsigned unit = 0;

    while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    return unit ? g_strdup_printf("%.1f %s", value, units[unit])
                : g_strdup_printf("%" PRIu64 " B", bytes);
}

char *trace_report_process(const TraceReport *report, unsigned number)
{
    TraceProcess process = trace_process_name(report->names, number);
    int64_t id = process.pid >= 0 ? process.pid : process.tid;

    return id < 0 ? g_strdup(*process.comm ? process.comm : "not known")
         : *process.comm ? g_strdup_printf("%s (%" PRId64 ")", process.comm, id)
                         : g_strdup_printf("%" PRId64, id);
}

void trace_report_groups(const TraceReport *report, TraceGroupFn *fn,
                         void *opaque)
{
    const TraceSummary *s = report->summary;
    unsigned shown[GROUPS_SHOWN], n;

    fn("all", "all", &s->all, opaque);
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        if (s->ops[op].n) {
            fn("operation", trace_op_names[op], &s->ops[op], opaque);
        }
    }
    n = summary_largest(s->devices, shown, GROUPS_SHOWN);
    for (unsigned i = 0; i < n; i++) {
        fn("device", trace_device_name(report->names, shown[i]),
           &g_array_index(s->devices, SummaryGroup, shown[i]), opaque);
    }
    n = summary_largest(s->processes, shown, GROUPS_SHOWN);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = trace_report_process(report, shown[i]);

        fn("process", name,
           &g_array_index(s->processes, SummaryGroup, shown[i]), opaque);
    }
}
