/* SPDX-License-Identifier: MIT */
/* A search over the schedules of one scenario, in this process. */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include "analysis.h"
#include "strategy.h"

typedef struct SearchJob {
    Strategy strategy;
    uint64_t seed;
    uint64_t from, max; /* schedules @from .. @from + @max - 1 of that seed */
    unsigned shard, shards;
    bool all;           /* go on behind the first failure */
    bool plain;         /* dfs: without sleep sets */
    unsigned extras;    /* SimConfig.extras */
    uint64_t max_steps; /* of a schedule */
    const Schedule *start; /* neighbourhood; or only this one, if max is 0 */
    char **arguments;   /* of this program, if a scout may help; or NULL */
    uint64_t scout;     /* this is one (scout.h), from that schedule on; or 0 */
} SearchJob;

typedef struct SearchStats {
    uint64_t schedules; /* that were run to an end, a failure included */
    uint64_t steps;
    uint64_t failing;
    uint64_t endless;   /* cut, because they took too many steps */
    uint64_t blocked;   /* abandoned: they would have repeated another one */
    uint64_t classes;   /* exhaustive: of equivalent schedules */
    uint64_t expected_trace; /* of the last run: NotingOracle.trace */
    bool complete;      /* there is no other schedule (class) */
    bool watched;       /* plain memory was watched: complete is a proof */
    const char *stopped; /* exhaustive, not complete: why */
} SearchStats;

typedef struct SearchListener {
    void (*finding)(const Finding *finding, void *opaque);
    void (*progress)(const SearchStats *stats, void *opaque);
    void *opaque;
} SearchListener;

/* What a simulated machine is like while it is explored. */
SimConfig search_machine(const SearchJob *job);
/* See ScheduleOwner. */
uint64_t search_identity(const ScenarioSpec *spec);

/*
 * False and *errp if the scenario refuses its parameters.  Only in a process
 * of its own: see runner.h.
 */
bool search_run(const ScenarioSpec *spec, const SearchJob *job,
                const SearchListener *listener, SearchStats *stats,
                Error **errp);

#endif
