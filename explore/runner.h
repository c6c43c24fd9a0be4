/* SPDX-License-Identifier: MIT */
/*
 * Running schedules back to back in this process: each begins from the same
 * state, and leaves nothing behind, however it ended.
 *
 * What a schedule has done is taken back wholesale (arena.h), and assertions and
 * crashes of the scenario are survived: the signal ends the schedule, and the
 * state is restored.  Only for a process that is linked with arena-malloc.c.
 */
#ifndef EXPLORE_RUNNER_H
#define EXPLORE_RUNNER_H

#include "run.h"
#include "schedule.h"
#include "trace-hooks.h"

typedef enum ScheduleEnd {
    SCHEDULE_DONE,      /* ended, and its checks held */
    SCHEDULE_FAILED,    /* ended, a check failed */
    SCHEDULE_STUCK,     /* nothing can run any more */
    SCHEDULE_CRASHED,   /* by a signal, an assertion's included */
    SCHEDULE_ENDLESS,   /* too many steps, or too long without one */
    SCHEDULE_RACE,      /* ended well, but two threads raced for memory */
    SCHEDULE_ABANDONED, /* by the oracle */
    SCHEDULE_BAD,       /* the scenario refuses its parameters */
} ScheduleEnd;

extern const char *const schedule_end_names[];

enum { OUTCOME_TEXT = 400, OUTCOME_FRAMES = 24 };

typedef struct ScheduleOutcome {
    ScheduleEnd end;
    int signal;          /* SCHEDULE_CRASHED */
    uint64_t steps;
    uint64_t digest;     /* of its events, if somebody listened */
    char text[OUTCOME_TEXT]; /* the failed check, or what was on stderr */
    uintptr_t frames[OUTCOME_FRAMES]; /* SCHEDULE_CRASHED: innermost first */
    unsigned n_frames;
} ScheduleOutcome;

typedef struct Runner Runner;

/* @config: what each run has in common; its oracle and tracer are ignored. */
Runner *runner_new(const ScenarioSpec *spec, const SimConfig *config);
void runner_free(Runner *runner);

/* @sink: hears every event, or NULL. @tracer: or NULL. */
ScheduleOutcome runner_run(Runner *runner, Oracle *oracle,
                           const SimTracer *tracer, ProbeSink *sink,
                           void *opaque);
/*
 * Watch plain memory from the next run on, if the compiler tells of it: a race
 * is a failure then, and so is the use of what was freed.  It costs time.
 */
void runner_watch_memory(Runner *runner, bool watch);
/* Whoever else wants to know of accesses to memory; NULL: nobody. */
void runner_set_listener(Runner *runner, TraceAccess *listener);
/*
 * By exit() and its like: ends the run that calls it, with a failure if the
 * status is one.  Returns only if no run of this process does.
 */
void runner_exits(int status);
/* The schedule has made this descriptor; it is closed if it does not end. */
void runner_descriptor(int fd);
/* For whoever is called in the middle of a run: its memory survives the run. */
void runner_pause(void);
void runner_resume(void);

#endif
