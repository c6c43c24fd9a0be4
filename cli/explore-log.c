/* SPDX-License-Identifier: MIT */
/*
 * aiolab explore --neighbourhood: a recording as a schedule of the simulated
 * machine, which is where exploring its neighbourhood begins.
 */
#include "explore-log.h"

#include "neighbourhood.h"
#include "record-log.h"
#include "report.h"

enum {
    MAX_STEPS = 2000000,
    SHOWN = 400, /* characters of a schedule */
    INDEX_LIMIT = 3000000,
    NEAR_STEPS = 200000, /* of a schedule near the recording's */
};

typedef struct Exploration {
    const char *path; /* of the recording */
    char *name;       /* of the scenario */
    Neighbourhood *n;
    Session *session; /* the run by its schedule */
} Exploration;

static const char *ending(const Session *session)
{
    return session->end == SESSION_DONE ? "done"
         : session->end == SESSION_FAILED ? "failed"
         : session->end == SESSION_STUCK ? "stuck"
         : session->end == SESSION_CRASHED ? "crashed"
         : session->end == SESSION_BUDGET || session->end == SESSION_CUT
             ? "budget" : "bad";
}

/* ---- JSON ---- */

static void json_pairs(JsonBuilder *b, const char *name,
                       const NeighbourhoodPairs *pairs)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    cli_json_int(b, "recorded", pairs->recorded);
    cli_json_int(b, "kept", pairs->kept);
    json_builder_end_object(b);
}

static void json_threads(JsonBuilder *b, const FollowResult *result)
{
    json_builder_set_member_name(b, "threads");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < FOLLOW_THREADS; i++) {
        const FollowedThread *thread = &result->threads[i];

        if (*thread->name) {
            json_builder_begin_object(b);
            cli_json_string(b, "name", thread->name);
            cli_json_int(b, "recorded", thread->number);
            cli_json_int(b, "inputs", thread->inputs);
            cli_json_int(b, "followed", thread->followed);
            cli_json_int(b, "added", thread->added);
            json_builder_end_object(b);
        }
    }
    json_builder_end_array(b);
}

static void json_followed(JsonBuilder *b, const Neighbourhood *n)
{
    cli_json_int(b, "inputs", n->inputs);
    cli_json_int(b, "followed", n->followed);
    cli_json_int(b, "skipped", n->result->skipped);
    cli_json_int(b, "late", n->result->late);
    json_pairs(b, "locks", &n->locks);
    json_pairs(b, "waits", &n->waits);
    if (n->result->left_at) {
        cli_json_int(b, "left_at", n->result->left_at);
        cli_json_string(b, "left", n->result->left);
    }
    json_threads(b, n->result);
}

static void print_json(const Exploration *e, const char *schedule,
                       const char *output)
{
    JsonBuilder *b = json_builder_new();
    g_autofree char *report = e->session->end == SESSION_STUCK
                                  ? report_stuck(e->session) : NULL;

    json_builder_begin_object(b);
    cli_json_string(b, "recording", e->path);
    cli_json_string(b, "scenario", e->name);
    cli_json_bool(b, "cut", e->n->cut);
    if (!e->n->simulated) {
        json_followed(b, e->n);
    }
    cli_json_int(b, "choices", e->n->choices->len);
    cli_json_int(b, "deviations", e->n->deviations);
    cli_json_string(b, "schedule", schedule);
    cli_json_string(b, "outcome", ending(e->session));
    cli_json_string(b, "failure", e->session->text);
    cli_json_string(b, "report", report);
    cli_json_int(b, "events", session_count(e->session));
    cli_json_string(b, "log", output);
    json_builder_end_object(b);
    cli_print_json(b);
}

/* ---- Text ---- */

static double percent(uint64_t part, uint64_t all)
{
    return all ? 100.0 * part / all : 100;
}

