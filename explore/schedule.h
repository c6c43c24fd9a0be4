/* SPDX-License-Identifier: MIT */
/*
 * A schedule: where a run of the simulated machine deviates from the default
 * policy.
 *
 * A deviation does not say "choice number 57", because that number means
 * something else as soon as another deviation is left out.  It says: thread 2,
 * when it comes to its 4th choice, lets thread 3 go first.  So a schedule
 * from which some are removed still makes sense, and what does not come, or
 * cannot be done then, is passed over.
 */
#ifndef EXPLORE_SCHEDULE_H
#define EXPLORE_SCHEDULE_H

#include "sim.h"

typedef struct Deviation {
    ChoiceKind kind;
    uint64_t object;  /* who comes to the choice: a thread, or a context */
    uint32_t ordinal; /* of its choices of that kind, from 1 */
    uint64_t value;   /* the option: a thread, a batch size, a request ... */
} Deviation;

typedef struct Schedule {
    GArray *deviations; /* of Deviation, in the order in which they come */
} Schedule;

Schedule *schedule_new(void);
Schedule *schedule_copy(const Schedule *schedule);
void schedule_free(Schedule *schedule);
unsigned schedule_length(const Schedule *schedule);
Deviation *schedule_at(const Schedule *schedule, unsigned i);
void schedule_add(Schedule *schedule, const Deviation *deviation);
/* Without the deviations @from .. @from + @n - 1. */
Schedule *schedule_without(const Schedule *schedule, unsigned from,
                           unsigned n);

/* ---- What a run was asked, and what was answered ---- */

typedef struct ChoiceRecord {
    uint8_t kind;
    uint16_t n, taken;
    uint32_t ordinal; /* among the object's of that kind, from 1 */
    uint64_t object, value;
} ChoiceRecord;

/* A digest of what a run is asked; equal for equal runs on any machine. */
static inline uint64_t choice_trace_begin(void)
{
    return 0xcbf29ce484222325ULL;
}

static inline uint64_t choice_trace_add(uint64_t trace, ChoiceKind kind,
                                        uint64_t object, unsigned n)
{
    return (trace ^ kind ^ object << 3 ^ (uint64_t)n << 40) *
           0x100000001b3ULL;
}

/* The kind of a choice event, whose text is its name. */
ChoiceKind choice_kind_by_name(const char *name);

enum { CHOICES_MAX = 1 << 16, CHOOSERS_MAX = 1 << 10 };

/* Counts each object's choices; lives outside of what a run may write. */
typedef struct ChoiceCounts {
    struct {
        uint64_t object;
        uint32_t n;
        uint32_t kind; /* + 1; 0: unused */
    } of[CHOOSERS_MAX];
    uint16_t used[CHOOSERS_MAX]; /* which of them are in use */
    unsigned n_used;
} ChoiceCounts;

void choice_counts_reset(ChoiceCounts *counts);
/* The ordinal of its next choice. */
uint32_t choice_counts_next(ChoiceCounts *counts, ChoiceKind kind,
                            uint64_t object);

/* Notes what another oracle answers. */
typedef struct NotingOracle {
    Oracle base;
    Oracle *inner;
    ChoiceCounts counts;
    unsigned n;
    uint64_t trace; /* choice_trace_add() of all */
    ChoiceRecord records[CHOICES_MAX];
} NotingOracle;

NotingOracle *noting_oracle_new(void);
void noting_oracle_free(NotingOracle *oracle);
/* For the next run. */
void noting_oracle_begin(NotingOracle *oracle, Oracle *inner);
/* The deviations among what was noted. */
Schedule *noting_oracle_schedule(const NotingOracle *oracle);

/* Follows a schedule; where it says nothing, the default policy. */
typedef struct ScheduleOracle {
    Oracle base;
    ChoiceCounts counts;
    const Schedule *schedule;
    unsigned followed; /* deviations that were taken */
} ScheduleOracle;

ScheduleOracle *schedule_oracle_new(void);
void schedule_oracle_free(ScheduleOracle *oracle);
void schedule_oracle_begin(ScheduleOracle *oracle, const Schedule *schedule);

/* ---- In a line ---- */

/* What a schedule is one of. */
typedef struct ScheduleOwner {
    const char *scenario;
    uint64_t identity; /* a digest of everything that it means something for
                          only: version, scenario, parameters */
    unsigned extras;   /* SimConfig.extras of the machine */
} ScheduleOwner;

/*
 * The token that reproduces a run anywhere: "aio1-NAME-HASH-DEVIATIONS".
 * @trace: of the run's choices.  Freed by the caller.
 */
char *schedule_token(const Schedule *schedule, const ScheduleOwner *owner,
                     uint64_t trace);
/*
 * The parts of a token; the name is freed by the caller.  NULL and *errp if it
 * is none.
 */
typedef struct TokenParts {
    char *name;
    uint16_t identity, trace;
    unsigned extras;
} TokenParts;
Schedule *schedule_from_token(const char *token, TokenParts *parts,
                              Error **errp);
uint16_t schedule_short_digest(uint64_t digest);
/* "thread 2's choice 4: thread 3"; freed by the caller. */
char *deviation_text(const Deviation *deviation);

#endif
