/* SPDX-License-Identifier: MIT */
/*
 * aiolab diff: the first event at which two runs of a scenario differ.
 *
 * Both are replayed (or simulated) to the end and compared: in the order in
 * which everything happened, thread by thread, and input by input.
 */
#include "open-session.h"

#include "diff.h"
#include "log.h"
#include "report.h"

typedef struct Side {
    const char *name, *letter;
    Session *session;
    GHashTable *facts; /* what was run: "seed" -> "3" */
    Input *inputs;     /* of a log, else NULL */
    size_t n_inputs;
} Side;

typedef struct DiffOptions {
    ScenarioOptions scenario;
    gint64 other_seed;
    gint events;
} DiffOptions;

/* ---- What is compared ---- */

static void add_fact(Side *side, const char *name, const char *value)
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

static bool open_log_side(Side *side, int *status)
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
    side->session = open_session_by_name(side->name, NULL, status);
    return side->session != NULL;
}

static void add_param(gpointer name, gpointer value, gpointer opaque)
{
    g_autofree char *key = g_strconcat("param.", name, NULL);

    add_fact(opaque, key, value);
}

static bool open_scenario_side(Side *side, ScenarioOptions *options,
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

static bool open_side(Side *side, ScenarioOptions *options, int *status)
{
    side->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        g_free);
    return is_scenario_name(side->name) &&
                   !g_str_has_suffix(side->name, ".aiolog")
               ? open_scenario_side(side, options, status)
               : open_log_side(side, status);
}

static void close_side(Side *side)
{
    if (side->facts) {
        g_hash_table_destroy(side->facts);
    }
    session_free(side->session);
    g_free(side->inputs);
}

/* ---- What was run ---- */

