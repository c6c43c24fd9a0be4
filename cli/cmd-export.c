/* SPDX-License-Identifier: MIT */
/* aiolab export: a log in another form, for other tools. */
#include "export-state.h"
#include "open-trace.h"

#include "export.h"

typedef struct ExportFormat {
    const char *name, *help;
    TraceExporter *trace;  /* of a captured trace */
    bool several;          /* -o is what the files' names begin with */
    StateExporter *state;  /* of one state of a run; else of a trace */
} ExportFormat;

static const ExportFormat formats[] = {
    {"fio-iolog2", "fio's I/O log, version 2", trace_export_fio2, false},
    {"fio-iolog3", "fio's I/O log, version 3", trace_export_fio3, false},
    {"blktrace", "blktrace's records, NAME.blktrace.N for each CPU",
     trace_export_blktrace, true},
    {"csv", "a table with everything", trace_export_csv, false},
    {"dot", "who waits for whom in a run, for Graphviz",
     .state = state_export_dot},
    {"json", "who waits for whom in a run", .state = state_export_json},
};

static const ExportFormat *find_format(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (g_str_equal(formats[i].name, name)) {
            return &formats[i];
        }
    }
    return NULL;
}

static int list_formats(const CommonOptions *common)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        cli_print(common, "%-12s %s\n", formats[i].name, formats[i].help);
    }
    return STATUS_OK;
}

static void say(const CommonOptions *common, const TraceExport *result)
{
    if (common->json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "output", common->output);
        cli_json_int(b, "files", result->files);
        cli_json_int(b, "written", result->written);
        cli_json_int(b, "left_out", result->left_out);
        cli_json_int(b, "rounded", result->rounded);
        cli_json_int(b, "changed_kind", result->changed_kind);
        json_builder_end_object(b);
        cli_print_json(b);
        return;
    }
    cli_print(common, "%s: %" PRIu64 " requests in %u files\n", common->output,
              result->written, result->files);
    if (result->left_out) {
        cli_error("%" PRIu64 " requests were left out: the format cannot say "
                  "them", result->left_out);
    }
    if (result->rounded) {
        cli_error("%" PRIu64 " requests were rounded to whole sectors",
                  result->rounded);
    }
    if (result->changed_kind) {
        cli_error("%" PRIu64 " requests are of the nearest kind that the format "
                  "has", result->changed_kind);
    }
}

static int export(const char *name, const ExportFormat *format,
                  const CommonOptions *common)
{
    TraceExport result = {0};
    Error *err = NULL;
    int status;
    Log *log = open_trace_by_name(name, NULL, common, &status);
    bool ok;

    if (!log) {
        return status;
    }
    ok = format->trace(log, common->output, &result, &err);
    log_close(log, NULL);
    if (!ok) {
        return cli_fail(err, result.no_room ? STATUS_MACHINE
                                            : STATUS_BAD_INPUT);
    }
    say(common, &result);
    return STATUS_OK;
}

int cmd_export(int argc, char **argv)
{
    static CommonOptions common;
    static ScenarioOptions scenario;
    static char *name;
    gboolean list = false;
    gint64 at = -1;
    const GOptionEntry entries[] = {
        {"format", 0, 0, G_OPTION_ARG_STRING, &name, "what to make of it",
         "FORMAT"},
        {"at", 0, 0, G_OPTION_ARG_INT64, &at, "of a run: the state right after "
         "this event (default: the last)", "EVENT"},
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &scenario.params,
         "of a scenario: set a parameter", "NAME=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &scenario.seed,
         "of a scenario: random choices from this seed", "N"},
        {"list-formats", 0, 0, G_OPTION_ARG_NONE, &list, "print the formats",
         NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG|TRACE|SCENARIO --format FORMAT "
                           "[-o FILE]",
                           "Writes a captured trace in a format of other "
                           "tools, and says what that format\ncannot; or who "
                           "waits for whom in a run.",
                           entries, &common);
    const ExportFormat *format;

    if (status >= 0) {
        return status;
    }
    if (list) {
        return list_formats(&common);
    }
    if (!name) {
        cli_error("export needs --format; --list-formats names them");
        return STATUS_USAGE;
    }
    format = find_format(name);
    if (!format) {
        cli_error("--format %s: no such format; --list-formats names them",
                  name);
        return STATUS_USAGE;
    }
    if (argc != 2 || !(common.output || format->state)) {
        cli_error("export needs one log or trace, and -o; see --help");
        return STATUS_USAGE;
    }
    if (format->state) {
        return export_state(argv[1], format->state, &scenario, at, &common);
    }
    if (!cli_check_output(&common, argv[1])) {
        return STATUS_BAD_INPUT;
    }
    return export(argv[1], format, &common);
}
