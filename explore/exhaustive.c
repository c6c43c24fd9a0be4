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
#include "exhaustive.h"

#include "machine.h"
#include "qemu/host-utils.h"
#include "trace-hooks.h"

enum { DECISIONS_MAX = 1 << 15 };

/* Somebody who made a step from here, and what it touched. */
typedef struct Tried {
    uint32_t thread;
    AccessSet set;
} Tried;

typedef struct Decision {
    bool about_threads;
    uint32_t taken;       /* thread; or the number of the option */
    uint32_t n;           /* not about threads: options */
    uint32_t enabled, todo, done, asleep; /* threads, a bit each */
    uint32_t first;       /* who the default policy would let run */
    unsigned step;        /* of the run */
    unsigned deviations;  /* before it */
    GArray *tried;        /* of Tried: done and asleep */
} Decision;

struct Exhaustive {
    Runner *runner;
    Strategy strategy;
    bool plain, begun;
    bool repeats; /* this run does what an earlier one has done */
    const char *stopped;
    AccessTrace *trace;
    NotingOracle *noting;
    Oracle oracle;
    Decision *line;
    unsigned n;      /* decisions of this run so far */
    unsigned fixed;  /* of those, how many are a repetition */
    unsigned shard, shards;
    unsigned *step_decisions; /* of each step of the run: its decision + 1 */
    uint32_t enabled;     /* at the choice just made, for the step to come */
    uint32_t first;
};

/* The callbacks of a run have no argument. */
static Exhaustive *current;

static bool uses_accesses(const Exhaustive *e)
{
    return e->strategy.kind != STRATEGY_BOUNDED;
}

static uint32_t bit(uint64_t thread)
{
    return 1U << (thread & 31);
}

/* ---- What was tried ---- */

static Tried *find_tried(const Decision *d, uint32_t thread)
{
    for (unsigned i = 0; d->tried && i < d->tried->len; i++) {
        Tried *tried = &g_array_index(d->tried, Tried, i);

        if (tried->thread == thread) {
            return tried;
        }
    }
    return NULL;
}

static void note_tried(Decision *d, uint32_t thread, const AccessSet *set)
{
    Tried *tried = find_tried(d, thread), new = {.thread = thread};

    if (!tried) {
        if (!d->tried) {
            d->tried = g_array_new(false, false, sizeof(Tried));
        }
        g_array_append_val(d->tried, new);
        tried = &g_array_index(d->tried, Tried, d->tried->len - 1);
    }
    access_set_join(&tried->set, set);
}

static void clear_decision(Decision *d)
{
    for (unsigned i = 0; d->tried && i < d->tried->len; i++) {
        access_set_free(&g_array_index(d->tried, Tried, i).set);
    }
    if (d->tried) {
        g_array_free(d->tried, true);
    }
    *d = (Decision){.n = 0};
}

/* ---- Sleep sets ---- */

static Decision *last_about_threads(Exhaustive *e)
{
    for (unsigned i = e->n; i > 0; i--) {
        if (e->line[i - 1].about_threads) {
            return &e->line[i - 1];
        }
    }
    return NULL;
}

/*
 * The last step of the run is over.  What it touched is kept with its decision:
 * sleep sets need it, once another thread goes first there.
 */
static void finish_step(Exhaustive *e)
{
    Decision *d = last_about_threads(e);

    if (uses_accesses(e)) {
        access_trace_finish_step(e->trace);
        if (d) {
            note_tried(d, d->taken, access_trace_last_set(e->trace));
        }
    }
}

/*
 * Who slept before the last step, or was tried instead of it, sleeps on,
 * unless that step touched what it would.
 */
static void inherit_sleepers(Exhaustive *e, const Decision *from, Decision *to)
{
    const AccessSet *step = access_trace_last_set(e->trace);

    for (unsigned i = 0; from->tried && i < from->tried->len; i++) {
        const Tried *tried = &g_array_index(from->tried, Tried, i);

        if (tried->thread != from->taken &&
            (from->done | from->asleep) & bit(tried->thread) &&
            !access_sets_conflict(&tried->set, step)) {
            note_tried(to, tried->thread, &tried->set);
            to->asleep |= bit(tried->thread);
        }
    }
}

/* ---- Races ---- */

