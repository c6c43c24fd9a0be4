/* SPDX-License-Identifier: MIT */
/* Runs a scenario: choose the host, put the recorder over it, begin, end. */
#include "run.h"

#include "front.h"
#include "watch-live.h"

/* ---- Meta rows: what it takes to run it again ---- */

static void put_param(gpointer name, gpointer value, gpointer opaque)
{
    g_autofree char *key = g_strconcat("param.", name, NULL);

    log_set_meta(opaque, key, value);
}

static void write_meta(Log *log, const ScenarioSpec *spec,
                       const RunConfig *config)
{
    g_autofree char *name = scenario_spec_name(spec);
    g_autofree char *format = log_format();

    log_set_meta(log, "state", "recording");
    log_set_meta(log, "version", AIOLAB_VERSION);
    log_set_meta(log, "format", format);
    log_set_meta(log, "scenario", name);
    if (spec->source) {
        g_autofree char *digest = run_source_digest(spec->source);

        log_set_meta(log, "source", spec->source);
        log_set_meta(log, "source.digest", digest);
    }
    log_set_meta(log, "host", config->live ? "live" : "sim");
    log_set_meta(log, "capture", config->capture == CAPTURE_EXPLICIT
                                     ? "explicit" : "full");
    log_set_meta(log, "data", config->capture == CAPTURE_EXPLICIT ? "none"
                              : config->policy == DATA_HASH ? "hash" : "full");
    log_set_meta_int(log, "seed", config->sim.seed);
    if (config->sim.fine) {
        log_set_meta(log, "choices", "fine");
    }
    if (config->flight) {
        log_set_meta_int(log, "flight.recorder", config->flight);
    }
    g_hash_table_foreach(spec->params, put_param, log);
    log_commit(log);
}

char *run_exit_text(const SimResult *result)
{
    return result->exit_signal
               ? g_strdup_printf("signal %d", result->exit_signal)
               : g_strdup_printf("exit(%d)", result->exit_status);
}

static void write_results(Log *log, const RunResult *result)
{
    const char *outcome = result->sim.outcome == SIM_STUCK ? "stuck"
                        : result->sim.outcome == SIM_EXITED ? "exited"
                        : result->sim.outcome == SIM_BUDGET ? "budget"
                        : result->scenario.failed_checks ? "failed" : "done";

    log_set_meta(log, "outcome", outcome);
    if (result->sim.outcome == SIM_EXITED) {
        g_autofree char *how = run_exit_text(&result->sim);

        log_set_meta(log, "exit", how);
    }
    for (unsigned i = 0; result->scenario.results &&
                         i < result->scenario.results->len; i++) {
        ScenarioResult *r = &g_array_index(result->scenario.results,
                                           ScenarioResult, i);
        g_autofree char *key = g_strconcat("result.", r->name, NULL);

        log_set_meta_int(log, key, r->value);
    }
    if (result->scenario.first_failure) {
        log_set_meta(log, "failure", result->scenario.first_failure);
    }
}

/* ---- Running ---- */

typedef struct Run {
    const ScenarioSpec *spec;
    const RunConfig *config;
    RunResult *result;
    Error *err;
} Run;

static void run_main(void *opaque)
{
    Run *run = opaque;

    if (scenario_run(run->spec, &run->result->scenario, &run->err) == 0 &&
        run->config->log) {
        recorder_end();
    }
}

/* It is the watching thread's business to end the process. */
static void QEMU_NORETURN live_is_stuck(const uint32_t *threads, unsigned n,
                                        void *opaque)
{
    Run *run = opaque;
    Error *err = NULL;

    run->result->sim.outcome = SIM_STUCK;
    if (!run->config->log || run->config->capture == CAPTURE_EXPLICIT) {
        fputs("DEADLOCK  nothing can run any more; 'aiolab record' and the "
              "same arguments say who waits for whom\n", stdout);
        fflush(stdout);
        front_exit(1);
    }
    recorder_put_stuck(threads, n);
    recorder_stop();
    write_results(run->config->log, run->result);
    log_set_meta_int(run->config->log, "io_uring", live_uses_io_uring());
    if (!log_close(run->config->log, &err)) {
        error_report_err(err);
        front_exit(3);
    }
    front_exit(0);
}

static void run_live(Run *run)
{
    int64_t patience = run->config->detached_ns;

    live_start(run->config->monitor, 0);
    if (!run->config->log) {
        host_set(watch_live_host(), 0);
    }
    watch_live_start(run->config->log ? 1 : 0, live_is_stuck, run);
    if (run->config->log && run->config->capture == CAPTURE_EXPLICIT) {
        host_set(recorder_explicit_host(), RECORDER_EXPLICIT_MODE);
    } else if (run->config->log) {
        host_set(&recorder_host, RECORDER_LIVE_MODE);
    }
    host_thread_started(host_self());
    run_main(run);
    watch_live_stop();
    run->result->io_uring = live_uses_io_uring();
    run->result->left_detached =
        !live_thread_wait_detached(patience ? patience : -1);
    if (!run->result->left_detached) {
        live_stop();
    }
}

bool run_scenario(const ScenarioSpec *spec, const RunConfig *config,
                  RunResult *result, Error **errp)
{
    Run run = {spec, config, result, NULL};
    const HostOps *base = config->live ? watch_live_host() : &sim_host;

    *result = (RunResult){.sim.outcome = SIM_DONE};
    if (config->log) {
        write_meta(config->log, spec, config);
        if (config->prepare &&
            !config->prepare(config->log, config->prepare_opaque, errp)) {
            return false;
        }
        if (!recorder_start(base, config->log, config->box, config->policy,
                            errp)) {
            return false;
        }
    } else if (config->sink) {
        probe_start(config->sink, config->sink_opaque);
    }
    if (config->live) {
        run_live(&run);
    } else {
        result->sim = sim_run(&config->sim, config->log ? &recorder_host : base,
                              run_main, &run);
    }
    if (config->log && result->left_detached) {
        recorder_stop_writing();
        write_results(config->log, result);
        log_commit(config->log);
    } else if (config->log) {
        recorder_stop();
        write_results(config->log, result);
    } else {
        probe_stop();
    }
    if (run.err) {
        error_propagate(errp, run.err);
        return false;
    }
    return true;
}
