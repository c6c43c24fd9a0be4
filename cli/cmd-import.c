/* SPDX-License-Identifier: MIT */
/* aiolab import: files of captured I/O traces become a log. */
#include "blktrace-set.h"
#include "import-report.h"
#include "table-spec.h"

#include <glib/gstdio.h>
#include <signal.h>

typedef struct ImportCommand {
    CommonOptions common;
    char *format, *at, *max_bad, *columns;
    gboolean list, force;
    LoadOptions load;
    double bad_allowed; /* so many, or such a part of what was read */
    bool bad_is_part;
} ImportCommand;

static int list_formats(const CommonOptions *common)
{
    JsonBuilder *b = common->json ? json_builder_new() : NULL;

    if (b) {
        json_builder_begin_array(b);
    }
    for (unsigned i = 0; i < trace_formats_count; i++) {
        const TraceFormat *format = trace_formats[i];

        if (b) {
            json_builder_begin_object(b);
            cli_json_string(b, "format", format->name);
            cli_json_string(b, "title", format->title);
            cli_json_string(b, "clock", trace_clock_names[format->clock]);
            json_builder_end_object(b);
        } else {
            cli_print(common, "%-12s %s\n", format->name, format->title);
        }
    }
    if (b) {
        json_builder_end_array(b);
        cli_print_json(b);
    }
    return STATUS_OK;
}

/* ---- Options ---- */

static bool parse_max_bad(ImportCommand *c)
{
    char *end;

    if (!c->max_bad) {
        c->bad_allowed = 0.001;
        c->bad_is_part = true;
        return true;
    }
    c->bad_allowed = g_ascii_strtod(c->max_bad, &end);
    c->bad_is_part = *end == '%';
    if (c->bad_is_part) {
        c->bad_allowed /= 100;
        end++;
    }
    return end > c->max_bad && !*end && c->bad_allowed >= 0;
}

static bool check_columns(const ImportCommand *c)
{
    Error *err = NULL;
    TableSpec spec;

    if (!c->columns && c->format && g_str_equal(c->format, "columns")) {
        cli_error("--format columns needs --columns, which describes them");
        return false;
    }
    if (c->columns && !g_str_equal(c->format, "columns")) {
        cli_error("--columns goes with --format columns, not %s", c->format);
        return false;
    }
    if (c->columns && !table_spec_parse(&spec, c->columns, &err)) {
        cli_fail(err, STATUS_USAGE);
        return false;
    }
    return true;
}

static bool parse_options(ImportCommand *c)
{
    if (c->columns && !c->format) {
        c->format = g_strdup("columns");
    }
    if (c->format && !(c->load.format = trace_format_find(c->format))) {
        cli_error("--format %s: no such format; --list-formats names them",
                  c->format);
        return false;
    }
    c->load.columns = c->columns;
    if (!check_columns(c)) {
        return false;
    }
    c->load.at_given = c->at != NULL;
    if (c->at && g_str_equal(c->at, trace_at_names[TRACE_AT_ISSUE])) {
        c->load.at = TRACE_AT_ISSUE;
    } else if (c->at && !g_str_equal(c->at, trace_at_names[TRACE_AT_QUEUE])) {
        cli_error("--at %s: say queue, when the application asked, or issue, "
                  "when the device was", c->at);
        return false;
    }
    if (!parse_max_bad(c)) {
        cli_error("--max-bad %s: say how many, or a part such as 0.1%%",
                  c->max_bad);
        return false;
    }
    return true;
}

/* ---- The import ---- */

static bool too_many_bad(const ImportCommand *c, const Loaded *loaded)
{
    double bad = trace_account_total(&loaded->account, ACCOUNT_REJECTED);

    return bad > (c->bad_is_part ? c->bad_allowed * loaded->account.in
                                 : c->bad_allowed);
}

