/* SPDX-License-Identifier: MIT */
/* A learner's way through a lesson, one input at a time. */
#include "lesson-run.h"

#include "run.h"

/* ---- Running what the item is about ---- */

static LessonItem *current(const LessonRun *run)
{
    return run->item < run->lesson->items->len
               ? g_ptr_array_index(run->lesson->items, run->item) : NULL;
}

static void say(LessonRun *run, char *text)
{
    g_free(run->feedback);
    run->feedback = text;
}

static void open_scenario(LessonRun *run, const char *name)
{
    ScriptOracle oracle;
    RunConfig config = {.sim = {.max_steps = 1000000}};
    Error *err = NULL;

    session_free(run->session);
    scenario_spec_free(run->spec);
    run->session = NULL;
    run->spec = run_spec_from_name(name, &err);
    oracle_script_init(&oracle, (const unsigned *)run->picks->data,
                       run->picks->len);
    config.sim.oracle = &oracle.base;
    if (run->spec) {
        run->session = session_open_scenario(run->spec, &config, &err);
    }
    oracle_script_finish(&oracle);
    if (!run->session) {
        say(run, g_strdup(error_get_pretty(err)));
        error_free(err);
    }
}

/* "kind n": the nth event of that kind, or 0. */
static uint64_t find_event(const Session *session, const char *until)
{
    g_auto(GStrv) words = g_strsplit(until, " ", 2);
    int left = words[1] ? atoi(words[1]) : 1;

    for (uint64_t n = 1; session && n <= session_count(session); n++) {
        ProbeEvent event = event_store_get(session->events, n);

        if (g_str_equal(probe_table[event.kind].name, words[0]) &&
            --left == 0) {
            return n;
        }
    }
    return 0;
}

/* ---- break: choices, one at a time, by running again ---- */

/* The event of the first choice that the script does not answer, or 0. */
static uint64_t open_choice(const LessonRun *run)
{
    unsigned answered = run->picks->len;

    for (uint64_t n = 1; n <= session_count(run->session); n++) {
        ProbeEvent event = event_store_get(run->session->events, n);

        if (event.kind == PROBE_CHOICE && answered-- == 0) {
            return n;
        }
    }
    return 0;
}

static const char *end_word(SessionEnd end)
{
    return end == SESSION_STUCK ? "stuck" : end == SESSION_FAILED ? "failed"
         : end == SESSION_DONE ? "done" : "other";
}

static void try_choices(LessonRun *run)
{
    LessonItem *item = current(run);
    uint64_t last;

    open_scenario(run, item_field(item, "run"));
    if (!run->session) {
        return;
    }
    run->choice_at = open_choice(run);
    last = run->choice_at ? run->choice_at - 1 : session_count(run->session);
    session_goto(run->session, last);
    if (run->choice_at) {
        return;
    }
    run->solved = g_str_equal(end_word(run->session->end),
                              item_field(item, "goal"));
    say(run, run->solved
        ? g_strdup_printf("That is it: the run ends '%s', with %u choices.",
                          end_word(run->session->end), run->picks->len)
        : g_strdup_printf("The run ends '%s'. r begins again.",
                          end_word(run->session->end)));
}

/* What an option of the open choice would do, in words. */
static char *describe_option(const LessonRun *run, unsigned option)
{
    ProbeEvent event = event_store_get(run->session->events, run->choice_at);
    uint32_t self = event.obj, id;
    unsigned seen = 0;

    if (g_strcmp0(event.text, "batch") == 0) {
        return option == 0
            ? g_strdup_printf("the wait returns all completions that are due "
                              "(%" PRIu64 ")", event.c)
            : option == event.c
            ? g_strdup("the wait returns none of them yet")
            : g_strdup_printf("the wait returns the first %u only", option);
    }
    if (event.c >> self & 1 && option == 0) {
        const ModelThread *thread = model_thread(run->session->model, self);

        return g_strdup_printf("%s goes on", thread ? thread->name : "it");
    }
    seen = event.c >> self & 1 ? 1 : 0;
    for (id = 0; id < 64; id++) {
        if (event.c >> id & 1 && id != self && seen++ == option) {
            break;
        }
    }
    if (!model_thread(run->session->model, id)) {
        return g_strdup("a new thread begins");
    }
    return g_strdup_printf("%s runs",
                           model_thread(run->session->model, id)->name);
}

