/* SPDX-License-Identifier: MIT */
/*
 * A scout: the program aiolab-scout, in a process of its own, which runs ahead
 * the schedules of a search of which nobody wants to know each access to memory.
 *
 * Being told of accesses costs a program time even while it does not listen, so
 * the scout is the same explorer without that.  It finds nothing itself: it says
 * of each of its schedules whether that ended well, and those that did not are
 * run again by whoever sent it.  So the findings are the same without a scout,
 * which AIOLAB_NO_SCOUT=1 in the environment asks for.
 */
#ifndef EXPLORE_SCOUT_H
#define EXPLORE_SCOUT_H

#include "runner.h"

typedef enum ScoutVerdict {
    SCOUT_DONE, SCOUT_ABANDONED, SCOUT_LOOK, /* for yourself */
} ScoutVerdict;

typedef struct ScoutWord {
    uint32_t verdict : 2, steps : 30;
    uint32_t trace; /* NotingOracle.trace, a half of it */
} ScoutWord;

/* ---- Its own side ---- */

typedef struct ScoutWords ScoutWords;

ScoutWords *scout_words_new(void);
void scout_words_add(ScoutWords *words, const ScheduleOutcome *outcome,
                     uint64_t trace);
/* Tells the last ones, and frees it. */
void scout_words_free(ScoutWords *words);

/* ---- Who sends it ---- */

typedef struct Scout Scout;

/*
 * It begins with number @from.  @arguments: of this program, and the scout's.
 * NULL: there is none, and the search has to do without.
 */
Scout *scout_new(char **arguments, uint64_t from);
/* Of its next schedule. False: it says no more. */
bool scout_read(Scout *scout, ScoutWord *word);
void scout_free(Scout *scout);

#endif
