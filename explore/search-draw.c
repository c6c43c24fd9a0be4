/* SPDX-License-Identifier: MIT */
/* Strategies that draw schedules from a seed. */
#include "search-internal.h"

enum {
    LEARN_FROM = 8,      /* schedules */
    SCOUT_AFTER = 2048,  /* schedules: most failures are found before */
    SCOUT_WORTH = 20000, /* there must be so many more */
};

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
    walker_begin(s->walker, strategy, seed_at(s->job, n),
                 strategy.kind == STRATEGY_PCT ? s->longest : s->length);
    return &s->walker->base;
}

static ScheduleOutcome run_number(Search *s, uint64_t n, bool watched)
{
    Strategy strategy = strategy_at(s->job, n);
    ScheduleOutcome outcome;

    noting_oracle_begin(s->noting, begin_drawn(s, strategy, n));
    runner_watch_memory(s->runner, watched);
    outcome = runner_run(s->runner, &s->noting->base, NULL, NULL, NULL);
    runner_watch_memory(s->runner, false);
    return outcome;
}

/* True if something was found. */
static bool run_drawn(Search *s, uint64_t n)
{
    bool watched = n % WATCH_EVERY == 1;
    ScheduleOutcome outcome = run_number(s, n, watched);
    g_autofree char *found_by = NULL, *text = NULL;
    Schedule *schedule;

    if (!search_count(s, &outcome) && !search_is_sampled(s, &outcome, n)) {
        return false;
    }
    text = strategy_text(strategy_at(s->job, n));
    found_by = g_strdup_printf("%s, seed %" PRIu64, text, s->job->seed);
    schedule = noting_oracle_schedule(s->noting);
    if (outcome.end == SCHEDULE_DONE) {
        search_sample(s, &(Suspect){schedule, found_by, n + 1, false});
    } else {
        search_look_at(s, &outcome,
                       &(Suspect){schedule, found_by, n + 1, watched});
    }
    schedule_free(schedule);
    return s->real_findings > 0;
}

/* Belongs to no shard. */
static ScheduleEnd run_to_learn(Search *s, Strategy strategy, uint64_t seed)
{
    walker_begin(s->walker, strategy, seed, 1);
    noting_oracle_begin(s->noting, &s->walker->base);
    return runner_run(s->runner, &s->noting->base, NULL, NULL, NULL).end;
}

/*
 * How long schedules are.  By the default policy a thread runs until it waits,
 * and there is no choice when the last one is left.  Threads that take turns
 * come to more of them, and pct promises something only if it knows how many.
 */
static void learn_length(Search *s)
{
    ScheduleEnd end = run_to_learn(s, (Strategy){STRATEGY_DEFAULT, 0}, 0);

    s->length = s->longest = MAX(s->noting->n, 1);
    s->default_trace = s->noting->trace;
    for (unsigned i = 0; i < LEARN_FROM && end != SCHEDULE_ENDLESS; i++) {
        end = run_to_learn(s, (Strategy){STRATEGY_RANDOM, 0}, i);
        if (end != SCHEDULE_ENDLESS) {
            s->longest = MAX(s->longest, s->noting->n);
        }
    }
}

/* ---- With a scout ---- */

/* What needs this program: watched ones, and those that may be sampled. */
static bool is_for_scouts(uint64_t n)
{
    return n % WATCH_EVERY != 1 && n % SAMPLE_EVERY != 0;
}

static bool is_ours(const SearchJob *job, uint64_t n)
{
    return n % job->shards == job->shard;
}

/* A search that fails often would run most of its schedules again. */
static bool is_worth_a_scout(const Search *s, uint64_t n, uint64_t last)
{
    const SearchJob *job = s->job;

    return job->arguments && n - job->from == SCOUT_AFTER &&
           (last - n) / job->shards >= SCOUT_WORTH &&
           s->stats->failing * 8 < s->stats->schedules;
}

static void drop_scout(Search *s)
{
    scout_free(s->scout);
    s->scout = NULL;
}

static void count_scouted(Search *s, const ScoutWord *word)
{
    s->stats->steps += word->steps;
    if (word->verdict == SCOUT_ABANDONED) {
        s->stats->blocked++;
    } else {
        s->stats->schedules++;
    }
}

/*
 * It must go here as it went there: if not, the schedule depends on something
 * that it should not, and the scout is not believed any more.
 */
static bool run_again(Search *s, uint64_t n, const ScoutWord *word)
{
    uint64_t before = s->stats->steps;
    bool found = run_drawn(s, n);

    if ((uint32_t)s->noting->trace != word->trace ||
        s->stats->steps - before != word->steps) {
        drop_scout(s);
    }
    return found;
}

/* True if something was found. */
static bool do_one(Search *s, uint64_t n)
{
    ScoutWord word;

    if (!s->scout || !is_for_scouts(n)) {
        return run_drawn(s, n);
    }
    if (!scout_read(s->scout, &word)) {
        drop_scout(s);
        return run_drawn(s, n);
    }
    if (word.verdict == SCOUT_LOOK) {
        return run_again(s, n, &word);
    }
    count_scouted(s, &word);
    return false;
}

void search_draw_all(Search *s)
{
    const SearchJob *job = s->job;
    uint64_t last = job->from + job->max;

    learn_length(s);
    for (uint64_t n = job->from; n < last && !s->err; n++) {
        if (is_worth_a_scout(s, n, last)) {
            s->scout = scout_new(job->arguments, n);
        }
        if (!is_ours(job, n)) {
            continue;
        }
        if (do_one(s, n) && !job->all) {
            break;
        }
        if (s->stats->schedules % PROGRESS_EVERY == 0) {
            search_tell_progress(s);
        }
    }
    drop_scout(s);
}

/* ---- As a scout ---- */

void search_scout(Search *s)
{
    const SearchJob *job = s->job;
    ScoutWords *words = scout_words_new();

    learn_length(s);
    for (uint64_t n = job->scout; n < job->from + job->max; n++) {
        if (is_ours(job, n) && is_for_scouts(n)) {
            ScheduleOutcome outcome = run_number(s, n, false);

            scout_words_add(words, &outcome, s->noting->trace);
        }
    }
    scout_words_free(words);
}
