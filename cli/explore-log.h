/* SPDX-License-Identifier: MIT */
/* A recording as a schedule, and the schedules near it. */
#ifndef CLI_EXPLORE_LOG_H
#define CLI_EXPLORE_LOG_H

#include "cli.h"
#include "unit.h"

/* Searches, and prints what was found; returns the exit status. */
typedef int ExploreUnit(const Unit *unit, const CommonOptions *common);

/*
 * Prints how far the recording can be followed, and the run by its schedule;
 * then lets @search run at most @max schedules near it.
 */
int explore_recording(const char *recording, bool force, uint64_t max,
                      ExploreUnit *search, const CommonOptions *common);

#endif
