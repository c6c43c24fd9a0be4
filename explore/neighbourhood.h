/* SPDX-License-Identifier: MIT */
/*
 * A recording as a schedule of the simulated machine: where an exploration of
 * its neighbourhood begins.
 *
 * The log's scenario is simulated once, in a process of its own, and the
 * choices are made as the recording would have made them (follow.h).  What
 * comes out is the list of those choices, which gives the same run without the
 * recording.  A choice that is not the default policy's is a deviation.
 */
#ifndef EXPLORE_NEIGHBOURHOOD_H
#define EXPLORE_NEIGHBOURHOOD_H

#include "follow.h"
#include "run.h"

/* Pairs of inputs that were next to each other, of different threads. */
typedef struct NeighbourhoodPairs {
    uint64_t recorded, kept; /* kept: both came, in the recorded order */
} NeighbourhoodPairs;

typedef struct Neighbourhood {
    GArray *choices;    /* of FollowedChoice */
    unsigned deviations;
    SimConfig sim;      /* what else a run by that schedule needs */
    bool simulated;     /* the log was: its choices are taken as they are */
    bool cut;           /* the log ends before the scenario */

    size_t n_inputs;      /* of the log, of any kind */
    FollowResult *result; /* how far it followed; NULL if simulated */
    uint64_t inputs, followed;
    NeighbourhoodPairs locks; /* that took the same mutex */
    NeighbourhoodPairs waits; /* that found something */
    GArray *picks;      /* of unsigned; neighbourhood_config() */
    ScriptOracle script;
} Neighbourhood;

/*
 * @spec: run_spec_from_log().  @max_steps: of the simulated run.  NULL and
 * *errp if the log cannot be followed.  Only one at a time; it forks, so the
 * process must have one thread.
 */
Neighbourhood *neighbourhood_new(Log *log, const ScenarioSpec *spec,
                                 uint64_t max_steps, Error **errp);
void neighbourhood_free(Neighbourhood *n);
/* A run by that schedule; @n must stay until it has ended. */
RunConfig neighbourhood_config(Neighbourhood *n);
/*
 * The token of that run, for a search that begins with it; NULL if the log was
 * simulated, on another machine than searches have, or the run crashes.  It
 * forks.  Freed by the caller.
 */
char *neighbourhood_token(Neighbourhood *n, const ScenarioSpec *spec);
/*
 * The deviations in one line: "12=1 +3=2 ..." says that choice 12 (they are
 * counted from 1) takes option 1, the third one after it option 2, and all
 * others the default.  "-" if there are none.  Freed by the caller.
 */
char *neighbourhood_schedule(const Neighbourhood *n);

#endif
