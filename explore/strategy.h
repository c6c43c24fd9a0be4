/* SPDX-License-Identifier: MIT */
/*
 * Strategies that draw a schedule from a seed: the same strategy, seed and
 * length give the same schedule.  (Exhaustive ones are in exhaustive.h.)
 */
#ifndef EXPLORE_STRATEGY_H
#define EXPLORE_STRATEGY_H

#include "sim.h"

typedef enum StrategyKind {
#define STRATEGY(ID, name, exhaustive, parameter, help) STRATEGY_##ID,
#include "strategies.def"
#undef STRATEGY
    STRATEGY_MAX
} StrategyKind;

typedef struct Strategy {
    StrategyKind kind;
    unsigned d; /* its parameter: depth, or number of deviations */
} Strategy;

typedef struct StrategyInfo {
    const char *name;
    bool exhaustive;
    const char *parameter; /* "d", or NULL: it has none */
    const char *help;
} StrategyInfo;

extern const StrategyInfo strategy_table[STRATEGY_MAX];

/* "pct:3"; false and *errp if there is no such strategy. */
bool strategy_parse(const char *text, Strategy *strategy, Error **errp);
char *strategy_text(Strategy strategy); /* freed by the caller */

enum { WALKER_THREADS = 64, WALKER_CHANGES = 8 };

/* Draws one schedule. */
typedef struct Walker {
    Oracle base;
    Strategy strategy;
    uint64_t state;      /* of its random numbers */
    unsigned n, length;  /* choices so far, and about as many are expected */
    uint32_t priority[WALKER_THREADS]; /* pct; 0: not drawn yet */
    unsigned changes[WALKER_CHANGES];  /* pct, delay: at which choices */
    unsigned keep;       /* random: how many of 8 go by the default policy */
    uint64_t victim;     /* starve: the thread that does not run ... */
    unsigned from, to;   /* ... between these choices */
} Walker;

void walker_begin(Walker *walker, Strategy strategy, uint64_t seed,
                  unsigned length);
/* What the portfolio does with schedule number @i. */
Strategy portfolio_at(uint64_t i);

#endif
