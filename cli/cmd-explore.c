/* SPDX-License-Identifier: MIT */
/* aiolab explore: searches the schedules of a scenario for failures. */
#include "canary.h"
#include "explore-log.h"
#include "explore-print.h"
#include "explorer-messages.h"
#include "findings-file.h"
#include "open-session.h"
#include "record-run.h"
#include "schedule-token.h"
#include "tui.h"

typedef struct ExploreOptions {
    char **params;
    char *strategy, *shard, *unit, *recording, *token;
    ExtrasOptions extras;
    gint64 seed, from, max, max_steps;
    gboolean all, plain, watch, tui, force;
} ExploreOptions;

enum { NEAR_MAX = 2000 }; /* schedules near a recording */

/* ---- Options ---- */

static bool apply_numbers(const ExploreOptions *o, Unit *unit)
{
    if (o->seed < 0 || o->from < 0 || o->max < 0 || o->max_steps < 0) {
        cli_error("--seed, --from, --max and --max-steps are not negative");
        return false;
    }
    unit->seed = o->seed;
    unit->from = o->from;
    if (o->max) {
        unit->max = o->max;
    }
    if (o->max_steps) {
        unit->max_steps = o->max_steps;
    }
    unit->all = o->all;
    unit->plain = o->plain;
    return true;
}

static bool apply_words(const ExploreOptions *o, Unit *unit)
{
    Error *err = NULL;
    char end;

    if (!extras_parse(&o->extras, &unit->extras, &err)) {
        cli_fail(err, STATUS_USAGE);
        return false;
    }
    if (o->shard &&
        (sscanf(o->shard, "%u/%u%c", &unit->shard, &unit->shards, &end) != 2 ||
         unit->shard >= unit->shards)) {
        cli_error("--shard: '%s' is no part like 0/4 to 3/4", o->shard);
        return false;
    }
    for (char **p = o->params; p && *p; p++) {
        g_ptr_array_add(unit->params, g_strdup(*p));
    }
    if (o->strategy && !strategy_parse(o->strategy, &unit->strategy, &err)) {
        cli_fail(err, STATUS_USAGE);
        return false;
    }
    if (unit->shards > 1 && unit->strategy.kind != STRATEGY_BOUNDED &&
        strategy_table[unit->strategy.kind].exhaustive) {
        cli_error("--shard: a search with reduction is one piece; shard "
                  "strategies that draw from a seed, or bounded:%s", "2");
        return false;
    }
    return true;
}

static Unit *unit_from_options(const ExploreOptions *o, const char *name)
{
    Unit *unit = unit_new(name);

    if (!apply_numbers(o, unit) || !apply_words(o, unit)) {
        unit_free(unit);
        return NULL;
    }
    return unit;
}

/* A token stands for its scenario and one schedule of it. */
static bool apply_token(Unit *unit, const char *token, int *status)
{
    Error *err = NULL;
    ScenarioSpec *spec;
    RunConfig config;
    char *scenario = is_schedule_token(unit->scenario)
                         ? schedule_token_scenario(token, &err)
                         : g_strdup(unit->scenario);
    bool ok;

    spec = scenario ? run_spec_from_name(scenario, &err) : NULL;
    for (unsigned i = 0; spec && i < unit->params->len; i++) {
        if (!scenario_spec_set(spec, g_ptr_array_index(unit->params, i),
                               &err)) {
            scenario_spec_free(spec);
            spec = NULL;
        }
    }
    ok = spec && schedule_token_apply(token, spec, &config, &err);
    scenario_spec_free(spec);
    g_free(unit->scenario);
    unit->scenario = scenario;
    if (!ok) {
        *status = cli_fail(err, STATUS_BAD_INPUT);
        return false;
    }
    unit->start = g_strdup(token);
    unit->extras = config.sim.extras;
    unit->max = 0;
    unit->max_steps = config.sim.max_steps;
    return true;
}

/* ---- The search ---- */

static bool search(Exploration *e, int *status)
{
    g_auto(GStrv) argv = unit_arguments(e->unit);
    SearchListener listener = exploration_listener(e);
    Error *err = NULL;
    Explorer *explorer = explorer_start(argv, &err);
    bool ok = false;

    if (!explorer) {
        *status = cli_fail(err, STATUS_MACHINE);
        return false;
    }
    ok = explorer_read(explorer, &listener, &e->stats, &err);
    exploration_end_progress(e);
    explorer_free(explorer);
    if (!ok) {
        *status = cli_fail(err, STATUS_BAD_INPUT);
    }
    return ok;
}

