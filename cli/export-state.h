/* SPDX-License-Identifier: MIT */
/* One state of a run as text for another program. */
#ifndef CLI_EXPORT_STATE_H
#define CLI_EXPORT_STATE_H

#include "cli.h"
#include "open-session.h"

/* The state at the session's position; freed by the caller. */
typedef char *StateExporter(const Session *session);
StateExporter state_export_dot, state_export_json;

/*
 * Replays the log or simulates the scenario @name, and writes its state after
 * event @at (-1: the last).  Returns the exit status.
 */
int export_state(const char *name, StateExporter *exporter,
                 ScenarioOptions *scenario, int64_t at,
                 const CommonOptions *common);

#endif
