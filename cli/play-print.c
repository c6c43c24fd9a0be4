/* SPDX-License-Identifier: MIT */
/* What a play measured, as text and as JSON. */
#include "play-run.h"

#include "log-sql.h"
#include "report.h"

static const double parts[] = {50, 90, 99, 99.9, 99.99};
static const char *const part_names[] = {
    "p50", "p90", "p99", "p99.9", "p99.99",
};

/* ---- Text ---- */

/* "1.25ms" for a table's column. */
static void print_time(const CommonOptions *common, int64_t ns)
{
    g_autofree char *text = report_time(ns);

    cli_print(common, " %10s", text);
}

static void print_row(const CommonOptions *common, const char *name,
                      const Histogram *h)
{
    if (!h->n) {
        return;
    }
    cli_print(common, "  %-22s %9" PRIu64, name, h->n);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        print_time(common, histogram_percentile(h, parts[i]));
    }
    print_time(common, h->most);
    cli_print(common, "\n");
}

static void print_latencies(const CommonOptions *common, const PlayStats *stats)
{
    cli_print(common, "  %-22s %9s", "latency", "requests");
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        cli_print(common, " %10s", part_names[i]);
    }
    cli_print(common, " %10s\n", "most");
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        print_row(common, trace_op_names[op], &stats->by_op[op]);
        print_row(common, "  as captured", &stats->captured_by_op[op]);
    }
    print_row(common, "all", &stats->all);
    print_row(common, "  as captured", &stats->captured);
    print_row(common, "lag (issued late by)", &stats->lag);
}

static void print_targets(const PlayJob *job)
{
    const GArray *targets = job->plan->targets;

    for (unsigned i = 0; i < targets->len; i++) {
        const PlayTarget *t = &g_array_index(targets, PlayTarget, i);

        cli_print(job->common, "  %s -> %s: %" PRIu64 " requests, %" PRIu64
                  " of them write or discard\n", t->device,
                  t->path ? t->path : job->config.device, t->requests,
                  t->writes + t->discards);
    }
}

static void print_counts(const PlayJob *job, const PlayStats *stats)
{
    const PlayPlan *plan = job->plan;

    cli_print(job->common, "  %zu records of %zu", plan->per_loop,
              plan->records);
    if (plan->left_out + plan->unsized) {
        cli_print(job->common, " (%zu not chosen, %zu without offset or size)",
                  plan->left_out, plan->unsized);
    }
    if (job->config.loops > 1) {
        cli_print(job->common, ", %u times", job->config.loops);
    }
    cli_print(job->common, ": %zu succeeded, %zu failed, %zu dropped, %zu "
              "outside the target\n", stats->done, stats->failed,
              stats->dropped, stats->outside);
}

/* What was asked for and did not come, and what was verified. */
static void print_outcome(const PlayJob *job)
{
    const PlayOutcome *outcome = job->plan->outcome;
    unsigned drains = job->config.drains->len;

    if (job->config.verify) {
        cli_print(job->common, "  verified %" PRIu64 " sectors of what was "
                  "read, %" PRIu64 " of them wrong%s\n", outcome->verified,
                  outcome->wrong, outcome->verified ? ""
                  : "; nothing was read that had been written");
    }
    if (outcome->drains < drains) {
        cli_print(job->common, "  %u of %u drains never took place: the play "
                  "does not come to their time\n", drains - outcome->drains,
                  drains);
    }
    if (job->plan->faults_left) {
        cli_print(job->common, "  %zu faults never took place: no request came "
                  "from their time on\n", job->plan->faults_left);
    }
}

void play_print(const PlayJob *job, const PlayStats *stats)
{
    const CommonOptions *common = job->common;
    g_autofree char *time = report_time(stats->elapsed_ns);

    cli_print(common, "%s, %s, %u %s: %s, %.0f requests/s, %.1f MiB/s\n",
              play_timing_names[job->config.timing],
              job->run.live ? "live" : "in virtual time", job->plan->lanes,
              !job->config.iothreads ? "thread"
              : job->config.iothreads == 1 ? "IOThread" : "IOThreads", time,
              play_stats_iops(stats),
              stats->elapsed_ns ? stats->bytes / 1048576.0 /
                  (stats->elapsed_ns / 1e9) : 0);
    print_targets(job);
    print_counts(job, stats);
    print_outcome(job);
    print_latencies(common, stats);
    if (job->config.timing == PLAY_CAPTURED) {
        cli_print(common, "  drift %.4f %%\n", stats->drift * 100);
    }
    cli_print(common, "  hash %016" PRIx64 "\n", stats->hash);
}

