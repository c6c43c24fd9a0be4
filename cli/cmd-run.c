/* SPDX-License-Identifier: MIT */
/* aiolab run: a scenario, once. */
#include "record-run.h"

#include "report.h"
#include "rules-print.h"
#include "schedule-token.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_results(const ScenarioOutcome *outcome,
                          const CommonOptions *common)
{
    for (unsigned i = 0; outcome->results && i < outcome->results->len; i++) {
        ScenarioResult *r = &g_array_index(outcome->results, ScenarioResult, i);

        cli_print(common, "  %-16s %" PRId64 "\n", r->name, r->value);
    }
}

static void print_live_json(const RunResult *result, const char *name)
{
    JsonBuilder *b = json_builder_new();
    const GArray *results = result->scenario.results;

    json_builder_begin_object(b);
    cli_json_string(b, "scenario", name);
    cli_json_string(b, "host", "live");
    cli_json_bool(b, "io_uring", result->io_uring);
    cli_json_string(b, "outcome",
                    result->scenario.failed_checks ? "failed" : "done");
    cli_json_string(b, "failure", result->scenario.first_failure);
    for (unsigned i = 0; results && i < results->len; i++) {
        ScenarioResult *r = &g_array_index(results, ScenarioResult, i);

        cli_json_int(b, r->name, r->value);
    }
    json_builder_end_object(b);
    cli_print_json(b);
}

static int run_live(const ScenarioSpec *spec, const RunConfig *config,
                    const CommonOptions *common)
{
    g_autofree char *name = scenario_spec_name(spec);
    RunConfig patient = *config;
    RunResult result;
    Error *err = NULL;
    int status = STATUS_OK;

    patient.detached_ns = RUN_DETACHED_NS;
    if (!run_scenario(spec, &patient, &result, &err)) {
        return cli_fail(err, result.scenario.bad_input ? STATUS_BAD_INPUT
                                                       : STATUS_MACHINE);
    }
    if (common->json) {
        print_live_json(&result, name);
    } else {
        cli_print(common, "%s (live, %s): %s\n", name,
                  result.io_uring ? "io_uring" : "epoll",
                  result.scenario.failed_checks ? "failed" : "done");
        print_results(&result.scenario, common);
    }
    if (result.left_detached) {
        cli_error("%s: a detached thread still ran a second after the main "
                  "thread had ended, and ends with it", name);
    }
    if (result.scenario.failed_checks) {
        if (!common->json) {
            cli_print(common, "FAILED  %s\n", result.scenario.first_failure);
        }
        status = STATUS_FINDING;
    }
    scenario_outcome_finish(&result.scenario);
    return status;
}

/* In a process of its own, so that a crash can be told. */
static int run_live_in_child(const ScenarioSpec *spec, const RunConfig *config,
                             const CommonOptions *common)
{
    g_autofree char *name = scenario_spec_name(spec);
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        status = run_live(spec, config, common);
        if (fflush(stdout) != 0) {
            status = STATUS_MACHINE;
        }
        _exit(status);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        cli_error("%s: killed by signal %d; 'aiolab record' keeps what led "
                  "to it", name, WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

static const char *const end_names[] = {
    [SESSION_DONE] = "done", [SESSION_FAILED] = "failed",
    [SESSION_STUCK] = "stuck", [SESSION_BUDGET] = "budget",
    [SESSION_CUT] = "cut", [SESSION_DIVERGED] = "diverged",
    [SESSION_BAD_LOG] = "bad", [SESSION_CRASHED] = "crashed",
};

static void print_sim_text(const Session *session, const CommonOptions *common)
{
    g_autofree char *time = report_time(session->model->t_ns);

    if (session->end == SESSION_STUCK) {
        g_autofree char *report = report_stuck(session);

        cli_print(common, "%s", report);
        return;
    }
    if (session->end == SESSION_BAD_LOG) {
        cli_error("%s", session->text);
        return;
    }
    cli_print(common, "%s (simulated): %s, %" PRIu64 " events, %s\n",
              session->title, end_names[session->end], session_count(session),
              time);
    if (session->end == SESSION_BUDGET) {
        cli_print(common, "it did not end within the steps that it was given; "
                  "--max-steps gives more\n");
    } else if (session->end == SESSION_FAILED) {
        cli_print(common, "FAILED  %s\n", session->text);
    } else if (session->text) { /* SIM_EXITED */
        cli_print(common, "the scenario has ended its process: %s\n",
                  session->text);
    } else if (session->end == SESSION_CRASHED) {
        cli_error("%s: killed by signal %d after event %" PRIu64
                  "; 'aiolab tui %s' shows where", session->title,
                  (int)session->a, session_count(session), session->title);
    }
}

static int run_simulated(const ScenarioSpec *spec, const RunConfig *config,
                         const char *token, const CommonOptions *common)
{
    Error *err = NULL;
    Session *session = session_open_scenario(spec, config, &err);
    int status;

    if (!session) {
        return cli_fail(err, STATUS_MACHINE);
    }
    if (token && !schedule_token_check(token, session, &err)) {
        session_free(session);
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    status = session_exit_status(session);
    if (common->json) {
        JsonBuilder *b = json_builder_new();
        g_autofree char *report = session->end == SESSION_STUCK
                                      ? report_stuck(session) : NULL;

        json_builder_begin_object(b);
        cli_json_string(b, "scenario", session->title);
        cli_json_string(b, "host", "sim");
        cli_json_string(b, "outcome", end_names[session->end]);
        cli_json_string(b, "failure", session->text);
        cli_json_string(b, "report", report);
        cli_json_int(b, "events", session_count(session));
        cli_json_int(b, "virtual_ns", session->model->t_ns);
        status = rules_print(session, common, b, status);
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        print_sim_text(session, common);
        status = rules_print(session, common, NULL, status);
    }
    session_free(session);
    return status;
}

int cmd_run(int argc, char **argv)
{
    static ScenarioOptions options;
    static CommonOptions common;
    ScenarioSpec *spec;
    RunConfig config;
    int status = cli_parse(&argc, &argv, "SCENARIO[/VARIANT]",
                           "Runs a scenario once; a .c or .so file of yours is "
                           "one too.\nWith -o LOG the run is recorded.",
                           scenario_option_entries(&options), &common);

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("run needs one scenario; see --help");
        return STATUS_USAGE;
    }
    spec = scenario_options_apply(&options, argv[1], &config, &status);
    if (!spec) {
        return status;
    }
    status = common.output ? record_and_index(spec, &config, &options, &common,
                                              common.output)
           : config.live ? run_live_in_child(spec, &config, &common)
                         : run_simulated(spec, &config, options.token,
                                         &common);
    scenario_spec_free(spec);
    return status;
}
