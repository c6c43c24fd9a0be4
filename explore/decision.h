/* SPDX-License-Identifier: MIT */
/*
 * A decision of a run: who makes the next step, or what happens inside one; and
 * what was tried there.  Threads are a bit each.
 */
#ifndef EXPLORE_DECISION_H
#define EXPLORE_DECISION_H

#include "access-set.h"

/* Somebody who made a step from here, and what it touched. */
typedef struct Tried {
    uint32_t thread;
    AccessSet set;
} Tried;

typedef struct Decision {
    bool about_threads;
    uint32_t taken;       /* thread; or the number of the option */
    uint32_t n;           /* not about threads: options */
    uint32_t enabled, todo, done, asleep; /* threads */
    uint32_t first;       /* who the default policy would let run */
    unsigned deviations;  /* before it */
    GArray *tried;        /* of Tried: done and asleep */
} Decision;

static inline uint32_t thread_bit(uint64_t thread)
{
    return 1U << (thread & 31);
}

void decision_clear(Decision *d);
/* @thread made a step from here, which touched @set, among others. */
void decision_note_tried(Decision *d, uint32_t thread, const AccessSet *set);
/*
 * @to follows @from by a step that touched @step.  Who slept before that, or was
 * tried instead of it, sleeps on, unless the step touched what it would.
 */
void decision_inherit_sleepers(Decision *to, const Decision *from,
                               const AccessSet *step);

#endif
