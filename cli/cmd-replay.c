/* SPDX-License-Identifier: MIT */
/* aiolab replay: run a log again, on one thread, and compare everything. */
#include "cli.h"

#include "report.h"
#include "rules-print.h"
#include "run.h"
#include "thread-turns.h"

static void print_json(const Session *session, const Input *inputs, size_t n)
{
    JsonBuilder *b = json_builder_new();
    bool identical = session->end == SESSION_DONE ||
                     session->end == SESSION_FAILED ||
                     session->end == SESSION_STUCK;

    json_builder_begin_object(b);
    cli_json_string(b, "log", session->title);
    cli_json_bool(b, "identical", identical);
    if (session->end == SESSION_CRASHED) {
        cli_json_int(b, "signal", session->a);
    } else {
        cli_json_int(b, "inputs", session->a);
        cli_json_int(b, "digests", session->b);
    }
    cli_json_int(b, "events", session_count(session));
    cli_json_string(b, "outcome",
                    session->end == SESSION_STUCK ? "stuck"
                    : session->end == SESSION_FAILED ? "failed"
                    : session->end == SESSION_CUT ? "cut"
                    : session->end == SESSION_CRASHED ? "crashed"
                    : session->end == SESSION_DIVERGED ? "diverged"
                    : session->end == SESSION_DONE ? "done" : "bad");
    cli_json_string(b, "report", session->text);
    if (inputs) {
        json_builder_set_member_name(b, "threads");
        json_builder_begin_array(b);
        thread_turns_print(session, inputs, n, NULL, b);
        json_builder_end_array(b);
    }
    rules_print(session, NULL, b, STATUS_OK);
    json_builder_end_object(b);
    cli_print_json(b);
}

static void print_identical(const Session *session, const char *ending,
                            const CommonOptions *common)
{
    g_autofree char *events = session_count(session)
        ? g_strdup_printf(", %" PRIu64 " events", session_count(session))
        : g_strdup("");

    cli_print(common, "identical: %" PRIu64 " inputs, %" PRIu64 " state "
              "digests compared%s; %s\n", session->a, session->b, events,
              ending);
}

/* What the recorded run did, too, is no divergence. */
static void print_crash(const Session *session, int recorded_signal)
{
    cli_error("%s: the replay was killed by signal %d after event %" PRIu64 "%s",
              session->title, (int)session->a, session_count(session),
              recorded_signal == (int)session->a ? ", as the recorded run was"
                                                 : "");
}

static void print_text(const Session *session, int recorded_signal,
                       const CommonOptions *common)
{
    switch (session->end) {
    case SESSION_DONE:
        print_identical(session, session->text ? session->text
                                               : "the run ended well", common);
        break;
    case SESSION_FAILED:
        print_identical(session, "a check failed, as recorded", common);
        cli_print(common, "FAILED  %s\n", session->text);
        break;
    case SESSION_STUCK: {
        g_autofree char *report = report_stuck(session);

        print_identical(session, "the run is stuck, as recorded", common);
        cli_print(common, "%s", report);
        break;
    }
    case SESSION_CUT:
        cli_error("%s: the recording ends after %" PRIu64 " inputs, before the "
                  "scenario does; all of them were identical", session->title,
                  session->a);
        break;
    case SESSION_DIVERGED:
        fputs(session->text, stderr);
        break;
    case SESSION_CRASHED:
        print_crash(session, recorded_signal);
        break;
    default:
        cli_error("%s", session->text);
        break;
    }
}

/*
 * What differs or crashes is replayed again, with all events: the report names
 * them.
 */
static Session *open_session(Log *log, const ScenarioSpec *spec, bool fast,
                             Error **errp)
{
    Session *session = fast ? session_compare_log(log, spec, errp)
                            : session_open_log(log, spec, errp);

    if (fast && session && session->end != SESSION_DONE &&
        session->end != SESSION_FAILED && session->end != SESSION_CUT) {
        session_free(session);
        session = session_open_log(log, spec, errp);
    }
    return session;
}

int cmd_replay(int argc, char **argv)
{
    static CommonOptions common;
    static gboolean fast, threads;
    const GOptionEntry entries[] = {
        {"fast", 0, 0, G_OPTION_ARG_NONE, &fast,
         "compare only, without making the events", NULL},
        {"threads", 0, 0, G_OPTION_ARG_NONE, &threads,
         "say which thread went on when, and what it took", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG",
                           "Runs a recording again on one thread and compares "
                           "every input and state digest.\n"
                           "Exit status: 0 identical, 4 divergence, 3 damaged.",
                           entries, &common);
    g_autofree Input *inputs = NULL;
    ScenarioSpec *spec;
    Session *session;
    Error *err = NULL;
    size_t n = 0;
    Log *log;

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("replay needs one log; see --help");
        return STATUS_USAGE;
    }
    log = log_open(argv[1], &err);
    spec = log ? run_spec_from_log(log, &err) : NULL;
    if (!spec) {
        log_close(log, NULL);
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    cli_progress_start(&common);
    session = open_session(log, spec, fast && !threads, &err);
    cli_progress_stop();
    if (!session) {
        return cli_fail(err, STATUS_MACHINE);
    }
    if (!cli_open_output(&common, argv[1])) {
        return STATUS_BAD_INPUT;
    }
    /* As far as it came. */
    if (threads && session->end != SESSION_BAD_LOG &&
        session->end != SESSION_CRASHED) {
        inputs = log_inputs(log, &n, NULL);
        n = MIN(n, session->a);
    }
    if (common.json) {
        print_json(session, inputs, n);
    } else {
        print_text(session, log_meta_int(log, "signal", 0), &common);
        rules_print(session, &common, NULL, STATUS_OK);
    }
    if (inputs && !common.json) {
        thread_turns_print(session, inputs, n, &common, NULL);
    }
    status = session_exit_status(session);
    /* A recorded finding that replays identically is what was asked for. */
    if (status == STATUS_FINDING) {
        status = STATUS_OK;
    }
    session_free(session);
    scenario_spec_free(spec);
    log_close(log, NULL);
    return status;
}