void play_print_slowest(const CommonOptions *common, const char *path)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    LogSql *sql;

    if (!log) {
        error_free(err);
        return;
    }
    if (log_meta_int(log, "indexed", 0) && log_has_table(log, "play_request")) {
        cli_print(common, "  slowest: record, operation, lag, latency, why "
                  "(view play_slowest)\n");
        sql = log_sql_new(log, "SELECT record, op, lag_ns, latency_ns, reason "
                          "FROM play_slowest LIMIT 5");
        while (log_sql_row(sql)) {
            g_autofree char *lag = report_time(log_sql_get_int(sql, 2));
            g_autofree char *latency = report_time(log_sql_get_int(sql, 3));

            cli_print(common, "  %9" PRId64 " %-12s %10s %10s  %s\n",
                      log_sql_get_int(sql, 0), log_sql_get_text(sql, 1), lag,
                      latency, log_sql_get_text(sql, 4));
        }
        log_sql_free(sql);
    }
    log_close(log, NULL);
}

/* ---- JSON ---- */

static void json_real(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_double_value(b, value);
}

static void json_histogram(JsonBuilder *b, const char *name,
                           const Histogram *h)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    cli_json_int(b, "n", h->n);
    json_real(b, "mean_ns", histogram_mean(h));
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        cli_json_int(b, part_names[i], histogram_percentile(h, parts[i]));
    }
    cli_json_int(b, "most", h->most);
    json_builder_end_object(b);
}

static void json_ops(JsonBuilder *b, const PlayStats *stats)
{
    json_builder_set_member_name(b, "latency");
    json_builder_begin_object(b);
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        if (stats->by_op[op].n) {
            json_histogram(b, trace_op_names[op], &stats->by_op[op]);
        }
    }
    json_histogram(b, "all", &stats->all);
    json_histogram(b, "captured", &stats->captured);
    json_builder_end_object(b);
}

/* "set":{"device":"ssd"}, of a grid. */
static void json_settings(JsonBuilder *b, const GPtrArray *settings)
{
    json_builder_set_member_name(b, "set");
    json_builder_begin_object(b);
    for (unsigned i = 0; i < settings->len; i++) {
        const char *assignment = settings->pdata[i];
        const char *equals = strchr(assignment, '=');
        g_autofree char *name = g_strndup(assignment, equals - assignment);

        cli_json_string(b, name, equals + 1);
    }
    json_builder_end_object(b);
}

void play_print_json(const PlayJob *job, const PlayStats *stats)
{
    JsonBuilder *b = json_builder_new();
    g_autofree char *hash = g_strdup_printf("%016" PRIx64, stats->hash);

    json_builder_begin_object(b);
    if (job->settings) {
        json_settings(b, job->settings);
    }
    cli_json_string(b, "timing", play_timing_names[job->config.timing]);
    cli_json_string(b, "host", job->run.live ? "live" : "sim");
    cli_json_int(b, "threads", job->plan->lanes);
    cli_json_int(b, "records", job->plan->records);
    cli_json_int(b, "requests", stats->n);
    cli_json_int(b, "not_chosen", job->plan->left_out);
    cli_json_int(b, "unsized", job->plan->unsized);
    cli_json_int(b, "succeeded", stats->done);
    cli_json_int(b, "failed", stats->failed);
    cli_json_int(b, "dropped", stats->dropped);
    cli_json_int(b, "outside", stats->outside);
    cli_json_int(b, "bytes", stats->bytes);
    cli_json_int(b, "elapsed_ns", stats->elapsed_ns);
    json_real(b, "iops", play_stats_iops(stats));
    json_real(b, "cpu_s", job->cpu_s);
    cli_json_int(b, "verified_sectors", job->plan->outcome->verified);
    cli_json_int(b, "wrong_sectors", job->plan->outcome->wrong);
    cli_json_int(b, "drains", job->plan->outcome->drains);
    cli_json_int(b, "faults_left", job->plan->faults_left);
    json_real(b, "drift_percent", stats->drift * 100);
    json_histogram(b, "lag", &stats->lag);
    json_ops(b, stats);
    cli_json_string(b, "hash", hash);
    json_builder_end_object(b);
    cli_print_json(b);
}