static void print_pairs(const CommonOptions *common, const char *what,
                        const NeighbourhoodPairs *pairs)
{
    if (pairs->recorded) {
        cli_print(common, "  order of %-11s %6.1f %%  %" PRIu64 " of %" PRIu64
                  " pairs of two threads\n", what,
                  percent(pairs->kept, pairs->recorded), pairs->kept,
                  pairs->recorded);
    }
}

static void print_threads(const CommonOptions *common,
                          const FollowResult *result)
{
    for (unsigned i = 0; i < FOLLOW_THREADS; i++) {
        const FollowedThread *thread = &result->threads[i];

        if (*thread->name && thread->number) {
            cli_print(common, "  %-20s %6.1f %%  %" PRIu64 " of %" PRIu64
                      " inputs\n", thread->name,
                      percent(thread->followed, thread->inputs),
                      thread->followed, thread->inputs);
        } else if (*thread->name) {
            cli_print(common, "  %-20s is not in the recording\n",
                      thread->name);
        }
    }
}

static void print_followed(const Exploration *e, const CommonOptions *common)
{
    const Neighbourhood *n = e->n;

    cli_print(common, "%s: %s, followed for %" PRIu64 " of %" PRIu64
              " inputs (%.1f %%)%s\n", e->path, e->name, n->followed, n->inputs,
              percent(n->followed, n->inputs),
              n->cut ? "; it ends before the scenario does" : "");
    print_threads(common, n->result);
    print_pairs(common, "locks", &n->locks);
    print_pairs(common, "wait results", &n->waits);
    if (n->result->left_at) {
        cli_print(common, "  first left at input %" PRIu64 ": %s\n",
                  n->result->left_at, n->result->left);
    }
}

static void print_schedule(const Exploration *e, const char *schedule,
                           const CommonOptions *common)
{
    bool too_long = strlen(schedule) > SHOWN;

    cli_print(common, "%u choices, %u deviations from the default policy\n",
              e->n->choices->len, e->n->deviations);
    cli_print(common, "schedule: %.*s%s\n", SHOWN, schedule,
              too_long ? "... (--json has all of it)" : "");
}

static void print_end(const Session *session, const CommonOptions *common)
{
    if (session->end == SESSION_STUCK) {
        g_autofree char *report = report_stuck(session);

        cli_print(common, "%s", report);
        return;
    }
    cli_print(common, "simulated: %s, %" PRIu64 " events\n", ending(session),
              session_count(session));
    if (session->end == SESSION_FAILED) {
        cli_print(common, "FAILED  %s\n", session->text);
    } else if (session->end == SESSION_CRASHED) {
        cli_print(common, "killed by signal %d\n", (int)session->a);
    } else if (session->text) {
        cli_error("%s", session->text);
    }
}

static void print_text(const Exploration *e, const char *schedule,
                       const CommonOptions *common)
{
    if (e->n->simulated) {
        cli_print(common, "%s: %s, simulated already: its own choices%s\n",
                  e->path, e->name,
                  e->n->cut ? "; it ends before the scenario does" : "");
    } else {
        print_followed(e, common);
    }
    print_schedule(e, schedule, common);
    print_end(e->session, common);
}

/* ---- The run by the schedule ---- */

static Session *run_recorded(const ScenarioSpec *spec, const RunConfig *config,
                             const char *output, bool force, int *status)
{
    Session *session;
    Error *err = NULL;
    Log *log;

    *status = record_log(spec, config, output, force);
    if (*status == STATUS_BAD_INPUT || *status == STATUS_MACHINE) {
        return NULL;
    }
    log = log_open(output, &err);
    session = log ? session_open_log(log, spec, &err) : NULL;
    log_close(log, NULL);
    if (session && session_count(session) <= INDEX_LIMIT) {
        index_log(output, session, NULL); /* the tables can be made later */
    }
    if (!session) {
        *status = cli_fail(err, STATUS_BAD_INPUT);
    }
    return session;
}

