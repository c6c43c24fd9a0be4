/* SPDX-License-Identifier: MIT */
/*
 * Where two runs of a scenario part.
 *
 * Threads are paired by name ("worker", "worker#2"), and objects by the thread
 * that made them and their ordinal, because runs number threads differently.
 * Times are not compared: two live runs never have the same.  Nor are the
 * simulated machine's choices, if only one of the runs has them; they belong to
 * no thread, even though one has to announce them.  Of one thread alone, that a
 * mutex was held when it asked for it, and that it made another thread, are not
 * compared: that is as much the other's doing.
 */
#ifndef REPLAY_DIFF_H
#define REPLAY_DIFF_H

#include "input.h"
#include "session.h"

typedef struct DiffThread {
    char *name;
    uint32_t id[2];    /* its number in each run; 0: there is none */
    GArray *events[2]; /* of uint64_t: which events are its own, but choices */
    uint64_t common;   /* so many of them are the same */
} DiffThread;

typedef struct Diff {
    Session *run[2];
    GPtrArray *threads; /* of DiffThread; those of the first run come first */
    GArray *by_id[2];   /* thread's number -> DiffThread or NULL */
    GArray *order[2];   /* of uint64_t: the events that are compared */
    uint64_t common;    /* so many of those are the same, in this order */
    bool same_events;   /* that is all of both */
    bool same_threads;  /* each thread does the same: only the order differs */
} Diff;

/* Compares all events.  The sessions stay the caller's, and are needed on. */
Diff *diff_new(Session *a, Session *b);
void diff_free(Diff *diff);

/* The number of the nth event that is compared, from 0; 0: there is none. */
uint64_t diff_event(const Diff *diff, unsigned side, uint64_t nth);

/* An object's or a thread's number in the second run, as the first has it. */
uint64_t diff_translate(const Diff *diff, uint64_t id);

/*
 * How many inputs are the same from the beginning on.  What follows from
 * others (digests) and times are left out.
 */
size_t diff_common_inputs(const Diff *diff, const Input *a, size_t n_a,
                          const Input *b, size_t n_b);
/* "choice of a thread: 2 of 3"; the run names objects.  Freed by the caller. */
char *diff_describe_input(const Session *run, const Input *in);

/*
 * Objects that are in another state in the two models, one line each, at most
 * @max; empty if there are none.
 */
char *diff_describe_states(const Diff *diff, unsigned max);

#endif