static void break_input(LessonRun *run, const char *input)
{
    ProbeEvent event;
    unsigned pick;

    if (!run->choice_at || run->solved) {
        return;
    }
    event = event_store_get(run->session->events, run->choice_at);
    if (*input < '1' || (uint64_t)(*input - '0') > event.a) {
        say(run, g_strdup("Choose one of the numbers; h gives a hint, r begins "
                          "again, s skips."));
        return;
    }
    pick = *input - '1';
    g_array_append_val(run->picks, pick);
    say(run, NULL);
    try_choices(run);
}

/* ---- Entering an item ---- */

static void enter_item(LessonRun *run)
{
    LessonItem *item = current(run);

    run->answered = run->solved = false;
    run->hints = 0;
    run->choice_at = 0;
    g_array_set_size(run->picks, 0);
    if (!item) {
        return;
    }
    switch (item->kind) {
    case ITEM_SCENARIO:
        open_scenario(run, item_field(item, "run"));
        if (run->session) {
            session_goto(run->session, 1);
        }
        break;
    case ITEM_STEP:
        if (run->session) {
            uint64_t n = find_event(run->session, item_field(item, "until"));

            session_goto(run->session, n ? n : run->session->position);
        }
        break;
    case ITEM_BREAK:
        try_choices(run);
        break;
    default:
        break;
    }
}

LessonRun *lesson_run_new(Lesson *lesson)
{
    LessonRun *run = g_new0(LessonRun, 1);

    run->lesson = lesson;
    run->picks = g_array_new(false, false, sizeof(unsigned));
    enter_item(run);
    return run;
}

void lesson_run_free(LessonRun *run)
{
    session_free(run->session);
    scenario_spec_free(run->spec);
    lesson_free(run->lesson);
    g_array_free(run->picks, true);
    g_free(run->feedback);
    g_free(run);
}

bool lesson_run_over(const LessonRun *run)
{
    return run->item >= run->lesson->items->len;
}

/* ---- Prompts ---- */

static void prompt_choice(const LessonRun *run, GString *text)
{
    ProbeEvent event;

    if (!run->choice_at) {
        return;
    }
    event = event_store_get(run->session->events, run->choice_at);
    g_string_append_printf(text, "\nChoice %u, at event %" PRIu64 ":\n",
                           run->picks->len + 1, run->choice_at);
    for (unsigned i = 0; i < event.a && i < 9; i++) {
        g_autofree char *option = describe_option(run, i);

        g_string_append_printf(text, "  %u  %s\n", i + 1, option);
    }
}

static void prompt_predict(const LessonItem *item, GString *text)
{
    g_string_append_printf(text, "%s\n", item_field(item, "ask"));
    for (unsigned i = 0; item->choices[i]; i++) {
        g_string_append_printf(text, "  %u  %s\n", i + 1, item->choices[i]);
    }
}

static void prompt_fix(const LessonRun *run, const LessonItem *item,
                       GString *text)
{
    g_autofree char *path = lesson_work_file(run->lesson, item, NULL);

    g_string_append_printf(text, "%s\n\nEdit %s\n(c checks it over all "
                           "schedules, h gives a hint, s skips)\n",
                           item_field(item, "task"), path ? path : "?");
}

