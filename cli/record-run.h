/* SPDX-License-Identifier: MIT */
/* Recording a run, for the commands record and run -o. */
#ifndef CLI_RECORD_RUN_H
#define CLI_RECORD_RUN_H

#include "scenario-options.h"
#include "session.h"

/*
 * Records @spec into @path, replays it once, and makes its tables unless
 * options->no_index.  Prints what it did.  Returns the exit status.
 */
int record_and_index(const ScenarioSpec *spec, const RunConfig *config,
                     const ScenarioOptions *options,
                     const CommonOptions *common, const char *path);

#endif
