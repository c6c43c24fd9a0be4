/* SPDX-License-Identifier: MIT */
/* A finding, from a schedule that fails; see analysis.h. */
#include "analysis.h"

#include "no-return.h"
#include "observe.h"
#include "reduce.h"

static Observation *observe_schedule(Runner *runner, ScheduleOracle *oracle,
                                     const Schedule *schedule)
{
    schedule_oracle_begin(oracle, schedule);
    return observe(runner, &oracle->base);
}

static char *describe_steps(const Observation *o)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < o->choices->len; i++) {
        const ChoiceRecord *r = &g_array_index(o->choices, ChoiceRecord, i);
        Deviation d = {r->kind, r->object, r->ordinal, r->value};
        g_autofree char *line = r->taken ? deviation_text(&d) : NULL;

        if (line) {
            g_string_append_printf(
                text, "  event %" PRIu64 ": %s\n",
                g_array_index(o->choice_events, uint64_t, i), line);
        }
    }
    return g_string_free(text, false);
}

static Finding *describe(Runner *runner, const Observation *o,
                         const Suspect *suspect, const ScheduleOwner *owner)
{
    Finding *f = finding_new();

    f->scenario = g_strdup(owner->scenario);
    f->end = o->outcome.end;
    f->kind = g_strdup(observation_kind(o));
    f->class_name = observation_class(o);
    f->signature = observation_signature(o);
    f->report = observation_report(o, owner->scenario);
    f->found_by = g_strdup(suspect->found_by);
    f->number = suspect->number;
    f->seen = 1;
    f->deviations = schedule_length(o->schedule);
    f->token = schedule_token(o->schedule, owner, o->trace);
    f->steps = describe_steps(o);
    f->events = event_store_count(o->events);
    explain_no_return(f, runner, o);
    return f;
}

Finding *analyse(Runner *runner, const Suspect *suspect, const ScheduleOwner *owner)
{
    ScheduleOracle *oracle = schedule_oracle_new();
    Observation *o;
    g_autofree char *signature = NULL;
    Finding *finding = NULL;
    Schedule *reduced;
    Failure failure;

    runner_watch_memory(runner, suspect->watched);
    o = observe_schedule(runner, oracle, suspect->schedule);
    signature = observation_signature(o);
    failure = (Failure){
        .runner = runner, .end = o->outcome.end, .signature = signature,
        .length = o->choices->len, .oracle = schedule_oracle_new(),
    };
    if (strcmp(signature, "done") != 0 && failure.end != SCHEDULE_ABANDONED) {
        reduced = reduce(&failure, o->schedule);
        observation_free(o);
        o = observe_schedule(runner, oracle, reduced);
        schedule_free(reduced);
        finding = describe(runner, o, suspect, owner);
    }
    runner_watch_memory(runner, false);
    observation_free(o);
    schedule_oracle_free(failure.oracle);
    schedule_oracle_free(oracle);
    return finding;
}