static int verdict(const ImportCommand *c, const Loaded *loaded)
{
    if (!loaded_records(loaded)) {
        cli_error("%s: holds nothing that can be used; no log was made",
                  g_array_index(loaded->files, LoadedFile, 0).path);
        return STATUS_BAD_INPUT;
    }
    if (too_many_bad(c, loaded)) {
        fflush(stdout);
        cli_error("%s: more was rejected than --max-bad allows (%s); the log "
                  "has the rest",
                  g_array_index(loaded->files, LoadedFile, 0).path,
                  c->max_bad ? c->max_bad : "0.1%");
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

static volatile int interrupted;

/* The first one is an orderly end; another one is not waited for. */
static void interrupt(int signal_number)
{
    interrupted = signal_number;
    signal(signal_number, SIG_DFL);
}

/* It appears under its name when it is whole. */
static int finish(ImportCommand *c, Log *log, const char *part,
                  const Loaded *loaded, bool ok, Error *err)
{
    bool keep = ok && loaded_records(loaded) && !log_failed(log);
    ImportSummary summary = {0};

    if (ok && !c->common.quiet) {
        summary = import_summarise(log);
    }
    if (!log_close(log, ok ? &err : NULL)) {
        log_remove(part);
        return cli_fail(err, STATUS_MACHINE);
    }
    if (!keep) {
        log_remove(part);
    } else if (g_rename(part, c->common.output) < 0) {
        cli_error("%s: cannot be written: %s", c->common.output,
                  g_strerror(errno));
        log_remove(part);
        return STATUS_MACHINE;
    }
    if (!ok) {
        return cli_fail(err, interrupted ? 128 + interrupted
                                         : STATUS_BAD_INPUT);
    }
    import_print(&c->common, loaded, keep ? c->common.output : NULL, &summary);
    import_summary_clear(&summary);
    return verdict(c, loaded);
}

static int import(ImportCommand *c, char **paths, unsigned n)
{
    g_autofree char *part = g_strconcat(c->common.output, ".part", NULL);
    Error *err = NULL;
    Loaded loaded;
    int status;
    Log *log;
    bool ok;

    if (!log_may_create(c->common.output, c->force, &err) ||
        !(log = log_create(part, true, &err))) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    c->load.stop = &interrupted;
    import_progress_start(&c->common, &c->load);
    ok = trace_load(log, paths, n, &c->load, &loaded, &err);
    import_progress_stop();
    status = finish(c, log, part, &loaded, ok, err);
    loaded_clear(&loaded);
    return status;
}

/* One file of a blktrace set, or its name, means all of them. */
static int import_set(ImportCommand *c, const char *path)
{
    g_auto(GStrv) paths = blktrace_set_files(path);
    unsigned n = g_strv_length(paths);

    c->load.n_set = n;
    return import(c, paths, n);
}

int cmd_import(int argc, char **argv)
{
    static ImportCommand c;
    const GOptionEntry entries[] = {
        {"format", 0, 0, G_OPTION_ARG_STRING, &c.format,
         "what the files are (default: detected)", "FORMAT"},
        {"list-formats", 0, 0, G_OPTION_ARG_NONE, &c.list,
         "print the formats", NULL},
        {"columns", 0, 0, G_OPTION_ARG_STRING, &c.columns,
         "describe a table, for example "
         "'time:us,op,offset:sector,bytes,device'", "COLUMNS"},
        {"at", 0, 0, G_OPTION_ARG_STRING, &c.at,
         "a request begins when it is queued, or issued to the device "
         "(default: queue, if the trace has it)", "queue|issue"},
        {"max-bad", 0, 0, G_OPTION_ARG_STRING, &c.max_bad,
         "how much may be rejected (default: 0.1%)", "N|N%"},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &c.force,
         "replace the log of -o", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "FILE... -o LOG",
                           "Makes a log of captured I/O traces, and accounts "
                           "for each of their lines.\nExit status: 0 fine, 3 "
                           "nothing usable, or more rejected than --max-bad.",
                           entries, &c.common);

    if (status >= 0) {
        return status;
    }
    if (c.list) {
        return list_formats(&c.common);
    }
    if (argc < 2 || !c.common.output) {
        cli_error("import needs files, and -o for the log; see --help");
        return STATUS_USAGE;
    }
    if (!parse_options(&c)) {
        return STATUS_USAGE;
    }
    return argc == 2 ? import_set(&c, argv[1])
                     : import(&c, argv + 1, argc - 1);
}
