/* SPDX-License-Identifier: MIT */
/* A search's parts: search.c, search-draw.c and search-look.c. */
#ifndef EXPLORE_SEARCH_INTERNAL_H
#define EXPLORE_SEARCH_INTERNAL_H

#include "neighbour.h"
#include "potential.h"
#include "scout.h"
#include "search.h"

enum {
    PROGRESS_EVERY = 512,      /* schedules */
    WATCH_EVERY = 8,           /* of so many, plain memory is watched in one */
    SAMPLE_EVERY = 64,         /* of those that end well, are looked at, too: */
    SAMPLES_MAX = 300,         /* for broken rules and potential deadlocks */
};

typedef struct Search {
    const ScenarioSpec *spec;
    const SearchJob *job;
    const SearchListener *listener;
    SearchStats *stats;
    char *name;
    ScheduleOwner owner;
    Runner *runner;
    NotingOracle *noting;
    Walker *walker;
    Scout *scout;         /* runs most schedules ahead; or NULL */
    Neighbour *neighbour;
    unsigned length;      /* choices of the default schedule */
    unsigned longest;     /* choices that a schedule has been seen to have */
    uint64_t default_trace;
    GHashTable *findings; /* signature -> Finding */
    unsigned observed, looked_at_endless, sampled;
    unsigned real_findings; /* of runs that failed, not only might have */
    Potential *potential; /* what samples of good runs might have come to */
    Error *err;
} Search;

/* search.c */
void search_tell_progress(Search *s);

/* search-look.c: what came of a schedule. */

/* True if the run failed; counts it. */
bool search_count(Search *s, const ScheduleOutcome *outcome);
/* It has failed: is that a failure that is known already? */
void search_look_at(Search *s, const ScheduleOutcome *outcome,
                    const Suspect *suspect);
/* Is this one of those that end well and are looked at, too? */
bool search_is_sampled(const Search *s, const ScheduleOutcome *outcome,
                       uint64_t n);
/* A run that ended well: was it luck? */
void search_sample(Search *s, const Suspect *suspect);
/* What no run came to, but the order of locks in several of them allows. */
void search_tell_potential(Search *s);

/* search-draw.c: strategies that draw from a seed. */
void search_draw_all(Search *s);
/* Runs those of them that are a scout's, and tells no more than it has to. */
void search_scout(Search *s);

#endif
