/* SPDX-License-Identifier: MIT */
/* aiolab diff: what is the same, where it parts, and what it is not fooled by. */
#include "program.h"
#include "testlib.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <unistd.h>

static char *dir, *image, *a, *b;

static int setup(void **state)
{
    dir = test_dir_new();
    image = new_image(dir, 1 << 20);
    a = g_build_filename(dir, "a.aiolog", NULL);
    b = g_build_filename(dir, "b.aiolog", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(image);
    g_free(a);
    g_free(b);
    return 0;
}

/* ---- Recording ---- */

static void record(const char *path, const char *scenario, const char *host,
                   unsigned seed)
{
    g_autofree char *number = g_strdup_printf("--seed=%u", seed);
    g_autofree char *param = g_strconcat("image=", image, NULL);
    bool file = g_str_equal(scenario, "file-io");
    ChildResult result = aiolab("record", scenario, host, number, "-q", "-f",
                                "-o", path, file ? "-p" : NULL, param, "-p",
                                "requests=40", NULL);

    child_expect_ok(&result, scenario);
    child_finish(&result);
}

static char *scenario_file(const char *name)
{
    return g_build_filename(AIOLAB_SOURCE_DIR, "tests/replay/scenarios", name,
                            NULL);
}

/* ---- What it says ---- */

/* Takes the result; each of the words, up to a NULL, must be there. */
static void expect_said(ChildResult result, int status, const char *what, ...)
{
    const char *word;
    va_list ap;

    child_expect_status(&result, status, what);
    va_start(ap, what);
    while ((word = va_arg(ap, const char *))) {
        if (!strstr(result.out, word)) {
            fail_msg("%s: no '%s' in: %s", what, word, result.out);
        }
    }
    va_end(ap);
    child_finish(&result);
}

/* One line on stderr, and nothing else. */
static void expect_refused(ChildResult result, int status, const char *word)
{
    child_expect_status(&result, status, word);
    if (*result.out || !strstr(result.err, word) ||
        strchr(result.err, '\n') != result.err + strlen(result.err) - 1) {
        fail_msg("%s: '%s' '%s'", word, result.out, result.err);
    }
    child_finish(&result);
}

static void test_same(void **state)
{
    record(a, "drain", "--host=sim", 3);
    record(b, "drain", "--host=sim", 3);
    expect_said(aiolab("diff", a, a, NULL), 0, "itself",
                "All events are the same", "inputs are the same", NULL);
    expect_said(aiolab("diff", a, b, NULL), 0, "the same seed",
                "All events are the same", "inputs are the same", NULL);
    expect_said(aiolab("diff", "drain", a, "--seed=3", NULL), 0, "simulated",
                "All events are the same", NULL);
    expect_said(aiolab("diff", a, b, "--json", NULL), 0, "json",
                "{\"identical\":true,", "\"run_differently\":[]", NULL);
    record(a, "file-io", "--host=live", 0);
    expect_said(aiolab("diff", a, a, NULL), 0, "live and itself",
                "All events are the same", NULL);
}

/* One value, with both logs' tables. */
static int64_t query(const char *sql)
{
    g_autofree char *attach = g_strdup_printf("ATTACH '%s' AS other", b);
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db;
    int64_t value;

    assert_int_equal(sqlite3_open(a, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static int64_t said_number(const ChildResult *result, const char *name)
{
    g_autofree char *key = g_strdup_printf("\"%s\":", name);
    const char *at = strstr(result->out, key);

    if (!at) {
        fail_msg("no %s in: %s", name, result->out);
    }
    return g_ascii_strtoll(at + strlen(key), NULL, 10);
}

/* The event that is named is the first that differs, says SQL. */
static void test_two_seeds(void **state)
{
    record(a, "drain", "--host=sim", 1);
    for (unsigned seed = 2; seed <= 8; seed++) {
        g_autofree char *other = g_strdup_printf("--other-seed=%u", seed);
        ChildResult result;
        int64_t first;

        record(b, "drain", "--host=sim", seed);
        result = aiolab("diff", a, b, "--json", NULL);
        child_expect_status(&result, 1, "two seeds");
        /* Times are not compared, so an event may differ in its arguments. */
        first = query("SELECT min(m.seq) FROM main.event m JOIN other.event o "
                      "ON o.seq = m.seq WHERE m.kind <> o.kind OR m.thread <> "
                      "o.thread OR m.obj <> o.obj OR m.kind = 'choice' AND "
                      "(m.a <> o.a OR m.b <> o.b)");
        assert_int_equal(said_number(&result, "common"), first - 1);
        child_finish(&result);
        expect_said(aiolab("diff", a, b, NULL), 1, "two seeds",
                    "They were run differently: seed is 1 in A, ",
                    " choice ", "The first input that differs comes behind ",
                    "choice of a thread: ", "When they parted",
                    "Thread by thread", NULL);
        expect_said(aiolab("diff", "drain", "drain", "--seed=1", other, NULL),
                    1, "simulated", " choice ", NULL);
    }
}

static void test_only_order(void **state)
{
    g_autofree char *scenario = scenario_file("apart.c");
    ChildResult result;

    record(a, scenario, "--host=sim", 1);
    record(b, scenario, "--host=sim", 2);
    expect_said(aiolab("diff", a, b, NULL), 1, "order",
                "Each thread does the same in both; only the order",
                "left       does the same: ", "right      does the same: ",
                NULL);
    /* The threads have each other's numbers. */
    result = aiolab("record", scenario, "--host=sim", "-p", "swap=1", "-q",
                    "-f", "-o", b, NULL);
    child_expect_ok(&result, "swap");
    child_finish(&result);
    expect_said(aiolab("diff", a, b, NULL), 1, "swapped",
                "They were run differently: param.swap is 0 in A, 1 in B",
                "Each thread does the same in both; only the order", NULL);
}

static void test_live_and_simulated(void **state)
{
    record(a, "file-io", "--host=live", 0);
    record(b, "file-io", "--host=sim", 2);
    expect_said(aiolab("diff", a, b, NULL), 1, "live and simulated",
                "They were run differently: host is live in A, sim in B",
                "\nthen come\n", "\nThread by thread\n", NULL);
}

static void test_other_scenario(void **state)
{
    record(a, "drain", "--host=sim", 1);
    record(b, "bh-order", "--host=sim", 1);
    expect_said(aiolab("diff", a, b, NULL), 1, "scenarios",
                "They were run differently: scenario is drain in A, bh-order",
                NULL);
    expect_said(aiolab("diff", "nested-laio/buggy", "nested-laio/fixed",
                       "--events=2", NULL), 1, "variants", "the run is stuck",
                "request A held by this callback, 1 of 2", "2 events later", NULL);
}

/* A run that is the beginning of the other. */
static void test_shorter(void **state)
{
    ChildResult result = aiolab("record", "drain", "--host=sim", "--seed=1",
                                "--max-steps=150", "-q", "-f", "-o", a, NULL);

    child_finish(&result);
    record(b, "drain", "--host=sim", 1);
    expect_said(aiolab("diff", a, b, NULL), 1, "shorter",
                "  A        has no more: the recording was cut\n  B ",
                "  A        has no more\n  B ", "  A        nothing more\n  B ",
                NULL);
    expect_said(aiolab("diff", b, a, NULL), 1, "longer",
                "  B        has no more: the recording was cut\n", NULL);
}

static void test_output(void **state)
{
    g_autofree char *out = g_build_filename(dir, "out", NULL);
    g_autofree char *text = NULL;
    ChildResult result;

    record(a, "drain", "--host=sim", 1);
    record(b, "drain", "--host=sim", 2);
    result = aiolab("diff", a, b, "-q", NULL);
    child_expect_status(&result, 1, "quiet");
    assert_string_equal(result.out, "");
    child_finish(&result);
    result = aiolab("diff", a, b, "-o", out, NULL);
    child_expect_status(&result, 1, "output");
    assert_string_equal(result.out, "");
    child_finish(&result);
    assert_true(g_file_get_contents(out, &text, NULL, NULL));
    assert_non_null(strstr(text, "then come"));
    expect_refused(aiolab("diff", a, b, "-o", b, NULL), 3, "is what is read");
    expect_said(aiolab("diff", a, b, "-q", NULL), 1, "still there", NULL);
}

static void test_bad_input(void **state)
{
    g_autofree char *missing = g_build_filename(dir, "none.aiolog", NULL);
    g_autofree char *bytes = NULL;
    size_t len;

    record(a, "drain", "--host=sim", 1);
    expect_refused(aiolab("diff", a, missing, NULL), 3, "no such file");
    expect_refused(aiolab("diff", missing, a, NULL), 3, "no such file");
    expect_refused(aiolab("diff", a, image, NULL), 3, "not an aiolab log");
    expect_refused(aiolab("diff", a, "nothing", NULL), 2, "no scenario");
    expect_refused(aiolab("diff", a, NULL), 2, "two logs");
    expect_refused(aiolab("diff", a, a, "-n", "0", NULL), 2, "--events of 1");
    assert_true(g_file_get_contents(a, &bytes, &len, NULL));
    assert_true(g_file_set_contents(b, bytes, len / 3, NULL));
    expect_refused(aiolab("diff", a, b, NULL), 3, "damaged log");
    expect_refused(aiolab("diff", b, a, NULL), 3, "damaged log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_two_seeds),
        cmocka_unit_test(test_only_order),
        cmocka_unit_test(test_live_and_simulated),
        cmocka_unit_test(test_other_scenario),
        cmocka_unit_test(test_shorter),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_bad_input),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
