/* SPDX-License-Identifier: MIT */
/* What a search says while it runs, and in the end. */
#ifndef CLI_EXPLORE_PRINT_H
#define CLI_EXPLORE_PRINT_H

#include "cli.h"
#include "unit.h"

typedef struct Exploration {
    const Unit *unit;
    const CommonOptions *common;
    bool watch;          /* say on stderr how far it is, all the time */
    bool terminal;       /* stderr is one */
    bool on_line;        /* ... and shows how far it is */
    int64_t started_us, told_us;
    uint64_t told_schedules;
    GPtrArray *findings; /* of Finding */
    SearchStats stats;
} Exploration;

void exploration_begin(Exploration *e, const Unit *unit,
                       const CommonOptions *common, bool watch);
void exploration_finish(Exploration *e);
/* What the search calls. */
SearchListener exploration_listener(Exploration *e);
/* Clears the line of progress, if there is one; a watcher gets the last. */
void exploration_end_progress(Exploration *e);

void exploration_print(const Exploration *e);
void exploration_print_json(const Exploration *e);
/* "COMPLETE ...", or where and why it stopped; freed by the caller. */
char *exploration_verdict(const Unit *unit, const SearchStats *stats,
                          unsigned n_findings);

#endif
