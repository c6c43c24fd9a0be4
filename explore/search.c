/* SPDX-License-Identifier: MIT */
/* The loop of a search; see search.h. */
#include "search.h"

#include "exhaustive.h"
#include "neighbour.h"
#include "observe.h"
#include "trace-hooks.h"

#include "qapi/error.h"

enum {
    PROGRESS_EVERY = 512,      /* schedules */
    WATCH_EVERY = 8,           /* of so many, plain memory is watched in one */
    OBSERVED_MAX = 5000,       /* failing schedules that are looked at */
    ENDLESS_MAX = 8,           /* and of those that were cut */
    SAMPLE_EVERY = 64,         /* of those that end well, are looked at, too: */
    SAMPLES_MAX = 300,         /* for broken rules and potential deadlocks */
};

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

/* ---- The search ---- */

typedef struct Search {
    const ScenarioSpec *spec;
    const SearchJob *job;
    const SearchListener *listener;
    SearchStats *stats;
    char *name;
    ScheduleOwner owner;
    Runner *runner;
    NotingOracle *noting;
    Walker *walker;
    Neighbour *neighbour;
    unsigned length;      /* choices of the default schedule */
    uint64_t default_trace;
    GHashTable *findings; /* signature -> Finding */
    unsigned observed, looked_at_endless, sampled;
    unsigned real_findings; /* of runs that failed, not only might have */
    Potential *potential; /* what samples of good runs might have come to */
    Error *err;
} Search;

static void tell_progress(Search *s)
{
    if (s->listener->progress) {
        s->listener->progress(s->stats, s->listener->opaque);
    }
}

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
static void look_at(Search *s, const ScheduleOutcome *outcome,
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
static bool count(Search *s, const ScheduleOutcome *outcome)
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
static void sample(Search *s, const Suspect *suspect)
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

static bool is_sampled(const Search *s, const ScheduleOutcome *outcome,
                       uint64_t n)
{
    return outcome->end == SCHEDULE_DONE && n % SAMPLE_EVERY == 0 &&
           s->sampled < SAMPLES_MAX;
}

/* What no run came to, but the order of locks in several of them allows. */
static void tell_potential(Search *s)
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

/* ---- Strategies that draw ---- */

static Strategy strategy_at(const SearchJob *job, uint64_t number)
{
    return job->strategy.kind == STRATEGY_PORTFOLIO ? portfolio_at(number)
                                                    : job->strategy;
}

/* Number @n of a seed has a seed of its own. */
static uint64_t seed_at(const SearchJob *job, uint64_t n)
{
    return job->seed * 0x9e3779b97f4a7c15ULL + n;
}

static Oracle *begin_drawn(Search *s, Strategy strategy, uint64_t n)
{
    if (strategy.kind == STRATEGY_NEIGHBOURHOOD) {
        /* The first is the schedule itself. */
        neighbour_begin(s->neighbour, s->job->start, n ? strategy.d : 0,
                        seed_at(s->job, n), s->length);
        return &s->neighbour->base;
    }
    walker_begin(s->walker, strategy, seed_at(s->job, n), s->length);
    return &s->walker->base;
}

static bool run_drawn(Search *s, uint64_t n)
{
    Strategy strategy = strategy_at(s->job, n);
    bool watched = n % WATCH_EVERY == 1;
    ScheduleOutcome outcome;
    g_autofree char *found_by = NULL, *text = NULL;
    Schedule *schedule;

    noting_oracle_begin(s->noting, begin_drawn(s, strategy, n));
    runner_watch_memory(s->runner, watched);
    outcome = runner_run(s->runner, &s->noting->base, NULL, NULL, NULL);
    runner_watch_memory(s->runner, false);
    if (!count(s, &outcome) && !is_sampled(s, &outcome, n)) {
        return false;
    }
    text = strategy_text(strategy);
    found_by = g_strdup_printf("%s, seed %" PRIu64, text, s->job->seed);
    schedule = noting_oracle_schedule(s->noting);
    if (outcome.end == SCHEDULE_DONE) {
        sample(s, &(Suspect){schedule, found_by, n + 1, false});
    } else {
        look_at(s, &outcome, &(Suspect){schedule, found_by, n + 1, watched});
    }
    schedule_free(schedule);
    return s->real_findings > 0;
}

/* How long schedules are: the default one, which belongs to no shard. */
static void learn_length(Search *s)
{
    static const Strategy policy = {STRATEGY_DEFAULT, 0};

    walker_begin(s->walker, policy, 0, 1);
    noting_oracle_begin(s->noting, &s->walker->base);
    runner_run(s->runner, &s->noting->base, NULL, NULL, NULL);
    s->length = MAX(s->noting->n, 1);
    s->default_trace = s->noting->trace;
}

static void draw_all(Search *s)
{
    const SearchJob *job = s->job;
    uint64_t last = job->from + job->max;

    learn_length(s);
    for (uint64_t n = job->from; n < last && !s->err; n++) {
        if (n % job->shards != job->shard) {
            continue;
        }
        if (run_drawn(s, n) && !job->all) {
            break;
        }
        if (s->stats->schedules % PROGRESS_EVERY == 0) {
            tell_progress(s);
        }
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

    if (!count(s, outcome) && !is_sampled(s, outcome, n)) {
        return;
    }
    schedule = exhaustive_schedule(e);
    if (outcome->end == SCHEDULE_DONE) {
        sample(s, &(Suspect){schedule, found_by, n + 1, false});
    } else {
        look_at(s, outcome, &(Suspect){schedule, found_by, n + 1, true});
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
            tell_progress(s);
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
    if (count(s, &outcome)) {
        look_at(s, &outcome,
                &(Suspect){s->job->start, "the schedule that was given", 1,
                           true});
    }
    schedule_oracle_free(oracle);
}

static void finish(Search *s)
{
    if (!s->real_findings && potential_count(s->potential)) {
        tell_potential(s);
    }
    tell_progress(s);
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
    } else {
        draw_all(&s);
    }
    finish(&s);
    if (s.err) {
        error_propagate(errp, s.err);
        return false;
    }
    return true;
}
