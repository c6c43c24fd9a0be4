/* SPDX-License-Identifier: MIT */
/* From a scenario to a log with tables, in processes of their own. */
#ifndef REPLAY_RECORD_LOG_H
#define REPLAY_RECORD_LOG_H

#include "index.h"
#include "run.h"

/*
 * Runs @spec in a child and records it into @path.  Errors are printed by the
 * child.  Returns its exit status: 0, 3 (the file), 5 (the machine), or
 * 128 + the signal that killed it.
 */
int record_log(const ScenarioSpec *spec, const RunConfig *config,
               const char *path, bool overwrite);
/* Called each second while the child runs, with their number. */
extern void (*record_progress)(unsigned seconds);
/* Makes the tables of the log at @path from its @session, see index_build(). */
bool index_log(const char *path, const Session *session, Error **errp);

#endif
