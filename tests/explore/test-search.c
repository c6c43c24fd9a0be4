/* SPDX-License-Identifier: MIT */
/*
 * Searches: reduction loses no class and no failure, the same seed finds the
 * same, and a token says the same again or is refused.
 */
#include "program.h"
#include "testlib.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

/* What a search says of itself; freed by json_node_unref(). */
static JsonNode *explore(int status, const char *scenario, const char *strategy,
                         const char *option)
{
    g_autofree char *chosen = g_strconcat("--strategy=", strategy, NULL);
    ChildResult result = aiolab("explore", scenario, chosen, "--json", option,
                                NULL);
    JsonNode *node;

    child_expect_status(&result, status, scenario);
    node = json_from_string(result.out, NULL);
    assert_non_null(node);
    child_finish(&result);
    return node;
}

static int64_t number(JsonNode *node, const char *name)
{
    return json_object_get_int_member(json_node_get_object(node), name);
}

static char *first_token(JsonNode *node)
{
    JsonArray *findings = json_object_get_array_member(
        json_node_get_object(node), "findings");

    assert_true(json_array_get_length(findings) > 0);
    return g_strdup(json_object_get_string_member(
        json_array_get_object_element(findings, 0), "schedule"));
}

static const struct {
    const char *scenario;
    int status; /* 1: some schedule fails */
} small[] = {
    {"nested-laio/fixed", 0}, {"nested-laio/buggy", 1},
    {"b19-stop-flag/buggy", 1}, {"b19-stop-flag/fixed", 0},
    {"b46-two-pollers/fixed", 0}, {"b46-two-pollers/buggy", 1},
    {"b24-deleted-on-list/buggy", 1}, {"b13-accept-by-notifier/buggy", 1},
    {"b50-signal-after-unlock/fixed", 0},
};

static void test_reductions_agree(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(small); i++) {
        JsonNode *dpor = explore(small[i].status, small[i].scenario, "dpor",
                                 NULL);
        JsonNode *dfs = explore(small[i].status, small[i].scenario, "dfs",
                                NULL);

        assert_int_equal(number(dpor, "complete"), true);
        assert_int_equal(number(dfs, "complete"), true);
        assert_int_equal(number(dpor, "classes"), number(dfs, "classes"));
        assert_int_equal(number(dpor, "failing"), number(dfs, "failing"));
        json_node_unref(dpor);
        json_node_unref(dfs);
    }
}

/* Nothing left out: there are as many classes as with reduction. */
static void test_nothing_is_lost(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(small); i++) {
        JsonNode *all = explore(small[i].status, small[i].scenario, "dfs",
                                "--plain");
        JsonNode *some = explore(small[i].status, small[i].scenario, "dpor",
                                 NULL);

        assert_int_equal(number(all, "complete"), true);
        assert_int_equal(number(all, "failing") > 0, small[i].status);
        assert_int_equal(number(all, "classes"), number(some, "classes"));
        json_node_unref(all);
        json_node_unref(some);
    }
}

/* ---- What a machine does only if asked ---- */

/* The loop is an "if" in the first of these waits for an event. */
static const char waits_once[] =
    "#include \"aiolab/scenario.h\"\n"
    "typedef struct Event { QemuMutex lock; QemuCond cond; bool set; } Event;\n"
    "static void *set(void *opaque)\n{\n"
    "    Event *e = opaque;\n"
    "    qemu_mutex_lock(&e->lock);\n"
    "    e->set = true;\n"
    "    qemu_cond_signal(&e->cond);\n"
    "    qemu_mutex_unlock(&e->lock);\n"
    "    return NULL;\n}\n"
    "static void run(const ScenarioArgs *args)\n{\n"
    "    bool loops = scenario_is_variant(args, \"fixed\");\n"
    "    Event e = {.set = false};\n"
    "    QemuThread thread;\n"
    "    qemu_mutex_init(&e.lock);\n"
    "    qemu_cond_init(&e.cond);\n"
    "    qemu_thread_create(&thread, \"setter\", set, &e,\n"
    "                       QEMU_THREAD_JOINABLE);\n"
    "    qemu_mutex_lock(&e.lock);\n"
    "    while (!e.set) {\n"
    "        qemu_cond_wait(&e.cond, &e.lock);\n"
    "        if (!loops) {\n            break;\n        }\n    }\n"
    "    SCENARIO_CHECK(e.set, \"it is set\");\n"
    "    qemu_mutex_unlock(&e.lock);\n"
    "    qemu_thread_join(&thread);\n"
    "    qemu_cond_destroy(&e.cond);\n"
    "    qemu_mutex_destroy(&e.lock);\n}\n"
    "SCENARIO(waits) = {.name = \"waits\", .summary = \"waits\", .run = run,\n"
    "    .variants = (const ScenarioVariant[]){\n"
    "        {\"buggy\", \"if\"}, {\"fixed\", \"while\"}, {NULL}}};\n";