/*
 * Unless somebody begins there already with what must come before @first, in
 * this or another run, somebody has to.
 */
static void race_found(unsigned first, unsigned second, uint32_t initials,
                       void *opaque)
{
    Exhaustive *e = opaque;
    unsigned number = e->step_decisions[first];
    Decision *d = number ? &e->line[number - 1] : NULL;

    if (!d || e->strategy.kind != STRATEGY_DPOR || e->plain) {
        return;
    }
    initials &= d->enabled;
    if (!initials) {
        d->todo |= d->enabled;
    } else if (!((d->todo | d->done) & initials)) {
        d->todo |= initials & -initials;
    }
}

/* ---- Decisions of a run ---- */

/*
 * Whether a bounded search may deviate here.  The first deviation says to which
 * shard a schedule belongs.
 */
static bool may_deviate(const Exhaustive *e, const Decision *d)
{
    if (e->strategy.kind != STRATEGY_BOUNDED) {
        return true;
    }
    return d->deviations < e->strategy.d &&
           (d->deviations || (d - e->line) % e->shards == e->shard);
}

static unsigned count_deviations(const Exhaustive *e)
{
    const Decision *last = e->n ? &e->line[e->n - 1] : NULL;

    if (!last) {
        return 0;
    }
    return last->deviations + (last->about_threads ? last->taken != last->first
                                                   : last->taken != 0);
}

/* Who goes on, at a decision that is made for the first time. */
static void decide_threads(Exhaustive *e, Decision *d)
{
    uint32_t awake = d->enabled & ~d->asleep;

    d->taken = d->first;
    if (awake && !(awake & bit(d->first))) {
        d->taken = ctz32(awake);
    }
    d->todo = e->strategy.kind == STRATEGY_DPOR && !e->plain
                  ? bit(d->taken)
                  : bit(d->taken) | (may_deviate(e, d) ? d->enabled : 0);
}

static Decision *new_decision(Exhaustive *e)
{
    Decision *d = &e->line[e->n];

    if (e->n == DECISIONS_MAX) {
        e->stopped = "a run has more than 32,768 decisions";
        return NULL;
    }
    clear_decision(d);
    d->deviations = count_deviations(e);
    return d;
}

/* The decision about the next step; makes it if it is new. NULL: stop here. */
static Decision *thread_decision(Exhaustive *e, uint32_t enabled,
                                 uint32_t first)
{
    Decision *before, *d = &e->line[e->n];

    if (e->n < e->fixed) {
        if (!d->about_threads || d->enabled != enabled) {
            e->stopped = "a run did not repeat itself: the scenario depends on "
                         "something that the machine does not control";
            return NULL;
        }
        return d;
    }
    finish_step(e);
    before = last_about_threads(e);
    d = new_decision(e);
    if (!d) {
        return NULL;
    }
    d->about_threads = true;
    d->enabled = enabled;
    d->first = first;
    d->step = access_trace_steps(e->trace);
    if (uses_accesses(e) && before && !e->plain) {
        inherit_sleepers(e, before, d);
    }
    decide_threads(e, d);
    return d;
}

static unsigned choose_thread(Exhaustive *e, const Choice *choice)
{
    uint32_t enabled = 0;
    Decision *d;

    for (unsigned i = 0; i < choice->n; i++) {
        if (choice->options[i] >= ACCESS_THREADS) {
            e->stopped = "a run has more than 23 threads";
            sim_abandon();
            return 0;
        }
        enabled |= bit(choice->options[i]);
    }
    e->enabled = enabled;
    e->first = choice->options[0];
    d = thread_decision(e, enabled, e->first);
    for (unsigned i = 0; d && i < choice->n; i++) {
        if (choice->options[i] == d->taken) {
            return i;
        }
    }
    sim_abandon();
    return 0;
}

static unsigned choose_inside(Exhaustive *e, const Choice *choice)
{
    Decision *d = &e->line[e->n];

    if (e->n >= e->fixed) {
        d = new_decision(e);
        if (!d) {
            sim_abandon();
            return 0;
        }
        d->n = may_deviate(e, d) ? choice->n : 1;
    }
    e->n++;
    access_trace_choice(e->trace, d->taken);
    return MIN(d->taken, choice->n - 1);
}

