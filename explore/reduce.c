/* SPDX-License-Identifier: MIT */
/*
 * Reducing a schedule.
 *
 * First ddmin over the deviations (Zeller, Hildebrandt, 2002): leave out ever
 * smaller pieces, as long as what is left fails in the same way.  It may end in
 * a local minimum, because a walk that wandered far needs deviations to undo
 * others.  So then short schedules are tried: each single deviation from the
 * default policy, and some thousand random ones of two, three and four.
 */
#include "reduce.h"

#include "strategy.h"

enum { ENOUGH = 1, SINGLES_MAX = 20000, DRAWS = 4000, ENDLESS_LENGTH = 64 };

static bool ends_so(Failure *failure, Oracle *oracle)
{
    failure->tests++;
    return runner_run(failure->runner, oracle, NULL, NULL, NULL).end ==
           failure->end;
}

bool failure_shown_by(Failure *failure, const Schedule *schedule)
{
    g_autofree char *signature = NULL;
    Observation *o;
    bool same;

    schedule_oracle_begin(failure->oracle, schedule);
    if (!ends_so(failure, &failure->oracle->base)) {
        return false;
    }
    schedule_oracle_begin(failure->oracle, schedule);
    o = observe(failure->runner, &failure->oracle->base);
    signature = observation_signature(o);
    same = g_str_equal(signature, failure->signature);
    observation_free(o);
    return same;
}

/* ---- ddmin ---- */

/* Leaves out one piece of @n deviations, if any can go. */
static bool drop_piece(Failure *failure, Schedule **schedule, unsigned n)
{
    for (unsigned from = 0; from < schedule_length(*schedule); from += n) {
        Schedule *rest = schedule_without(*schedule, from, n);

        if (failure_shown_by(failure, rest)) {
            schedule_free(*schedule);
            *schedule = rest;
            return true;
        }
        schedule_free(rest);
    }
    return false;
}

static void drop_pieces(Failure *failure, Schedule **schedule)
{
    unsigned n = schedule_length(*schedule);

    while (n) {
        if (!drop_piece(failure, schedule, n)) {
            n /= 2;
        }
        n = MIN(n, schedule_length(*schedule));
    }
}

/* ---- Short ones ---- */

/* The deviations that @noting made, if they fail in that way; or NULL. */
static Schedule *if_it_shows(Failure *failure, const NotingOracle *noting)
{
    Schedule *schedule = noting_oracle_schedule(noting);

    if (failure_shown_by(failure, schedule)) {
        return schedule;
    }
    schedule_free(schedule);
    return NULL;
}

/* Option @option at choice @at, and the default policy besides. */
typedef struct SingleOracle {
    Oracle base;
    unsigned n, at, option, options; /* options: that there were there */
} SingleOracle;

static unsigned choose_single(Oracle *oracle, const Choice *choice)
{
    SingleOracle *single = container_of(oracle, SingleOracle, base);

    if (single->n++ != single->at) {
        return 0;
    }
    single->options = choice->n;
    return MIN(single->option, choice->n - 1);
}

static Schedule *find_single(Failure *failure, NotingOracle *noting)
{
    SingleOracle single = {.base.choose = choose_single};
    Schedule *found = NULL;
    unsigned tests = 0;

    do {
        single.options = 0;
        single.option = 1;
        do {
            single.n = 0;
            noting_oracle_begin(noting, &single.base);
            if (ends_so(failure, &noting->base)) {
                found = if_it_shows(failure, noting);
            }
        } while (!found && ++single.option < single.options &&
                 tests++ < SINGLES_MAX);
        single.at++;
    } while (!found && single.options && tests < SINGLES_MAX);
    return found;
}

static Schedule *draw_short(Failure *failure, NotingOracle *noting, unsigned d)
{
    Walker *walker = g_new(Walker, 1);
    Schedule *found = NULL;

    for (unsigned i = 0; i < DRAWS && !found; i++) {
        walker_begin(walker, (Strategy){STRATEGY_DELAY, d}, i + 1,
                     failure->length);
        noting_oracle_begin(noting, &walker->base);
        if (ends_so(failure, &noting->base)) {
            found = if_it_shows(failure, noting);
        }
    }
    g_free(walker);
    return found;
}

static Schedule *find_shorter(Failure *failure, unsigned than)
{
    NotingOracle *noting = noting_oracle_new();
    Schedule *found = than > 1 ? find_single(failure, noting) : NULL;

    for (unsigned d = 2; d <= 4 && d < than && !found; d++) {
        found = draw_short(failure, noting, d);
    }
    noting_oracle_free(noting);
    return found;
}

Schedule *reduce(Failure *failure, const Schedule *schedule)
{
    Schedule *reduced = schedule_copy(schedule), *shorter;

    if (failure->end == SCHEDULE_ENDLESS &&
        schedule_length(reduced) > ENDLESS_LENGTH) {
        return reduced; /* each test takes as long as all of a short search */
    }
    drop_pieces(failure, &reduced);
    if (schedule_length(reduced) > ENOUGH &&
        failure->end != SCHEDULE_ENDLESS && failure->end != SCHEDULE_DONE) {
        shorter = find_shorter(failure, schedule_length(reduced));
        if (shorter) {
            schedule_free(reduced);
            reduced = shorter;
            drop_pieces(failure, &reduced);
        }
    }
    return reduced;
}
