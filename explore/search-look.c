/* SPDX-License-Identifier: MIT */
/* What came of a schedule, and whether it is worth a word. */
#include "search-internal.h"

#include "observe.h"

enum {
    OBSERVED_MAX = 5000,       /* failing schedules that are looked at */
    ENDLESS_MAX = 8,           /* and of those that were cut */
};

static void add_finding(Search *s, Finding *finding)
{
    Finding *known = g_hash_table_lookup(s->findings, finding->signature);

    if (known) {
        known->seen++;
        finding_free(finding);
    } else {
        g_hash_table_insert(s->findings, finding->signature, finding);
        s->real_findings += finding_is_failure(finding);
        s->listener->finding(finding, s->listener->opaque);
    }
}

/* A deadlock's is computed from the state in which it ended. */
static char *signature_of(Search *s, const Schedule *schedule, bool watched,
                          Potential *potential)
{
    ScheduleOracle *oracle = schedule_oracle_new();
    char *signature;
    Observation *o;

    schedule_oracle_begin(oracle, schedule);
    runner_watch_memory(s->runner, watched);
    o = observe_with(s->runner, &oracle->base, potential);
    runner_watch_memory(s->runner, false);
    signature = observation_signature(o);
    observation_free(o);
    schedule_oracle_free(oracle);
    return signature;
}

/* The first deviations of a schedule, @part eighths of them. */
static Schedule *first_part(const Schedule *schedule, unsigned part)
{
    unsigned n = schedule_length(schedule);
    unsigned kept = n * (uint64_t)part / 8;

    return schedule_without(schedule, kept, n - kept);
}

/*
 * A walk that was cut need not repeat itself, because it goes on walking: does
 * it, if it goes on by the default policy from some place on?
 */
static Schedule *calm_down(Search *s, const Schedule *schedule)
{
    static const unsigned parts[] = {0, 1, 2, 4, 8};

    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        Schedule *part = first_part(schedule, parts[i]);
        g_autofree char *signature = signature_of(s, part, false, NULL);

        if (!g_str_equal(signature, "endless") &&
            !g_str_equal(signature, "done")) {
            return part;
        }
        schedule_free(part);
    }
    return NULL;
}

static void look_at_endless(Search *s, const ScheduleOutcome *outcome,
                            const Suspect *suspect)
{
    Schedule *calm = *outcome->text ? schedule_copy(suspect->schedule)
                                    : calm_down(s, suspect->schedule);

    if (calm) {
        Finding *finding = analyse(s->runner, &(Suspect){
            calm, suspect->found_by, suspect->number, false}, &s->owner);

        s->stats->failing += finding != NULL;
        if (finding) {
            add_finding(s, finding);
        }
        schedule_free(calm);
    }
}

/* A schedule has failed: is it a failure that is known already? */
void search_look_at(Search *s, const ScheduleOutcome *outcome,
                    const Suspect *suspect)
{
    g_autofree char *signature = outcome_signature(outcome);
    Finding *known, *finding;

    if (outcome->end == SCHEDULE_ENDLESS) {
        look_at_endless(s, outcome, suspect);
        return;
    }
    if (!signature && s->observed++ >= OBSERVED_MAX) {
        return;
    }
    if (!signature) {
        signature = signature_of(s, suspect->schedule, suspect->watched, NULL);
    }
    known = g_hash_table_lookup(s->findings, signature);
    if (known) {
        known->seen++;
        return;
    }
    finding = analyse(s->runner, suspect, &s->owner);
    if (finding) {
        add_finding(s, finding);
    }
}

/* True if the run failed; counts it. */
bool search_count(Search *s, const ScheduleOutcome *outcome)
{
    SearchStats *stats = s->stats;

    stats->steps += outcome->steps;
    switch (outcome->end) {
    case SCHEDULE_ABANDONED:
        stats->blocked++;
        return false;
    case SCHEDULE_BAD:
        if (!s->err) {
            error_setg(&s->err, "%s", outcome->text);
        }
        return false;
    case SCHEDULE_DONE:
        stats->schedules++;
        return false;
    case SCHEDULE_ENDLESS:
        stats->schedules++;
        stats->endless++;
        return s->looked_at_endless++ < ENDLESS_MAX;
    default:
        stats->schedules++;
        stats->failing++;
        return true;
    }
}

/* A run that ended well: was it luck? */
void search_sample(Search *s, const Suspect *suspect)
{
    g_autofree char *signature = signature_of(s, suspect->schedule, false,
                                              s->potential);
    Finding *finding = NULL;

    s->sampled++;
    if (!g_str_equal(signature, "done") &&
        !g_hash_table_contains(s->findings, signature)) {
        finding = analyse(s->runner, suspect, &s->owner);
    }
    if (finding) {
        s->stats->failing++;
        add_finding(s, finding);
    }
}

bool search_is_sampled(const Search *s, const ScheduleOutcome *outcome,
                       uint64_t n)
{
    return outcome->end == SCHEDULE_DONE && n % SAMPLE_EVERY == 0 &&
           s->sampled < SAMPLES_MAX;
}

/* What no run came to, but the order of locks in several of them allows. */
void search_tell_potential(Search *s)
{
    Schedule *nothing = schedule_new();
    Finding *finding = finding_new();

    finding->scenario = g_strdup(s->name);
    finding->end = SCHEDULE_DONE;
    finding->kind = g_strdup("POTENTIAL");
    finding->class_name = g_strdup("potential deadlock");
    finding->signature = potential_signature(s->potential, 0);
    finding->report = potential_report(s->potential);
    finding->found_by = g_strdup_printf("%u runs that ended well, together",
                                        s->sampled);
    finding->number = s->stats->schedules;
    finding->seen = 1;
    finding->chance_before = 0;
    finding->token = schedule_token(nothing, &s->owner, s->default_trace);
    schedule_free(nothing);
    add_finding(s, finding);
}
