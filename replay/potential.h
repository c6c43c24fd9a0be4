/* SPDX-License-Identifier: MIT */
/*
 * Deadlocks that runs could have had, from runs that had none.
 *
 * A dependency says that something was asked for, or waited for, while
 * something else was held: a mutex, a CoMutex or CoRwlock, or (the wait's end)
 * what has to be done first.  Dependencies of many runs are put together by
 * name and place; a cycle of them is a deadlock that another schedule may find.
 *
 * Left out is what cannot happen together: two dependencies of one thread of
 * one run alone; two that were both made with one more lock held, which lets in
 * one at a time (a gate); what was only tried for.
 */
#ifndef REPLAY_POTENTIAL_H
#define REPLAY_POTENTIAL_H

#include "model.h"

typedef struct Potential Potential;

Potential *potential_new(void);
void potential_free(Potential *potential);
/* Another run begins: its threads and objects are others. */
void potential_begin_run(Potential *potential);
/* @event is the run's next; @model is the state right before it. */
void potential_apply(Potential *potential, const ProbeEvent *event,
                     const Model *model);

/* How many cycles there are, each once, the shortest first. */
unsigned potential_count(Potential *potential);
/* What is taken and held where, one line: the same for each schedule. */
char *potential_signature(Potential *potential, unsigned index);
/*
 * All cycles, a column for each thread that has a part; empty if there is none.
 * Freed by the caller, as the signature.
 */
char *potential_report(Potential *potential);

#endif
