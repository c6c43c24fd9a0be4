/* SPDX-License-Identifier: MIT */
/* The accounts of an import, as text or JSON, and its progress. */
#include "import-report.h"

#include "log-sql.h"
#include "report.h"
#include "trace-report.h"

#include <unistd.h>

enum { REJECTS_SHOWN = 5 };

/* ---- What the log says ---- */

static GPtrArray *first_rejects(Log *log)
{
    GPtrArray *rejects = g_ptr_array_new_with_free_func(g_free);
    LogSql *sql = log_sql_new(log, "SELECT path, place, reason, text "
                              "FROM trace_reject r JOIN trace_file f "
                              "ON f.id = r.file ORDER BY r.rowid LIMIT ?1");

    log_sql_int(sql, 1, REJECTS_SHOWN);
    while (log_sql_row(sql)) {
        g_ptr_array_add(rejects, g_strdup_printf(
            "%s:%" PRId64 ": %s: %s", log_sql_get_text(sql, 0),
            log_sql_get_int(sql, 1), log_sql_get_text(sql, 2),
            log_sql_get_text(sql, 3)));
    }
    log_sql_free(sql);
    return rejects;
}

ImportSummary import_summarise(Log *log)
{
    ImportSummary summary = {
        .span_ns = log_meta_int(log, "trace.span_ns", 0),
        .timed = g_strcmp0(log_meta(log, "trace.clock"),
                           trace_clock_names[TRACE_CLOCK_NONE]) != 0,
    };

    log_commit(log);
    summary.size = log_size(log);
    summary.rejects = first_rejects(log);
    return summary;
}

void import_summary_clear(ImportSummary *summary)
{
    if (summary->rejects) {
        g_ptr_array_free(summary->rejects, true);
    }
}

/* ---- Text ---- */

static void print_class(const CommonOptions *common,
                        const TraceAccount *account, AccountClass class)
{
    if (!trace_account_total(account, class)) {
        return;
    }
    cli_print(common, "  %s:\n", account_class_names[class]);
    for (unsigned i = 0; i < REASON_MAX; i++) {
        if (trace_reasons[i].class == class && account->n[i]) {
            cli_print(common, "  %12" PRIu64 "  %s (%s)\n", account->n[i],
                      trace_reasons[i].name, trace_reasons[i].help);
        }
    }
}

static void print_files(const CommonOptions *common, const Loaded *loaded)
{
    for (unsigned i = 0; i < loaded->files->len; i++) {
        const LoadedFile *file = &g_array_index(loaded->files, LoadedFile, i);

        cli_print(common, "%s: %s (%s)%s%s\n", file->path,
                  file->format->title, file->why,
                  file->compression ? ", packed by " : "",
                  file->compression ? file->compression : "");
    }
}

static void print_account(const CommonOptions *common, const Loaded *loaded,
                          const ImportSummary *summary)
{
    const TraceAccount *a = &loaded->account;

    cli_print(common, "  %" PRIu64 " %s read = %" PRIu64 " stored + %" PRIu64
              " skipped + %" PRIu64 " rejected\n", a->in,
              g_array_index(loaded->files, LoadedFile, 0).format->read
                  ? "records" : "lines",
              trace_account_total(a, ACCOUNT_STORED),
              trace_account_total(a, ACCOUNT_SKIPPED),
              trace_account_total(a, ACCOUNT_REJECTED));
    print_class(common, a, ACCOUNT_SKIPPED);
    print_class(common, a, ACCOUNT_REJECTED);
    for (unsigned i = 0; summary->rejects && i < summary->rejects->len; i++) {
        cli_print(common, "    %s\n",
                  (char *)g_ptr_array_index(summary->rejects, i));
    }
    for (unsigned i = 0; i < loaded->notes->len; i++) {
        cli_print(common, "  note: %s\n",
                  (char *)g_ptr_array_index(loaded->notes, i));
    }
}

