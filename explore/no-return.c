/* SPDX-License-Identifier: MIT */
/*
 * The point of no return.
 *
 * A run is a line of choices.  For the first i of them, what follows is drawn
 * at random a number of times: how often does that fail?  Before the first
 * choice it is the chance that a random walk has; at the end it is certain.
 * The first choice after which it is certain, and stays so, is the point of no
 * return.  What was taken there and what would have saved the run are the
 * decisive pair, and both are tried.
 */
#include "no-return.h"

#include "report.h"
#include "strategy.h"

enum { STEPS_MAX = 5000, DRAWS = 64, DRAWS_AT_THE_POINT = 256, PLACES = 48 };

/* Answers as the run did, @fixed times; then once @then, if it is not -1. */
typedef struct PrefixOracle {
    Oracle base;
    const ChoiceRecord *records;
    unsigned n, fixed;
    int then;
    Walker walker;
} PrefixOracle;

static unsigned choose_prefix(Oracle *oracle, const Choice *choice)
{
    PrefixOracle *p = container_of(oracle, PrefixOracle, base);
    unsigned at = p->n++;

    if (at < p->fixed) {
        return MIN(p->records[at].taken, choice->n - 1);
    }
    if (at == p->fixed && p->then >= 0) {
        return MIN((unsigned)p->then, choice->n - 1);
    }
    return p->walker.base.choose(&p->walker.base, choice);
}

typedef struct Prober {
    Runner *runner;
    const Observation *o;
    PrefixOracle *oracle;
} Prober;

static const ChoiceRecord *choice_at(const Prober *p, unsigned i)
{
    return &g_array_index(p->o->choices, ChoiceRecord, i);
}

static bool fails(const ScheduleOutcome *outcome)
{
    return outcome->end != SCHEDULE_DONE && outcome->end != SCHEDULE_ABANDONED;
}

/* Of 100: how many random continuations of the first @fixed choices fail. */
static unsigned chance(Prober *p, unsigned fixed, int then, unsigned draws)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < draws; i++) {
        ScheduleOutcome outcome;

        p->oracle->n = 0;
        p->oracle->fixed = fixed;
        p->oracle->then = then;
        walker_begin(&p->oracle->walker, (Strategy){STRATEGY_RANDOM, 0}, i + 1,
                     p->o->choices->len);
        outcome = runner_run(p->runner, &p->oracle->base, NULL, NULL, NULL);
        failed += fails(&outcome);
    }
    /* Only what is certain is 0 or 100. */
    return failed == draws ? 100 : failed == 0 ? 0
         : CLAMP(failed * 100 / draws, 1, 99);
}

/* The event with which choice @i was made; 0 for "before all of them". */
static uint64_t event_of(const Prober *p, unsigned fixed)
{
    return fixed ? g_array_index(p->o->choice_events, uint64_t, fixed - 1) : 0;
}

/*
 * The smallest number of choices after which all is lost, by bisection; it is
 * not always monotonous, so the neighbours are looked at as well.
 */
static unsigned find_point(Prober *p)
{
    unsigned low = 0, high = p->o->choices->len;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (chance(p, middle, -1, DRAWS) == 100) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    while (low < p->o->choices->len &&
           chance(p, low, -1, DRAWS_AT_THE_POINT) < 100) {
        low++;
    }
    return low;
}

static void draw_curve(Prober *p, Finding *finding, unsigned point)
{
    unsigned n = p->o->choices->len;
    unsigned gap = MAX(1, n / PLACES);

    for (unsigned i = 0; i <= n; i += gap) {
        FailureChance at = {event_of(p, i),
                            i >= point ? 100 : chance(p, i, -1, DRAWS)};

        g_array_append_val(finding->chances, at);
    }
}

/* ---- The decisive pair ---- */

/* The next thing that @thread does after event @after; 0: nothing. */
static uint64_t next_of_thread(const Observation *o, uint32_t thread,
                               uint64_t after)
{
    for (uint64_t i = after + 1; i <= event_store_count(o->events); i++) {
        ProbeEvent event = event_store_get(o->events, i);

        if (event.thread == thread && event.kind != PROBE_CHOICE &&
            event.kind != PROBE_STUCK) {
            return i;
        }
    }
    return 0;
}

static char *event_sentence(const Observation *o, uint64_t n)
{
    ProbeEvent event = event_store_get(o->events, n);
    Model *model = observation_model_at(o, n);
    const ModelThread *thread = model_thread(model, event.thread);
    g_autofree char *text = report_event(model, &event);
    char *sentence;

    g_strstrip(text);
    for (char *p; (p = strstr(text, "  "));) {
        memmove(p, p + 1, strlen(p)); /* columns become words */
    }
    sentence = g_strdup_printf("%s's '%s' (event %" PRIu64 ", %s)",
                               thread ? thread->name : "?", text, n,
                               event.site ? event.site->func : "?");
    model_free(model);
    return sentence;
}

static char *thread_name(const Observation *o, uint32_t id)
{
    const ModelThread *thread = model_thread(o->model, id);

    return thread ? g_strdup(thread->name)
                  : g_strdup_printf("thread %u", id);
}

