/* SPDX-License-Identifier: MIT */
/* One of the two runs that aiolab diff compares, and what was run. */
#ifndef CLI_DIFF_SIDE_H
#define CLI_DIFF_SIDE_H

#include "diff.h"
#include "scenario-options.h"
#include "session.h"

typedef struct DiffSide {
    const char *name, *letter;
    Session *session;
    GHashTable *facts; /* what was run: "seed" -> "3" */
    Input *inputs;     /* of a log, else NULL */
    size_t n_inputs;
} DiffSide;

/*
 * Opens the log or the scenario side->name.  False after having printed the
 * error, with *status set.  To be closed in either case.
 */
bool diff_side_open(DiffSide *side, ScenarioOptions *options, int *status);
void diff_side_close(DiffSide *side);

/* What was run, or "-" if that is not known of this side. */
const char *diff_side_fact(const DiffSide *side, const char *name);
/* Names of what was run otherwise, sorted; the strings are the tables'. */
GList *diff_other_facts(const DiffSide *sides);

/* "the run ended well". */
const char *diff_side_ending(const DiffSide *side);
/* A thread's first event that the other side does not have; 0: none. */
uint64_t diff_side_own_event(const DiffThread *thread, unsigned side);

/*
 * False if they cannot be compared, because one has none.  Else leaves out the
 * kinds of input that only one can have, and sets *common to how many are the
 * same from the beginning on.
 */
bool diff_side_inputs(const Diff *diff, DiffSide *sides, size_t *common);

#endif
