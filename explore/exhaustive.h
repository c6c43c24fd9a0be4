/* SPDX-License-Identifier: MIT */
/*
 * Running every schedule, or one of each class of equivalent ones.
 *
 *   bounded  every schedule with at most d deviations from the default policy
 *   dfs      every schedule, depth first; sleep sets leave out those that only
 *            change the order of independent steps
 *   dpor     dynamic partial-order reduction: only where two steps of a run
 *            were dependent, and not ordered by anything else, are the others
 *            tried first
 *
 * A search is complete if all steps' accesses are seen: the process must be
 * compiled so that it tells them (trace-hooks.c).
 */
#ifndef EXPLORE_EXHAUSTIVE_H
#define EXPLORE_EXHAUSTIVE_H

#include "accesses.h"
#include "runner.h"
#include "strategy.h"

typedef struct Exhaustive Exhaustive;

Exhaustive *exhaustive_new(Runner *runner, Strategy strategy);
void exhaustive_free(Exhaustive *e);

/* For DPOR and DFS: never leave anything out, to check that nothing is lost. */
void exhaustive_set_plain(Exhaustive *e);
/* Bounded searches: only part @shard of @of, from 0; together they are all. */
void exhaustive_set_shard(Exhaustive *e, unsigned shard, unsigned of);

/*
 * Runs the next schedule. False: there is none left, or it must stop; see
 * exhaustive_stopped(). An abandoned run was only a repetition.
 */
bool exhaustive_next(Exhaustive *e, ScheduleOutcome *outcome);
/* The deviations of the last run. */
Schedule *exhaustive_schedule(const Exhaustive *e);
/* NULL, or why it stopped before it was complete. */
const char *exhaustive_stopped(const Exhaustive *e);
/* The class of the last run; AccessTrace. */
uint64_t exhaustive_class(const Exhaustive *e);

#endif