static void print_log(const CommonOptions *common, const Loaded *loaded,
                      const char *log, const ImportSummary *summary)
{
    g_autofree char *span = report_time(summary->span_ns);

    if (summary->timed) {
        cli_print(common, "%s: %" PRIu64 " requests over %s, by the time of "
                  "%s:", log, loaded_records(loaded), span,
                  trace_at_names[loaded->at]);
    } else {
        cli_print(common, "%s: %" PRIu64 " requests in the order of their "
                  "lines:", log, loaded_records(loaded));
    }
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        if (loaded->ops[op]) {
            cli_print(common, " %" PRIu64 " %s", loaded->ops[op],
                      trace_op_names[op]);
        }
        if (op == TRACE_WRITE && loaded->preflush_writes) {
            cli_print(common, " (%" PRIu64 " of them flush first)",
                      loaded->preflush_writes);
        }
    }
    if (loaded->largest_end) {
        g_autofree char *end = trace_report_bytes(loaded->largest_end);

        cli_print(common, "; below %s", end);
    }
    cli_print(common, "; the log has %" PRId64 " bytes\n", summary->size);
}

/* ---- JSON ---- */

static void json_files(JsonBuilder *b, const Loaded *loaded)
{
    json_builder_set_member_name(b, "files");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < loaded->files->len; i++) {
        const LoadedFile *file = &g_array_index(loaded->files, LoadedFile, i);

        json_builder_begin_object(b);
        cli_json_string(b, "file", file->path);
        cli_json_string(b, "format", file->format->name);
        cli_json_string(b, "why", file->why);
        cli_json_string(b, "compression", file->compression);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void json_reasons(JsonBuilder *b, const TraceAccount *account,
                         AccountClass class)
{
    g_autofree char *by = g_strconcat(account_class_names[class], "_by", NULL);

    cli_json_int(b, account_class_names[class],
                 trace_account_total(account, class));
    if (class == ACCOUNT_STORED) {
        return;
    }
    json_builder_set_member_name(b, by);
    json_builder_begin_object(b);
    for (unsigned i = 0; i < REASON_MAX; i++) {
        if (trace_reasons[i].class == class && account->n[i]) {
            cli_json_int(b, trace_reasons[i].name, account->n[i]);
        }
    }
    json_builder_end_object(b);
}

static void json_strings(JsonBuilder *b, const char *name,
                         const GPtrArray *strings)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
    for (unsigned i = 0; strings && i < strings->len; i++) {
        json_builder_add_string_value(b, g_ptr_array_index(strings, i));
    }
    json_builder_end_array(b);
}

static void print_json(const Loaded *loaded, const char *log,
                       const ImportSummary *summary)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    json_files(b, loaded);
    cli_json_int(b, "read", loaded->account.in);
    json_reasons(b, &loaded->account, ACCOUNT_STORED);
    json_reasons(b, &loaded->account, ACCOUNT_SKIPPED);
    json_reasons(b, &loaded->account, ACCOUNT_REJECTED);
    json_strings(b, "rejects", summary->rejects);
    json_strings(b, "notes", loaded->notes);
    cli_json_string(b, "log", log);
    cli_json_string(b, "at", trace_at_names[loaded->at]);
    cli_json_int(b, "span_ns", summary->span_ns);
    json_builder_set_member_name(b, "ops");
    json_builder_begin_object(b);
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        if (loaded->ops[op]) {
            cli_json_int(b, trace_op_names[op], loaded->ops[op]);
        }
    }
    json_builder_end_object(b);
    cli_json_int(b, "preflush_writes", loaded->preflush_writes);
    cli_json_int(b, "largest_end", loaded->largest_end);
    json_builder_end_object(b);
    cli_print_json(b);
}

void import_print(const CommonOptions *common, const Loaded *loaded,
                  const char *log, const ImportSummary *summary)
{
    if (common->quiet) {
        return;
    }
    if (common->json) {
        print_json(loaded, log, summary);
        return;
    }
    print_files(common, loaded);
    print_account(common, loaded, summary);
    if (log) {
        print_log(common, loaded, log, summary);
    }
}

/* ---- Progress ---- */

static int64_t began;
static bool shown;

static void show(uint64_t bytes, uint64_t of, uint64_t records)
{
    if (g_get_monotonic_time() - began < G_USEC_PER_SEC) {
        return;
    }
    if (of) {
        fprintf(stderr, "\r%3" PRIu64 " %%, %" PRIu64 "k records ",
                bytes * 100 / of, records / 1000);
    } else {
        fprintf(stderr, "\r%" PRIu64 "k records ", records / 1000);
    }
    shown = true;
}

void import_progress_start(const CommonOptions *common, LoadOptions *options)
{
    if (!common->quiet && isatty(STDERR_FILENO)) {
        began = g_get_monotonic_time();
        options->progress = show;
    }
}

void import_progress_stop(void)
{
    if (shown) {
        fprintf(stderr, "\r\033[K");
        shown = false;
    }
}