static void test_spurious(void **state)
{
    char *dir = test_dir_new();
    g_autofree char *file = g_build_filename(dir, "waits.c", NULL);
    g_autofree char *buggy = g_strconcat(file, "/buggy", NULL);
    g_autofree char *fixed = g_strconcat(file, "/fixed", NULL);
    JsonNode *nodes[3];

    assert_true(g_file_set_contents(file, waits_once, -1, NULL));
    nodes[0] = explore(0, buggy, "dpor", NULL);
    nodes[1] = explore(1, buggy, "dpor", "--spurious");
    nodes[2] = explore(0, fixed, "dpor", "--spurious");
    for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
        assert_true(i == 1 || number(nodes[i], "complete"));
        json_node_unref(nodes[i]);
    }
    test_dir_free(dir);
}

/* A short read goes on where it ended; an error is the scenario's to report. */
static void test_faults(void **state)
{
    static const char *const file_io[] = {
        "file-io", "-p", "requests=2", "-p", "depth=2",
    };
    static const struct {
        const char *faults;
        int status;
    } rows[] = {{"short", 0}, {"again", 0}, {"eio", 1}, {"never", 2}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ChildResult result = aiolab(
            "explore", file_io[0], file_io[1], file_io[2], file_io[3],
            file_io[4], "-n", "1000", "--faults", rows[i].faults, NULL);
        const char *token = strstr(result.out, "aio1-");

        child_expect_status(&result, rows[i].status, rows[i].faults);
        if (rows[i].status == 1) {
            g_autofree char *copy = g_strndup(token, strcspn(token, " \n"));
            ChildResult again = aiolab("run", copy, "-p", "requests=2", "-p",
                                       "depth=2", NULL);

            child_expect_status(&again, 1, copy);
            assert_non_null(strstr(again.out, "Input/output error"));
            child_finish(&again);
        }
        child_finish(&result);
    }
}

/* What is in a store buffer is not in a log. */
static void test_no_log_of_store_buffers(void **state)
{
    ChildResult result = aiolab("explore", "b14-notify-barrier/buggy",
                                "--memory=tso", "-o", "never.aiolog", NULL);

    child_expect_status(&result, 2, "a log with store buffers");
    assert_non_null(strstr(result.err, "store buffers"));
    assert_false(g_file_test("never.aiolog", G_FILE_TEST_EXISTS));
    child_finish(&result);
}

static void test_same_seed_same_token(void **state)
{
    JsonNode *one = explore(1, "b40-throttle-yield/buggy", "portfolio", NULL);
    JsonNode *two = explore(1, "b40-throttle-yield/buggy", "portfolio", NULL);
    g_autofree char *first = first_token(one);
    g_autofree char *second = first_token(two);
    ChildResult again = aiolab("run", first, NULL);

    assert_string_equal(first, second);
    child_expect_status(&again, 1, first);
    assert_non_null(strstr(again.out, "DEADLOCK"));
    child_finish(&again);
    json_node_unref(one);
    json_node_unref(two);
}

static void expect_refused(const char *token, const char *why)
{
    ChildResult result = aiolab("run", token, NULL);

    child_expect_status(&result, 3, token);
    assert_non_null(strstr(result.err, why));
    child_finish(&result);
}

