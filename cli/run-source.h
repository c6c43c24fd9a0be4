/* SPDX-License-Identifier: MIT */
/* What the screen may ask of a simulated run: another option, its chances. */
#ifndef CLI_RUN_SOURCE_H
#define CLI_RUN_SOURCE_H

#include "app.h"
#include "scenario-options.h"

/* For the run of @spec, which it takes over, by @config. */
RunSource *run_source_new(ScenarioSpec *spec, const RunConfig *config,
                          const ScenarioOptions *options);
void run_source_free(RunSource *source);

#endif
