/* SPDX-License-Identifier: MIT */
/* aiolab index: make a log's SQL tables, by replaying it once. */
#include "cli.h"

#include "index.h"
#include "index-records.h"
#include "log-events.h"
#include "record-log.h"
#include "replay-explicit.h"

/*
 * The last inputs of a long run have no events, because they cannot be
 * replayed; and explicit calls alone have none that are sure to be theirs.
 */
static int index_inputs(const char *path, const CommonOptions *common)
{
    Error *err = NULL;
    int64_t inputs;
    Log *log;

    if (!index_log(path, NULL, &err) || !(log = log_open(path, &err))) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    inputs = log_meta_int(log, "inputs", 0);
    log_close(log, NULL);
    if (common->json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "log", path);
        cli_json_int(b, "inputs", inputs);
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        cli_print(common, "%s: %" PRId64 " inputs\n", path, inputs);
    }
    return STATUS_OK;
}

/* The events of a QEMU's trace, too, if that is what it is of. */
static bool fill_trace_tables(Log *log, Error **errp)
{
    Session *session = NULL;
    bool ok = true;

    if (log_has_events(log)) {
        session = session_open_events(log, errp);
        ok = session && index_build(log, session, errp);
        session_free(session);
    } else {
        log_clear_derived(log);
    }
    return ok && trace_index_records(log, errp);
}

/* A captured trace has nothing to replay: its rows are made from its chunks. */
static int index_trace(const char *path, const CommonOptions *common)
{
    Error *err = NULL;
    Log *log = log_open_rw(path, &err);
    int64_t records, events;

    if (!log || !fill_trace_tables(log, &err)) {
        log_close(log, NULL);
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    records = log_meta_int(log, "trace.records", 0);
    events = log_meta_int(log, "events", 0);
    if (!log_close(log, &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    if (common->json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "log", path);
        cli_json_int(b, "records", records);
        cli_json_int(b, "events", events);
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        cli_print(common, "%s: %" PRId64 " records, %" PRId64 " events\n", path,
                  records, events);
    }
    return STATUS_OK;
}

int cmd_index(int argc, char **argv)
{
    static CommonOptions common;
    int status = cli_parse(&argc, &argv, "LOG",
                           "Replays a log once and makes its tables thread, "
                           "object, site, event and input.", NULL, &common);
    ScenarioSpec *spec = NULL;
    Session *session = NULL;
    Error *err = NULL;
    Log *log;

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("index needs one log; see --help");
        return STATUS_USAGE;
    }
    if (!cli_open_output(&common, argv[1])) {
        return STATUS_BAD_INPUT;
    }
    log = log_open(argv[1], &err);
    if (log && trace_log_is_only(log)) {
        log_close(log, NULL);
        return index_trace(argv[1], &common);
    }
    if (log && (log_inputs_let_go(log) || log_is_explicit(log))) {
        log_close(log, NULL);
        return index_inputs(argv[1], &common);
    }
    spec = log ? run_spec_from_log(log, &err) : NULL;
    session = spec ? session_open_log(log, spec, &err) : NULL;
    log_close(log, NULL);
    if (!session) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    status = session_exit_status(session);
    if (status >= STATUS_BAD_INPUT && session->end != SESSION_CUT) {
        if (session->end == SESSION_DIVERGED) {
            fputs(session->text, stderr);
        } else {
            cli_error("%s: cannot be replayed to its end%s%s", argv[1],
                      session->text ? ": " : "",
                      session->text ? session->text : "");
        }
        return status;
    }
    log = log_open_rw(argv[1], &err);
    if (!log || !index_build(log, session, &err) ||
        (trace_log_is(log) && /* what was played */
         !trace_index_records(log, &err)) || !log_close(log, &err)) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    if (common.json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "log", argv[1]);
        cli_json_int(b, "events", session_count(session));
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        cli_print(&common, "%s: %" PRIu64 " events\n", argv[1],
                  session_count(session));
    }
    session_free(session);
    scenario_spec_free(spec);
    return STATUS_OK;
}
