/* SPDX-License-Identifier: MIT */
/* The report of a captured trace as text. */
#include "trace-report.h"

#include "play-report.h"

#include <math.h>

/* ---- Small charts ---- */

static bool utf8(void)
{
    return g_get_charset(NULL);
}

/* One character for a part of the whole, from 0 to 1. */
static const char *level(double part)
{
    static const char *const blocks[] = {
        " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█",
    };
    static const char *const ascii[] = {
        " ", ".", ":", "-", "=", "+", "*", "#", "@",
    };
    unsigned i = part <= 0 ? 0 : 1 + MIN((unsigned)(part * 8), 7);

    return utf8() ? blocks[i] : ascii[i];
}

static void print_line(const char *name, const double *values,
                       const char *most)
{
    double max = 0;

    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        max = MAX(max, values[i]);
    }
    printf("  %-12s|", name);
    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        fputs(level(max > 0 ? values[i] / max : 0), stdout);
    }
    printf("| most %s\n", most);
}

/* Counts are shown by their logarithm, or all but the densest are empty. */
static void print_map_row(const char *name, const uint32_t *row, uint32_t max)
{
    printf("  %12s|", name);
    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        fputs(level(row[i] ? log(1 + row[i]) / log(1 + max) : 0), stdout);
    }
    printf("|\n");
}

static uint32_t most_of(const uint32_t *cells, unsigned n)
{
    uint32_t max = 1;

    for (unsigned i = 0; i < n; i++) {
        max = MAX(max, cells[i]);
    }
    return max;
}

/* ---- Parts ---- */

static void print_head(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    g_autofree char *span = trace_report_time(r, s->span_ns);
    g_autofree char *in = trace_report_bytes(s->bytes_read);
    g_autofree char *out = trace_report_bytes(s->bytes_written);

    printf("%s: %s, %" PRIu64 " requests over %s, by the time of %s\n",
           r->title, log_meta(r->log, "trace.format"), s->records, span,
           trace_at_names[s->at]);
    printf("  %s read, %s written", in, out);
    if (r->timed && s->span_ns > 0) {
        printf("; %.0f requests/s, %.1f MiB/s", s->records * 1e9 / s->span_ns,
               (s->bytes_read + s->bytes_written) * 1e9 / s->span_ns / 1048576);
    }
    printf("; %" PRIu64 " failed, %" PRIu64 " without their end\n", s->errors,
           s->unfinished);
}

static void print_group(const char *kind, const char *name,
                        const SummaryGroup *group, void *opaque)
{
    g_autofree char *bytes = trace_report_bytes(group->bytes);
    const TraceReport *r = opaque;

    printf("  %-9s %-24.24s %9" PRIu64 " %10s", kind, name, group->n, bytes);
    for (unsigned i = 0; i < HISTOGRAM_SHOWN + 1; i++) {
        g_autofree char *text = !group->latency ? g_strdup("-")
            : trace_report_time(r, i < HISTOGRAM_SHOWN
                  ? histogram_percentile(group->latency, histogram_shown[i])
                  : group->latency->most);

        printf(" %10s", text);
    }
    printf("\n");
}

static void print_latencies(const TraceReport *r)
{
    printf("\nLatency\n  %-9s %-24s %9s %10s", "", "", "requests", "bytes");
    for (unsigned i = 0; i < HISTOGRAM_SHOWN; i++) {
        g_autofree char *name = g_strdup_printf("p%g", histogram_shown[i]);

        printf(" %10s", name);
    }
    printf(" %10s\n", "most");
    trace_report_groups(r, print_group, (void *)r);
}

static void print_over_time(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    g_autofree char *depth = g_strdup_printf("%u", s->depth_max);
    double begun[SUMMARY_SLICES], max = 0;
    g_autofree char *rate = NULL;

    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        begun[i] = s->begun[i];
        max = MAX(max, begun[i]);
    }
    rate = r->timed && s->span_ns > 0
        ? g_strdup_printf("%.0f/s", max * SUMMARY_SLICES * 1e9 / s->span_ns)
        : g_strdup_printf("%.0f", max);
    printf("\nOver time, in %d slices\n", SUMMARY_SLICES);
    print_line("requests", begun, rate);
    print_line("in flight", s->depth, depth);
}

static void print_maps(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    uint32_t max = most_of(&s->places[0][0], SUMMARY_PLACES * SUMMARY_SLICES);

    printf("\nOffsets against time\n");
    for (int row = SUMMARY_PLACES - 1; row >= 0; row--) {
        g_autofree char *from = trace_report_bytes(
            s->largest_offset / SUMMARY_PLACES * row);

        print_map_row(from, s->places[row], max);
    }
    if (!s->all.latency) {
        return;
    }
    printf("\nLatencies against time\n");
    max = most_of(&s->latencies[0][0], SUMMARY_LATENCIES * SUMMARY_SLICES);
    for (int row = SUMMARY_LATENCIES - 1; row >= 0; row--) {
        g_autofree char *from = trace_report_time(r, summary_latency_from(row));

        print_map_row(from, s->latencies[row], max);
    }
}

