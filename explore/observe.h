/* SPDX-License-Identifier: MIT */
/* One schedule, run with all its events: what it came to, and why. */
#ifndef EXPLORE_OBSERVE_H
#define EXPLORE_OBSERVE_H

#include "events.h"
#include "model.h"
#include "potential.h"
#include "rules.h"
#include "runner.h"

typedef struct Observation {
    ScheduleOutcome outcome;
    EventStore *events;
    Model *model;          /* at the end */
    Rules *rules;          /* what it broke, though it may have ended well */
    Schedule *schedule;    /* the deviations that it really made */
    uint64_t trace;        /* of its choices: NotingOracle */
    GArray *choices;       /* of ChoiceRecord */
    GArray *choice_events; /* of uint64_t: the event of each choice */
} Observation;

/* Runs what @oracle says; the caller has begun it. */
Observation *observe(Runner *runner, Oracle *oracle);
/* The same; @potential hears of it, too. */
Observation *observe_with(Runner *runner, Oracle *oracle,
                          Potential *potential);
void observation_free(Observation *o);

/* The model as it was at event @n; freed by the caller. */
Model *observation_model_at(const Observation *o, uint64_t n);

/*
 * What kind of failure it is: equal for all schedules that fail in the same
 * way.  Made of kinds, functions and conditions, never of numbers.
 */
char *observation_signature(const Observation *o);
/* The same, if the outcome is enough to tell; else NULL. */
char *outcome_signature(const ScheduleOutcome *outcome);
/* "DEADLOCK", "FAILED" ... */
const char *observation_kind(const Observation *o);
/* "lock cycle", or the kind again; freed by the caller. */
char *observation_class(const Observation *o);
/* Who waits for whom, or what failed where: lines. */
char *observation_report(const Observation *o, const char *scenario);

#endif
