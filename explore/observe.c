/* SPDX-License-Identifier: MIT */
/* Looking at one schedule; see observe.h. */
#include "observe.h"
#include "endless.h"

#include "report.h"
#include "stacks.h"
#include "wait-graph.h"

#include <dlfcn.h>

/* ---- Running with all events ---- */

typedef struct Listener {
    Observation *o;
    Potential *potential; /* or NULL */
} Listener;

static void hear(const ProbeEvent *event, void *opaque)
{
    Listener *listener = opaque;
    Observation *o = listener->o;
    ProbeEvent kept;
    uint64_t n;

    runner_pause();
    event_store_add(o->events, event);
    n = event_store_count(o->events);
    kept = event_store_get(o->events, n);
    rules_apply(o->rules, &kept, o->model);
    if (listener->potential) {
        potential_apply(listener->potential, &kept, o->model);
    }
    model_apply(o->model, &kept);
    if (event->kind == PROBE_CHOICE) {
        g_array_append_val(o->choice_events, n);
    }
    runner_resume();
}

Observation *observe(Runner *runner, Oracle *oracle)
{
    return observe_with(runner, oracle, NULL);
}

Observation *observe_with(Runner *runner, Oracle *oracle, Potential *potential)
{
    Observation *o = g_new0(Observation, 1);
    NotingOracle *noting = noting_oracle_new();
    Listener listener = {o, potential};

    o->events = event_store_new();
    o->model = model_new();
    o->rules = rules_new();
    if (potential) {
        potential_begin_run(potential);
    }
    o->choice_events = g_array_new(false, false, sizeof(uint64_t));
    o->choices = g_array_new(false, false, sizeof(ChoiceRecord));
    noting_oracle_begin(noting, oracle);
    o->outcome = runner_run(runner, &noting->base, NULL, hear, &listener);
    if (o->outcome.end == SCHEDULE_DONE) {
        rules_apply_end(o->rules, o->model);
    }
    o->schedule = noting_oracle_schedule(noting);
    o->trace = noting->trace;
    g_array_append_vals(o->choices, noting->records, noting->n);
    noting_oracle_free(noting);
    return o;
}

void observation_free(Observation *o)
{
    if (o) {
        event_store_free(o->events);
        model_free(o->model);
        rules_free(o->rules);
        schedule_free(o->schedule);
        g_array_free(o->choices, true);
        g_array_free(o->choice_events, true);
        g_free(o);
    }
}

Model *observation_model_at(const Observation *o, uint64_t n)
{
    Model *model = model_new();

    for (uint64_t i = 1; i <= n; i++) {
        ProbeEvent event = event_store_get(o->events, i);

        model_apply(model, &event);
    }
    return model;
}

/* ---- Signatures ---- */

/* A deadlock's, also of a part while the rest runs on; or NULL. */
static char *stuck_signature(const Model *model)
{
    WaitGraph *graph = wait_graph_new(model);
    char *signature = wait_graph_is_stuck(graph) ? wait_graph_signature(graph)
                                                 : NULL;

    wait_graph_free(graph);
    return signature;
}

/* "drain.c:66: 3 left (n == 0 is false)" -> "check drain.c (n == 0 is false)" */
static char *check_signature(const char *text)
{
    const char *colon = strchr(text, ':');
    const char *condition = g_strrstr(text, "(");

    /* The condition may have parentheses of its own. */
    for (const char *p = text; (p = strstr(p, " (")); p++) {
        if (g_str_has_suffix(p, " is false)")) {
            condition = p + 1;
            break;
        }
    }
    return g_strdup_printf("check %.*s %s", (int)(colon ? colon - text : 0),
                           text, condition ? condition : "");
}

static const char *signal_name(int number)
{
    switch (number) {
    case SIGABRT:
        return "SIGABRT";
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGTRAP:
        return "SIGTRAP";
    case SIGSYS:
        return "SIGSYS";
    default:
        return "SIGILL";
    }
}

/* Of the C library, of the search, or below a thread's first function. */
static bool is_machinery(const FrameName *name, uintptr_t pc)
{
    static const char *const rooms[] = {"explore/", "sim/", "cli/"};
    Dl_info info;

    if (!name->file || !dladdr((void *)pc, &info) || !info.dli_fname ||
        strstr(info.dli_fname, "/libc.so") ||
        strstr(info.dli_fname, "/libgcc_s")) {
        return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(rooms); i++) {
        const char *at = g_strrstr(name->file, rooms[i]);

        if (at && (at == name->file || at[-1] == '/')) {
            return true;
        }
    }
    return g_str_equal(name->function, "handle_crash") ||
           g_str_equal(name->function, "vthread_entry");
}

/* Calls @fn for the functions that a person wrote, innermost first. */
static void foreach_function(const ScheduleOutcome *o,
                             void (*fn)(const FrameName *name, void *opaque),
                             void *opaque)
{
    for (unsigned i = 0; i < o->n_frames; i++) {
        uintptr_t pc = o->frames[i] - 1; /* the call, not what follows it */
        FrameName name = frame_name(pc);

        if (!is_machinery(&name, pc)) {
            fn(&name, opaque);
        }
        frame_name_finish(&name);
    }
}

typedef struct FunctionList {
    GString *text;
    unsigned n, max;
} FunctionList;

