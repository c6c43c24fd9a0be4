/* SPDX-License-Identifier: MIT */
/* Running scenarios: their arguments, and what came out. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "aiolab/scenario.h"

/* What to run; owned by whoever made it. */
typedef struct ScenarioSpec {
    const Scenario *scenario;
    const ScenarioVariant *variant; /* NULL if it has none */
    char *source;                   /* a user's file, or NULL */
    GHashTable *params;             /* name -> value, defaults included */
} ScenarioSpec;

typedef struct ScenarioResult {
    const char *name;
    int64_t value;
} ScenarioResult;

typedef struct ScenarioOutcome {
    unsigned failed_checks;
    char *first_failure; /* or NULL */
    char *bad_input;     /* or NULL */
    GArray *results;     /* of ScenarioResult */
} ScenarioOutcome;

/*
 * Sets the variant ("" or NULL: the default) and the defaults of @scenario.
 * Returns NULL and *errp if there is no such variant.
 */
ScenarioSpec *scenario_spec_new(const Scenario *scenario, const char *variant,
                                Error **errp);
void scenario_spec_free(ScenarioSpec *spec);
/* @assignment: "name=value". */
bool scenario_spec_set(ScenarioSpec *spec, const char *assignment,
                       Error **errp);
/* "file-io", "nested-laio/buggy"; freed by the caller. */
char *scenario_spec_name(const ScenarioSpec *spec);

/* Runs in the calling thread, on the current host.  0 or a negative errno. */
int scenario_run(const ScenarioSpec *spec, ScenarioOutcome *outcome,
                 Error **errp);
/* Called right before it begins, when the main loop is there; or NULL. */
extern void (*scenario_begins)(void);
void scenario_outcome_finish(ScenarioOutcome *outcome);

#endif