static void print_pattern(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    g_autofree char *p50 = trace_report_time(
        r, histogram_percentile(s->gaps, 50));
    g_autofree char *p99 = trace_report_time(
        r, histogram_percentile(s->gaps, 99));

    printf("\nPattern\n  sizes      ");
    for (unsigned i = 0; i < SUMMARY_SIZES; i++) {
        if (s->sizes[i]) {
            g_autofree char *size = trace_report_bytes(512ull << i);

            printf(" %s: %" PRIu64, size, s->sizes[i]);
        }
    }
    printf("\n  sequential  %.1f %% begin where the device's last one ended\n",
           s->ranged ? 100.0 * s->sequential / s->ranged : 0);
    printf("  arrivals    every %s at the median, p99 %s; variation %.2f "
           "(1 is random, more is bursts)\n", p50, p99, s->gap_cv);
    for (unsigned i = 0; i < TRACE_QUALITY_COUNT; i++) {
        if (s->qualities[i]) {
            printf("  %-17s %" PRIu64 "\n", trace_quality_names[i],
                   s->qualities[i]);
        }
    }
}

static void print_slowest(const TraceReport *r)
{
    const TraceSummary *s = r->summary;

    if (!s->n_slowest) {
        return;
    }
    printf("\nSlowest requests\n");
    for (unsigned i = 0; i < s->n_slowest; i++) {
        const SummarySlow *slow = &s->slowest[i];
        g_autofree char *took = trace_report_time(r, slow->latency_ns);
        g_autofree char *began = trace_report_time(
            r, trace_record_start(&slow->record, s->at));
        g_autofree char *process = trace_report_process(r,
                                                        slow->record.process);

        printf("  %10s  #%-8" PRIu64 " at %-10s %-12s %12" PRIu64 " + %-8"
               PRIu64 " of %s by %s%s%s (%s:%" PRIu64 ")\n",
               took, slow->seq, began, trace_op_names[slow->record.op],
               slow->record.offset, slow->record.bytes,
               trace_device_name(r->names, slow->record.device), process,
               slow->reason ? ", most of it in the " : "",
               slow->reason ? slow->reason : "",
               slow->record.file < r->names->files->len
                   ? (char *)g_ptr_array_index(r->names->files,
                                               slow->record.file) : "?",
               slow->record.place);
    }
}

/* ---- QEMU ---- */

static void print_requests(const TraceReport *r)
{
    const GArray *requests = r->findings->requests;

    printf("\nIn flight at the end: %u\n", requests->len);
    for (unsigned i = 0; i < requests->len; i++) {
        PendingRequest *p = &g_array_index(requests, PendingRequest, i);
        g_autofree char *age = trace_report_time(r, p->age_ns);

        printf("  %s: %s, for %s, since event %" PRIu64 "; %s%s\n", p->name,
               p->what, age, p->seq,
               p->coroutine_name ? "waited for by " : "nobody is seen to wait",
               p->coroutine_name ? p->coroutine_name : "");
    }
}

static void print_coroutines(const TraceReport *r)
{
    const GArray *lost = r->findings->coroutines;

    printf("\nCoroutines that never came back: %u\n", lost->len);
    for (unsigned i = 0; i < lost->len; i++) {
        LostCoroutine *co = &g_array_index(lost, LostCoroutine, i);
        g_autofree char *age = trace_report_time(r, co->age_ns);

        printf("  %s: yielded %s ago, event %" PRIu64 "%s%s\n", co->name, age,
               co->seq, co->waits_for ? ", waits for " : "",
               co->waits_for ? co->waits_for : "");
        if (co->held_by) {
            printf("      which %s has\n", co->held_by);
        }
        if (co->answered_seq) {
            printf("      its request was done at event %" PRIu64
                   ", and it was not entered since\n", co->answered_seq);
        }
        if (co->last_text) {
            printf("      last seen at event %" PRIu64 ", %s:%d (%s): %s\n",
                   co->last_seq, co->site->file, co->site->line,
                   co->site->func, co->last_text);
        }
    }
}

static void print_findings(const TraceReport *r)
{
    print_requests(r);
    print_coroutines(r);
    if (!r->findings->any_coroutine_events) {
        printf("  (the trace has no coroutine events; enable "
               "'qemu_aio_coroutine_enter', 'qemu_coroutine_yield' and "
               "'qemu_coroutine_terminate')\n");
    }
    printf("\nWhat such a trace cannot say\n");
    for (unsigned i = 0; qemu_unknowable[i]; i++) {
        printf("  - %s\n", qemu_unknowable[i]);
    }
}

void trace_report_text(const TraceReport *r)
{
    print_head(r);
    print_latencies(r);
    print_over_time(r);
    print_maps(r);
    print_pattern(r);
    print_slowest(r);
    play_report_text(r->log);
    if (r->findings) {
        print_findings(r);
    }
}
