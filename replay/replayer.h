/* SPDX-License-Identifier: MIT */
/* Replaying: the recorded run again, on one OS thread, from its log. */
#ifndef REPLAY_REPLAYER_H
#define REPLAY_REPLAYER_H

#include "log.h"
#include "scenario.h"

typedef enum ReplayOutcome {
    REPLAY_IDENTICAL, /* to the end, every input and digest */
    REPLAY_STUCK,     /* to the deadlock that the recording ends in */
    REPLAY_CUT,       /* to the last input; the recorder was killed there */
    REPLAY_DIVERGED,
    REPLAY_BAD_LOG,   /* or the image is missing or was changed */
} ReplayOutcome;

typedef struct ReplayResult {
    ReplayOutcome outcome;
    uint64_t inputs;  /* compared */
    uint64_t digests; /* of those, state digests */
    uint64_t events;  /* probe events produced */
    char *report;     /* DIVERGED: several lines; BAD_LOG: one; else NULL */
    ScenarioOutcome scenario;
} ReplayResult;

/*
 * Runs @spec on the inputs of @log.  @sink (or NULL) gets the probe events.
 * Leaves memory behind if the run does not end; use a process of its own.
 */
ReplayResult replay_run(Log *log, const ScenarioSpec *spec, ProbeSink *sink,
                        void *opaque);
/*
 * Number of an input, or 0: from where that was taken is added to the report
 * of a divergence.  Set before the engine is started.
 */
extern uint64_t replay_watched_input;
void replay_result_finish(ReplayResult *result);

#endif
