/* SPDX-License-Identifier: MIT */
/*
 * The neighbours of a schedule: it, but for a few deviations that are left out,
 * and a few that are added.
 */
#ifndef EXPLORE_NEIGHBOUR_H
#define EXPLORE_NEIGHBOUR_H

#include "schedule.h"

typedef struct Neighbour {
    Oracle base;
    ScheduleOracle *inner;
    Schedule *schedule;  /* what is left of the one that is perturbed */
    uint64_t state;
    unsigned n;          /* choices so far */
    unsigned added;      /* deviations that are added, at these choices: */
    unsigned at[8];
} Neighbour;

Neighbour *neighbour_new(void);
void neighbour_free(Neighbour *neighbour);
/* @d: how many changes, at most; @length: about how many choices there are. */
void neighbour_begin(Neighbour *neighbour, const Schedule *of, unsigned d,
                     uint64_t seed, unsigned length);

#endif