static Session *run_schedule(Neighbourhood *n, const ScenarioSpec *spec,
                             const char *output, bool force, int *status)
{
    RunConfig config = neighbourhood_config(n);
    Error *err = NULL;
    Session *session;

    if (output) {
        return run_recorded(spec, &config, output, force, status);
    }
    session = session_open_scenario(spec, &config, &err);
    if (!session) {
        *status = cli_fail(err, STATUS_MACHINE);
    }
    return session;
}

static bool same_file(const char *one, const char *two)
{
    g_autofree char *a = g_canonicalize_filename(one, NULL);
    g_autofree char *b = g_canonicalize_filename(two, NULL);

    return g_str_equal(a, b);
}

static void add_param(gpointer name, gpointer value, gpointer opaque)
{
    g_ptr_array_add(opaque, g_strdup_printf("%s=%s", (char *)name,
                                            (char *)value));
}

/* The schedules near the recording's: a failure that it only just missed. */
static int search_near(Neighbourhood *n, const ScenarioSpec *spec,
                       uint64_t max, ExploreUnit *search,
                       const CommonOptions *common)
{
    g_autofree char *name = scenario_spec_name(spec);
    const char *slash = strchr(name, '/');
    g_autofree char *file = spec->source
        ? g_strconcat(spec->source, slash, NULL) : NULL;
    char *token = neighbourhood_token(n, spec);
    Unit *unit;
    int status;

    if (!token) {
        cli_print(common, "A simulated recording has no threads that could "
                  "have been otherwise; 'aiolab explore %s' searches from the "
                  "beginning\n", name);
        return STATUS_OK;
    }
    unit = unit_new(file ? file : name);
    unit->strategy = (Strategy){STRATEGY_NEIGHBOURHOOD, 3};
    unit->max = max;
    unit->max_steps = NEAR_STEPS;
    unit->start = token;
    g_hash_table_foreach(spec->params, add_param, unit->params);
    cli_print(common, "\n");
    status = search(unit, common);
    unit_free(unit);
    return status;
}

static int explore_neighbourhood(Log *log, const ScenarioSpec *spec, bool force,
                                 uint64_t max, ExploreUnit *search,
                                 const CommonOptions *common)
{
    Exploration e = {.path = log_path(log), .name = scenario_spec_name(spec)};
    g_autofree char *schedule = NULL;
    Error *err = NULL;
    int status = STATUS_OK;

    cli_progress_start(common);
    e.n = neighbourhood_new(log, spec, MAX_STEPS, &err);
    if (e.n) {
        e.session = run_schedule(e.n, spec, common->output, force, &status);
    } else {
        status = cli_fail(err, STATUS_BAD_INPUT);
    }
    cli_progress_stop();
    if (e.session) {
        schedule = neighbourhood_schedule(e.n);
        if (common->json) {
            print_json(&e, schedule, common->output);
        } else {
            print_text(&e, schedule, common);
        }
        status = session_exit_status(e.session);
        session_free(e.session);
        if (!common->json && !common->output && status <= STATUS_FINDING) {
            status = MAX(status, search_near(e.n, spec, max, search, common));
        }
    }
    neighbourhood_free(e.n);
    g_free(e.name);
    return status;
}

static int open_and_explore(const char *path, bool force, uint64_t max,
                            ExploreUnit *search, const CommonOptions *common)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    ScenarioSpec *spec = log ? run_spec_from_log(log, &err) : NULL;
    int status;

    if (spec) {
        status = explore_neighbourhood(log, spec, force, max, search, common);
    } else {
        status = cli_fail(err, STATUS_BAD_INPUT);
    }
    scenario_spec_free(spec);
    log_close(log, NULL);
    return status;
}

int explore_recording(const char *recording, bool force, uint64_t max,
                      ExploreUnit *search, const CommonOptions *common)
{
    if (common->output && same_file(common->output, recording)) {
        cli_error("%s: is the recording itself; give -o another name",
                  recording);
        return STATUS_USAGE;
    }
    return open_and_explore(recording, force, max, search, common);
}
