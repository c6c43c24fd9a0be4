/* SPDX-License-Identifier: MIT */
/* The options of commands that run a scenario. */
#ifndef CLI_SCENARIO_OPTIONS_H
#define CLI_SCENARIO_OPTIONS_H

#include "cli.h"
#include "run.h"

typedef struct ScenarioOptions {
    char **params;   /* -p name=value */
    char *host;      /* --host */
    char *fdmon;     /* --fdmon */
    char *aio;       /* --aio */
    char *data;      /* --data */
    char *capture;   /* --capture */
    char *choices;   /* --choices: "0,2,1" */
    char *token;     /* --schedule, or given instead of the scenario */
    gint64 seed, max_steps;
    gboolean fine;    /* --fine */
    gboolean no_index, no_replay, force;
    GArray *picks;   /* of unsigned: --choices, parsed */
    ScriptOracle script;
    RandomOracle random;
} ScenarioOptions;

/* The option entries for @options; the array is static, so call once. */
const GOptionEntry *scenario_option_entries(ScenarioOptions *options);
/*
 * Makes @config and the specification of scenario @name.  NULL after having
 * printed the error; @status is then the exit status.
 */
ScenarioSpec *scenario_options_apply(ScenarioOptions *options,
                                     const char *name, RunConfig *config,
                                     int *status);

#endif
