/* SPDX-License-Identifier: MIT */
/* -p, --host, --seed and their friends. */
#include "scenario-options.h"

#include "schedule-token.h"

/* Enough for any scenario of ours; its events fit into memory. */
enum { DEFAULT_MAX_STEPS = 2000000 };

const GOptionEntry *scenario_option_entries(ScenarioOptions *options)
{
    static GOptionEntry entries[20];
    const GOptionEntry filled[] = {
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options->params,
         "set a parameter of the scenario", "NAME=VALUE"},
        {"host", 0, 0, G_OPTION_ARG_STRING, &options->host,
         "live or sim (default: the scenario's own)", "HOST"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options->seed,
         "simulated: random choices and latencies from this seed", "N"},
        {"choices", 0, 0, G_OPTION_ARG_STRING, &options->choices,
         "simulated: answer the choice points with these options", "N,N,..."},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &options->token,
         "simulated: by the schedule that 'aiolab explore' has printed",
         "TOKEN"},
        {"fine", 0, 0, G_OPTION_ARG_NONE, &options->fine,
         "simulated: what a kernel decides is a choice, too, and threads "
         "switch at each access to a shared word", NULL},
        {"max-steps", 0, 0, G_OPTION_ARG_INT64, &options->max_steps,
         "simulated: end the run after that many operations", "N"},
        {"fdmon", 0, 0, G_OPTION_ARG_STRING, &options->fdmon,
         "descriptors by io_uring, epoll or poll (simulated: in its order; "
         "default: AIOLAB_FDMON, or what works)", "MONITOR"},
        {"aio", 0, 0, G_OPTION_ARG_STRING, &options->aio,
         "how a file is read and written: threads, native or io_uring",
         "ENGINE"},
        {"data", 0, 0, G_OPTION_ARG_STRING, &options->data,
         "recorded: keep what was read in full, or (live) as a hash",
         "full|hash"},
        {"capture", 0, 0, G_OPTION_ARG_STRING, &options->capture,
         "recorded: all that a replay needs, or (live) only QEMU's explicit "
         "replay_*() calls and its clocks, to see why that is not enough",
         "full|explicit"},
        {"no-index", 0, 0, G_OPTION_ARG_NONE, &options->no_index,
         "recorded: do not make the SQL tables now", NULL},
        {"no-replay", 0, 0, G_OPTION_ARG_NONE, &options->no_replay,
         "recorded: do not replay it to prove it (implies --no-index)", NULL},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &options->force,
         "recorded: replace an existing log", NULL},
        {NULL}};

    memcpy(entries, filled, sizeof(filled));
    return entries;
}

static bool parse_picks(ScenarioOptions *options)
{
    g_auto(GStrv) words = g_strsplit(options->choices, ",", 0);

    options->picks = g_array_new(false, false, sizeof(unsigned));
    for (char **word = words; *word; word++) {
        guint64 value;
        unsigned pick;

        if (!g_ascii_string_to_unsigned(*word, 10, 0, 1000, &value, NULL)) {
            cli_error("--choices: '%s' is not a number from 0 to 1000", *word);
            return false;
        }
        pick = value;
        g_array_append_val(options->picks, pick);
    }
    return true;
}

static bool apply_oracle(ScenarioOptions *options, RunConfig *config)
{
    config->sim.seed = options->seed;
    config->sim.fine = options->fine;
    if (options->choices) {
        if (!parse_picks(options)) {
            return false;
        }
        oracle_script_init(&options->script,
                           (const unsigned *)options->picks->data,
                           options->picks->len);
        config->sim.oracle = &options->script.base;
    } else if (options->seed) {
        oracle_random_init(&options->random, options->seed);
        config->sim.oracle = &options->random.base;
    }
    return true;
}

static bool one_of(const char *option, const char *value, const char *first,
                   const char *second)
{
    if (!value || g_str_equal(value, first) || g_str_equal(value, second)) {
        return true;
    }
    cli_error("%s: '%s' is neither %s nor %s", option, value, first, second);
    return false;
}

