/* SPDX-License-Identifier: MIT */
/*
 * The report of a captured trace as one page of HTML: tables, and charts as SVG
 * in it.  It loads nothing.
 */
#include "trace-report.h"

#include "play-report.h"

#include <math.h>

enum { CELL = 12, CHART_HEIGHT = 90, CHART_WIDTH = SUMMARY_SLICES * CELL };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1c2530;--paper:#fcfcfa;"
    "--line:#cfd4da;--bar:#2f6f9f;--dim:#66707c}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#dde3ea;--paper:#14181d;"
    "--line:#39424d;--bar:#6fb1de;--dim:#93a0ae}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);"
    "background:var(--paper);max-width:68em;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "td,th{padding:.2em .7em;border-bottom:1px solid var(--line);"
    "text-align:right}\n"
    "td.t,th.t{text-align:left}th{color:var(--dim);font-weight:normal}\n"
    "svg{display:block;max-width:100%;height:auto}\n"
    "svg text{fill:var(--dim);font-size:10px}\n"
    ".bar{fill:var(--bar)}.wide{overflow-x:auto}\n"
    "</style>\n";

static void put_escaped(const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    fputs(escaped, stdout);
}

static void put_cell(const char *class, const char *text)
{
    printf("<td%s>", class);
    put_escaped(text);
    printf("</td>");
}

/* ---- Tables ---- */

static void put_group(const char *kind, const char *name,
                      const SummaryGroup *group, void *opaque)
{
    g_autofree char *bytes = trace_report_bytes(group->bytes);
    const TraceReport *r = opaque;

    printf("<tr>");
    put_cell(" class=t", kind);
    put_cell(" class=t", name);
    printf("<td>%" PRIu64 "</td>", group->n);
    put_cell("", bytes);
    for (unsigned i = 0; i < HISTOGRAM_SHOWN + 1; i++) {
        g_autofree char *text = !group->latency ? g_strdup("")
            : trace_report_time(r, i < HISTOGRAM_SHOWN
                  ? histogram_percentile(group->latency, histogram_shown[i])
                  : group->latency->most);

        put_cell("", text);
    }
    printf("</tr>\n");
}

static void put_latencies(const TraceReport *r)
{
    printf("<h2>Latency</h2><div class=wide><table><tr><th class=t>by</th>"
           "<th class=t></th><th>requests</th><th>bytes</th>");
    for (unsigned i = 0; i < HISTOGRAM_SHOWN; i++) {
        printf("<th>p%g</th>", histogram_shown[i]);
    }
    printf("<th>most</th></tr>\n");
    trace_report_groups(r, put_group, (void *)r);
    printf("</table></div>\n");
}

static void put_slowest(const TraceReport *r)
{
    const TraceSummary *s = r->summary;

    printf("<h2>Slowest requests</h2><div class=wide><table><tr><th>took</th>"
           "<th>#</th><th>at</th><th class=t>operation</th><th>offset</th>"
           "<th>bytes</th><th class=t>device</th><th class=t>by</th>"
           "<th class=t>most of it in the</th><th>line or byte</th></tr>\n");
    for (unsigned i = 0; i < s->n_slowest; i++) {
        const SummarySlow *slow = &s->slowest[i];
        g_autofree char *took = trace_report_time(r, slow->latency_ns);
        g_autofree char *began = trace_report_time(
            r, trace_record_start(&slow->record, s->at));
        g_autofree char *process = trace_report_process(r,
                                                        slow->record.process);

        printf("<tr>");
        put_cell("", took);
        printf("<td>%" PRIu64 "</td>", slow->seq);
        put_cell("", began);
        put_cell(" class=t", trace_op_names[slow->record.op]);
        printf("<td>%" PRIu64 "</td><td>%" PRIu64 "</td>", slow->record.offset,
               slow->record.bytes);
        put_cell(" class=t",
                 trace_device_name(r->names, slow->record.device));
        put_cell(" class=t", process);
        put_cell(" class=t", slow->reason ? slow->reason : "");
        printf("<td>%" PRIu64 "</td></tr>\n", slow->record.place);
    }
    printf("</table></div>\n");
}

/* ---- Charts ---- */

static void put_bars(const char *title, const double *values, const char *most)
{
    double max = 0;

    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        max = MAX(max, values[i]);
    }
    printf("<h2>%s</h2><svg viewBox=\"0 0 %d %d\" role=img>"
           "<text x=0 y=10>most: %s</text>", title, CHART_WIDTH,
           CHART_HEIGHT + 16, most);
    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        double height = max > 0 ? values[i] / max * CHART_HEIGHT : 0;

        if (height > 0) {
            printf("<rect class=bar x=%u y=%.1f width=%d height=%.1f />",
                   i * CELL, CHART_HEIGHT + 16 - height, CELL - 2, height);
        }
    }
    printf("</svg>\n");
}

static void put_cells(const uint32_t *row, uint32_t max, unsigned y)
{
    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        if (row[i]) {
            printf("<rect class=bar x=%u y=%u width=%d height=%d "
                   "opacity=%.2f><title>%u</title></rect>",
                   90 + i * CELL, y, CELL - 1, CELL - 1,
                   0.12 + 0.88 * log(1 + row[i]) / log(1 + max), row[i]);
        }
    }
}

