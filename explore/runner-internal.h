/* SPDX-License-Identifier: MIT */
/*
 * A runner's parts: runner.c runs a schedule, runner-ends.c catches those that
 * do not end by themselves, runner-memory.c watches what they touch, and
 * runner-start.c makes what all of them begin from.
 */
#ifndef EXPLORE_RUNNER_INTERNAL_H
#define EXPLORE_RUNNER_INTERNAL_H

#include "arena.h"
#include "races.h"
#include "runner.h"

#include <setjmp.h>
#include <signal.h>

enum { STACKS_MAX = 1 << 14, DESCRIPTORS_MAX = 1024 };

/* Shared with the signal handler, and kept outside of what runs may write. */
struct Runner {
    const ScenarioSpec *spec;
    SimConfig config;
    ScheduleOutcome outcome;
    ScenarioOutcome scenario;
    sigjmp_buf crashed;
    volatile sig_atomic_t running;
    int fds[DESCRIPTORS_MAX]; /* that the run has made */
    unsigned n_fds;
    pid_t pid;               /* forks of a scenario's are not ours */
    int own_stderr;
    int stderr_fd;           /* what runs write there, until it is read */
    uint64_t runs;
    uint64_t last_progress;  /* the watchdog's */
    unsigned quiet;
    void *free_stacks[STACKS_MAX];
    void *all_stacks[STACKS_MAX];
    unsigned n_free, n_stacks;
    const SimTracer *tracer; /* the caller's */
    TraceAccess *listener;
    bool watch;
    Races *races;
    MemoryFault race;        /* the first one between the scenario's places */
    bool raced;
    bool has_start;          /* runs may begin where the scenario does */
    unsigned start_choices;  /* that were asked before that: none */
    unsigned start_stacks;   /* that are in use then */
    ScenarioOutcome start;   /* what it has then */
    GHashTable *places;      /* code address -> whether it is the scenario's */
};

/* In pages that are never restored: set once, before a snapshot. */
extern Runner *the_runner;

/* runner.c */
void runner_main(void *opaque);        /* SimMain: the scenario */
extern const SimTracer runner_deaf_tracer;

/* runner-ends.c */
void runner_catch_signals(void);
void runner_capture_stderr(Runner *r);
void runner_release_stderr(Runner *r);
/* What was said there, into the outcome. */
void runner_take_message(Runner *r);
/* Where it happened, innermost first. */
void runner_note_frames(ScheduleOutcome *outcome);
/* Ends the schedule that runs. */
void runner_leave(Runner *r, ScheduleEnd end);
void runner_close_descriptors(Runner *r);

/* runner-memory.c */
void runner_begin_watching(Runner *r);
void runner_end_watching(Runner *r);
void runner_tell_race(Runner *r);

/* runner-start.c */
void runner_reset_stacks(Runner *r);
void runner_prepare(Runner *r);
/* To where the scenario begins, if Runner.has_start. */
void runner_advance(Runner *r);

#endif
