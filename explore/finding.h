/* SPDX-License-Identifier: MIT */
/* A failure that a search has found, reduced and explained. */
#ifndef EXPLORE_FINDING_H
#define EXPLORE_FINDING_H

#include "runner.h"

#include <json-glib/json-glib.h>

/* How likely a failure is right after an event, of random continuations. */
typedef struct FailureChance {
    uint64_t event;
    unsigned percent;
} FailureChance;

typedef struct Finding {
    char *scenario;   /* "nested-laio/buggy" */
    ScheduleEnd end;
    char *kind;       /* "DEADLOCK", "FAILED", "CRASH", "ENDLESS", "RACE" ... */
    char *class_name; /* of a deadlock: "lock cycle" ...; else the kind again */
    char *signature;  /* the same for all schedules that fail in the same way */
    char *report;     /* who waits for whom, or what failed where; lines */
    char *why;        /* the decisive pair, in a sentence; or NULL */
    char *found_by;   /* "pct:2, seed 71" */
    uint64_t number;  /* the schedule that found it, from 1 */
    uint64_t seen;    /* schedules that ended with this signature */
    char *token;      /* of the reduced schedule */
    char *steps;      /* its deviations in words; lines */
    unsigned deviations;
    uint64_t events;  /* of the reduced run */
    uint64_t point_of_no_return; /* an event; 0: there is none */
    unsigned chance_before;      /* percent, before that event */
    GArray *chances;  /* of FailureChance */
} Finding;

/* A run failed so; else it only broke a rule, or shows what might happen. */
bool finding_is_failure(const Finding *finding);
Finding *finding_new(void);
void finding_free(Finding *finding);

/* An object; finding_from_json() returns NULL if it is none. */
void finding_to_json(const Finding *finding, JsonBuilder *builder);
Finding *finding_from_json(JsonObject *object);
Finding *finding_copy(const Finding *finding);
/* The report as it is printed: everything that is known, in lines. */
char *finding_text(const Finding *finding);

#endif
