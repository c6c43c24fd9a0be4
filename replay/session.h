/* SPDX-License-Identifier: MIT */
/*
 * A session: one run, with a position in it that moves both ways.
 *
 * The run is a replayed log or a simulated scenario, in an engine of its own.
 * All its events are kept; the model at the position is folded from them, from
 * the nearest of some kept copies.  Stacks are fetched from the engine.
 */
#ifndef REPLAY_SESSION_H
#define REPLAY_SESSION_H

#include "engine.h"
#include "events.h"
#include "model.h"

typedef struct Log Log;
typedef struct RunConfig RunConfig;
typedef struct ScenarioSpec ScenarioSpec;

typedef enum SessionEnd {
    SESSION_DONE,     /* the scenario ended, its checks held */
    SESSION_FAILED,   /* the scenario ended, a check failed */
    SESSION_STUCK,    /* a deadlock */
    SESSION_BUDGET,   /* the simulation was cut */
    SESSION_CUT,      /* the log ends before the scenario */
    SESSION_DIVERGED, /* of a replay; text has the report */
    SESSION_BAD_LOG,  /* text has one line */
    SESSION_CRASHED,  /* killed by the signal in a */
} SessionEnd;

typedef struct Session {
    char *title;       /* "a.aiolog" or "nested-laio/buggy" */
    EventStore *events;
    Engine *engine;    /* NULL: the events are all there is */
    SessionEnd end;
    uint64_t a, b;     /* replay: inputs and digests compared */
    char *text;        /* report, first failed check, what else is to be said,
                          or NULL */
    uint64_t position; /* event whose state model is; 0: before the first */
    Model *model;
    GPtrArray *keyframes; /* of Model */
    GPtrArray *kept; /* what the events of a log without inputs point to, or
                        NULL */
} Session;

/* Replays a log to its end; the position is the last event. */
Session *session_open_log(Log *log, const ScenarioSpec *spec, Error **errp);
/*
 * The events that another program's trace was turned into: there is no run that
 * could be repeated, and so there are no stacks.
 */
Session *session_open_events(Log *log, Error **errp);
/* Compares inputs and digests only, which is faster: there are no events. */
Session *session_compare_log(Log *log, const ScenarioSpec *spec, Error **errp);
/* Simulates a scenario; @config->sim holds seed and oracle. */
Session *session_open_scenario(const ScenarioSpec *spec,
                               const RunConfig *config, Error **errp);
void session_free(Session *session);
/* Called now and then while a session opens, with its events so far. */
extern void (*session_progress)(uint64_t events);

uint64_t session_count(const Session *session);
/* Moves to event @n, at most the last. */
void session_goto(Session *session, uint64_t n);
/* The event at the position; the position must not be 0. */
ProbeEvent session_event(const Session *session);
GPtrArray *session_stacks(Session *session, Error **errp);
/* The exit status that stands for how the run ended. */
int session_exit_status(const Session *session);

#endif