/* What was reproduced must be what the token was made of. */
static bool check_reproduced(const Exploration *e, int *status)
{
    TokenParts parts;
    Schedule *schedule;

    if (!e->unit->start || e->unit->max) {
        return true;
    }
    schedule = schedule_from_token(e->unit->start, &parts, NULL);
    schedule_free(schedule);
    g_free(parts.name);
    if (schedule_short_digest(e->stats.expected_trace) == parts.trace) {
        return true;
    }
    cli_error("%s: leads elsewhere than it did when it was made, because "
              "something that it depends on has changed; explore again",
              e->unit->start);
    *status = STATUS_BAD_INPUT;
    return false;
}

/* With a NULL behind them; only the array is the caller's. */
static char **params_of(const Unit *unit)
{
    char **params = g_new0(char *, unit->params->len + 1);

    for (unsigned i = 0; i < unit->params->len; i++) {
        params[i] = g_ptr_array_index(unit->params, i);
    }
    return params;
}

/* The first finding as a log, to be stepped through and replayed. */
static int record_finding(const Exploration *e, const ExploreOptions *o,
                          const char *path)
{
    const Finding *finding = g_ptr_array_index(e->findings, 0);
    CommonOptions quiet = {.quiet = true};
    g_autofree char **params = params_of(e->unit);
    ScenarioOptions options = {
        .params = params, .force = o->force, .token = finding->token,
    };
    RunConfig config;
    ScenarioSpec *spec;
    int status;

    spec = scenario_options_apply(&options, e->unit->scenario, &config,
                                  &status);
    if (!spec) {
        return status;
    }
    status = record_and_index(spec, &config, &options, &quiet, path);
    scenario_spec_free(spec);
    return status > STATUS_FINDING ? status : STATUS_FINDING;
}

/* The first finding on the screen, with what the search knows of it. */
static int show_finding(const Exploration *e)
{
    const Finding *finding = g_ptr_array_index(e->findings, 0);
    g_autofree char **params = params_of(e->unit);
    ScenarioOptions options = {.params = params, .token = finding->token};
    TuiOptions tui = {
        .ascii = tui_wants_ascii(), .color = tui_wants_color(),
        .finding = finding,
    };
    RunSource *source;
    Session *session;
    Error *err = NULL;
    int status;

    session = open_session_by_name(e->unit->scenario, &options, &source,
                                   &status);
    if (!session) {
        return status;
    }
    tui.source = source;
    status = tui_run(session, &tui, &err) ? STATUS_FINDING
                                          : cli_fail(err, STATUS_MACHINE);
    run_source_free(source);
    return status;
}

