/* SPDX-License-Identifier: MIT */
/* Replaying a log of --capture=explicit, as far as that goes. */
#ifndef REPLAY_REPLAY_EXPLICIT_H
#define REPLAY_REPLAY_EXPLICIT_H

#include "replayer.h"

/* Whether @log holds only what QEMU's opt-in calls capture. */
bool log_is_explicit(Log *log);
/* replay_run() for such a log; REPLAY_STUCK is none of its outcomes. */
ReplayResult replay_explicit_run(Log *log, const ScenarioSpec *spec,
                                 ProbeSink *sink, void *opaque);

#endif
