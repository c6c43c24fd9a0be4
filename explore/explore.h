/* SPDX-License-Identifier: MIT */
/*
 * Trying schedules: every combination of choices, until one fails.
 *
 * The search is depth first over the answers to choice points, by running
 * again from the start with another script.  Each run is a process of its
 * own, so a deadlock or a crash costs nothing but that process.
 */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include "run.h"
#include "session.h"

typedef struct ExploreResult {
    unsigned runs;
    bool complete;   /* all schedules were run */
    bool found;      /* one that did not end well: */
    SessionEnd end;  /* how it ended */
    char *choices;   /* "0,1": the answers that lead there */
    char *text;      /* the failed check, or NULL */
} ExploreResult;

/* Runs at most @max schedules of @spec, and stops at the first failure. */
ExploreResult explore_all(const ScenarioSpec *spec, unsigned max);
void explore_result_finish(ExploreResult *result);

#endif
