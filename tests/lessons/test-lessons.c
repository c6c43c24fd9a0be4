/* SPDX-License-Identifier: MIT */
/*
 * Every lesson, checked by machine: it parses, its answers are what the run
 * says, its exercise fails as it is and passes when solved, and its `break`
 * questions can be solved by the choices that it gives.
 */
#include "qemu/osdep.h"
#include "testlib.h"

#include "builtin.h"
#include "explore.h"
#include "lesson-run.h"

static void check_predictions(const Lesson *lesson)
{
    const char *scenario = NULL;

    for (unsigned i = 0; i < lesson->items->len; i++) {
        const LessonItem *item = g_ptr_array_index(lesson->items, i);

        if (item->kind == ITEM_SCENARIO) {
            scenario = item_field(item, "run");
        }
        if (item->kind == ITEM_PREDICT) {
            Error *err = NULL;
            g_autofree char *computed = lesson_compute(item, scenario, &err);

            assert_null(err);
            assert_non_null(computed);
            assert_string_equal(computed, item_field(item, "answer"));
            assert_true(g_strv_contains(
                (const char *const *)item->choices, computed));
        }
    }
}

static void check_exercise(const Lesson *lesson, const char *field, bool passes)
{
    const LessonItem *fix = lesson_find_fix(lesson);
    g_autofree char *path = g_build_filename(lesson->dir,
                                             item_field(fix, field), NULL);
    g_autofree char *text = NULL;
    ScenarioSpec *spec = run_spec_from_name(path, &error_abort);

    assert_int_equal(lesson_check_spec(spec, path, &text), passes);
    assert_non_null(strstr(text, passes ? "which are all there are"
                                        : "watch it"));
    scenario_spec_free(spec);
}

static Lesson *load(const char *id)
{
    Lesson *lesson = lesson_load(id, &error_abort);

    assert_string_equal(lesson->id, id);
    return lesson;
}

static void test_all(void **state)
{
    GPtrArray *ids = lesson_ids(&error_abort);

    assert_true(ids->len >= 2);
    for (unsigned i = 0; i < ids->len; i++) {
        Lesson *lesson = load(g_ptr_array_index(ids, i));

        check_predictions(lesson);
        check_exercise(lesson, "file", false);
        check_exercise(lesson, "solution", true);
        lesson_free(lesson);
    }
    g_ptr_array_free(ids, true);
}

/* Goes on to the next item of a kind, answering what stands before it. */
static void go_to(LessonRun *run, ItemKind kind)
{
    while (!lesson_run_over(run)) {
        LessonItem *item = g_ptr_array_index(run->lesson->items, run->item);

        if (item->kind == kind) {
            return;
        }
        lesson_run_input(run, "s");
    }
    fail_msg("no such item");
}

static void test_predict(void **state)
{
    LessonRun *run = lesson_run_new(load("bh-order"));

    go_to(run, ITEM_PREDICT);
    lesson_run_input(run, "");
    assert_false(run->answered);
    lesson_run_input(run, "9");
    assert_false(run->answered);
    lesson_run_input(run, "1");
    assert_true(run->answered);
    assert_non_null(strstr(run->feedback, "That would be a queue"));
    assert_int_equal(run->right, 0);
    assert_int_equal(run->asked, 1);
    lesson_run_input(run, "");
    assert_null(run->feedback);
    lesson_run_free(run);
}

/* The author's choices reach the goal, and it takes them all. */
static void test_break(void **state)
{
    GPtrArray *ids = lesson_ids(&error_abort);

    for (unsigned i = 0; i < ids->len; i++) {
        LessonRun *run = lesson_run_new(load(g_ptr_array_index(ids, i)));

        while (!lesson_run_over(run)) {
            LessonItem *item = g_ptr_array_index(run->lesson->items, run->item);

            if (item->kind == ITEM_BREAK) {
                g_auto(GStrv) picks = g_strsplit(item_field(item, "solution"),
                                                 ",", 0);

                for (char **pick = picks; *pick && !run->solved; pick++) {
                    char digit[2] = {'1' + atoi(*pick), 0};

                    lesson_run_input(run, digit);
                }
                while (run->choice_at && !run->solved) {
                    lesson_run_input(run, "1");
                }
                assert_true(run->solved);
            }
            lesson_run_input(run, "s");
        }
        lesson_run_free(run);
    }
    g_ptr_array_free(ids, true);
}

static void test_hints(void **state)
{
    LessonRun *run = lesson_run_new(load("bh-order"));

    go_to(run, ITEM_FIX);
    lesson_run_input(run, "h");
    assert_non_null(strstr(run->feedback, "Hint 1 of 3"));
    lesson_run_input(run, "h");
    lesson_run_input(run, "h");
    lesson_run_input(run, "h");
    assert_non_null(strstr(run->feedback, "Hint 3 of 3"));
    lesson_run_free(run);
}

static void test_bad_lessons(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "front matter"},
        {"---\nid: x\n---\n", "front matter"},
        {"---\nid: x\ntitle: t\ncolour: red\n---\n", "colour: red"},
        {"---\nid: x\ntitle: t\n---\n```step\nuntil: x\n```\n", "'say'"},
        {"---\nid: x\ntitle: t\n---\n```step\nwhile: x\n```\n", "while: x"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;

        assert_null(lesson_parse("x/lesson.md", bad[i].text, &err));
        assert_non_null(strstr(error_get_pretty(err), bad[i].message));
        assert_non_null(strstr(error_get_pretty(err), "x/lesson.md"));
        error_free(err);
    }
}

static void test_explore_counts(void **state)
{
    ScenarioSpec *fixed = run_spec_from_name("nested-laio/fixed", &error_abort);
    ScenarioSpec *buggy = run_spec_from_name("nested-laio/buggy", &error_abort);
    ExploreResult result = explore_all(fixed, 100);

    assert_true(result.complete);
    assert_false(result.found);
    assert_int_equal(result.runs, 3); /* one batch; two; B after the fetch */
    explore_result_finish(&result);
    result = explore_all(buggy, 100);
    assert_true(result.found);
    assert_int_equal(result.end, SESSION_STUCK);
    assert_string_equal(result.choices, "");
    explore_result_finish(&result);
    scenario_spec_free(fixed);
    scenario_spec_free(buggy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_predict),
        cmocka_unit_test(test_break),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_bad_lessons),
        cmocka_unit_test(test_explore_counts),
    };

    run_lookup = builtin_scenario_find;
    return cmocka_run_group_tests_name("lessons", tests, NULL, NULL);
}