static unsigned exhaustive_choose(Oracle *oracle, const Choice *choice)
{
    Exhaustive *e = container_of(oracle, Exhaustive, oracle);
    unsigned taken;

    runner_pause();
    taken = choice->kind == CHOICE_THREAD ? choose_thread(e, choice)
                                          : choose_inside(e, choice);
    runner_resume();
    return taken;
}

/* ---- The tracer ---- */

static void make_step(Exhaustive *e, uint32_t thread)
{
    uint32_t enabled = bit(thread);
    Decision *d;

    /* A choice has decided it; where there was none, only one can go on. */
    d = e->enabled ? &e->line[e->n] : thread_decision(e, enabled, thread);
    e->enabled = 0;
    if (!d) {
        sim_abandon();
        return;
    }
    if (d->asleep & bit(d->taken)) {
        e->repeats = true; /* everybody sleeps: this was run before */
        sim_abandon();
        return;
    }
    access_trace_step(e->trace, thread);
    if (access_trace_steps(e->trace)) {
        e->step_decisions[access_trace_steps(e->trace) - 1] = e->n + 1;
    }
    e->n++;
}

static void on_step(uint32_t thread)
{
    runner_pause();
    make_step(current, thread);
    runner_resume();
}

static void on_access(const volatile void *object, SimAccess how)
{
    if (uses_accesses(current)) {
        runner_pause();
        access_trace_access(current->trace, (uintptr_t)object, how);
        runner_resume();
    }
}

/* What the compiler tells; as long as there is one thread nobody else looks. */
static void on_memory(uintptr_t address, size_t size, SimAccess how,
                      bool atomic, uintptr_t pc)
{
    uintptr_t last = address + size - 1;

    if (machine.last_id < 2) {
        return;
    }
    runner_pause();
    for (; address <= last; address = (address | (ACCESS_BYTES - 1)) + 1) {
        access_trace_access(current->trace, address, how);
    }
    runner_resume();
}

static void on_wake(uint32_t thread)
{
    access_trace_wake(current->trace, thread);
}

static void on_stuck(void)
{
    runner_pause();
    finish_step(current);
    runner_resume();
}

static const SimTracer tracer = {on_step, on_access, on_wake, on_stuck};

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
            d->done |= bit(d->taken);
        }
        if (has_more(e, d)) {
            e->fixed = e->n;
            return true;
        }
        clear_decision(d);
        e->n--;
    }
    return false;
}

/*
 * The last step has ended the run: as the main thread does when it returns, or a
 * check that fails.  Others could have gone on first, and must, in another run.
 */
static void cut(Exhaustive *e)
{
    Decision *d = last_about_threads(e);

    access_trace_cut(e->trace);
    if (d) {
        d->todo |= e->strategy.kind == STRATEGY_DPOR ? d->enabled : 0;
    }
}

bool exhaustive_next(Exhaustive *e, ScheduleOutcome *outcome)
{
    if (e->stopped || (e->begun && !advance(e))) {
        return false;
    }
    e->begun = true;
    e->n = 0;
    e->enabled = 0;
    e->repeats = false;
    current = e;
    access_trace_begin(e->trace);
    noting_oracle_begin(e->noting, &e->oracle);
    runner_set_listener(e->runner, uses_accesses(e) ? on_memory : NULL);
    runner_watch_memory(e->runner, true);
    *outcome = runner_run(e->runner, &e->noting->base, &tracer, NULL, NULL);
    runner_set_listener(e->runner, NULL);
    runner_watch_memory(e->runner, false);
    if (e->repeats) {
        outcome->end = SCHEDULE_ABANDONED; /* what failed in it is known */
    }
    if (outcome->end != SCHEDULE_STUCK && outcome->end != SCHEDULE_ABANDONED) {
        cut(e);
    }
    finish_step(e);
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
    e->trace = access_trace_new(race_found, e);
    e->noting = noting_oracle_new();
    e->oracle.choose = exhaustive_choose;
    e->line = g_new0(Decision, DECISIONS_MAX + 1);
    e->step_decisions = g_new0(unsigned, ACCESS_STEPS);
    return e;
}

void exhaustive_free(Exhaustive *e)
{
    for (unsigned i = 0; i <= DECISIONS_MAX; i++) {
        clear_decision(&e->line[i]);
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
