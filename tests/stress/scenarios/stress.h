/* SPDX-License-Identifier: MIT */
/*
 * What the stress scenarios share: lanes, and a trace of what each one saw.
 *
 * The threads of a scenario race, but each writes down what it sees only for
 * itself: a lock around one common list would put an order into the run that
 * the event loop has not made, and a replay would be right for the wrong
 * reason.  When all have ended, the main thread folds the traces into one
 * number, which depends on who was first everywhere.
 */
#ifndef STRESS_H
#define STRESS_H

#include "aiolab/scenario.h"
#include "qemu/defer-call.h"
#include "qemu/lockcnt.h"
#include "qemu/thread.h"

/* ---- Traces ---- */

typedef struct Trace {
    uint64_t hash;
    uint64_t n;
} Trace;

static inline void trace_add(Trace *trace, uint64_t what)
{
    trace->hash = (trace->hash ^ (what + 0x9e3779b97f4a7c15ULL)) *
                  0x100000001b3ULL;
    trace->hash ^= trace->hash >> 29;
    trace->n++;
}

static inline void trace_fold(Trace *into, const Trace *part)
{
    uint64_t n = into->n + part->n;

    trace_add(into, part->hash);
    into->n = n;
}

/* At the end; a replay must come to the same results. */
static inline void trace_report(const Trace *trace)
{
    scenario_result("steps", trace->n);
    scenario_result("order", trace->hash >> 1);
    aio_poll(qemu_get_aio_context(), false);
}

/* ---- Choices that depend on nothing but their seed ---- */

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline uint64_t random_seed(unsigned who)
{
    return 88172645463325252ULL + who * 0x9e3779b97f4a7c15ULL;
}

/* ---- Lanes: an IOThread, and what belongs to its thread alone ---- */

typedef struct Lane {
    IOThread *iothread;
    AioContext *ctx;
    unsigned index;
    Trace trace;
    uint64_t rng;
} Lane;

static inline void lane_start(Lane *lane, unsigned index)
{
    g_autofree char *name = g_strdup_printf("lane%u", index);

    lane->iothread = iothread_create(name, &error_fatal);
    lane->ctx = iothread_get_aio_context(lane->iothread);
    lane->index = index;
    lane->trace = (Trace){0, 0};
    lane->rng = random_seed(index + 1);
}

static inline void lanes_start(Lane *lanes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        lane_start(&lanes[i], i);
    }
}

/* Stops and joins them; their traces are the caller's then. */
static inline void lanes_stop(Lane *lanes, unsigned n, Trace *total)
{
    for (unsigned i = 0; i < n; i++) {
        iothread_stop(lanes[i].iothread);
        trace_fold(total, &lanes[i].trace);
    }
}

static inline void lanes_destroy(Lane *lanes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        iothread_destroy(lanes[i].iothread);
    }
}

/* ---- A gate, behind which threads wait for the last one to be made ---- */

typedef struct Gate {
    QemuEvent open;
} Gate;

static inline void gate_init(Gate *gate)
{
    qemu_event_init(&gate->open, false);
}

static inline void gate_open(Gate *gate)
{
    qemu_event_set(&gate->open);
}

static inline void gate_pass(Gate *gate)
{
    qemu_event_wait(&gate->open);
}

/* When all threads have been joined. */
static inline void gate_destroy(Gate *gate)
{
    qemu_event_destroy(&gate->open);
}

/* ---- How much ---- */

static inline int64_t stress_rounds(const ScenarioArgs *args)
{
    int64_t rounds = scenario_param_int(args, "rounds");

    if (rounds < 1 || rounds > 1000000) {
        scenario_bad_input("rounds goes from 1 to 1000000");
        return 0;
    }
    return rounds;
}

#endif
