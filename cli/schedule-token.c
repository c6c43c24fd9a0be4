/* SPDX-License-Identifier: MIT */
/* Running what a token says; see schedule-token.h. */
#include "schedule-token.h"

#include "search.h"

enum { MAX_STEPS = 2000000 };

bool is_schedule_token(const char *name)
{
    return g_str_has_prefix(name, "aio1-") && !g_str_has_suffix(name, ".c") &&
           !g_file_test(name, G_FILE_TEST_EXISTS);
}

char *schedule_token_scenario(const char *token, Error **errp)
{
    TokenParts parts;
    Schedule *schedule = schedule_from_token(token, &parts, errp);

    schedule_free(schedule);
    return parts.name ? g_strdelimit(parts.name, ".", '/') : NULL;
}

static bool is_name_of(const TokenParts *parts, const ScenarioSpec *spec)
{
    g_autofree char *name = scenario_spec_name(spec);

    g_strdelimit(name, "/", '.');
    return g_str_equal(name, parts->name);
}

bool schedule_token_apply(const char *token, const ScenarioSpec *spec,
                          RunConfig *config, Error **errp)
{
    TokenParts parts;
    Schedule *schedule = schedule_from_token(token, &parts, errp);
    g_autofree char *name = parts.name;
    ScheduleOracle *oracle;
    SearchJob job = {.max_steps = MAX_STEPS};

    if (!schedule) {
        return false;
    }
    if (!is_name_of(&parts, spec) ||
        schedule_short_digest(search_identity(spec)) != parts.identity) {
        error_setg(errp, is_name_of(&parts, spec)
                   ? "%s: was made by another version of aiolab or of %s, or "
                     "with other parameters (-p); explore it again"
                   : "%s: is a schedule of another scenario than %s", token,
                   spec->source ? spec->source : spec->scenario->name);
        schedule_free(schedule);
        return false;
    }
    config->live = false;
    job.extras = parts.extras;
    config->sim = search_machine(&job);
    oracle = schedule_oracle_new();
    schedule_oracle_begin(oracle, schedule); /* they live as long as we do */
    config->sim.oracle = &oracle->base;
    return true;
}

bool schedule_token_check(const char *token, const Session *session,
                          Error **errp)
{
    uint64_t trace = choice_trace_begin();
    TokenParts parts;
    Schedule *schedule = schedule_from_token(token, &parts, NULL);

    schedule_free(schedule);
    g_free(parts.name);
    for (uint64_t n = 1; n <= session_count(session); n++) {
        ProbeEvent event = event_store_get(session->events, n);

        if (event.kind == PROBE_CHOICE) {
            trace = choice_trace_add(trace, choice_kind_by_name(event.text),
                                     event.obj, event.a);
        }
    }
    if (schedule_short_digest(trace) != parts.trace) {
        error_setg(errp, "%s: leads elsewhere than it did when it was made, "
                   "because something that it depends on has changed; explore "
                   "again", token);
        return false;
    }
    return true;
}
