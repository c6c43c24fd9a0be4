/* SPDX-License-Identifier: MIT */
/* The loop of a search; see search.h. */
#include "search-internal.h"

#include "exhaustive.h"
#include "trace-hooks.h"

#include "qapi/error.h"

/* Changes with what a schedule means: kinds, objects and order of choices. */
#define SCHEDULE_FORMAT "2"

static const SimDevice exact_device = {
    .read_ns = 60000, .write_ns = 25000, .flush_ns = 200000, .nop_ns = 1000,
};

SimConfig search_machine(const SearchJob *job)
{
    return (SimConfig){
        .seed = 1, .device = &exact_device, .max_steps = job->max_steps,
        .fine = true, .still = true, .extras = job->extras,
    };
}

/* ---- Identity ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
    } while (*text++);
    return hash;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

uint64_t search_identity(const ScenarioSpec *spec)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    g_autofree char *name = scenario_spec_name(spec);
    GList *params = g_list_sort(g_hash_table_get_keys(spec->params),
                                compare_names);

    hash = hash_text(hash, AIOLAB_VERSION "/" SCHEDULE_FORMAT);
    hash = hash_text(hash, name);
    for (GList *item = params; item; item = item->next) {
        hash = hash_text(hash, item->data);
        hash = hash_text(hash, g_hash_table_lookup(spec->params, item->data));
    }
    g_list_free(params);
    if (spec->source) {
        g_autofree char *digest = run_source_digest(spec->source);

        hash = hash_text(hash, digest);
    }
    return hash;
}

/* ---- Progress ---- */

void search_tell_progress(Search *s)
{
    if (s->listener->progress) {
        s->listener->progress(s->stats, s->listener->opaque);
    }
}

/* ---- Exhaustive ones ---- */

static void note_class(GHashTable *classes, uint64_t class)
{
    g_hash_table_add(classes, g_memdup2(&class, sizeof(class)));
}

static void look_at_tried(Search *s, const Exhaustive *e,
                          const ScheduleOutcome *outcome, const char *found_by)
{
    uint64_t n = s->stats->schedules;
    Schedule *schedule;

    if (!search_count(s, outcome) && !search_is_sampled(s, outcome, n)) {
        return;
    }
    schedule = exhaustive_schedule(e);
    if (outcome->end == SCHEDULE_DONE) {
        search_sample(s, &(Suspect){schedule, found_by, n + 1, false});
    } else {
        search_look_at(s, outcome, &(Suspect){schedule, found_by, n + 1, true});
    }
    schedule_free(schedule);
}

static void try_all(Search *s)
{
    Exhaustive *e = exhaustive_new(s->runner, s->job->strategy);
    GHashTable *classes = g_hash_table_new_full(g_int64_hash, g_int64_equal,
                                                g_free, NULL);
    g_autofree char *text = strategy_text(s->job->strategy);
    ScheduleOutcome outcome;
    bool more = true;

    exhaustive_set_shard(e, s->job->shard, s->job->shards);
    if (s->job->plain) {
        exhaustive_set_plain(e);
    }
    while (s->stats->schedules < s->job->max && !s->err &&
           (more = exhaustive_next(e, &outcome))) {
        if (outcome.end != SCHEDULE_ABANDONED) {
            note_class(classes, exhaustive_class(e));
        }
        look_at_tried(s, e, &outcome, text);
        if ((s->stats->schedules + s->stats->blocked) % PROGRESS_EVERY == 0) {
            s->stats->classes = g_hash_table_size(classes);
            search_tell_progress(s);
        }
    }
    s->stats->classes = g_hash_table_size(classes);
    s->stats->stopped = exhaustive_stopped(e);
    s->stats->complete = !more && !s->stats->stopped && !s->err;
    s->stats->watched = trace_hooks_are_linked();
    g_hash_table_destroy(classes);
    exhaustive_free(e);
}

/* ---- One schedule only ---- */

static void run_start(Search *s)
{
    ScheduleOracle *oracle = schedule_oracle_new();
    ScheduleOutcome outcome;

    schedule_oracle_begin(oracle, s->job->start);
    noting_oracle_begin(s->noting, &oracle->base);
    runner_watch_memory(s->runner, true);
    outcome = runner_run(s->runner, &s->noting->base, NULL, NULL, NULL);
    runner_watch_memory(s->runner, false);
    s->stats->expected_trace = s->noting->trace;
    if (search_count(s, &outcome)) {
        search_look_at(s, &outcome,
                &(Suspect){s->job->start, "the schedule that was given", 1,
                           true});
    }
    schedule_oracle_free(oracle);
}

static void finish(Search *s)
{
    if (!s->real_findings && potential_count(s->potential)) {
        search_tell_potential(s);
    }
    search_tell_progress(s);
    potential_free(s->potential);
    g_hash_table_destroy(s->findings);
    noting_oracle_free(s->noting);
    g_free(s->walker);
    neighbour_free(s->neighbour);
    runner_free(s->runner);
    g_free(s->name);
}

static void free_finding(gpointer finding)
{
    finding_free(finding);
}

bool search_run(const ScenarioSpec *spec, const SearchJob *job,
                const SearchListener *listener, SearchStats *stats,
                Error **errp)
{
    SimConfig machine = search_machine(job);
    Search s = {
        .spec = spec, .job = job, .listener = listener, .stats = stats,
        .name = scenario_spec_name(spec),
        .noting = noting_oracle_new(), .walker = g_new0(Walker, 1),
        .neighbour = neighbour_new(), .potential = potential_new(),
        .findings = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                          free_finding),
    };

    s.owner = (ScheduleOwner){s.name, search_identity(spec), job->extras};
    *stats = (SearchStats){.schedules = 0};
    s.runner = runner_new(spec, &machine);
    if (job->start && !job->max) {
        run_start(&s);
    } else if (strategy_table[job->strategy.kind].exhaustive) {
        try_all(&s);
    } else if (job->scout) {
        search_scout(&s);
    } else {
        search_draw_all(&s);
    }
    finish(&s);
    if (s.err) {
        error_propagate(errp, s.err);
        return false;
    }
    return true;
}
