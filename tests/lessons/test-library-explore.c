/* SPDX-License-Identifier: MIT */
/*
 * The deadlock library, explored: the default portfolio finds each "buggy" and
 * reduces it to at most four deviations, by the name that golden/signatures
 * has, and the printed schedule shows it again.  An exhaustive search of
 * "fixed" is COMPLETE with the table's number of classes, where it is finite.
 *
 *   AIOLAB_LIBRARY_CLASSES=N  at most so many classes (default 5,000) ...
 *   AIOLAB_LIBRARY_RUNS=N     ... else so many schedules (default 2,000)
 *   AIOLAB_LIBRARY_ONLY=ID    one bug
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

static GKeyFile *signatures;

static int setup(void **state)
{
    signatures = g_key_file_new();
    return !g_key_file_load_from_file(
        signatures, AIOLAB_SOURCE_DIR "/lessons/library/golden/signatures",
        G_KEY_FILE_NONE, NULL);
}

static int teardown(void **state)
{
    g_key_file_free(signatures);
    return 0;
}

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

static void check_buggy(const LibraryBug *bug)
{
    const char *name = bug->scenario->name;
    g_autofree char *wanted = g_key_file_get_string(signatures, "signatures",
                                                    name, NULL);
    g_autoptr(JsonNode) found = explore(bug, "buggy", "--strategy=portfolio",
                                        memory_of(bug), 20000, 1);
    const char *signature = first_finding(found, "signature");

    if (!wanted || !g_str_has_prefix(signature, wanted)) {
        fail_msg("%s: '%s', not '%s'", name, signature, wanted);
    }
    if (first_deviations(found) > MAX_DEVIATIONS) {
        fail_msg("%s: %" PRId64 " deviations", name, first_deviations(found));
    }
    expect_again(first_finding(found, "schedule"));
}

static void test_buggy(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug)) {
            check_buggy(bug);
        }
    }
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

static void check_fixed(const LibraryBug *bug)
{
    unsigned classes = test_number("AIOLAB_LIBRARY_CLASSES", CLASSES);
    unsigned runs = test_number("AIOLAB_LIBRARY_RUNS", RUNS);

    if (bug->classes && bug->classes <= classes) {
        check_all(bug, "fixed", memory_of(bug));
    } else {
        json_node_unref(explore(bug, "fixed", "--strategy=portfolio",
                                memory_of(bug), runs, 0));
    }
}

static void test_fixed(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug)) {
            check_fixed(bug);
        }
    }
}

/* Without store buffers there is nothing to find, and that is all there is. */
static void test_needs_store_buffers(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug) && bug->reach == BUG_STORE_BUFFER) {
            check_all(bug, "buggy", "--memory=sc");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buggy),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_needs_store_buffers),
    };

    return cmocka_run_group_tests_name("library-explore", tests, setup,
                                       teardown);
}
