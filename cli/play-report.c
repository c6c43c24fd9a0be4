/* SPDX-License-Identifier: MIT */
/* Latencies as played beside those captured, lag, and the slowest requests. */
#include "play-report.h"

#include "histogram.h"
#include "log-sql.h"
#include "play-store.h"
#include "trace-report.h"

enum { ROWS = 3, SLOWEST = 10 };

typedef struct PlayReport {
    uint64_t requests, failed, left_out;
    Histogram rows[ROWS];
    Log *log;
} PlayReport;

static const char *const row_names[ROWS] = {"played", "captured", "lag"};

static void add(PlayReport *r, const PlayedRequest *request)
{
    r->requests++;
    if (!request->done) {
        r->left_out++;
        return;
    }
    r->failed += request->result < 0;
    histogram_add(&r->rows[0], request->completed_ns - request->issued_ns);
    if (request->captured_ns != TRACE_NO_TIME) {
        histogram_add(&r->rows[1], request->captured_ns);
    }
    histogram_add(&r->rows[2], request->issued_ns - request->planned_ns);
}

/* NULL if there is no play; for g_free. */
static PlayReport *make_report(Log *log)
{
    PlayedReader *reader = log_has_table(log, "play_request")
        ? played_reader_new(log, NULL) : NULL;
    PlayedRequest request;
    PlayReport *r;

    if (!reader) {
        return NULL;
    }
    r = g_new0(PlayReport, 1);
    r->log = log;
    while (played_reader_next(reader, &request)) {
        add(r, &request);
    }
    played_reader_free(reader);
    return r;
}

/* ---- The slowest ---- */

typedef struct SlowRow {
    int64_t record, lag_ns, latency_ns;
    const char *op, *reason;
} SlowRow;

typedef void SlowFn(const SlowRow *row, void *opaque);

/* Reasons come from events, where the log has them. */
static void each_slowest(Log *log, SlowFn *fn, void *opaque)
{
    bool events = log_has_table(log, "event") &&
                  log_meta_int(log, "indexed", 0);
    LogSql *sql = log_sql_new(
        log, events
            ? "SELECT record, op, lag_ns, latency_ns, reason "
              "FROM play_slowest LIMIT ?1"
            : "SELECT record, op, lag_ns, latency_ns, '' FROM play_latency "
              "ORDER BY lag_ns + latency_ns DESC, seq LIMIT ?1");

    log_sql_int(sql, 1, SLOWEST);
    while (log_sql_row(sql)) {
        SlowRow row = {
            log_sql_get_int(sql, 0), log_sql_get_int(sql, 2),
            log_sql_get_int(sql, 3), log_sql_get_text(sql, 1),
            log_sql_get_text(sql, 4),
        };

        fn(&row, opaque);
    }
    log_sql_free(sql);
}

/* ---- Text ---- */

static void print_slow(const SlowRow *row, void *opaque)
{
    g_autofree char *lag = trace_report_ns(row->lag_ns);
    g_autofree char *latency = trace_report_ns(row->latency_ns);

    printf("  %10" PRId64 "  %-12s %12s %12s  %s\n", row->record, row->op, lag,
           latency, row->reason);
}

/* The percentiles and the most, each between @before and @after. */
static void print_times(const Histogram *row, const char *before, int width,
                        const char *after)
{
    g_autofree char *most = trace_report_ns(row->most);

    for (unsigned k = 0; k < HISTOGRAM_SHOWN; k++) {
        g_autofree char *time = trace_report_ns(
            histogram_percentile(row, histogram_shown[k]));

        printf("%s%*s%s", before, width, time, after);
    }
    printf("%s%*s%s", before, width, most, after);
}

