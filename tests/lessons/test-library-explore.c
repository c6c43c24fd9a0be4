/* SPDX-License-Identifier: MIT */
/*
 * The deadlock library, explored: the default portfolio finds each "buggy",
 * reduces it to at most four deviations and explains it as golden/ does; the
 * printed schedule shows it again.  An exhaustive search of "fixed" is COMPLETE
 * with the table's number of classes, where it is finite; and neither does the
 * portfolio find anything there, potential deadlocks included.
 *
 *   AIOLAB_LIBRARY_CLASSES=N  at most so many classes (default 5,000)
 *   AIOLAB_LIBRARY_RUNS=N     so many schedules of the portfolio (2,000)
 *   AIOLAB_LIBRARY_ONLY=ID    one bug
 *   AIOLAB_UPDATE_GOLDEN=1    write golden/ anew; look at the difference
 */
#include "program.h"
#include "testlib.h"

#include "library.h"

#include <json-glib/json-glib.h>
#include <signal.h>

enum {
    MAX_DEVIATIONS = 4,
    CLASSES = 5000, RUNS = 2000,
};

/* What "aiolab explore --json" says; freed by the caller. */
static JsonNode *explore(const LibraryBug *bug, const char *variant,
                         const char *strategy, const char *memory, unsigned max,
                         int status)
{
    g_autofree char *name = g_strconcat(bug->scenario->name, "/", variant,
                                        NULL);
    g_autofree char *n = g_strdup_printf("--max=%u", max);
    ChildResult result = aiolab("explore", "--json", name, strategy, memory, n,
                                NULL);
    JsonNode *node;

    child_expect_status(&result, status, name);
    node = json_from_string(result.out, NULL);
    assert_non_null(node);
    child_finish(&result);
    return node;
}

static bool is_wanted(const LibraryBug *bug)
{
    const char *only = g_getenv("AIOLAB_LIBRARY_ONLY");

    return !only || g_str_equal(only, bug->scenario->name);
}

static const char *memory_of(const LibraryBug *bug)
{
    return bug->reach == BUG_STORE_BUFFER ? "--memory=tso" : "--memory=sc";
}

static const char *first_finding(JsonNode *node, const char *field)
{
    JsonArray *findings = json_object_get_array_member(
        json_node_get_object(node), "findings");
    JsonObject *finding = json_array_get_object_element(findings, 0);

    return json_object_get_string_member(finding, field);
}

static int64_t first_deviations(JsonNode *node)
{
    JsonArray *findings = json_object_get_array_member(
        json_node_get_object(node), "findings");

    return json_object_get_int_member(
        json_array_get_object_element(findings, 0), "deviations");
}

/* ---- What golden/ID.txt has before "--" ---- */

/* Without what a change elsewhere may change: numbers of events, lines, ids. */
static char *without_numbers(char *text)
{
    static const struct {
        const char *pattern, *instead;
    } rules[] = {
        {"event [0-9]+", "event N"}, {"\\.c:[0-9]+", ".c"},
        {"\\((mutex|co|bh)?[0-9]+\\)", "(\\1N)"}, {"\\bfd[0-9]+", "fdN"},
        {" +$", ""},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        g_autoptr(GRegex) regex = g_regex_new(
            rules[i].pattern, G_REGEX_MULTILINE, 0, NULL);
        char *next = g_regex_replace(regex, text, -1, 0, rules[i].instead, 0,
                                     NULL);

        g_free(text);
        text = next;
    }
    return text;
}

/* The headline: to where the report begins to say who is where. */
static char *explanation(const char *report)
{
    static const char *const rest[] = {
        "Stuck as well:", "Where they are:", "    #", "  thread ",
    };
    g_auto(GStrv) lines = g_strsplit(report, "\n", 0);
    GString *text = g_string_new(NULL);

    for (char **line = lines; *line && **line; line++) {
        for (unsigned i = 0; i < ARRAY_SIZE(rest); i++) {
            if (g_str_has_prefix(*line, rest[i])) {
                return without_numbers(g_string_free(text, false));
            }
        }
        g_string_append_printf(text, "%s\n", *line);
    }
    return without_numbers(g_string_free(text, false));
}

/* Columns are as wide as what is in them, so blanks do not count. */
static char *without_blanks(const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new("  +", 0, 0, NULL);

    return g_regex_replace(regex, text, -1, 0, "  ", 0, NULL);
}

