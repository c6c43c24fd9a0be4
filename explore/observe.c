/* SPDX-License-Identifier: MIT */
/* Looking at one schedule; see observe.h. */
#include "observe.h"

#include "report.h"
#include "stacks.h"

#include <dlfcn.h>

/* ---- Running with all events ---- */

static void hear(const ProbeEvent *event, void *opaque)
{
    Observation *o = opaque;
    ProbeEvent kept;
    uint64_t n;

    runner_pause();
    event_store_add(o->events, event);
    n = event_store_count(o->events);
    kept = event_store_get(o->events, n);
    model_apply(o->model, &kept);
    if (event->kind == PROBE_CHOICE) {
        g_array_append_val(o->choice_events, n);
    }
    runner_resume();
}

Observation *observe(Runner *runner, Oracle *oracle)
{
    Observation *o = g_new0(Observation, 1);
    NotingOracle *noting = noting_oracle_new();

    o->events = event_store_new();
    o->model = model_new();
    o->choice_events = g_array_new(false, false, sizeof(uint64_t));
    o->choices = g_array_new(false, false, sizeof(ChoiceRecord));
    noting_oracle_begin(noting, oracle);
    o->outcome = runner_run(runner, &noting->base, NULL, hear, o);
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

/* A name without the ordinal that tells it from its twins: "co", "pool". */
static void append_plain(GString *text, const char *name)
{
    for (; *name; name++) {
        if (!g_ascii_isdigit(*name)) {
            g_string_append_c(text, *name);
        }
    }
}

static void append_thread_wait(GString *text, const ModelThread *thread)
{
    const ModelFrame *wait = model_top_frame(thread, FRAME_WAIT);
    const ModelFrame *poll = model_top_frame(thread, FRAME_POLL);

    append_plain(text, thread->name);
    if (thread->waits_mutex || thread->waits_cond) {
        g_string_append_printf(text, " %s in %s",
                               thread->waits_cond ? "cond" : "mutex",
                               thread->waits_at->func);
    }
    if (wait) {
        g_string_append_printf(text, " while (%s) in %s",
                               wait->text ? wait->text : "?",
                               wait->site->func);
    } else if (poll) {
        g_string_append(text, " in aio_poll");
    }
    g_string_append(text, "; ");
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *stuck_signature(const Model *model)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new("deadlock: ");

    for (unsigned i = 0; i < model->threads->len; i++) {
        const ModelThread *thread = &g_array_index(model->threads, ModelThread,
                                                   i);
        GString *part = g_string_new(NULL);

        if (thread->stuck) {
            append_thread_wait(part, thread);
        }
        g_ptr_array_add(parts, g_string_free(part, false));
    }
    g_ptr_array_sort(parts, compare_text);
    for (unsigned i = 0; i < parts->len; i++) {
        g_string_append(text, g_ptr_array_index(parts, i));
    }
    return g_string_free(text, false);
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
        return NULL;
    case SCHEDULE_FAILED:
        return check_signature(outcome->text);
    case SCHEDULE_CRASHED:
        return crash_signature(outcome);
    case SCHEDULE_ENDLESS:
        return g_strdup("endless");
    case SCHEDULE_RACE:
        return race_signature(outcome);
    default:
        return g_strdup(schedule_end_names[outcome->end]);
    }
}

char *observation_signature(const Observation *o)
{
    char *signature = outcome_signature(&o->outcome);

    return signature ? signature : stuck_signature(o->model);
}

const char *observation_kind(const Observation *o)
{
    static const char *const kinds[] = {
        "DONE", "FAILED", "DEADLOCK", "CRASH", "ENDLESS", "RACE", "ABANDONED",
        "BAD",
    };

    return kinds[o->outcome.end];
}

char *observation_class(const Observation *o)
{
    return g_ascii_strdown(observation_kind(o), -1);
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
    return o->outcome.end == SCHEDULE_STUCK ? stuck_report(o, scenario)
                                            : failure_report(o, scenario);
}
