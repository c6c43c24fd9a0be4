/* SPDX-License-Identifier: MIT */
/* Schedules: making, noting and following them. */
#include "schedule.h"

#include "qemu/host-utils.h"

Schedule *schedule_new(void)
{
    Schedule *schedule = g_new(Schedule, 1);

    schedule->deviations = g_array_new(false, false, sizeof(Deviation));
    return schedule;
}

void schedule_free(Schedule *schedule)
{
    if (schedule) {
        g_array_free(schedule->deviations, true);
        g_free(schedule);
    }
}

unsigned schedule_length(const Schedule *schedule)
{
    return schedule->deviations->len;
}

Deviation *schedule_at(const Schedule *schedule, unsigned i)
{
    return &g_array_index(schedule->deviations, Deviation, i);
}

void schedule_add(Schedule *schedule, const Deviation *deviation)
{
    g_array_append_val(schedule->deviations, *deviation);
}

Schedule *schedule_without(const Schedule *schedule, unsigned from, unsigned n)
{
    Schedule *rest = schedule_new();

    for (unsigned i = 0; i < schedule_length(schedule); i++) {
        if (i < from || i >= from + n) {
            schedule_add(rest, schedule_at(schedule, i));
        }
    }
    return rest;
}

Schedule *schedule_copy(const Schedule *schedule)
{
    return schedule_without(schedule, 0, 0);
}

/* ---- Counting ---- */

void choice_counts_reset(ChoiceCounts *counts)
{
    while (counts->n_used) {
        counts->of[counts->used[--counts->n_used]].kind = 0;
    }
}

uint32_t choice_counts_next(ChoiceCounts *counts, ChoiceKind kind,
                            uint64_t object)
{
    uint64_t hash = (object * 8 + kind) * 0x9e3779b97f4a7c15ULL;
    unsigned at = hash >> 54;

    for (unsigned tries = 0; tries < CHOOSERS_MAX; tries++) {
        if (!counts->of[at].kind) {
            counts->of[at].kind = kind + 1;
            counts->of[at].object = object;
            counts->of[at].n = 0;
            counts->used[counts->n_used++] = at;
        }
        if (counts->of[at].kind == kind + 1u &&
            counts->of[at].object == object) {
            return ++counts->of[at].n;
        }
        at = (at + 1) % CHOOSERS_MAX;
    }
    return UINT32_MAX; /* more than any exploration is good for */
}

/* ---- Noting ---- */

ChoiceKind choice_kind_by_name(const char *name)
{
    ChoiceKind kind = 0;

    while (kind < CHOICE_KIND_MAX &&
           g_strcmp0(choice_kind_names[kind], name) != 0) {
        kind++;
    }
    return kind;
}

static unsigned choose_and_note(Oracle *oracle, const Choice *choice)
{
    NotingOracle *noting = container_of(oracle, NotingOracle, base);
    unsigned taken = noting->inner->choose(noting->inner, choice);

    noting->trace = choice_trace_add(noting->trace, choice->kind,
                                     choice->object, choice->n);
    if (noting->n == CHOICES_MAX) {
        sim_abandon();
        return taken;
    }
    noting->records[noting->n++] = (ChoiceRecord){
        .kind = choice->kind, .n = choice->n, .taken = taken,
        .ordinal = choice_counts_next(&noting->counts, choice->kind,
                                      choice->object),
        .object = choice->object, .value = choice->options[taken],
    };
    return taken;
}

NotingOracle *noting_oracle_new(void)
{
    NotingOracle *oracle = g_new0(NotingOracle, 1);

    oracle->base.choose = choose_and_note;
    return oracle;
}

void noting_oracle_free(NotingOracle *oracle)
{
    g_free(oracle);
}

void noting_oracle_begin(NotingOracle *oracle, Oracle *inner)
{
    choice_counts_reset(&oracle->counts);
    oracle->inner = inner;
    oracle->n = 0;
    oracle->trace = choice_trace_begin();
}

Schedule *noting_oracle_schedule(const NotingOracle *oracle)
{
    Schedule *schedule = schedule_new();

    for (unsigned i = 0; i < oracle->n; i++) {
        const ChoiceRecord *r = &oracle->records[i];
        Deviation deviation = {r->kind, r->object, r->ordinal, r->value};

        if (r->taken) {
            schedule_add(schedule, &deviation);
        }
    }
    return schedule;
}

/* ---- Following ---- */

static const Deviation *find_deviation(const Schedule *schedule,
                                       const Choice *choice, uint32_t ordinal)
{
    for (unsigned i = 0; i < schedule_length(schedule); i++) {
        const Deviation *d = schedule_at(schedule, i);

        if (d->ordinal == ordinal && d->kind == choice->kind &&
            d->object == choice->object) {
            return d;
        }
    }
    return NULL;
}

static unsigned choose_by_schedule(Oracle *oracle, const Choice *choice)
{
    ScheduleOracle *o = container_of(oracle, ScheduleOracle, base);
    uint32_t ordinal = choice_counts_next(&o->counts, choice->kind,
                                          choice->object);
    const Deviation *d = find_deviation(o->schedule, choice, ordinal);

    for (unsigned i = 1; d && i < choice->n; i++) {
        if (choice->options[i] == d->value) {
            o->followed++;
            return i;
        }
    }
    return 0;
}

ScheduleOracle *schedule_oracle_new(void)
{
    ScheduleOracle *oracle = g_new0(ScheduleOracle, 1);

    oracle->base.choose = choose_by_schedule;
    return oracle;
}

void schedule_oracle_free(ScheduleOracle *oracle)
{
    g_free(oracle);
}

void schedule_oracle_begin(ScheduleOracle *oracle, const Schedule *schedule)
{
    choice_counts_reset(&oracle->counts);
    oracle->schedule = schedule;
    oracle->followed = 0;
}
