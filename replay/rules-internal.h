/* SPDX-License-Identifier: MIT */
/* Between the files of the rules. */
#ifndef REPLAY_RULES_INTERNAL_H
#define REPLAY_RULES_INTERNAL_H

#include "rules.h"

/* Something that somebody waits for was done, and nobody has kicked since. */
typedef struct RuleChange {
    uint64_t reason;
    uint32_t thread;    /* who has done it */
    uint64_t waiter_ctx; /* the context that who waits for it polls */
    uint64_t frame;     /* in which callback: until its end there is time */
    const ProbeSite *site;
    uint64_t seq;
} RuleChange;

/* Nothing is in flight in that BlockBackend, until the drained section ends. */
typedef struct RuleDrained {
    uint64_t blk;
    const ProbeSite *site;
    uint64_t seq;
} RuleDrained;

struct Rules {
    GPtrArray *findings; /* of RuleFinding */
    GHashTable *seen;    /* their signatures */
    GArray *changes;     /* of RuleChange */
    GArray *drained;     /* of RuleDrained */
};

/* @what becomes the finding's.  A second one at the same places is dropped. */
void rules_add(Rules *rules, RuleId rule, char *what, const ProbeSite *first,
               uint64_t first_event, const ProbeSite *second,
               uint64_t second_event);

/* rules-order.c: kicks and drained sections, which need more than one event. */
void rules_check_order(Rules *rules, const ProbeEvent *event,
                       const Model *model, const ModelThread *thread);

#endif
