/* SPDX-License-Identifier: MIT */
/* One pass over the records of a trace. */
#include "summary.h"

#include <math.h>

enum { DEPTH_MAX = 65536 };

typedef struct Pass {
    TraceSummary *s;
    int64_t *ends;   /* a heap: when those in flight will have ended */
    unsigned in_flight;
    int64_t last_start;
    bool any;
    double gap_sum, gap_squares;
    GArray *last_end; /* by device: where its last request ended */
    uint64_t place_size;
} Pass;

int64_t summary_latency_from(unsigned row)
{
    static const int64_t from[SUMMARY_LATENCIES] = {
        0, 2000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000,
        10000000, 50000000, 100000000,
    };

    return from[row];
}

/* ---- Groups ---- */

static void add_to_group(SummaryGroup *group, const TraceRecord *r,
                         int64_t latency)
{
    group->n++;
    group->bytes += r->bytes;
    if (latency != TRACE_NO_TIME) {
        if (!group->latency) {
            group->latency = g_new0(Histogram, 1);
        }
        histogram_add(group->latency, latency);
    }
}

static SummaryGroup *group_of(GArray *groups, uint32_t number)
{
    number = MIN(number, SUMMARY_GROUPS - 1);
    if (number >= groups->len) {
        g_array_set_size(groups, number + 1);
    }
    return &g_array_index(groups, SummaryGroup, number);
}

unsigned summary_largest(const GArray *groups, unsigned *indices, unsigned n)
{
    unsigned found = 0;

    for (unsigned i = 0; i < groups->len; i++) {
        uint64_t size = g_array_index(groups, SummaryGroup, i).n;
        unsigned at = found;

        while (at > 0 &&
               g_array_index(groups, SummaryGroup, indices[at - 1]).n < size) {
            at--;
        }
        if (!size || at == n) {
            continue;
        }
        found = MIN(found + 1, n);
        memmove(indices + at + 1, indices + at,
                (found - at - 1) * sizeof(*indices));
        indices[at] = i;
    }
    return found;
}

/* ---- Over time ---- */

static unsigned slice_of(const TraceSummary *s, int64_t ns)
{
    double slice = s->span_ns > 0 ? (double)ns / s->span_ns * SUMMARY_SLICES
                                  : 0;

    return CLAMP(slice, 0, SUMMARY_SLICES - 1);
}

/* Its share of each slice that it was in flight in. */
static void add_depth(TraceSummary *s, int64_t from, int64_t to)
{
    double width = (double)s->span_ns / SUMMARY_SLICES;
    unsigned first = slice_of(s, from), last = slice_of(s, to);

    for (unsigned i = first; width > 0 && i <= last; i++) {
        double begin = MAX(from, i * width), end = MIN(to, (i + 1) * width);

        s->depth[i] += MAX(end - begin, 0) / width;
    }
}

static void sift_up(int64_t *heap, unsigned at)
{
    while (at && heap[(at - 1) / 2] > heap[at]) {
        int64_t value = heap[at];

        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
        heap[at] = value;
    }
}

static void sift_down(int64_t *heap, unsigned n)
{
    unsigned at = 0;

    for (;;) {
        unsigned child = 2 * at + 1;
        int64_t value = heap[at];

        child += child + 1 < n && heap[child + 1] < heap[child];
        if (child >= n || heap[child] >= value) {
            return;
        }
        heap[at] = heap[child];
        heap[child] = value;
        at = child;
    }
}

/* How many are in flight when this one has begun. */
static void count_in_flight(Pass *pass, int64_t start, int64_t end)
{
    TraceSummary *s = pass->s;
    unsigned slice = slice_of(s, start);

    while (pass->in_flight && pass->ends[0] <= start) {
        pass->ends[0] = pass->ends[--pass->in_flight];
        sift_down(pass->ends, pass->in_flight);
    }
    if (pass->in_flight < DEPTH_MAX) {
        pass->ends[pass->in_flight] = end;
        sift_up(pass->ends, pass->in_flight++);
    }
    s->depth_most[slice] = MAX(s->depth_most[slice], pass->in_flight);
    s->depth_max = MAX(s->depth_max, pass->in_flight);
}

static void add_times(Pass *pass, const TraceRecord *r, int64_t start,
                      int64_t latency)
{
    TraceSummary *s = pass->s;
    unsigned row = SUMMARY_LATENCIES - 1;

    s->begun[slice_of(s, start)]++;
    if (latency == TRACE_NO_TIME) {
        s->unfinished++;
        return;
    }
    while (row && latency < summary_latency_from(row)) {
        row--;
    }
    s->latencies[row][slice_of(s, start)]++;
    add_depth(s, start, start + latency);
    count_in_flight(pass, start, start + latency);
}

static void add_gap(Pass *pass, int64_t start)
{
    if (pass->any) {
        double gap = start - pass->last_start;

        histogram_add(pass->s->gaps, gap);
        pass->gap_sum += gap;
        pass->gap_squares += gap * gap;
    }
    pass->any = true;
    pass->last_start = start;
}

/* ---- Where and how much ---- */

