/* SPDX-License-Identifier: MIT */
/*
 * Depth-first search over the decisions of a run; see exhaustive.h.
 *
 * A run is a line of decisions: which thread makes the next step, and what
 * happens inside a step (how many completions a wait takes, say).  The search
 * keeps the line of the last run.  To go on, it takes the last decision that
 * has something left to try, changes it, and runs again from the start: the
 * decisions before it are repeated, those after it are made anew.
 *
 * For each decision about threads there are three sets:
 *
 *   todo    who has to go first here, in some run.  For dfs and bounded it is
 *           everybody who can; dpor begins with one, and adds those that a race
 *           found later asks for (Flanagan, Godefroid, 2005), so that they are
 *           a source set (Abdulla and others, 2014).
 *   done    who did, in runs that are over.
 *   asleep  who need not, because an earlier run did the same before, and
 *           nothing since then depended on it (Godefroid's sleep sets).
 *
 * A run in which everybody who can run is asleep repeats an earlier one, and is
 * abandoned.
 */
#include "exhaustive-internal.h"

#include "qemu/host-utils.h"

/* ---- From run to run ---- */

static bool has_more(Exhaustive *e, Decision *d)
{
    uint32_t left;

    if (!d->about_threads) {
        if (d->taken + 1 < d->n) {
            d->taken++;
            return true;
        }
        return false;
    }
    left = d->todo & ~d->done & ~d->asleep;
    if (!left) {
        return false;
    }
    d->taken = ctz32(left);
    return true;
}

/* Prepares the next run; false if all were made. */
static bool advance(Exhaustive *e)
{
    while (e->n) {
        Decision *d = &e->line[e->n - 1];

        if (d->about_threads) {
            d->done |= thread_bit(d->taken);
        }
        if (has_more(e, d)) {
            e->fixed = e->n;
            return true;
        }
        decision_clear(d);
        e->n--;
    }
    return false;
}

bool exhaustive_next(Exhaustive *e, ScheduleOutcome *outcome)
{
    if (e->stopped || (e->begun && !advance(e))) {
        return false;
    }
    e->begun = true;
    *outcome = exhaustive_run(e);
    if (!e->stopped) {
        e->stopped = access_trace_trouble(e->trace);
    }
    if (e->n < e->fixed && !e->stopped) {
        e->stopped = "a run did not repeat itself as far as it should";
    }
    if (outcome->end == SCHEDULE_ENDLESS && !e->stopped) {
        e->stopped = "a run does not end";
    }
    return true;
}

/* ---- Begin and end ---- */

Exhaustive *exhaustive_new(Runner *runner, Strategy strategy)
{
    Exhaustive *e = g_new0(Exhaustive, 1);

    e->runner = runner;
    e->strategy = strategy;
    e->shards = 1;
    e->trace = access_trace_new(exhaustive_race_found, e);
    e->noting = noting_oracle_new();
    e->oracle.choose = exhaustive_choose;
    e->line = g_new0(Decision, DECISIONS_MAX + 1);
    e->step_decisions = g_new0(unsigned, ACCESS_STEPS);
    return e;
}

void exhaustive_free(Exhaustive *e)
{
    for (unsigned i = 0; i <= DECISIONS_MAX; i++) {
        decision_clear(&e->line[i]);
    }
    access_trace_free(e->trace);
    noting_oracle_free(e->noting);
    g_free(e->line);
    g_free(e->step_decisions);
    g_free(e);
}

void exhaustive_set_plain(Exhaustive *e)
{
    e->plain = true;
}

void exhaustive_set_shard(Exhaustive *e, unsigned shard, unsigned of)
{
    e->shard = shard;
    e->shards = of;
}

Schedule *exhaustive_schedule(const Exhaustive *e)
{
    return noting_oracle_schedule(e->noting);
}

const char *exhaustive_stopped(const Exhaustive *e)
{
    return e->stopped;
}

uint64_t exhaustive_class(const Exhaustive *e)
{
    return access_trace_class(e->trace);
}
