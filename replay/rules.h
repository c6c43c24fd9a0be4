/* SPDX-License-Identifier: MIT */
/*
 * Rules for programs that use the event loop, checked in each run that is
 * simulated or replayed: a broken one is reported even if all went well.
 *
 * A checker looks at the events in order, and at the model as it was before
 * each.  It remembers what it has found, once for each pair of places.
 */
#ifndef REPLAY_RULES_H
#define REPLAY_RULES_H

#include "model.h"
#include "session.h"

typedef enum RuleId {
#define RULE(ID, name, bug, why) RULE_##ID,
#include "rules.def"
#undef RULE
    RULE_MAX
} RuleId;

typedef struct RuleInfo {
    const char *name, *bug, *why;
} RuleInfo;

extern const RuleInfo rule_table[RULE_MAX];

typedef struct RuleFinding {
    RuleId rule;
    char *what;       /* "coroutine entry (co0) yields, and has mutex lock" */
    ProbeSite first;  /* where the mutex was taken, the change was made, ... */
    ProbeSite second; /* where the rule was broken */
    uint64_t first_event, second_event;
} RuleFinding;

typedef struct Rules Rules;

Rules *rules_new(void);
void rules_free(Rules *rules);
/* @event is the next; @model is the state right before it. */
void rules_apply(Rules *rules, const ProbeEvent *event, const Model *model);
/* The run has ended well, and @model is what it has left. */
void rules_apply_end(Rules *rules, const Model *model);

unsigned rules_count(const Rules *rules);
const RuleFinding *rules_finding(const Rules *rules, unsigned index);
/* The rule and both functions: the same for each schedule.  Freed by the
 * caller. */
char *rules_signature(const RuleFinding *finding);
/* Four lines for each finding; empty if there is none.  Freed by the caller. */
char *rules_report(const Rules *rules);

/* Checks a whole run. */
Rules *rules_of_session(const Session *session);

#endif
