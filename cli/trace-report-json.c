/* SPDX-License-Identifier: MIT */
/* The report of a captured trace as JSON: times in nanoseconds. */
#include "trace-report.h"

#include "play-report.h"

static void add_real(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_double_value(b, value);
}

static void add_latency(JsonBuilder *b, const Histogram *h)
{
    cli_json_int(b, "min_ns", h->least);
    add_real(b, "mean_ns", histogram_mean(h));
    for (unsigned i = 0; i < HISTOGRAM_SHOWN; i++) {
        g_autofree char *name = g_strdup_printf("p%g_ns", histogram_shown[i]);

        cli_json_int(b, name, histogram_percentile(h, histogram_shown[i]));
    }
    cli_json_int(b, "max_ns", h->most);
}

static void add_group(const char *kind, const char *name,
                      const SummaryGroup *group, void *opaque)
{
    JsonBuilder *b = opaque;

    json_builder_begin_object(b);
    cli_json_string(b, "by", kind);
    cli_json_string(b, "name", name);
    cli_json_int(b, "n", group->n);
    cli_json_int(b, "bytes", group->bytes);
    if (group->latency) {
        add_latency(b, group->latency);
    }
    json_builder_end_object(b);
}

static void add_over_time(JsonBuilder *b, const TraceSummary *s)
{
    json_builder_set_member_name(b, "slices");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
        json_builder_begin_object(b);
        cli_json_int(b, "begun", s->begun[i]);
        add_real(b, "depth", s->depth[i]);
        cli_json_int(b, "depth_max", s->depth_most[i]);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void add_map(JsonBuilder *b, const char *name, const uint32_t *cells,
                    unsigned rows)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
    for (unsigned row = 0; row < rows; row++) {
        json_builder_begin_array(b);
        for (unsigned i = 0; i < SUMMARY_SLICES; i++) {
            json_builder_add_int_value(b, cells[row * SUMMARY_SLICES + i]);
        }
        json_builder_end_array(b);
    }
    json_builder_end_array(b);
}

static void add_pattern(JsonBuilder *b, const TraceSummary *s)
{
    json_builder_set_member_name(b, "sizes");
    json_builder_begin_object(b);
    for (unsigned i = 0; i < SUMMARY_SIZES; i++) {
        if (s->sizes[i]) {
            g_autofree char *from = g_strdup_printf("%llu", 512ull << i);

            cli_json_int(b, from, s->sizes[i]);
        }
    }
    json_builder_end_object(b);
    add_real(b, "sequential", s->ranged
             ? (double)s->sequential / s->ranged : 0);
    cli_json_int(b, "gap_p50_ns", histogram_percentile(s->gaps, 50));
    cli_json_int(b, "gap_p99_ns", histogram_percentile(s->gaps, 99));
    add_real(b, "gap_variation", s->gap_cv);
    json_builder_set_member_name(b, "qualities");
    json_builder_begin_object(b);
    for (unsigned i = 0; i < TRACE_QUALITY_COUNT; i++) {
        if (s->qualities[i]) {
            cli_json_int(b, trace_quality_names[i], s->qualities[i]);
        }
    }
    json_builder_end_object(b);
}

static void add_slowest(JsonBuilder *b, const TraceReport *r)
{
    const TraceSummary *s = r->summary;

    json_builder_set_member_name(b, "slowest");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < s->n_slowest; i++) {
        const SummarySlow *slow = &s->slowest[i];

        json_builder_begin_object(b);
        cli_json_int(b, "seq", slow->seq);
        cli_json_int(b, "latency_ns", slow->latency_ns);
        cli_json_string(b, "op", trace_op_names[slow->record.op]);
        cli_json_string(b, "device",
                        trace_device_name(r->names, slow->record.device));
        cli_json_int(b, "offset", slow->record.offset);
        cli_json_int(b, "bytes", slow->record.bytes);
        cli_json_string(b, "reason", slow->reason);
        cli_json_int(b, "place", slow->record.place);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void add_findings(JsonBuilder *b, const QemuFindings *findings)
{
    json_builder_set_member_name(b, "in_flight");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < findings->requests->len; i++) {
        PendingRequest *p = &g_array_index(findings->requests, PendingRequest,
                                           i);

        json_builder_begin_object(b);
        cli_json_string(b, "request", p->name);
        cli_json_string(b, "what", p->what);
        cli_json_int(b, "since_event", p->seq);
        cli_json_int(b, "age_ns", p->age_ns);
        cli_json_string(b, "coroutine", p->coroutine_name);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_set_member_name(b, "coroutines");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < findings->coroutines->len; i++) {
        LostCoroutine *co = &g_array_index(findings->coroutines,
                                           LostCoroutine, i);

        json_builder_begin_object(b);
        cli_json_string(b, "coroutine", co->name);
        cli_json_int(b, "yield_event", co->seq);
        cli_json_int(b, "age_ns", co->age_ns);
        cli_json_int(b, "last_event", co->last_seq);
        cli_json_string(b, "last_seen", co->last_text);
        cli_json_string(b, "waits_for", co->waits_for);
        cli_json_string(b, "held_by", co->held_by);
        cli_json_int(b, "answered_event", co->answered_seq);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_set_member_name(b, "cannot_say");
    json_builder_begin_array(b);
    for (unsigned i = 0; qemu_unknowable[i]; i++) {
        json_builder_add_string_value(b, qemu_unknowable[i]);
    }
    json_builder_end_array(b);
}

void trace_report_json(const TraceReport *r)
{
    const TraceSummary *s = r->summary;
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    cli_json_string(b, "trace", r->title);
    cli_json_string(b, "format", log_meta(r->log, "trace.format"));
    cli_json_string(b, "at", trace_at_names[s->at]);
    cli_json_bool(b, "timed", r->timed);
    cli_json_int(b, "records", s->records);
    cli_json_int(b, "span_ns", s->span_ns);
    cli_json_int(b, "bytes_read", s->bytes_read);
    cli_json_int(b, "bytes_written", s->bytes_written);
    cli_json_int(b, "errors", s->errors);
    cli_json_int(b, "unfinished", s->unfinished);
    cli_json_int(b, "depth_max", s->depth_max);
    json_builder_set_member_name(b, "groups");
    json_builder_begin_array(b);
    trace_report_groups(r, add_group, b);
    json_builder_end_array(b);
    add_over_time(b, s);
    add_map(b, "places", &s->places[0][0], SUMMARY_PLACES);
    add_map(b, "latencies", &s->latencies[0][0], SUMMARY_LATENCIES);
    add_pattern(b, s);
    add_slowest(b, r);
    play_report_json(r->log, b);
    if (r->findings) {
        add_findings(b, r->findings);
    }
    json_builder_end_object(b);
    cli_print_json(b);
}