static void put_map(const TraceReport *r, const char *title,
                    const uint32_t *cells, unsigned rows, bool latencies)
{
    uint32_t max = 1;

    for (unsigned i = 0; i < rows * SUMMARY_SLICES; i++) {
        max = MAX(max, cells[i]);
    }
    printf("<h2>%s</h2><svg viewBox=\"0 0 %d %u\" role=img>", title,
           CHART_WIDTH + 90, rows * CELL);
    for (unsigned row = 0; row < rows; row++) {
        unsigned y = (rows - 1 - row) * CELL;
        g_autofree char *from = latencies
            ? trace_report_time(r, summary_latency_from(row))
            : trace_report_bytes(r->summary->largest_offset / rows * row);

        printf("<text x=84 y=%u text-anchor=end>%s</text>", y + 10, from);
        put_cells(cells + row * SUMMARY_SLICES, max, y);
    }
    printf("</svg>\n");
}

static void put_charts(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    g_autofree char *depth = g_strdup_printf("%u", s->depth_max);
    double begun[SUMMARY_SLICES], max = 0;
    g_autofree char *rate = NULL;

    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        begun[i] = s->begun[i];
        max = MAX(max, begun[i]);
    }
    rate = g_strdup_printf("%.0f in one of %d slices", max, SUMMARY_SLICES);
    put_bars("Requests over time", begun, rate);
    put_bars("In flight over time", s->depth, depth);
    put_map(r, "Offsets against time", &s->places[0][0], SUMMARY_PLACES, false);
    if (s->all.latency) {
        put_map(r, "Latencies against time", &s->latencies[0][0],
                SUMMARY_LATENCIES, true);
    }
}

static void put_pattern(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    g_autofree char *p50 = trace_report_time(
        r, histogram_percentile(s->gaps, 50));
    g_autofree char *p99 = trace_report_time(
        r, histogram_percentile(s->gaps, 99));

    printf("<h2>Pattern</h2><p>%.1f %% begin where the device's last one "
           "ended. One begins every %s at the median, p99 %s; the variation is "
           "%.2f (1 is random, more is bursts).</p><table><tr>"
           "<th class=t>size from</th><th>requests</th></tr>\n",
           s->ranged ? 100.0 * s->sequential / s->ranged : 0, p50, p99,
           s->gap_cv);
    for (unsigned i = 0; i < SUMMARY_SIZES; i++) {
        if (s->sizes[i]) {
            g_autofree char *size = trace_report_bytes(512ull << i);

            printf("<tr><td class=t>%s</td><td>%" PRIu64 "</td></tr>\n", size,
                   s->sizes[i]);
        }
    }
    printf("</table>\n");
}

/* ---- QEMU ---- */

static void put_findings(const TraceReport *r)
{
    const QemuFindings *f = r->findings;

    printf("<h2>In flight at the end: %u</h2><ul>\n", f->requests->len);
    for (unsigned i = 0; i < f->requests->len; i++) {
        PendingRequest *p = &g_array_index(f->requests, PendingRequest, i);
        g_autofree char *age = trace_report_time(r, p->age_ns);
        g_autofree char *text = g_strdup_printf(
            "%s: %s, for %s, since event %" PRIu64 "; waited for by %s",
            p->name, p->what, age, p->seq,
            p->coroutine_name ? p->coroutine_name : "nobody that is seen");

        printf("<li>");
        put_escaped(text);
        printf("</li>\n");
    }
    printf("</ul><h2>Coroutines that never came back: %u</h2><ul>\n",
           f->coroutines->len);
    for (unsigned i = 0; i < f->coroutines->len; i++) {
        LostCoroutine *co = &g_array_index(f->coroutines, LostCoroutine, i);
        g_autofree char *age = trace_report_time(r, co->age_ns);
        g_autofree char *text = g_strdup_printf(
            "%s: yielded %s ago, last seen at event %" PRIu64 ": %s", co->name,
            age, co->last_seq, co->last_text ? co->last_text : "?");

        printf("<li>");
        put_escaped(text);
        printf("</li>\n");
    }
    printf("</ul><h2>What such a trace cannot say</h2><ul>\n");
    for (unsigned i = 0; qemu_unknowable[i]; i++) {
        printf("<li>");
        put_escaped(qemu_unknowable[i]);
        printf("</li>\n");
    }
    printf("</ul>\n");
}

void trace_report_html(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    g_autofree char *span = trace_report_time(r, s->span_ns);
    g_autofree char *in = trace_report_bytes(s->bytes_read);
    g_autofree char *out = trace_report_bytes(s->bytes_written);

    printf("%s<title>", head);
    put_escaped(r->title);
    printf("</title></head><body>\n<h1>");
    put_escaped(r->title);
    printf("</h1>\n<p>%s, %" PRIu64 " requests over %s, by the time of %s; "
           "%s read, %s written; %" PRIu64 " failed, %" PRIu64
           " without their end.</p>\n", log_meta(r->log, "trace.format"),
           s->records, span, trace_at_names[s->at], in, out, s->errors,
           s->unfinished);
    if (r->findings) {
        put_findings(r);
    }
    put_latencies(r);
    put_charts(r);
    put_pattern(r);
    put_slowest(r);
    play_report_html(r->log);
    printf("</body></html>\n");
}
