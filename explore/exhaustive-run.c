/* SPDX-License-Identifier: MIT */
/*
 * A run of an exhaustive search: its decisions, as the machine asks for them and
 * tells what each step touched.  See exhaustive.c.
 */
#include "exhaustive-internal.h"

#include "machine.h"
#include "qemu/host-utils.h"

/* The callbacks of a run have no argument. */
static Exhaustive *current;

/* ---- Steps ---- */

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

    if (exhaustive_uses_accesses(e)) {
        access_trace_finish_step(e->trace);
        if (d) {
            decision_note_tried(d, d->taken, access_trace_last_set(e->trace));
        }
    }
}

/* ---- Races ---- */

/*
 * Unless somebody begins there already with what must come before @first, in
 * this or another run, somebody has to.
 */
void exhaustive_race_found(unsigned first, uint32_t initials, void *opaque)
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

/* ---- Decisions ---- */

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
    if (awake && !(awake & thread_bit(d->first))) {
        d->taken = ctz32(awake);
    }
    d->todo = e->strategy.kind == STRATEGY_DPOR && !e->plain
                  ? thread_bit(d->taken)
                  : thread_bit(d->taken) | (may_deviate(e, d) ? d->enabled : 0);
}

static Decision *new_decision(Exhaustive *e)
{
    Decision *d = &e->line[e->n];

    if (e->n == DECISIONS_MAX) {
        e->stopped = "a run has more than 32,768 decisions";
        return NULL;
    }
    decision_clear(d);
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
    if (exhaustive_uses_accesses(e) && before && !e->plain) {
        decision_inherit_sleepers(d, before, access_trace_last_set(e->trace));
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
        enabled |= thread_bit(choice->options[i]);
    }
    e->enabled = enabled;
    d = thread_decision(e, enabled, choice->options[0]);
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

unsigned exhaustive_choose(Oracle *oracle, const Choice *choice)
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
    uint32_t enabled = thread_bit(thread);
    Decision *d;

    /* A choice has decided it; where there was none, only one can go on. */
    d = e->enabled ? &e->line[e->n] : thread_decision(e, enabled, thread);
    e->enabled = 0;
    if (!d) {
        sim_abandon();
        return;
    }
    if (d->asleep & thread_bit(d->taken)) {
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
    if (exhaustive_uses_accesses(current)) {
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

/* ---- The run ---- */

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

ScheduleOutcome exhaustive_run(Exhaustive *e)
{
    ScheduleOutcome outcome;

    e->n = 0;
    e->enabled = 0;
    e->repeats = false;
    current = e;
    access_trace_begin(e->trace);
    noting_oracle_begin(e->noting, &e->oracle);
    runner_set_listener(e->runner, exhaustive_uses_accesses(e) ? on_memory
                                                               : NULL);
    runner_watch_memory(e->runner, true);
    outcome = runner_run(e->runner, &e->noting->base, &tracer, NULL, NULL);
    runner_set_listener(e->runner, NULL);
    runner_watch_memory(e->runner, false);
    if (e->repeats) {
        outcome.end = SCHEDULE_ABANDONED; /* what failed in it is known */
    }
    if (outcome.end != SCHEDULE_STUCK && outcome.end != SCHEDULE_ABANDONED) {
        cut(e);
    }
    finish_step(e);
    return outcome;
}
