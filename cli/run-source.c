/* SPDX-License-Identifier: MIT */
/* Runs that differ in a choice, and what a search says of one. */
#include "run-source.h"

#include "explorer-messages.h"
#include "unit.h"

typedef struct Source {
    RunSource base;
    ScenarioSpec *spec;
    RunConfig config;
    char **params;
    char *token; /* or NULL */
} Source;

static Session *fork_run(void *opaque, const unsigned *picks, unsigned n,
                         Error **errp)
{
    Source *source = opaque;
    RunConfig config = source->config;
    ScriptOracle script;
    Session *session;

    oracle_script_init(&script, picks, n);
    config.sim.oracle = &script.base;
    session = session_open_scenario(source->spec, &config, errp);
    oracle_script_finish(&script); /* the run's process has its own */
    return session;
}

static void keep_finding(const Finding *finding, void *opaque)
{
    Finding **kept = opaque;

    finding_free(*kept);
    *kept = finding_copy(finding);
}

static Unit *unit_of_token(const Source *source)
{
    g_autofree char *name = scenario_spec_name(source->spec);
    g_autofree char *file = source->spec->source && source->spec->variant
        ? g_strconcat(source->spec->source, "/", source->spec->variant->name,
                      NULL)
        : g_strdup(source->spec->source);
    Unit *unit = unit_new(file ? file : name);

    unit->start = g_strdup(source->token);
    unit->extras = source->config.sim.extras;
    unit->max = 0;
    unit->max_steps = source->config.sim.max_steps;
    for (char **p = source->params; p && *p; p++) {
        g_ptr_array_add(unit->params, g_strdup(*p));
    }
    return unit;
}

static Finding *explain_run(void *opaque, Error **errp)
{
    Unit *unit = unit_of_token(opaque);
    g_auto(GStrv) argv = unit_arguments(unit);
    Finding *finding = NULL;
    SearchListener listener = {keep_finding, NULL, &finding};
    Explorer *explorer = explorer_start(argv, errp);
    SearchStats stats;
    bool ok = explorer && explorer_read(explorer, &listener, &stats, errp);

    explorer_free(explorer);
    unit_free(unit);
    if (ok && !finding) {
        error_setg(errp, "this schedule does not fail");
    }
    return finding;
}

RunSource *run_source_new(ScenarioSpec *spec, const RunConfig *config,
                          const ScenarioOptions *options)
{
    Source *source = g_new0(Source, 1);

    source->spec = spec;
    source->config = *config;
    source->params = g_strdupv(options->params);
    source->token = g_strdup(options->token);
    source->base = (RunSource){
        .fork = fork_run, .explain = source->token ? explain_run : NULL,
        .opaque = source,
    };
    return &source->base;
}

void run_source_free(RunSource *base)
{
    Source *source = base ? base->opaque : NULL;

    if (source) {
        scenario_spec_free(source->spec);
        g_strfreev(source->params);
        g_free(source->token);
        g_free(source);
    }
}
