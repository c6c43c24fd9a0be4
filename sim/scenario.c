/* SPDX-License-Identifier: MIT */
/* Scenarios: parameters, variants, checks and results. */
#include "scenario.h"

#include <pthread.h>

struct ScenarioArgs {
    const ScenarioSpec *spec;
};

/* The running scenario's; there is one at a time. */
static ScenarioOutcome *current;
/* Of what any thread may add to it. */
static pthread_mutex_t outcome_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- What to run ---- */

static const ScenarioVariant *find_variant(const Scenario *scenario,
                                           const char *name)
{
    const ScenarioVariant *variant = scenario->variants;

    if (!variant || !name || !*name) {
        return variant;
    }
    while (variant->name && !g_str_equal(variant->name, name)) {
        variant++;
    }
    return variant->name ? variant : NULL;
}

ScenarioSpec *scenario_spec_new(const Scenario *scenario, const char *variant,
                                Error **errp)
{
    const ScenarioVariant *found = find_variant(scenario, variant);
    ScenarioSpec *spec;

    if (variant && *variant && !found) {
        error_setg(errp, "scenario '%s' has no variant '%s'; "
                   "'aiolab scenarios' lists them", scenario->name, variant);
        return NULL;
    }
    spec = g_new0(ScenarioSpec, 1);
    spec->scenario = scenario;
    spec->variant = found;
    spec->params = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         g_free);
    for (const ScenarioParam *p = scenario->params; p && p->name; p++) {
        g_hash_table_insert(spec->params, g_strdup(p->name),
                            g_strdup(p->value));
    }
    return spec;
}

void scenario_spec_free(ScenarioSpec *spec)
{
    if (spec) {
        g_hash_table_destroy(spec->params);
        g_free(spec->source);
        g_free(spec);
    }
}

bool scenario_spec_set(ScenarioSpec *spec, const char *assignment,
                       Error **errp)
{
    const char *equals = strchr(assignment, '=');
    g_autofree char *name = NULL;

    if (!equals) {
        error_setg(errp, "parameter '%s' has no value; write name=value",
                   assignment);
        return false;
    }
    name = g_strndup(assignment, equals - assignment);
    if (!g_hash_table_contains(spec->params, name)) {
        error_setg(errp, "scenario '%s' has no parameter '%s'; "
                   "'aiolab scenarios' lists them", spec->scenario->name, name);
        return false;
    }
    g_hash_table_insert(spec->params, g_steal_pointer(&name),
                        g_strdup(equals + 1));
    return true;
}

char *scenario_spec_name(const ScenarioSpec *spec)
{
    return spec->variant ? g_strconcat(spec->scenario->name, "/",
                                       spec->variant->name, NULL)
                         : g_strdup(spec->scenario->name);
}

/* ---- What a scenario calls ---- */

const char *scenario_param(const ScenarioArgs *args, const char *name)
{
    const char *value = g_hash_table_lookup(args->spec->params, name);

    if (!value) {
        fprintf(stderr, "scenario '%s' asks for parameter '%s', which it does "
                "not declare\n", args->spec->scenario->name, name);
        abort();
    }
    return value;
}

int64_t scenario_param_int(const ScenarioArgs *args, const char *name)
{
    const char *text = scenario_param(args, name);
    char *end;
    int64_t value = g_ascii_strtoll(text, &end, 10);
    static const char suffixes[] = "kMG";
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;

    if (suffix) {
        value <<= 10 * (suffix - suffixes + 1);
        end++;
    }
    if (end == text || *end) {
        scenario_bad_input("parameter %s='%s' is not a number", name, text);
    }
    return value;
}

bool scenario_is_variant(const ScenarioArgs *args, const char *name)
{
    return args->spec->variant && g_str_equal(args->spec->variant->name, name);
}

void scenario_result(const char *name, int64_t value)
{
    ScenarioResult result = {name, value};

    AIO_REC_ASSERT(value);
    pthread_mutex_lock(&outcome_lock);
    g_array_append_val(current->results, result);
    pthread_mutex_unlock(&outcome_lock);
}

void scenario_note(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    PROBE_TEXT(NOTE, 0, 0, 0, 0, text);
    if (probe_on) {
        probe_mix(g_str_hash(text)); /* what it says is the scenario's state */
    }
}

void scenario_bad_input(const char *fmt, ...)
{
    va_list ap;

    pthread_mutex_lock(&outcome_lock);
    if (!current->bad_input) {
        va_start(ap, fmt);
        current->bad_input = g_strdup_vprintf(fmt, ap);
        va_end(ap);
    }
    pthread_mutex_unlock(&outcome_lock);
}

void scenario_check_failed(const ProbeSite *site, const char *condition,
                           const char *fmt, ...)
{
    const char *slash = strrchr(site->file, '/');
    char *text;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (unlikely(probe_on)) {
        probe_emit(PROBE_CHECK, site, 0, 0, 0, 0, text);
    }
    pthread_mutex_lock(&outcome_lock);
    if (current->failed_checks++ == 0) {
        current->first_failure = g_strdup_printf(
            "%s:%d: %s (%s is false)", slash ? slash + 1 : site->file,
            site->line, text, condition);
    }
    pthread_mutex_unlock(&outcome_lock);
    g_free(text);
}

/* ---- Running ---- */

void (*scenario_begins)(void);

int scenario_run(const ScenarioSpec *spec, ScenarioOutcome *outcome,
                 Error **errp)
{
    ScenarioArgs args = {spec};
    int ret;

    *outcome = (ScenarioOutcome){
        .results = g_array_new(false, false, sizeof(ScenarioResult)),
    };
    current = outcome;
    ret = qemu_init_main_loop(errp);
    if (ret == 0 && scenario_begins) {
        scenario_begins();
    }
    if (ret == 0) {
        spec->scenario->run(&args);
        qemu_finish_main_loop();
    }
    if (ret == 0 && outcome->bad_input) {
        error_setg(errp, "%s: %s", spec->scenario->name, outcome->bad_input);
        ret = -EINVAL;
    }
    return ret;
}

void scenario_outcome_finish(ScenarioOutcome *outcome)
{
    g_free(outcome->first_failure);
    g_free(outcome->bad_input);
    if (outcome->results) {
        g_array_free(outcome->results, true);
    }
    *outcome = (ScenarioOutcome){.failed_checks = 0};
}
