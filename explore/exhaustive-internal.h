/* SPDX-License-Identifier: MIT */
/* Between exhaustive.c, which goes from run to run, and exhaustive-run.c. */
#ifndef EXPLORE_EXHAUSTIVE_INTERNAL_H
#define EXPLORE_EXHAUSTIVE_INTERNAL_H

#include "decision.h"
#include "exhaustive.h"

enum { DECISIONS_MAX = 1 << 15 };

struct Exhaustive {
    Runner *runner;
    Strategy strategy;
    bool plain, begun;
    bool repeats; /* this run does what an earlier one has done */
    const char *stopped;
    AccessTrace *trace;
    NotingOracle *noting;
    Oracle oracle;
    Decision *line;
    unsigned n;      /* decisions of this run so far */
    unsigned fixed;  /* of those, how many are a repetition */
    unsigned shard, shards;
    unsigned *step_decisions; /* of each step of the run: its decision + 1 */
    uint32_t enabled;     /* at the choice just made, for the step to come */
};

static inline bool exhaustive_uses_accesses(const Exhaustive *e)
{
    return e->strategy.kind != STRATEGY_BOUNDED;
}

/*
 * Repeats the line as far as it is fixed, and goes on from there.  The outcome
 * is SCHEDULE_ABANDONED if it would have repeated another run.
 */
ScheduleOutcome exhaustive_run(Exhaustive *e);
/* Oracle.choose of Exhaustive.oracle. */
unsigned exhaustive_choose(Oracle *oracle, const Choice *choice);
RaceFound exhaustive_race_found;

#endif
