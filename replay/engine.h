/* SPDX-License-Identifier: MIT */
/*
 * The engine: a run in a child process, which streams its probe events.
 *
 * A scenario that crashes or deadlocks takes nobody with it.  While it runs
 * the child leaves paused forks of itself behind, as checkpoints: to look at
 * event N again (its stacks), the nearest one before N is asked to go on to N
 * in yet another fork.  The gap between checkpoints doubles when there are too
 * many of them.
 *
 * Fork only while the process has one thread.
 */
#ifndef REPLAY_ENGINE_H
#define REPLAY_ENGINE_H

#include "aiolab/probe.h"
#include "qapi/error.h"

/* How the run ended, in the body's own numbers and words. */
typedef struct EngineEnd {
    int outcome;
    uint64_t a, b;
    char *text; /* or NULL */
} EngineEnd;

/* Runs in the child, with every event given to @sink. */
typedef void EngineBody(void *opaque, ProbeSink *sink, EngineEnd *end);

typedef struct Engine Engine;

Engine *engine_start(EngineBody *body, void *opaque, Error **errp);
/*
 * Gives events to @fn until the run ends.  Returns 0, or the signal that
 * killed the child.  @end is filled in if the run ended by itself.
 */
int engine_run(Engine *engine, void (*fn)(const ProbeEvent *event,
                                          void *opaque), void *opaque,
               EngineEnd *end);
void engine_free(Engine *engine);

/* One stack: a thread's, or a suspended coroutine's. */
typedef struct EngineStack {
    char *name;
    uint64_t id;       /* of the thread or the coroutine */
    bool is_coroutine;
    bool running;      /* it emitted the event */
    GArray *frames;    /* of uintptr_t: program counters, innermost first */
} EngineStack;

/* The stacks right after event @n; NULL and *errp if they cannot be had. */
GPtrArray *engine_stacks(Engine *engine, uint64_t n, Error **errp);

#endif
