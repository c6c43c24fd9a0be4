/* SPDX-License-Identifier: MIT */
/*
 * One of the two runs that aiolab diff compares.
 *
 * A log is replayed, a scenario is simulated.  Of both it is known what was
 * run, as facts that can be set side by side; a log has its inputs besides.
 */
#include "diff-side.h"

#include "cli.h"
#include "log.h"
#include "open-session.h"

/* ---- A log ---- */

static void add_fact(DiffSide *side, const char *name, const char *value)
{
    g_hash_table_insert(side->facts, g_strdup(name), g_strdup(value));
}

/* The rows of a log's meta table that say what was run. */
static void add_meta(const char *name, const char *value, void *opaque)
{
    static const char *const names[] = {
        "scenario", "host", "seed", "data", "source", "source.digest",
        "version",
    };

    if (g_str_has_prefix(name, "param.")) {
        add_fact(opaque, name, value);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (g_str_equal(name, names[i])) {
            add_fact(opaque, name, value);
        }
    }
}

static bool open_log_side(DiffSide *side, int *status)
{
    Error *err = NULL;
    Log *log = log_open(side->name, &err);

    *status = STATUS_BAD_INPUT;
    if (log) {
        log_foreach_meta(log, add_meta, side);
        side->inputs = log_inputs(log, &side->n_inputs, &err);
    }
    log_close(log, NULL);
    if (!side->inputs) {
        cli_fail(err, STATUS_BAD_INPUT);
        return false;
    }
    if (g_strcmp0(g_hash_table_lookup(side->facts, "host"), "live") == 0) {
        g_hash_table_remove(side->facts, "seed");
    }
    side->session = open_session_by_name(side->name, NULL, NULL, status);
    return side->session != NULL;
}

/* ---- A scenario ---- */

static void add_param(gpointer name, gpointer value, gpointer opaque)
{
    g_autofree char *key = g_strconcat("param.", name, NULL);

    add_fact(opaque, key, value);
}

static bool open_scenario_side(DiffSide *side, ScenarioOptions *options,
                               int *status)
{
    g_autofree char *seed = g_strdup_printf("%" G_GINT64_FORMAT,
                                            options->seed);
    g_autofree char *full = NULL;
    RunConfig config;
    ScenarioSpec *spec = scenario_options_apply(options, side->name, &config,
                                                status);
    Error *err = NULL;

    if (!spec) {
        return false;
    }
    config.live = false;
    full = scenario_spec_name(spec);
    add_fact(side, "scenario", full);
    add_fact(side, "host", "sim");
    add_fact(side, "seed", seed);
    g_hash_table_foreach(spec->params, add_param, side);
    side->session = session_open_scenario(spec, &config, &err);
    scenario_spec_free(spec);
    if (!side->session) {
        *status = cli_fail(err, STATUS_MACHINE);
    } else if (side->session->end == SESSION_BAD_LOG) {
        cli_error("%s", side->session->text);
        *status = STATUS_BAD_INPUT;
    }
    return *status != STATUS_BAD_INPUT && side->session;
}

/* ---- Either ---- */

bool diff_side_open(DiffSide *side, ScenarioOptions *options, int *status)
{
    side->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        g_free);
    return is_scenario_name(side->name) &&
                   !g_str_has_suffix(side->name, ".aiolog")
               ? open_scenario_side(side, options, status)
               : open_log_side(side, status);
}

void diff_side_close(DiffSide *side)
{
    if (side->facts) {
        g_hash_table_destroy(side->facts);
    }
    session_free(side->session);
    g_free(side->inputs);
}

const char *diff_side_ending(const DiffSide *side)
{
    switch (side->session->end) {
    case SESSION_DONE:
        return "the run ended well";
    case SESSION_FAILED:
        return "a check failed";
    case SESSION_STUCK:
        return "the run is stuck";
    case SESSION_BUDGET:
        return "the simulation was cut";
    case SESSION_CUT:
        return "the recording was cut";
    case SESSION_DIVERGED:
        return "its replay diverges";
    default:
        return "it crashed";
    }
}

uint64_t diff_side_own_event(const DiffThread *thread, unsigned side)
{
    const GArray *events = thread->events[side];

    return thread->common < events->len
        ? g_array_index(events, uint64_t, thread->common) : 0;
}

/* ---- What was run ---- */

const char *diff_side_fact(const DiffSide *side, const char *name)
{
    const char *value = g_hash_table_lookup(side->facts, name);

    return value ? value : "-";
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static bool same_fact(const DiffSide *sides, const char *name)
{
    return g_str_equal(diff_side_fact(&sides[0], name),
                       diff_side_fact(&sides[1], name));
}

/* Another scenario has other parameters; what is simulated keeps nothing. */
static bool is_telling(const DiffSide *sides, const char *name)
{
    if (g_str_has_prefix(name, "param.")) {
        return same_fact(sides, "scenario");
    }
    return (sides[0].inputs && sides[1].inputs) ||
           (!g_str_equal(name, "data") && !g_str_equal(name, "version") &&
            !g_str_has_prefix(name, "source"));
}

GList *diff_other_facts(const DiffSide *sides)
{
    GList *names = NULL;

    for (unsigned i = 0; i < 2; i++) {
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, sides[i].facts);
        while (g_hash_table_iter_next(&iter, &name, NULL)) {
            if (!same_fact(sides, name) && is_telling(sides, name) &&
                !g_list_find_custom(names, name, compare_names)) {
                names = g_list_insert_sorted(names, name, compare_names);
            }
        }
    }
    return names;
}

/* ---- Which inputs are compared ---- */

/* Marks the kinds of input that a run has. */
static void find_kinds(const DiffSide *side, bool *kinds)
{
    for (size_t i = 0; i < side->n_inputs; i++) {
        kinds[side->inputs[i].kind] = true;
    }
}

static void leave_out_others(DiffSide *side, const bool *kinds)
{
    size_t kept = 0;

    for (size_t i = 0; i < side->n_inputs; i++) {
        if (kinds[side->inputs[i].kind]) {
            side->inputs[kept++] = side->inputs[i];
        }
    }
    side->n_inputs = kept;
}

/* Only the simulated machine has choices, and only threads see words. */
static void keep_common_kinds(DiffSide *sides)
{
    bool kinds[2][INPUT_KIND_MAX] = {{false}};

    find_kinds(&sides[0], kinds[0]);
    find_kinds(&sides[1], kinds[1]);
    leave_out_others(&sides[0], kinds[1]);
    leave_out_others(&sides[1], kinds[0]);
}

bool diff_side_inputs(const Diff *diff, DiffSide *sides, size_t *common)
{
    if (!sides[0].inputs || !sides[1].inputs) {
        return false;
    }
    if (!same_fact(sides, "host")) {
        keep_common_kinds(sides);
    }
    *common = diff_common_inputs(diff, sides[0].inputs, sides[0].n_inputs,
                                 sides[1].inputs, sides[1].n_inputs);
    return true;
}