static const char *fact(const Side *side, const char *name)
{
    const char *value = g_hash_table_lookup(side->facts, name);

    return value ? value : "-";
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static bool same_fact(const Side *sides, const char *name)
{
    return g_str_equal(fact(&sides[0], name), fact(&sides[1], name));
}

/* Another scenario has other parameters; what is simulated keeps nothing. */
static bool is_telling(const Side *sides, const char *name)
{
    if (g_str_has_prefix(name, "param.")) {
        return same_fact(sides, "scenario");
    }
    return (sides[0].inputs && sides[1].inputs) ||
           (!g_str_equal(name, "data") && !g_str_equal(name, "version") &&
            !g_str_has_prefix(name, "source"));
}

/* Names of what was run otherwise, sorted; the strings are the tables'. */
static GList *other_facts(const Side *sides)
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

static void print_facts(const Side *sides, JsonBuilder *b)
{
    GList *names = other_facts(sides);

    for (GList *l = names; l; l = l->next) {
        const char *a = fact(&sides[0], l->data), *c = fact(&sides[1], l->data);

        if (b) {
            json_builder_begin_object(b);
            cli_json_string(b, "what", l->data);
            cli_json_string(b, "a", a);
            cli_json_string(b, "b", c);
            json_builder_end_object(b);
        } else {
            printf("They were run differently: %s is %s in A, %s in B\n",
                   (char *)l->data, a, c);
        }
    }
    g_list_free(names);
}

/* ---- Events ---- */

static void print_event(const Session *session, const char *letter,
                        JsonBuilder *b)
{
    ProbeEvent e = session_event(session);
    const ModelThread *thread = model_thread(session->model, e.thread);
    g_autofree char *text = report_event(session->model, &e);
    g_autofree char *time = report_time(e.t_ns);

    if (!b) {
        printf("  %s %6" PRIu64 " %11s %-10s %s   at %s:%d (%s)\n", letter,
               session->position, time, thread ? thread->name : "?", text,
               e.site->file, e.site->line, e.site->func);
        return;
    }
    json_builder_begin_object(b);
    cli_json_int(b, "event", session->position);
    cli_json_string(b, "thread", thread ? thread->name : NULL);
    cli_json_string(b, "kind", probe_table[e.kind].name);
    cli_json_string(b, "text", text);
    cli_json_string(b, "function", e.site->func);
    cli_json_string(b, "file", e.site->file);
    cli_json_int(b, "line", e.site->line);
    json_builder_end_object(b);
}

static const char *how_it_ended(const Session *session)
{
    switch (session->end) {
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

/* Those that come first where the runs have parted. */
static void print_next(const Diff *diff, unsigned which, const Side *side,
                       unsigned max, JsonBuilder *b)
{
    uint64_t n;

    for (unsigned i = 0; i < max; i++) {
        n = diff_event(diff, which, diff->common + i);
        if (n) {
            session_goto(side->session, n);
            print_event(side->session, side->letter, b);
        } else if (!b && i == 0) {
            printf("  %s        has no more: %s\n", side->letter,
                   how_it_ended(side->session));
        }
    }
}

/* ---- Threads ---- */

static uint64_t own_event(const DiffThread *thread, unsigned side)
{
    const GArray *events = thread->events[side];

    return thread->common < events->len
        ? g_array_index(events, uint64_t, thread->common) : 0;
}

static void print_thread_json(const DiffThread *t, JsonBuilder *b)
{
    json_builder_begin_object(b);
    cli_json_string(b, "thread", t->name);
    cli_json_int(b, "common", t->common);
    cli_json_int(b, "events_a", t->events[0]->len);
    cli_json_int(b, "events_b", t->events[1]->len);
    cli_json_int(b, "parts_at_a", own_event(t, 0));
    cli_json_int(b, "parts_at_b", own_event(t, 1));
    json_builder_end_object(b);
}

static void print_thread_text(const Diff *diff, const Side *sides,
                              const DiffThread *t)
{
    if (!t->id[0] || !t->id[1]) {
        printf("  %-10s only in %s\n", t->name, t->id[0] ? "A" : "B");
        return;
    }
    if (t->common == t->events[0]->len && t->common == t->events[1]->len) {
        printf("  %-10s does the same: %" PRIu64 " events\n", t->name,
               t->common);
        return;
    }
    printf("  %-10s does the same for %" PRIu64 " events, then\n", t->name,
           t->common);
    for (unsigned side = 0; side < 2; side++) {
        uint64_t n = own_event(t, side);

        if (n) {
            session_goto(diff->run[side], n);
            print_event(diff->run[side], sides[side].letter, NULL);
        } else {
            printf("  %s        nothing more\n", sides[side].letter);
        }
    }
}

static void print_threads(const Diff *diff, const Side *sides, JsonBuilder *b)
{
    if (!b) {
        puts("Thread by thread");
    }
    for (unsigned i = 0; i < diff->threads->len; i++) {
        const DiffThread *t = g_ptr_array_index(diff->threads, i);

        if (b) {
            print_thread_json(t, b);
        } else {
            print_thread_text(diff, sides, t);
        }
    }
}

/* ---- Inputs ---- */

/* Marks the kinds of input that a run has. */
static void find_kinds(const Side *side, bool *kinds)
{
    for (size_t i = 0; i < side->n_inputs; i++) {
        kinds[side->inputs[i].kind] = true;
    }
}

static void leave_out_others(Side *side, const bool *kinds)
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
static void keep_common_kinds(Side *sides)
{
    bool kinds[2][INPUT_KIND_MAX] = {{false}};

    find_kinds(&sides[0], kinds[0]);
    find_kinds(&sides[1], kinds[1]);
    leave_out_others(&sides[0], kinds[1]);
    leave_out_others(&sides[1], kinds[0]);
}

static void print_input_text(const Side *side, size_t n)
{
    if (n < side->n_inputs) {
        g_autofree char *text = diff_describe_input(side->session,
                                                    &side->inputs[n]);

        printf("  %s %6" PRIu64 " %s\n", side->letter, side->inputs[n].ticket,
               text);
    } else {
        printf("  %s        has no more\n", side->letter);
    }
}

static void print_input_json(const Side *sides, size_t common, JsonBuilder *b)
{
    json_builder_set_member_name(b, "inputs");
    json_builder_begin_object(b);
    cli_json_int(b, "common", common);
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *text = common < sides[i].n_inputs
            ? diff_describe_input(sides[i].session, &sides[i].inputs[common])
            : NULL;

        cli_json_string(b, i ? "b" : "a", text);
    }
    json_builder_end_object(b);
}

/* What came in from outside, which everything else follows from. */
static void print_inputs(const Diff *diff, Side *sides, JsonBuilder *b)
{
    size_t common;

    if (!sides[0].inputs || !sides[1].inputs) {
        return;
    }
    if (!same_fact(sides, "host")) {
        keep_common_kinds(sides);
    }
    common = diff_common_inputs(diff, sides[0].inputs, sides[0].n_inputs,
                                sides[1].inputs, sides[1].n_inputs);
    if (b) {
        print_input_json(sides, common, b);
    } else if (common == sides[0].n_inputs && common == sides[1].n_inputs) {
        printf("All %zu inputs are the same%s\n", common, diff->same_events
               ? "" : ": times, parameters or the code make the difference");
    } else {
        printf("The first input that differs comes behind %zu that are the "
               "same\n", common);
        print_input_text(&sides[0], common);
        print_input_text(&sides[1], common);
    }
}

/* ---- States ---- */

static void print_doing(const Diff *diff)
{
    Session *session = diff->run[0];
    GString *text = g_string_new("When they parted\n");

    session_goto(session, diff->common
                              ? diff_event(diff, 0, diff->common - 1) : 0);
    for (unsigned i = 0; i < session->model->threads->len; i++) {
        const ModelThread *t = &g_array_index(session->model->threads,
                                              ModelThread, i);

        if (t->frames->len) {
            report_thread(text, session->model, t);
        } else if (!t->exited) {
            g_string_append_printf(text, "  thread %s\n    runs code of its "
                                   "own\n", t->name);
        }
    }
    fputs(text->str, stdout);
    g_string_free(text, true);
}

static void print_states(const Diff *diff, unsigned events)
{
    g_autofree char *text = NULL;

    for (unsigned side = 0; side < 2; side++) {
        uint64_t n = diff_event(diff, side, diff->common + events - 1);

        session_goto(diff->run[side],
                     n ? n : session_count(diff->run[side]));
    }
    text = diff_describe_states(diff, 12);
    if (*text) {
        printf("%u events later\n%s", events, text);
    }
}

/* ---- All of it ---- */

static void print_parting(const Diff *diff, const Side *sides, unsigned events)
{
    if (diff->same_threads) {
        puts("Each thread does the same in both; only the order between "
             "threads differs.");
    }
    if (diff->common) {
        printf("The first %" PRIu64 " events are the same, to\n", diff->common);
        session_goto(sides[0].session, diff_event(diff, 0, diff->common - 1));
        print_event(sides[0].session, " ", NULL);
        puts("then come");
    } else {
        puts("They differ from the first event on");
    }
    print_next(diff, 0, &sides[0], events, NULL);
    print_next(diff, 1, &sides[1], events, NULL);
}

static void print_text(const Diff *diff, Side *sides, unsigned events)
{
    printf("A is %s: %" PRIu64 " events, %s\nB is %s: %" PRIu64
           " events, %s\n", sides[0].name, session_count(sides[0].session),
           how_it_ended(sides[0].session), sides[1].name,
           session_count(sides[1].session), how_it_ended(sides[1].session));
    print_facts(sides, NULL);
    if (diff->same_events) {
        puts("All events are the same.");
        print_inputs(diff, sides, NULL);
        return;
    }
    print_parting(diff, sides, events);
    print_inputs(diff, sides, NULL);
    print_doing(diff);
    print_states(diff, events);
    print_threads(diff, sides, NULL);
}

static void print_side_json(const Diff *diff, unsigned which, const Side *side,
                            unsigned events, JsonBuilder *b)
{
    json_builder_begin_object(b);
    cli_json_string(b, "run", side->name);
    cli_json_int(b, "events", session_count(side->session));
    cli_json_string(b, "ending", how_it_ended(side->session));
    json_builder_set_member_name(b, "next");
    json_builder_begin_array(b);
    if (!diff->same_events) {
        print_next(diff, which, side, events, b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void print_json(const Diff *diff, Side *sides, unsigned events,
                       bool identical)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    cli_json_bool(b, "identical", identical);
    cli_json_int(b, "common", diff->common);
    cli_json_bool(b, "only_order", diff->same_threads && !diff->same_events);
    for (unsigned i = 0; i < 2; i++) {
        json_builder_set_member_name(b, sides[i].letter[0] == 'A' ? "a" : "b");
        print_side_json(diff, i, &sides[i], events, b);
    }
    json_builder_set_member_name(b, "run_differently");
    json_builder_begin_array(b);
    print_facts(sides, b);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "threads");
    json_builder_begin_array(b);
    print_threads(diff, sides, b);
    json_builder_end_array(b);
    print_inputs(diff, sides, b);
    json_builder_end_object(b);
    cli_print_json(b);
}

/* Whether a run goes on behind its last event, where we cannot see. */
static bool is_short(const Diff *diff, unsigned side)
{
    return diff->run[side]->end == SESSION_DIVERGED &&
           !diff_event(diff, side, diff->common);
}

static int compare(Side *sides, unsigned events,
                   const CommonOptions *common)
{
    Diff *diff = diff_new(sides[0].session, sides[1].session);
    bool identical = diff->same_events &&
                     sides[0].session->end == sides[1].session->end;
    int status = is_short(diff, 0) || is_short(diff, 1) ? STATUS_DIVERGED
               : identical ? STATUS_OK : STATUS_FINDING;

    if (common->json) {
        print_json(diff, sides, events, identical);
    } else if (!common->quiet) {
        print_text(diff, sides, events);
    }
    diff_free(diff);
    return status;
}

int cmd_diff(int argc, char **argv)
{
    static DiffOptions options = {.events = 4, .other_seed = -1};
    static CommonOptions common;
    const GOptionEntry entries[] = {
        {"events", 'n', 0, G_OPTION_ARG_INT, &options.events,
         "show so many events of each (default: 4)", "N"},
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options.scenario.params,
         "set a parameter of a scenario that is simulated", "NAME=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options.scenario.seed,
         "simulate with random choices from this seed", "N"},
        {"other-seed", 0, 0, G_OPTION_ARG_INT64, &options.other_seed,
         "the seed of the second (default: the same)", "N"},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG|SCENARIO LOG|SCENARIO",
                           "Says where two runs of a scenario part, and what "
                           "made them.\nTimes are not compared.  Exit status: "
                           "0 the same, 1 they differ, 3 damaged.",
                           entries, &common);
    Side sides[2] = {{.letter = "A"}, {.letter = "B"}};

    if (status >= 0) {
        return status;
    }
    if (argc != 3 || options.events < 1) {
        cli_error("diff needs two logs or scenarios, and --events of 1 or "
                  "more; see --help");
        return STATUS_USAGE;
    }
    status = STATUS_OK;
    cli_progress_start(&common);
    for (unsigned i = 0; i < 2 && status == STATUS_OK; i++) {
        sides[i].name = argv[1 + i];
        if (i && options.other_seed >= 0) {
            options.scenario.seed = options.other_seed;
        }
        if (open_side(&sides[i], &options.scenario, &status)) {
            status = STATUS_OK;
        }
    }
    cli_progress_stop();
    if (status == STATUS_OK) {
        status = cli_check_output(&common, argv[2]) &&
                 cli_open_output(&common, argv[1])
            ? compare(sides, options.events, &common) : STATUS_BAD_INPUT;
    }
    /* The second's process has copies of the first's pipes. */
    close_side(&sides[1]);
    close_side(&sides[0]);
    return status;
}
