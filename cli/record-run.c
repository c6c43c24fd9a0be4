/* SPDX-License-Identifier: MIT */
/*
 * Records, and then replays once, which proves the recording and yields the
 * events for the tables.
 */
#include "record-run.h"

#include "record-log.h"
#include "replay-explicit.h"
#include "report.h"

enum { INDEX_LIMIT = 3000000 }; /* events; more by aiolab index only */

static void print_json(const Session *session, Log *log, const char *name)
{
    JsonBuilder *b = json_builder_new();
    const char *outcome = log_meta(log, "outcome");

    json_builder_begin_object(b);
    cli_json_string(b, "log", log_path(log));
    cli_json_string(b, "scenario", name);
    cli_json_string(b, "host", log_meta(log, "host"));
    cli_json_string(b, "outcome", outcome);
    cli_json_int(b, "inputs", log_meta_int(log, "inputs", 0));
    cli_json_int(b, "stalls", log_meta_int(log, "stalls", 0));
    cli_json_int(b, "events", session_count(session));
    cli_json_bool(b, "identical", session->end != SESSION_DIVERGED &&
                  session->end != SESSION_BAD_LOG);
    json_builder_end_object(b);
    cli_print_json(b);
}

static void print_result(const char *name, const char *value, void *opaque)
{
    if (g_str_has_prefix(name, "result.")) {
        cli_print(opaque, "  %-16s %s\n", name + strlen("result."), value);
    }
}

static void print_text(const Session *session, Log *log, const char *name,
                       const CommonOptions *common)
{
    cli_print(common, "recorded %s (%s%s) into %s: %" PRId64 " inputs\n", name,
              log_meta(log, "host"),
              log_meta_int(log, "io_uring", 0) ? ", io_uring" : "",
              log_path(log), log_meta_int(log, "inputs", 0));
    log_foreach_meta(log, print_result, (void *)common);
    if (session->end == SESSION_STUCK) {
        g_autofree char *report = report_stuck(session);

        cli_print(common, "%s", report);
    } else if (session->end == SESSION_FAILED) {
        cli_print(common, "FAILED  %s\n", session->text);
    } else if (session->text) {
        cli_print(common, "%s%s", session->text,
                  session->end == SESSION_DIVERGED ? "" : "\n");
    }
}

/* What was lost of the run's own timing: nothing else is. */
static void report_stalls(const char *path, const CommonOptions *common)
{
    Log *log = common->quiet ? NULL : log_open(path, NULL);
    int64_t stalls = log ? log_meta_int(log, "stalls", 0) : 0;

    if (stalls) {
        cli_error("%s: the recorded threads had to wait %" PRId64 " times for "
                  "the disk; nothing is missing", path, stalls);
    }
    log_close(log, NULL);
}

static void print_unproved(Log *log, const char *name,
                           const CommonOptions *common)
{
    if (log_is_explicit(log)) {
        cli_print(common, "recorded the explicit calls and clocks of %s (%s) "
                  "into %s: %" PRId64 " inputs; 'aiolab replay' shows whether "
                  "that is enough\n", name, log_meta(log, "host"),
                  log_path(log), log_meta_int(log, "inputs", 0));
    } else {
        cli_print(common, "recorded the end of %s (%s) into %s: the last %"
                  PRId64 " inputs; %" PRIu64 " before them were let go\n",
                  name, log_meta(log, "host"), log_path(log),
                  log_meta_int(log, "inputs", 0), log_inputs_let_go(log));
    }
    log_foreach_meta(log, print_result, (void *)common);
}

/*
 * The end of a long run, or explicit calls alone: a replay proves nothing, and
 * there are no events to make tables of.
 */
static int index_unproved(const char *path, const char *name,
                          const ScenarioOptions *options,
                          const CommonOptions *common, Log *log)
{
    Error *err = NULL;

    if (common->json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "log", path);
        cli_json_string(b, "scenario", name);
        cli_json_string(b, "host", log_meta(log, "host"));
        cli_json_string(b, "outcome", log_meta(log, "outcome"));
        cli_json_string(b, "capture", log_meta(log, "capture"));
        cli_json_int(b, "inputs", log_meta_int(log, "inputs", 0));
        cli_json_int(b, "let_go", log_inputs_let_go(log));
        cli_json_int(b, "stalls", log_meta_int(log, "stalls", 0));
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        print_unproved(log, name, common);
    }
    log_close(log, NULL);
    if (!options->no_index && !index_log(path, NULL, &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    return STATUS_OK;
}

int record_and_index(const ScenarioSpec *spec, const RunConfig *config,
                     const ScenarioOptions *options,
                     const CommonOptions *common, const char *path)
{
    g_autofree char *name = scenario_spec_name(spec);
    Session *session;
    Error *err = NULL;
    Log *log;
    int status;

    if (config->sim.extras & SIM_STORE_BUFFERS) {
        cli_error("%s: a log cannot hold what stood in store buffers; keep the "
                  "schedule, which says all of it", path);
        return STATUS_USAGE;
    }
    cli_progress_start(common);
    status = record_log(spec, config, path, options->force);
    if (status == STATUS_OK) {
        report_stalls(path, common);
    }
    if (status != STATUS_OK || options->no_replay) {
        cli_progress_stop();
        return status;
    }
    log = log_open(path, &err);
    if (log && (log_inputs_let_go(log) || log_is_explicit(log))) {
        cli_progress_stop();
        return index_unproved(path, name, options, common, log);
    }
    session = log ? session_open_log(log, spec, &err) : NULL;
    cli_progress_stop();
    if (!session) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    if (common->json) {
        print_json(session, log, name);
    } else {
        print_text(session, log, name, common);
    }
    log_close(log, NULL);
    status = session_exit_status(session);
    if (!options->no_index && session_count(session) <= INDEX_LIMIT &&
        status < STATUS_BAD_INPUT && !index_log(path, session, &err)) {
        status = cli_fail(err, STATUS_MACHINE);
    }
    session_free(session);
    return status;
}
