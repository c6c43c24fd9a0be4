/* SPDX-License-Identifier: MIT */
/* "a.aiolog" is replayed; "drain" or "my.c" is simulated. */
#include "open-session.h"

#include "schedule-token.h"
#include "log-events.h"
#include "store.h"

/* Of captured traces, only a QEMU's own tells what its loop did. */
static Session *open_trace_session(Log *log, Error **errp)
{
    if (!log_has_events(log)) {
        error_setg(errp, "%s: holds requests and no events of a loop, so there "
                   "is nothing to step through; 'aiolab report' shows them",
                   log_path(log));
        return NULL;
    }
    return session_open_events(log, errp);
}

static Session *open_log_session(const char *path, int *status)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    ScenarioSpec *spec;
    Session *session;

    if (log && trace_log_is_only(log)) {
        session = open_trace_session(log, &err);
        log_close(log, NULL);
        *status = session ? STATUS_OK : cli_fail(err, STATUS_BAD_INPUT);
        return session;
    }
    spec = log ? run_spec_from_log(log, &err) : NULL;
    session = spec ? session_open_log(log, spec, &err) : NULL;
    log_close(log, NULL);
    scenario_spec_free(spec); /* the engine has its own copy */
    if (!session) {
        *status = cli_fail(err, STATUS_BAD_INPUT);
    } else if (session->end == SESSION_BAD_LOG) {
        cli_error("%s", session->text);
        *status = STATUS_BAD_INPUT;
        session_free(session);
        session = NULL;
    } else if (session->end == SESSION_DIVERGED) {
        cli_error("%s: its replay diverges after event %" PRIu64 ", and what "
                  "follows is not shown; 'aiolab replay' says more", path,
                  session_count(session));
    }
    return session;
}

bool is_scenario_name(const char *name)
{
    return !g_file_test(name, G_FILE_TEST_IS_REGULAR) ||
           g_str_has_suffix(name, ".c") || g_str_has_suffix(name, ".so");
}

/* Either keeps @spec for the source, or frees it. */
static void keep_source(RunSource **source, ScenarioSpec *spec,
                        const RunConfig *config,
                        const ScenarioOptions *options)
{
    if (source) {
        *source = run_source_new(spec, config, options);
    } else {
        scenario_spec_free(spec);
    }
}

Session *open_session_by_name(const char *name, ScenarioOptions *options,
                              RunSource **source, int *status)
{
    static RunConfig config;
    ScenarioSpec *spec;
    Session *session;
    Error *err = NULL;

    if (source) {
        *source = NULL;
    }
    if (!is_scenario_name(name)) {
        return open_log_session(name, status);
    }
    spec = scenario_options_apply(options, name, &config, status);
    if (!spec) {
        return NULL;
    }
    config.live = false;
    session = session_open_scenario(spec, &config, &err);
    keep_source(source, spec, &config, options);
    if (!session) {
        *status = cli_fail(err, STATUS_MACHINE);
    } else if (options->token &&
               !schedule_token_check(options->token, session, &err)) {
        *status = cli_fail(err, STATUS_BAD_INPUT);
        session_free(session);
        session = NULL;
    }
    return session;
}
