/* SPDX-License-Identifier: MIT */
/*
 * What the steps of a run touched, which of them are dependent, and in which
 * order dependent ones came.
 *
 * Two steps are dependent if both touch an object and one of them writes it,
 * or if they are the same thread's, or if one lets the other's thread go on.
 * Schedules that order dependent steps alike are equivalent: they belong to the
 * same class (Mazurkiewicz, 1977), and it is enough to run one of them.
 */
#ifndef EXPLORE_ACCESSES_H
#define EXPLORE_ACCESSES_H

#include "access-set.h"

#include "sim.h"

enum {
    ACCESS_THREADS = 24,    /* number 0 is the passing of time */
    ACCESS_STEPS = 1 << 14, /* of a run */
    ACCESS_BYTES = 4,       /* are one object */
};

/*
 * Two dependent steps of different threads that nothing between them orders:
 * @first might as well have come after the other, and after what that needs.
 * @initials are threads, a bit each, that could begin with that instead of
 * @first.  Steps count from 0.
 */
typedef void RaceFound(unsigned first, uint32_t initials, void *opaque);

typedef struct AccessTrace AccessTrace;

AccessTrace *access_trace_new(RaceFound *found, void *opaque);
void access_trace_free(AccessTrace *trace);
void access_trace_begin(AccessTrace *trace);

/* As the tracer of a run tells it. */
void access_trace_step(AccessTrace *trace, uint32_t thread);
void access_trace_access(AccessTrace *trace, uintptr_t address, SimAccess how);
void access_trace_wake(AccessTrace *trace, uint32_t thread);
/* A choice inside the step: runs that answer it differently differ. */
void access_trace_choice(AccessTrace *trace, uint64_t value);
/* The run is over with the last step, whatever others might have done yet. */
void access_trace_cut(AccessTrace *trace);
/* The last step is over: at the end, and before each step by itself. */
void access_trace_finish_step(AccessTrace *trace);

unsigned access_trace_steps(const AccessTrace *trace);
/* What the step that was finished last has touched. */
const AccessSet *access_trace_last_set(const AccessTrace *trace);
/* The same for all runs of a class, and for no others. */
uint64_t access_trace_class(const AccessTrace *trace);
/* NULL, or why the trace is incomplete: more threads or steps than it holds. */
const char *access_trace_trouble(const AccessTrace *trace);

#endif