void play_report_text(Log *log)
{
    g_autofree PlayReport *r = make_report(log);

    if (!r) {
        return;
    }
    printf("\nThe play: %" PRIu64 " requests, %" PRIu64 " failed, %" PRIu64
           " left out\n  %-9s %12s %12s %12s %12s %12s %12s\n", r->requests,
           r->failed, r->left_out, "", "p50", "p90", "p99", "p99.9", "p99.99",
           "most");
    for (unsigned i = 0; i < ROWS; i++) {
        printf("  %-9s", row_names[i]);
        print_times(&r->rows[i], " ", 12, "");
        printf("\n");
    }
    printf("\nWhat ended latest after its time: record, operation, lag, "
           "latency, why\n");
    each_slowest(log, print_slow, NULL);
}

/* ---- HTML ---- */

static void put_slow(const SlowRow *row, void *opaque)
{
    g_autofree char *lag = trace_report_ns(row->lag_ns);
    g_autofree char *latency = trace_report_ns(row->latency_ns);
    g_autofree char *op = g_markup_escape_text(row->op, -1);
    g_autofree char *reason = g_markup_escape_text(row->reason, -1);

    printf("<tr><td>%" PRId64 "</td><td class=t>%s</td><td>%s</td><td>%s</td>"
           "<td class=t>%s</td></tr>\n", row->record, op, lag, latency, reason);
}

void play_report_html(Log *log)
{
    g_autofree PlayReport *r = make_report(log);

    if (!r) {
        return;
    }
    printf("<h2>The play</h2>\n<p>%" PRIu64 " requests, %" PRIu64 " failed, %"
           PRIu64 " left out.</p>\n<table>\n<tr><th></th>", r->requests,
           r->failed, r->left_out);
    for (unsigned k = 0; k < HISTOGRAM_SHOWN; k++) {
        printf("<th>p%g</th>", histogram_shown[k]);
    }
    printf("<th>most</th></tr>\n");
    for (unsigned i = 0; i < ROWS; i++) {
        printf("<tr><th class=t>%s</th>", row_names[i]);
        print_times(&r->rows[i], "<td>", 0, "</td>");
        printf("</tr>\n");
    }
    printf("</table>\n<p>What ended latest after its time, and why:</p>\n"
           "<table>\n<tr><th>record</th><th class=t>operation</th>"
           "<th>lag</th><th>latency</th><th class=t>why</th></tr>\n");
    each_slowest(log, put_slow, NULL);
    printf("</table>\n");
}

/* ---- JSON ---- */

static void add_slow(const SlowRow *row, void *opaque)
{
    JsonBuilder *b = opaque;

    json_builder_begin_object(b);
    cli_json_int(b, "record", row->record);
    cli_json_string(b, "op", row->op);
    cli_json_int(b, "lag_ns", row->lag_ns);
    cli_json_int(b, "latency_ns", row->latency_ns);
    cli_json_string(b, "reason", *row->reason ? row->reason : NULL);
    json_builder_end_object(b);
}

void play_report_json(Log *log, JsonBuilder *b)
{
    g_autofree PlayReport *r = make_report(log);

    if (!r) {
        return;
    }
    json_builder_set_member_name(b, "play");
    json_builder_begin_object(b);
    cli_json_int(b, "requests", r->requests);
    cli_json_int(b, "failed", r->failed);
    cli_json_int(b, "left_out", r->left_out);
    for (unsigned i = 0; i < ROWS; i++) {
        json_builder_set_member_name(b, row_names[i]);
        json_builder_begin_object(b);
        for (unsigned k = 0; k < HISTOGRAM_SHOWN; k++) {
            g_autofree char *name = g_strdup_printf("p%g", histogram_shown[k]);

            cli_json_int(b, name, histogram_percentile(&r->rows[i],
                                                       histogram_shown[k]));
        }
        cli_json_int(b, "most", r->rows[i].most);
        json_builder_end_object(b);
    }
    json_builder_set_member_name(b, "slowest");
    json_builder_begin_array(b);
    each_slowest(log, add_slow, b);
    json_builder_end_array(b);
    json_builder_end_object(b);
}
