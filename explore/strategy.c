/* SPDX-License-Identifier: MIT */
/*
 * Drawing schedules.
 *
 *   random   Burckhardt et al. call it the baseline; it is hard to beat on bugs
 *            that need little.  How often it keeps to the default policy is
 *            drawn, too, because long undisturbed runs find other bugs than
 *            wild ones do.
 *   pct      Burckhardt, Kothari, Musuvathi, Nagarakatte, 2010: the runnable
 *            thread with the highest priority runs.  Priorities are random, and
 *            at d-1 random places the running one's becomes the lowest so far.
 *            A bug that needs d ordered events is found with a probability of
 *            at least 1/(threads * length^(d-1)), if length is the longest
 *            schedule's.
 *   starve   rr's chaos mode: someone does not run for a while.
 *   delay    few deviations, anywhere.
 */
#include "sim-internal.h"
#include "strategy.h"

#include "qapi/error.h"

const StrategyInfo strategy_table[STRATEGY_MAX] = {
#define STRATEGY(ID, name, exhaustive, parameter, help) \
    {name, exhaustive, parameter, help},
#include "strategies.def"
#undef STRATEGY
};

enum {
    D_DEFAULT = 2, D_MAX = 5,
    FAIR_FROM = 1000, FAIR_LENGTHS = 8,
};

/* ---- Names ---- */

bool strategy_parse(const char *text, Strategy *strategy, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);

    for (unsigned i = 0; i < STRATEGY_MAX; i++) {
        const StrategyInfo *info = &strategy_table[i];
        gint64 d = D_DEFAULT;

        if (!g_str_equal(parts[0], info->name)) {
            continue;
        }
        if (parts[1] && (!info->parameter ||
                         !g_ascii_string_to_signed(parts[1], 10, 0, D_MAX, &d,
                                                   NULL))) {
            error_setg(errp, info->parameter
                       ? "strategy '%s': its parameter is a number up to 5, "
                         "as in %s:2"
                       : "strategy '%s' has no parameter; write %s", text,
                       info->name);
            return false;
        }
        *strategy = (Strategy){i, info->parameter ? d : 0};
        return true;
    }
    error_setg(errp, "no strategy '%s'; 'aiolab explore --help' lists them",
               text);
    return false;
}

char *strategy_text(Strategy strategy)
{
    const StrategyInfo *info = &strategy_table[strategy.kind];

    return info->parameter ? g_strdup_printf("%s:%u", info->name, strategy.d)
                           : g_strdup(info->name);
}

/* ---- Drawing ---- */

static unsigned draw(Walker *w, unsigned n)
{
    return (sim_random(&w->state) >> 32) * n >> 32;
}

static unsigned choose_randomly(Walker *w, const Choice *choice)
{
    return draw(w, 8) < w->keep ? 0 : draw(w, choice->n);
}

static uint32_t *priority_of(Walker *w, uint64_t thread)
{
    uint32_t *priority = &w->priority[thread % WALKER_THREADS];

    if (!*priority) {
        *priority = (sim_random(&w->state) >> 32 | 1U << 31);
    }
    return priority;
}

static unsigned highest_priority(Walker *w, const Choice *choice)
{
    unsigned best = 0;

    for (unsigned i = 1; i < choice->n; i++) {
        if (*priority_of(w, choice->options[i]) >
            *priority_of(w, choice->options[best])) {
            best = i;
        }
    }
    return best;
}

static unsigned choose_by_priority(Walker *w, const Choice *choice)
{
    unsigned best;

    if (choice->kind != CHOICE_THREAD) {
        return draw(w, choice->n);
    }
    best = highest_priority(w, choice);
    for (unsigned i = 0; i + 1 < w->strategy.d; i++) {
        if (w->changes[i] == w->n) {
            /* Lower than all that were drawn, and than earlier changes. */
            *priority_of(w, choice->options[best]) = w->strategy.d - i;
            best = highest_priority(w, choice);
        }
    }
    return best;
}

static unsigned choose_but_victim(Walker *w, const Choice *choice)
{
    unsigned taken = choose_randomly(w, choice);

    if (choice->kind == CHOICE_THREAD && w->n >= w->from && w->n < w->to &&
        choice->options[taken] == w->victim) {
        taken = (taken + 1) % choice->n;
    }
    return taken;
}

static unsigned choose_delayed(Walker *w, const Choice *choice)
{
    for (unsigned i = 0; i < w->strategy.d; i++) {
        if (w->changes[i] == w->n) {
            return 1 + draw(w, choice->n - 1);
        }
    }
    return 0;
}

static unsigned walker_choose(Oracle *oracle, const Choice *choice)
{
    Walker *w = container_of(oracle, Walker, base);
    unsigned taken;

    if (w->n > FAIR_FROM + FAIR_LENGTHS * w->length &&
        w->strategy.kind != STRATEGY_DEFAULT) {
        return draw(w, choice->n); /* nobody may be left out for ever */
    }
    switch (w->strategy.kind) {
    case STRATEGY_RANDOM:
        taken = choose_randomly(w, choice);
        break;
    case STRATEGY_PCT:
        taken = choose_by_priority(w, choice);
        break;
    case STRATEGY_STARVE:
        taken = choose_but_victim(w, choice);
        break;
    case STRATEGY_DELAY:
        taken = choose_delayed(w, choice);
        break;
    default:
        taken = 0;
        break;
    }
    w->n++;
    return taken;
}

void walker_begin(Walker *w, Strategy strategy, uint64_t seed, unsigned length)
{
    static const unsigned keeps[] = {0, 4, 6, 7};

    *w = (Walker){
        .base.choose = walker_choose, .strategy = strategy, .state = seed,
        .length = MAX(length, 1),
    };
    sim_random(&w->state);
    w->keep = keeps[draw(w, ARRAY_SIZE(keeps))];
    for (unsigned i = 0; i < WALKER_CHANGES; i++) {
        w->changes[i] = draw(w, w->length);
    }
    w->victim = 1 + draw(w, 4);
    w->from = draw(w, w->length);
    w->to = w->from + 1 + draw(w, w->length);
}

Strategy portfolio_at(uint64_t i)
{
    static const Strategy mix[] = {
        {STRATEGY_DELAY, 1}, {STRATEGY_RANDOM, 0}, {STRATEGY_PCT, 2},
        {STRATEGY_PCT, 4},   {STRATEGY_DELAY, 2}, {STRATEGY_RANDOM, 0},
        {STRATEGY_PCT, 3},   {STRATEGY_STARVE, 0}, {STRATEGY_PCT, 5},
        {STRATEGY_DELAY, 3}, {STRATEGY_RANDOM, 0}, {STRATEGY_PCT, 4},
        {STRATEGY_PCT, 1},   {STRATEGY_DELAY, 4}, {STRATEGY_STARVE, 0},
        {STRATEGY_PCT, 5},   {STRATEGY_RANDOM, 0}, {STRATEGY_PCT, 3},
        {STRATEGY_DELAY, 1},
    };

    return i == 0 ? (Strategy){STRATEGY_DEFAULT, 0}
                  : mix[(i - 1) % ARRAY_SIZE(mix)];
}