static bool apply_capture(const ScenarioOptions *options, RunConfig *config)
{
    if (g_strcmp0(options->capture, "explicit") != 0) {
        return true;
    }
    if (!config->live) {
        cli_error("--capture=explicit: a simulated run is decided by its seed "
                  "and its choices; give --host live");
        return false;
    }
    config->capture = CAPTURE_EXPLICIT;
    return true;
}

static bool apply_fdmon(ScenarioOptions *options, RunConfig *config)
{
    const char *variable = g_getenv("AIOLAB_FDMON");
    const char *name = options->fdmon ? options->fdmon
                     : variable && *variable ? variable : "auto";

    if (!live_monitor_kind(name, &config->monitor)) {
        cli_error("%s: '%s' is not io_uring, epoll, poll or auto",
                  options->fdmon ? "--fdmon" : "AIOLAB_FDMON", name);
        return false;
    }
    config->sim.fdmon = config->monitor == LIVE_MONITOR_POLL ? &fdmon_poll_ops
                      : config->monitor == LIVE_MONITOR_EPOLL ? &fdmon_epoll_ops
                      : &fdmon_io_uring_ops;
    return true;
}

static bool is_engine(const char *aio)
{
    static const char *const engines[] = {"threads", "native", "io_uring"};

    for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
        if (!aio || g_str_equal(aio, engines[i])) {
            return true;
        }
    }
    cli_error("--aio: '%s' is neither threads, native nor io_uring", aio);
    return false;
}

/* A parameter of the scenario, so that a log knows it, too. */
static bool apply_engine(ScenarioSpec *spec, const char *aio, Error **errp)
{
    g_autofree char *assignment = g_strconcat("aio=", aio, NULL);

    if (!g_hash_table_contains(spec->params, "aio")) {
        error_setg(errp, "--aio: scenario '%s' opens no file",
                   spec->scenario->name);
        return false;
    }
    return scenario_spec_set(spec, assignment, errp);
}

/* A token names its scenario. */
static ScenarioSpec *spec_by_name(ScenarioOptions *options, const char *name,
                                  Error **errp)
{
    g_autofree char *scenario = NULL;

    if (!is_schedule_token(name)) {
        return run_spec_from_name(name, errp);
    }
    options->token = g_strdup(name);
    scenario = schedule_token_scenario(name, errp);
    return scenario ? run_spec_from_name(scenario, errp) : NULL;
}

ScenarioSpec *scenario_options_apply(ScenarioOptions *options,
                                     const char *name, RunConfig *config,
                                     int *status)
{
    Error *err = NULL;
    ScenarioSpec *spec;
    const char *host;

    *status = STATUS_USAGE;
    *config = (RunConfig){
        .sim = {.max_steps = options->max_steps > 0 ? options->max_steps
                                                    : DEFAULT_MAX_STEPS},
    };
    if (!one_of("--host", options->host, "live", "sim") ||
        !apply_fdmon(options, config) ||
        !one_of("--data", options->data, "full", "hash") ||
        !one_of("--capture", options->capture, "full", "explicit") ||
        !is_engine(options->aio) ||
        !apply_oracle(options, config)) {
        return NULL;
    }
    spec = spec_by_name(options, name, &err);
    for (char **p = options->params; spec && p && *p; p++) {
        if (!scenario_spec_set(spec, *p, &err)) {
            scenario_spec_free(spec);
            spec = NULL;
        }
    }
    if (spec && options->aio && !apply_engine(spec, options->aio, &err)) {
        scenario_spec_free(spec);
        spec = NULL;
    }
    if (!spec) {
        *status = cli_fail(err, strchr(name, '.') ? STATUS_BAD_INPUT
                                                  : STATUS_USAGE);
        return NULL;
    }
    if (options->token) {
        if (!schedule_token_apply(options->token, spec, config, &err)) {
            *status = cli_fail(err, STATUS_BAD_INPUT);
            scenario_spec_free(spec);
            return NULL;
        }
        return spec;
    }
    host = options->host ? options->host : spec->scenario->host;
    config->live = g_strcmp0(host, "live") == 0;
    /* What a simulated file held is nowhere when the run has ended. */
    config->policy = g_strcmp0(options->data, "hash") == 0 && config->live
                         ? DATA_HASH : DATA_FULL;
    if (!apply_capture(options, config)) {
        scenario_spec_free(spec);
        return NULL;
    }
    return spec;
}