static void test_stale_tokens(void **state)
{
    JsonNode *node = explore(1, "nested-laio/buggy", "portfolio", NULL);
    g_autofree char *token = first_token(node);
    char *identity = strrchr(token, '-') - 1;
    char digit = *identity;

    *identity = digit == '0' ? '1' : '0';
    expect_refused(token, "another version");
    *identity = digit;
    identity += 2; /* the first digit of what the run was asked */
    *identity = *identity == '0' ? '1' : '0';
    expect_refused(token, "leads elsewhere");
    json_node_unref(node);
}

/* GLib has a descriptor for each IOThread, which such schedules never close. */
static void test_abandoned_schedules(void **state)
{
    JsonNode *node = explore(0, "b11-ctx-dispatching/fixed", "dfs",
                             "--max=2000");

    assert_true(number(node, "blocked") > 1024);
    assert_int_equal(number(node, "schedules"), 2000);
    json_node_unref(node);
}

/* What a search says, with or without another program that runs ahead. */
static char *search_with(bool scout, const char *scenario)
{
    ChildResult result;
    char *text;

    if (scout) {
        g_unsetenv("AIOLAB_NO_SCOUT");
    } else {
        g_setenv("AIOLAB_NO_SCOUT", "1", true);
    }
    result = aiolab("explore", scenario, "--max=24000", "--all", "--json",
                    NULL);
    g_unsetenv("AIOLAB_NO_SCOUT");
    assert_int_equal(result.signal, 0);
    text = g_strdup(result.out);
    child_finish(&result);
    return text;
}

/* The same steps, failures and tokens; some fail behind the scout's first. */
static void test_scout(void **state)
{
    static const char *const scenarios[] = {
        "b11-ctx-dispatching/buggy", "b46-two-pollers/fixed",
        "tests/bench/scenarios/fifty-steps.c",
    };

    g_chdir(AIOLAB_SOURCE_DIR);
    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        g_autofree char *with = search_with(true, scenarios[i]);
        g_autofree char *without = search_with(false, scenarios[i]);

        assert_non_null(strstr(with, "\"schedules\":24000"));
        assert_string_equal(with, without);
    }
}

/*
 * What comes before the scenario is done once for all schedules that are drawn,
 * and for each of those that are not: it counts, and nothing else is different.
 */
static void test_beginning_counts(void **state)
{
    static const char *const scenarios[] = {
        "nested-laio/fixed", "b11-ctx-dispatching/fixed", "file-io",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        JsonNode *drawn = explore(0, scenarios[i], "default", "--max=1");
        JsonNode *tried = explore(0, scenarios[i], "bounded:0", NULL);

        assert_int_equal(number(drawn, "schedules"), 1);
        assert_int_equal(number(tried, "schedules"), 1);
        assert_int_equal(number(drawn, "steps"), number(tried, "steps"));
        json_node_unref(drawn);
        json_node_unref(tried);
    }
}

/* Its own findings, not only its word: a token says the same in both. */
static void test_both_programs_agree(void **state)
{
    JsonNode *one = explore(1, "b19-stop-flag/buggy", "random", NULL);
    g_autofree char *scout = g_strconcat(g_getenv("AIOLAB_EXPLORERS"),
                                         "/aiolab-scout", NULL);
    g_autofree char *token = first_token(one);
    ChildResult result;

    g_setenv("AIOLAB_EXPLORER", scout, true);
    result = aiolab("explore", token, "--json", NULL);
    g_unsetenv("AIOLAB_EXPLORER");
    child_expect_status(&result, 1, token);
    assert_non_null(strstr(result.out, token));
    child_finish(&result);
    json_node_unref(one);
}

static void test_usage(void **state)
{
    ChildResult result = aiolab("explore", "nested-laio", "--strategy=luck",
                                NULL);

    child_expect_status(&result, 2, "a strategy that there is not");
    assert_non_null(strstr(result.err, "luck"));
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reductions_agree),
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_spurious),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_log_of_store_buffers),
        cmocka_unit_test(test_same_seed_same_token),
        cmocka_unit_test(test_stale_tokens),
        cmocka_unit_test(test_abandoned_schedules),
        cmocka_unit_test(test_scout),
        cmocka_unit_test(test_both_programs_agree),
        cmocka_unit_test(test_beginning_counts),
        cmocka_unit_test(test_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
