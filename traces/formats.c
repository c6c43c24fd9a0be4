/* SPDX-License-Identifier: MIT */
/* The table of formats, in the order in which they are listed. */
#include "formats.h"

#define TEXT(prefix) \
    .begin = prefix##_begin, .line = prefix##_line, .end = prefix##_end

/* Of what has to be asked for by its name. */
static bool never_recognise(const TraceSample *sample, const char **why)
{
    return false;
}

static const TraceFormat fio2 = {
    "fio2", "fio I/O log, version 2", TRACE_CLOCK_NONE, fio2_recognise,
    TEXT(fio), .argument = GUINT_TO_POINTER(2),
};
static const TraceFormat fio3 = {
    "fio3", "fio I/O log, version 3", TRACE_CLOCK_START, fio3_recognise,
    TEXT(fio), .argument = GUINT_TO_POINTER(3),
};

static const TraceFormat csv = {
    "csv", "aiolab's own table (export --format csv)", TRACE_CLOCK_START,
    csv_recognise, TEXT(csv),
};
static const TraceFormat blktrace = {
    "blktrace", "blktrace records, versions 7 and 8", TRACE_CLOCK_MONOTONIC,
    blktrace_recognise, .read = blktrace_read,
};
static const TraceFormat blkparse = {
    "blkparse", "blkparse text", TRACE_CLOCK_START, NULL, TEXT(blkparse),
};
static const TraceFormat kernel = {
    "ftrace", "ftrace, trace-cmd report or perf script (block, io_uring)",
    TRACE_CLOCK_MONOTONIC, NULL, TEXT(kernel),
};

static const TraceFormat biosnoop = {
    "biosnoop", "biosnoop of bcc, libbpf-tools and bpftrace; iosnoop",
    TRACE_CLOCK_START, biosnoop_recognise, true, TEXT(biosnoop),
};
static const TraceFormat strace = {
    "strace", "strace", TRACE_CLOCK_UNIX, NULL, TEXT(strace),
};
static const TraceFormat perf_trace = {
    "perf-trace", "perf trace", TRACE_CLOCK_START, NULL, TEXT(perf_trace),
};
static const TraceFormat vscsi = {
    "vscsi", "CloudPhysics vscsi, versions 1 and 2", TRACE_CLOCK_START,
    vscsi_recognise, .read = vscsi_read,
};

static const TraceFormat qemu_log = {
    "qemu-log", "QEMU's trace events, log backend", TRACE_CLOCK_UNIX, NULL,
    TEXT(qemu_log), .enough = 20, /* other words of the program come between */
};
static const TraceFormat simpletrace = {
    "simpletrace", "QEMU's trace events, simple backend (version 4)",
    TRACE_CLOCK_MONOTONIC, simpletrace_recognise, .read = simpletrace_read,
};

#define TABLE(ID, name, title, clock, recognise)                     \
    static const TraceFormat ID = {                                  \
        name, title, TRACE_CLOCK_##clock, recognise, true,           \
        TEXT(table), .argument = &table_##ID,                        \
    }

TABLE(fio1, "fio1", "fio I/O log, version 1", NONE, NULL);
TABLE(msr, "msr", "MSR Cambridge block traces", UNIX, NULL);
TABLE(systor, "systor", "SYSTOR '17 VDI block traces", UNIX, NULL);
TABLE(alibaba, "alibaba", "Alibaba block traces", UNIX, NULL);
TABLE(tencent, "tencent", "Tencent CBS block traces", UNIX, NULL);
TABLE(spc, "spc", "SPC-1 and UMass trace files", START, NULL);
TABLE(fiu, "fiu", "FIU IODedup block traces", START, NULL);
TABLE(mqsim, "mqsim", "MQSim and SSDsim traces (ns)", START, NULL);
TABLE(disksim, "disksim", "DiskSim ASCII traces (ms)", START, NULL);
TABLE(blkreplay, "blkreplay", "blkreplay load", START, blkreplay_recognise);
static const TraceFormat columns = {
    "columns", "a table that --columns describes", TRACE_CLOCK_START,
    never_recognise, TEXT(table), .argument = &table_columns,
};

const TraceFormat *const trace_formats[] = {
    &fio1, &fio2, &fio3, &blktrace, &blkparse, &kernel, &qemu_log,
    &simpletrace, &biosnoop, &strace, &perf_trace, &vscsi, &msr, &systor,
    &alibaba, &tencent, &spc, &fiu, &mqsim, &disksim, &blkreplay, &csv,
    &columns,
};
const unsigned trace_formats_count = ARRAY_SIZE(trace_formats);

const TraceFormat *trace_format_find(const char *name)
{
    for (unsigned i = 0; i < trace_formats_count; i++) {
        if (g_str_equal(trace_formats[i]->name, name)) {
            return trace_formats[i];
        }
    }
    return NULL;
}