static int write_findings(const Exploration *e, bool force, const char *path)
{
    g_autofree char *unit = unit_text(e->unit);
    Error *err = NULL;
    g_autofree char *song = canary_song(&err);
    FindingsFile *file = song ? findings_file_create(path, force, song, &err)
                              : NULL;

    if (file && !findings_file_add(file, unit, &e->stats, e->findings, &err)) {
        findings_file_close(file, NULL);
        file = NULL;
    }
    if (!file || !findings_file_close(file, &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    return e->findings->len ? STATUS_FINDING : STATUS_OK;
}

static int explore_unit(const Unit *unit, const ExploreOptions *o,
                        const CommonOptions *common)
{
    Exploration e;
    int status = STATUS_OK;

    exploration_begin(&e, unit, common, o->watch);
    if (search(&e, &status) && check_reproduced(&e, &status)) {
        status = e.findings->len ? STATUS_FINDING : STATUS_OK;
        if (common->output && o->unit) {
            status = write_findings(&e, o->force, common->output);
        } else if (common->output && e.findings->len) {
            status = record_finding(&e, o, common->output);
        }
        if (status > STATUS_FINDING) {
            /* said already */
        } else if (common->json) {
            exploration_print_json(&e);
        } else {
            exploration_print(&e);
        }
        if (status == STATUS_FINDING && o->tui) {
            status = show_finding(&e);
        }
    }
    exploration_finish(&e);
    return status;
}

/* A recording is one run; its scenario has schedules near that. */
static bool is_recording(const char *name)
{
    Log *log = g_file_test(name, G_FILE_TEST_IS_REGULAR) &&
               !g_str_has_suffix(name, ".c") ? log_open(name, NULL) : NULL;

    if (log) {
        log_close(log, NULL);
        cli_error("%s is a recording; 'aiolab explore --neighbourhood %s' "
                  "searches near it", name, name);
    }
    return log != NULL;
}

static int explore_scenario(const ExploreOptions *o, const char *name,
                            const CommonOptions *common)
{
    const char *token = o->token ? o->token
                      : is_schedule_token(name) ? name : NULL;
    Unit *unit = unit_from_options(o, name);
    int status = STATUS_USAGE;

    if (unit && (!token || apply_token(unit, token, &status))) {
        status = explore_unit(unit, o, common);
    }
    unit_free(unit);
    return status;
}

static int explore_line(const ExploreOptions *o, const CommonOptions *common)
{
    Error *err = NULL;
    Unit *unit = unit_parse(o->unit, &err);
    int status;

    if (!unit) {
        return cli_fail(err, STATUS_USAGE);
    }
    status = explore_unit(unit, o, common);
    unit_free(unit);
    return status;
}

/* For a search that another file has thought of. */
static int explore_near(const Unit *unit, const CommonOptions *common)
{
    static const ExploreOptions nothing;

    return explore_unit(unit, &nothing, common);
}

static char *describe(void)
{
    GString *text = g_string_new(
        "Runs schedules of a scenario on the simulated machine until one "
        "fails;\nreduces that one, and explains it. A .c file of yours is a "
        "scenario too,\nand so is a schedule that was printed.\n\n"
        "Strategies:\n");

    for (unsigned i = 0; i < STRATEGY_MAX; i++) {
        const StrategyInfo *info = &strategy_table[i];
        g_autofree char *name = g_strconcat(info->name,
                                            info->parameter ? ":" : "",
                                            info->parameter, NULL);

        g_string_append_printf(text, "  %-16s %s\n", name, info->help);
    }
    g_string_append(
        text, "\nExit status: 0 nothing was found, 1 a failure was, 2 usage, "
        "3 bad input,\n5 the machine lacks something.");
    return g_string_free(text, false);
}

int cmd_explore(int argc, char **argv)
{
    static CommonOptions common;
    static ExploreOptions o = {.seed = 1};
    const GOptionEntry entries[] = {
        {"strategy", 's', 0, G_OPTION_ARG_STRING, &o.strategy,
         "how schedules are chosen (default: portfolio)", "S"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &o.seed,
         "what schedules are drawn from (default: 1)", "N"},
        {"max", 'n', 0, G_OPTION_ARG_INT64, &o.max,
         "run at most that many schedules (default: 20000)", "N"},
        {"from", 0, 0, G_OPTION_ARG_INT64, &o.from,
         "begin with that number of the seed's schedules", "N"},
        {"max-steps", 0, 0, G_OPTION_ARG_INT64, &o.max_steps,
         "cut a schedule after that many steps (default: 20000)", "N"},
        {"all", 'a', 0, G_OPTION_ARG_NONE, &o.all,
         "go on after the first failure, and tell each kind once", NULL},
        EXTRAS_ENTRIES(&o.extras),
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &o.params,
         "set a parameter of the scenario", "NAME=VALUE"},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &o.token,
         "explain this schedule again, and run no other", "TOKEN"},
        {"neighbourhood", 0, 0, G_OPTION_ARG_FILENAME, &o.recording,
         "begin with this recording", "LOG"},
        {"shard", 0, 0, G_OPTION_ARG_STRING, &o.shard,
         "do part I of N, counted from 0", "I/N"},
        {"unit", 0, 0, G_OPTION_ARG_STRING, &o.unit,
         "do a line of 'aiolab plan'; -o FILE keeps what 'aiolab merge' needs",
         "UNIT"},
        {"plain", 0, 0, G_OPTION_ARG_NONE, &o.plain,
         "dfs, dpor: leave nothing out, to check the reduction", NULL},
        {"watch", 'w', 0, G_OPTION_ARG_NONE, &o.watch,
         "say on stderr how far it is", NULL},
        {"tui", 't', 0, G_OPTION_ARG_NONE, &o.tui,
         "open the first failure on the screen, with its chances", NULL},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &o.force,
         "replace an existing file", NULL},
        {NULL}};
    g_autofree char *summary = describe();
    int status = cli_parse(&argc, &argv, "SCENARIO[/VARIANT]|FILE.c|SCHEDULE",
                           summary, entries, &common);

    if (status >= 0) {
        return status;
    }
    if (argc + !!o.unit + !!o.recording != 2) {
        cli_error("explore needs one scenario or schedule, --unit UNIT or "
                  "--neighbourhood LOG; see --help");
        return STATUS_USAGE;
    }
    return o.recording ? explore_recording(o.recording, o.force,
                                           o.max ? o.max : NEAR_MAX,
                                           explore_near, &common)
         : o.unit ? explore_line(&o, &common)
         : is_recording(argv[1]) ? STATUS_USAGE
                  : explore_scenario(&o, argv[1], &common);
}
