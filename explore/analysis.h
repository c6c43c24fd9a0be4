/* SPDX-License-Identifier: MIT */
/*
 * From a schedule that fails to a finding: reduced, and explained.
 *
 *   reduce     the fewest deviations with the same signature
 *   point of   the first choice after which every continuation fails
 *   no return
 *   decisive   what happened there, and what would have had to come first
 *   pair
 */
#ifndef EXPLORE_ANALYSIS_H
#define EXPLORE_ANALYSIS_H

#include "finding.h"

/* The choices of a run, before it is known what is wrong with it. */
typedef struct Suspect {
    const Schedule *schedule;
    const char *found_by;
    uint64_t number;
    bool watched; /* it failed while memory was watched */
} Suspect;

/* NULL if the schedule does not fail when it is run again. */
Finding *analyse(Runner *runner, const Suspect *suspect, const ScheduleOwner *owner);

#endif