static void expect_golden(const char *name, const char *report)
{
    g_autofree char *path = g_strdup_printf(
        AIOLAB_SOURCE_DIR "/lessons/library/golden/%s.txt", name);
    g_autofree char *text = explanation(report);
    g_autofree char *golden = NULL, *wanted = NULL, *found = NULL;
    char *words;

    assert_true(g_file_get_contents(path, &golden, NULL, NULL));
    words = strstr(golden, "--\n");
    assert_non_null(words);
    if (g_getenv("AIOLAB_UPDATE_GOLDEN")) {
        g_autofree char *both = g_strconcat(text, words, NULL);

        assert_true(g_file_set_contents(path, both, -1, NULL));
        return;
    }
    *words = 0;
    wanted = without_blanks(golden);
    found = without_blanks(text);
    if (!g_str_equal(found, wanted)) {
        fail_msg("%s says\n%sand golden/ has\n%s", name, text, golden);
    }
}

/* ---- Each of them ---- */

/* By its token alone, on the same machine and the same build. */
static void expect_again(const char *token)
{
    ChildResult result = aiolab("run", token, NULL);

    if (result.status != 1 && result.status != 128 + SIGABRT) {
        fail_msg("%s ends with status %d: %s", token, result.status,
                 result.err);
    }
    child_finish(&result);
}

static void test_buggy(void **state)
{
    const LibraryBug *bug = *state;
    const char *name = bug->scenario->name;
    g_autoptr(JsonNode) found = explore(bug, "buggy", "--strategy=portfolio",
                                        memory_of(bug), 20000, 1);

    expect_golden(name, first_finding(found, "report"));
    if (first_deviations(found) > MAX_DEVIATIONS) {
        fail_msg("%s: %" PRId64 " deviations", name, first_deviations(found));
    }
    expect_again(first_finding(found, "schedule"));
}

static void check_all(const LibraryBug *bug, const char *variant,
                      const char *memory)
{
    g_autoptr(JsonNode) all = explore(bug, variant, "--strategy=dpor", memory,
                                      bug->classes + 1, 0);
    JsonObject *object = json_node_get_object(all);

    if (!json_object_get_boolean_member(object, "complete") ||
        json_object_get_int_member(object, "classes") != bug->classes) {
        fail_msg("%s/%s: %s; the table says %u classes", bug->scenario->name,
                 variant, json_object_get_string_member(object, "verdict"),
                 bug->classes);
    }
}

/* Nothing fails, and what passes could not have got stuck either. */
static void test_fixed(void **state)
{
    const LibraryBug *bug = *state;
    unsigned classes = test_number("AIOLAB_LIBRARY_CLASSES", CLASSES);
    unsigned runs = test_number("AIOLAB_LIBRARY_RUNS", RUNS);

    if (bug->classes && bug->classes <= classes) {
        check_all(bug, "fixed", memory_of(bug));
    }
    json_node_unref(explore(bug, "fixed", "--strategy=portfolio",
                            memory_of(bug), runs, 0));
}

/* Without store buffers there is nothing to find, and that is all there is. */
static void test_needs_store_buffers(void **state)
{
    check_all(*state, "buggy", "--memory=sc");
}

/* ---- A test for each ---- */

enum { TESTS_MAX = 512 };

static struct CMUnitTest tests[TESTS_MAX];
static unsigned n_tests;

static void add_test(const LibraryBug *bug, const char *what,
                     CMUnitTestFunction test)
{
    assert_true(n_tests < TESTS_MAX);
    tests[n_tests++] = (struct CMUnitTest){
        .name = g_strconcat(bug->scenario->name, "/", what, NULL),
        .test_func = test, .initial_state = (void *)bug,
    };
}

int main(void)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (!is_wanted(bug)) {
            continue;
        }
        add_test(bug, "buggy", test_buggy);
        add_test(bug, "fixed", test_fixed);
        if (bug->reach == BUG_STORE_BUFFER) {
            add_test(bug, "needs store buffers", test_needs_store_buffers);
        }
    }
    /* The array has a place for more, and cmocka counts its places. */
    return _cmocka_run_group_tests("library-explore", tests, n_tests, NULL,
                                   NULL);
}