char *lesson_run_prompt(const LessonRun *run)
{
    const LessonItem *item = current(run);
    GString *text = g_string_new(NULL);

    if (!item) {
        g_string_printf(text, "The end of this lesson. Predictions: %u of %u "
                        "right.%s%s\n", run->right, run->asked,
                        run->lesson->qemu ? "\nIn QEMU: " : "",
                        run->lesson->qemu ? run->lesson->qemu : "");
        return g_string_free(text, false);
    }
    switch (item->kind) {
    case ITEM_TEXT:
        g_string_append_printf(text, "%s\n", item->text);
        break;
    case ITEM_SCENARIO:
        g_string_append_printf(text, "Scenario %s, %" PRIu64 " events.\n",
                               item_field(item, "run"),
                               run->session ? session_count(run->session) : 0);
        break;
    case ITEM_STEP:
        g_string_append_printf(text, "%s\n", item_field(item, "say"));
        break;
    case ITEM_PREDICT:
        prompt_predict(item, text);
        break;
    case ITEM_BREAK:
        g_string_append_printf(text, "%s\n", item_field(item, "ask"));
        prompt_choice(run, text);
        break;
    case ITEM_FIX:
        prompt_fix(run, item, text);
        break;
    }
    return g_string_free(text, false);
}

/* ---- Inputs ---- */

static void go_on(LessonRun *run)
{
    say(run, NULL);
    run->item++;
    enter_item(run);
}

static void show_hint(LessonRun *run, const LessonItem *item)
{
    if (!item->hints->len) {
        say(run, g_strdup("There is no hint here."));
        return;
    }
    run->hints = MIN(run->hints + 1, item->hints->len);
    say(run, g_strdup_printf("Hint %u of %u: %s", run->hints, item->hints->len,
                             (char *)g_ptr_array_index(item->hints,
                                                       run->hints - 1)));
}

static void predict_input(LessonRun *run, const LessonItem *item,
                          const char *input)
{
    unsigned n = g_strv_length(item->choices), picked = *input - '1';
    g_autofree char *computed = NULL, *key = NULL;
    const char *wrong;
    Error *err = NULL;

    if (*input < '1' || picked >= n) {
        say(run, g_strdup("Answer with a number; then you will see."));
        return;
    }
    computed = lesson_compute(item, item_field(item, "run")
                              ? item_field(item, "run")
                              : run->session ? run->session->title : "", &err);
    if (!computed) {
        say(run, g_strdup(err ? error_get_pretty(err) : "no answer"));
        error_free(err);
        return;
    }
    run->answered = true;
    run->asked++;
    run->right += g_str_equal(item->choices[picked], computed);
    key = g_strconcat("wrong ", item->choices[picked], NULL);
    wrong = item_field(item, key);
    say(run, g_strdup_printf(
        "You said: %s. The run says: %s.%s%s\n%s", item->choices[picked],
        computed, wrong ? "\n" : "", wrong ? wrong : "",
        item_field(item, "why")));
}

static void check_exercise(LessonRun *run, const LessonItem *item)
{
    Error *err = NULL;
    g_autofree char *path = lesson_work_file(run->lesson, item, &err);
    ScenarioSpec *spec = path ? run_spec_from_name(path, &err) : NULL;
    char *text = NULL;

    if (!spec) {
        say(run, g_strdup(error_get_pretty(err)));
        error_free(err);
        return;
    }
    run->solved = lesson_check_spec(spec, path, &text);
    say(run, text);
    scenario_spec_free(spec);
}

void lesson_run_input(LessonRun *run, const char *input)
{
    const LessonItem *item = current(run);

    if (!item) {
        return;
    }
    if (*input == 'h') {
        show_hint(run, item);
    } else if (*input == 's') {
        go_on(run);
    } else if (item->kind == ITEM_PREDICT && !run->answered) {
        predict_input(run, item, input);
    } else if (item->kind == ITEM_BREAK && !run->solved) {
        if (*input == 'r') {
            say(run, NULL);
            g_array_set_size(run->picks, 0);
            try_choices(run);
        } else {
            break_input(run, input);
        }
    } else if (item->kind == ITEM_FIX && !run->solved) {
        check_exercise(run, item);
    } else {
        go_on(run);
    }
}
