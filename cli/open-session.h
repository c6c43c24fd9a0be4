/* SPDX-License-Identifier: MIT */
/* A log or a scenario, whichever it is, as a session. */
#ifndef CLI_OPEN_SESSION_H
#define CLI_OPEN_SESSION_H

#include "run-source.h"
#include "session.h"

/* Whether it is taken for a scenario, not for a log. */
bool is_scenario_name(const char *name);
/*
 * NULL after having printed the error, with *status set.  What a session needs
 * is kept for the rest of the program.  @source (or NULL): gets where other
 * runs like this one come from, for run_source_free(); NULL for a recording.
 */
Session *open_session_by_name(const char *name, ScenarioOptions *options,
                              RunSource **source, int *status);

#endif