static char *why_thread(const Observation *o, const ChoiceRecord *taken,
                        uint64_t saving, uint64_t at)
{
    uint64_t first = taken->value ? next_of_thread(o, taken->value, at) : 0;
    uint64_t second = saving ? next_of_thread(o, saving, at) : 0;
    g_autofree char *one = first ? event_sentence(o, first) : NULL;
    g_autofree char *two = second ? event_sentence(o, second) : NULL;
    g_autofree char *other = thread_name(o, saving);

    if (one && two) {
        return g_strdup_printf("%s came before %s; the other way round it can "
                               "pass.", one, two);
    } else if (one && saving) {
        return g_strdup_printf("%s came while %s could have gone on; had %s "
                               "gone first, it could pass.", one, other, other);
    } else if (one) {
        return g_strdup_printf("%s came before time had passed; the other way "
                               "round it can pass.", one);
    }
    return g_strdup_printf("time passed (event %" PRIu64 ") before %s%s; the "
                           "other way round it can pass.", at,
                           two ? two : other, two ? "" : " went on");
}

static char *why_batch(const ChoiceRecord *taken, uint64_t saving, uint64_t at)
{
    if (taken->value > saving) {
        return g_strdup_printf("%" PRIu64 " completions came in one batch "
                               "(event %" PRIu64 "); split the batch, and it "
                               "can pass.", taken->value, at);
    }
    return g_strdup_printf("only %" PRIu64 " of the completions came (event %"
                           PRIu64 "); with %" PRIu64 " together it can pass.",
                           taken->value, at, saving);
}

static char *why(const Observation *o, const ChoiceRecord *taken,
                 uint64_t saving, uint64_t at)
{
    switch (taken->kind) {
    case CHOICE_THREAD:
        return why_thread(o, taken, saving, at);
    case CHOICE_BATCH:
        return why_batch(taken, saving, at);
    case CHOICE_REQUEST:
        return g_strdup_printf("the device finished one request before the "
                               "other (event %" PRIu64 "); the other way round "
                               "it can pass.", at);
    case CHOICE_WAKE:
        return taken->value
            ? g_strdup_printf("a wait ended though nobody woke it (event %"
                              PRIu64 "); if it had waited it can pass.", at)
            : g_strdup_printf("a wait lasted until somebody woke it (event %"
                              PRIu64 "); had it ended by itself it can pass.",
                              at);
    case CHOICE_FAULT:
        return g_strdup_printf("a request was answered with '%s' (event %"
                               PRIu64 "); with '%s' it can pass.",
                               taken->value ? sim_fault_names[taken->value - 1]
                                            : "done", at,
                               saving ? sim_fault_names[saving - 1] : "done");
    default:
        return g_strdup_printf("a store stayed in the store buffer (event %"
                               PRIu64 ") while a later load was made; with a "
                               "barrier between them it passes.", at);
    }
}

/* Another answer to the decisive choice, after which a run can pass; or -1. */
static int find_saving(Prober *p, unsigned point)
{
    const ChoiceRecord *taken = choice_at(p, point - 1);

    for (unsigned i = 0; i < taken->n; i++) {
        if (i != taken->taken && chance(p, point - 1, i, DRAWS) < 100) {
            return i;
        }
    }
    return -1;
}

/* The value of an option, which only the run itself can tell. */
typedef struct PeekOracle {
    Oracle base;
    PrefixOracle *prefix;
    unsigned option;
    uint64_t value;
} PeekOracle;

static unsigned choose_and_peek(Oracle *oracle, const Choice *choice)
{
    PeekOracle *peek = container_of(oracle, PeekOracle, base);

    if (peek->prefix->n == peek->prefix->fixed) {
        peek->value = choice->options[MIN(peek->option, choice->n - 1)];
    }
    return choose_prefix(&peek->prefix->base, choice);
}

static uint64_t value_of_option(Prober *p, unsigned at, unsigned option)
{
    PeekOracle peek = {
        .base.choose = choose_and_peek, .prefix = p->oracle, .option = option,
    };

    p->oracle->n = 0;
    p->oracle->fixed = at;
    p->oracle->then = -1;
    runner_run(p->runner, &peek.base, NULL, NULL, NULL);
    return peek.value;
}

static void explain_point(Prober *p, Finding *finding, unsigned point)
{
    int saving = find_saving(p, point);
    uint64_t at = event_of(p, point);

    finding->point_of_no_return = at;
    finding->chance_before = chance(p, point - 1, -1, DRAWS_AT_THE_POINT);
    if (saving >= 0) {
        finding->why = why(p->o, choice_at(p, point - 1),
                           value_of_option(p, point - 1, saving), at);
    }
}

void explain_no_return(Finding *finding, Runner *runner, const Observation *o)
{
    PrefixOracle *oracle = g_new0(PrefixOracle, 1);
    Prober p = {runner, o, oracle};
    unsigned point;

    if (o->outcome.end == SCHEDULE_DONE ||
        o->outcome.end == SCHEDULE_ENDLESS || o->outcome.steps > STEPS_MAX) {
        g_free(oracle);
        return; /* it would take as long as the search has */
    }
    oracle->base.choose = choose_prefix;
    oracle->records = (const ChoiceRecord *)o->choices->data;
    point = find_point(&p);
    if (point) {
        explain_point(&p, finding, point);
    } else {
        finding->chance_before = 100;
    }
    draw_curve(&p, finding, point);
    g_free(oracle);
}