static void add_range(Pass *pass, const TraceRecord *r, int64_t start)
{
    TraceSummary *s = pass->s;
    uint64_t size = r->bytes >> 9, *last;
    unsigned row = 0;
    uint32_t device = MIN(r->device, SUMMARY_GROUPS - 1);

    while (size > 1 && row < SUMMARY_SIZES - 1) {
        size >>= 1;
        row++;
    }
    s->sizes[row]++;
    if (r->quality & TRACE_QUALITY_OFFSET_NONE) {
        return;
    }
    if (device >= pass->last_end->len) {
        g_array_set_size(pass->last_end, device + 1);
    }
    last = &g_array_index(pass->last_end, uint64_t, device);
    s->ranged++;
    s->sequential += *last && *last == r->offset;
    *last = r->offset + r->bytes;
    s->places[MIN(r->offset / pass->place_size, SUMMARY_PLACES - 1)]
             [slice_of(s, start)]++;
}

static void keep_slow(TraceSummary *s, uint64_t seq, const TraceRecord *r,
                      int64_t latency)
{
    unsigned at = s->n_slowest;
    bool known = r->queue_ns != TRACE_NO_TIME && r->issue_ns != TRACE_NO_TIME;
    int64_t waited = known ? r->issue_ns - r->queue_ns : 0;

    while (at > 0 && s->slowest[at - 1].latency_ns < latency) {
        at--;
    }
    if (at == SUMMARY_SLOWEST) {
        return;
    }
    s->n_slowest = MIN(s->n_slowest + 1, SUMMARY_SLOWEST);
    memmove(&s->slowest[at + 1], &s->slowest[at],
            (s->n_slowest - at - 1) * sizeof(s->slowest[0]));
    s->slowest[at] = (SummarySlow){
        seq, *r, latency, !known && s->at == TRACE_AT_QUEUE ? NULL
                          : waited > latency - waited ? "queue" : "device",
    };
}

/* ---- The pass ---- */

static void add_record(Pass *pass, uint64_t seq, const TraceRecord *r)
{
    TraceSummary *s = pass->s;
    int64_t start = trace_record_start(r, s->at);
    int64_t latency = trace_record_latency(r, s->at);

    s->bytes_read += r->op == TRACE_READ ? r->bytes : 0;
    s->bytes_written += r->op == TRACE_WRITE ? r->bytes : 0;
    s->errors += r->error != 0;
    for (unsigned i = 0; i < TRACE_QUALITY_COUNT; i++) {
        s->qualities[i] += r->quality >> i & 1;
    }
    add_to_group(&s->all, r, latency);
    add_to_group(&s->ops[r->op], r, latency);
    add_to_group(group_of(s->devices, r->device), r, latency);
    add_to_group(group_of(s->processes, r->process), r, latency);
    add_times(pass, r, start, latency);
    add_gap(pass, start);
    if (trace_op_has_range(r->op)) {
        add_range(pass, r, start);
    }
    if (latency != TRACE_NO_TIME) {
        keep_slow(s, seq, r, latency);
    }
}

/* How far the offsets go, which the rows of the map depend on. */
static bool find_extent(TraceReader *reader, TraceSummary *s, Error **errp)
{
    Error *err = NULL;
    TraceRecord r;

    while (trace_reader_next(reader, &r, &err)) {
        if (trace_op_has_range(r.op)) {
            s->largest_offset = MAX(s->largest_offset, r.offset + r.bytes);
        }
    }
    trace_reader_seek(reader, 1);
    error_propagate(errp, err);
    return !err;
}

static bool run_pass(Pass *pass, TraceReader *reader, Error **errp)
{
    TraceSummary *s = pass->s;
    Error *err = NULL;
    TraceRecord r;
    double n, mean;

    pass->ends = g_new(int64_t, DEPTH_MAX);
    pass->last_end = g_array_new(false, true, sizeof(uint64_t));
    pass->place_size = s->largest_offset / SUMMARY_PLACES + 1;
    while (trace_reader_next(reader, &r, &err)) {
        add_record(pass, ++s->records, &r);
    }
    n = s->gaps->n;
    mean = n ? pass->gap_sum / n : 0;
    s->gap_cv = mean > 0
        ? sqrt(MAX(pass->gap_squares / n - mean * mean, 0)) / mean : 0;
    g_array_free(pass->last_end, true);
    g_free(pass->ends);
    error_propagate(errp, err);
    return !err;
}

TraceSummary *trace_summary_new(Log *log, Error **errp)
{
    TraceReader *reader = trace_reader_open(log, errp);
    TraceSummary *s;
    Pass pass;

    if (!reader) {
        return NULL;
    }
    s = g_new0(TraceSummary, 1);
    s->at = trace_reader_at(reader);
    s->span_ns = log_meta_int(log, "trace.span_ns", 0);
    s->devices = g_array_new(false, true, sizeof(SummaryGroup));
    s->processes = g_array_new(false, true, sizeof(SummaryGroup));
    s->gaps = g_new0(Histogram, 1);
    pass = (Pass){.s = s};
    if (!find_extent(reader, s, errp) || !run_pass(&pass, reader, errp)) {
        trace_summary_free(s);
        s = NULL;
    }
    trace_reader_free(reader);
    return s;
}

static void free_groups(GArray *groups)
{
    for (unsigned i = 0; i < groups->len; i++) {
        g_free(g_array_index(groups, SummaryGroup, i).latency);
    }
    g_array_free(groups, true);
}

void trace_summary_free(TraceSummary *s)
{
    if (s) {
        free_groups(s->devices);
        free_groups(s->processes);
        for (unsigned i = 0; i < TRACE_OP_MAX; i++) {
            g_free(s->ops[i].latency);
        }
        g_free(s->all.latency);
        g_free(s->gaps);
        g_free(s);
    }
}
