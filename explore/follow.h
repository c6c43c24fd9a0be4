/* SPDX-License-Identifier: MIT */
/*
 * Following a recording on the simulated machine.
 *
 * Two parts look at the same cursors, one for each thread, into what that
 * thread noted in the recording:
 *
 *   follow_host    a layer over sim_host; it finds the recorded input for what
 *                  a virtual thread is about to do.  Its ticket is the thread's
 *                  turn.
 *   follow_oracle  lets the thread go first whose turn is the earliest.
 *
 * What a thread publishes is not in a recording; its turn is right before that
 * of whoever found it, or of what the thread noted next.  What the recording
 * does not know is done at once, and what does not come is passed over: nothing
 * here can fail.
 */
#ifndef EXPLORE_FOLLOW_H
#define EXPLORE_FOLLOW_H

#include "input.h"
#include "sim.h"

enum { FOLLOW_THREADS = 256, FOLLOW_NAME = 24, FOLLOW_TEXT = 240 };

typedef struct FollowedChoice {
    uint8_t kind, n, taken;
} FollowedChoice;

typedef struct FollowedThread {
    char name[FOLLOW_NAME];
    uint32_t number;    /* in the recording; 0: it is not there */
    uint64_t inputs;    /* that can be followed */
    uint64_t followed;  /* of those */
    uint64_t added;     /* operations that the recording has not */
} FollowedThread;

/* What comes out; in memory that outlives the process that follows. */
typedef struct FollowResult {
    FollowedThread threads[FOLLOW_THREADS]; /* by number of the simulated one */
    uint64_t skipped;       /* inputs that did not come when others did */
    uint64_t late;          /* that came after one with a later ticket */
    uint64_t left_at;       /* the ticket where it was left first, or 0 */
    char left[FOLLOW_TEXT]; /* and why */
    uint32_t n_choices, max_choices;
    FollowedChoice *choices;
    uint32_t *came; /* of each input: when it came in this run; 0: never */
} FollowResult;

extern HostOps follow_host; /* follow_start() makes it */
extern Oracle follow_oracle;

/* @inputs in ticket order; they and @result stay until follow_stop(). */
void follow_start(const Input *inputs, size_t n, FollowResult *result);
void follow_stop(void);

/* True of the kinds of inputs that both hosts have. */
bool follow_knows(InputKind kind);

#endif