static void append_function(const FrameName *name, void *opaque)
{
    FunctionList *list = opaque;

    if (list->n++ < list->max) {
        g_string_append_printf(list->text, " %s", name->function);
    }
}

static char *crash_signature(const ScheduleOutcome *o)
{
    GString *text = g_string_new(NULL);
    const char *assertion = strstr(o->text, "Assertion");
    FunctionList list = {text, 0, 3};

    g_string_append_printf(text, "crash %s",
                           o->signal ? signal_name(o->signal) : o->text);
    if (assertion) {
        g_string_append_printf(text, " %s", assertion);
    } else {
        foreach_function(o, append_function, &list);
    }
    return g_string_free(text, false);
}

static char *race_signature(const ScheduleOutcome *o)
{
    GString *text = g_string_new("race");
    FunctionList list = {text, 0, 2};

    foreach_function(o, append_function, &list);
    return g_string_free(text, false);
}

char *outcome_signature(const ScheduleOutcome *outcome)
{
    switch (outcome->end) {
    case SCHEDULE_STUCK:
    case SCHEDULE_ENDLESS:
        return NULL;
    case SCHEDULE_FAILED:
        return check_signature(outcome->text);
    case SCHEDULE_CRASHED:
        return crash_signature(outcome);
    case SCHEDULE_RACE:
        return race_signature(outcome);
    default:
        return g_strdup(schedule_end_names[outcome->end]);
    }
}

/* It ended well, and yet did what no program should do. */
static bool only_breaks_rules(const Observation *o)
{
    return o->outcome.end == SCHEDULE_DONE && rules_count(o->rules);
}

char *observation_signature(const Observation *o)
{
    char *signature = only_breaks_rules(o)
                          ? rules_signature(rules_finding(o->rules, 0))
                          : outcome_signature(&o->outcome);

    if (!signature) {
        signature = stuck_signature(o->model);
    }
    if (!signature && o->outcome.end == SCHEDULE_STUCK) {
        return g_strdup("deadlock");
    }
    return signature ? signature
         : *o->outcome.text ? g_strdup("computes for ever")
                            : endless_signature(o);
}

/* Part of it can never go on, though others did when it was cut. */
static bool is_partly_stuck(const Observation *o)
{
    g_autofree char *signature = o->outcome.end == SCHEDULE_ENDLESS
                                     ? stuck_signature(o->model) : NULL;

    return signature != NULL;
}

const char *observation_kind(const Observation *o)
{
    static const char *const kinds[] = {
        "DONE", "FAILED", "DEADLOCK", "CRASH", "ENDLESS", "RACE", "ABANDONED",
        "BAD",
    };

    if (only_breaks_rules(o)) {
        return "RULE";
    }
    if (o->outcome.end == SCHEDULE_ENDLESS && !*o->outcome.text) {
        return is_partly_stuck(o) ? "DEADLOCK" : "LIVELOCK";
    }
    return kinds[o->outcome.end];
}

char *observation_class(const Observation *o)
{
    WaitGraph *graph;
    char *class;

    if (strcmp(observation_kind(o), "DEADLOCK") != 0) {
        return g_ascii_strdown(observation_kind(o), -1);
    }
    graph = wait_graph_new(o->model);
    class = g_strdup(wait_graph_class(graph));
    wait_graph_free(graph);
    return class;
}

/* ---- Reports ---- */

static char *stuck_report(const Observation *o, const char *scenario)
{
    Session session = {
        .title = (char *)scenario, .events = o->events, .model = o->model,
        .position = event_store_count(o->events), .end = SESSION_STUCK,
    };

    return report_stuck(&session);
}

static void append_frame(const FrameName *name, void *opaque)
{
    FunctionList *list = opaque;

    if (list->n < list->max) {
        g_string_append_printf(list->text, "    #%u %s  %s:%d\n", list->n++,
                               name->function, name->file, name->line);
    }
}

static void append_where(GString *text, const Observation *o)
{
    const ModelThread *thread = model_thread(o->model, o->model->thread);

    if (thread) {
        report_thread(text, o->model, thread);
    }
}

static char *failure_report(const Observation *o, const char *scenario)
{
    GString *text = g_string_new(NULL);
    const ScheduleOutcome *outcome = &o->outcome;
    FunctionList list = {text, 0, 12};

    g_string_append_printf(text, "%s  %s     %s, event %" PRIu64 "\n",
                           observation_kind(o),
                           outcome->signal ? signal_name(outcome->signal) : "",
                           scenario, event_store_count(o->events));
    if (*outcome->text) {
        g_string_append_printf(text, "  %s\n", outcome->text);
    }
    foreach_function(outcome, append_frame, &list);
    if (outcome->end == SCHEDULE_CRASHED || outcome->end == SCHEDULE_ENDLESS) {
        append_where(text, o);
    }
    return g_string_free(text, false);
}

char *observation_report(const Observation *o, const char *scenario)
{
    const char *kind = observation_kind(o);

    if (strcmp(kind, "RULE") == 0) {
        return rules_report(o->rules);
    }
    return strcmp(kind, "DEADLOCK") == 0 ? stuck_report(o, scenario)
         : strcmp(kind, "LIVELOCK") == 0 ? endless_report(o, scenario)
                                         : failure_report(o, scenario);
}
