/* SPDX-License-Identifier: MIT */
/* Runs that do not end: is it a livelock, or only a long run? */
#ifndef EXPLORE_ENDLESS_H
#define EXPLORE_ENDLESS_H

#include "observe.h"

/*
 * A run that repeats itself, with everybody taking part who can run, goes on
 * like that for ever.  The length of the repeated piece, in events; 0: none.
 */
unsigned endless_period(const Observation *o);
/* "livelock: ..." by threads and functions, or "endless"; freed by the caller. */
char *endless_signature(const Observation *o);
/* What each thread does in it; lines, freed by the caller. */
char *endless_report(const Observation *o, const char *scenario);

#endif
