/* SPDX-License-Identifier: MIT */
/*
 * Files of findings: the same unit makes the same file, in whatever order files
 * are merged, and a file that cannot be trusted is left out of the merge.
 */
#include "program.h"
#include "testlib.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

static char *dir;

static int setup(void **state)
{
    dir = test_dir_new();
    return g_chdir(dir);
}

static int teardown(void **state)
{
    test_dir_free(dir);
    return 0;
}

static void do_unit(const char *unit, const char *file)
{
    ChildResult result = aiolab("explore", "--unit", unit, "-o", file, "-f",
                                NULL);

    child_expect_status(&result, 1, unit);
    child_finish(&result);
}

static void expect_same_bytes(const char *a, const char *b)
{
    g_autofree char *x = NULL, *y = NULL;
    size_t n, m;

    assert_true(g_file_get_contents(a, &x, &n, NULL));
    assert_true(g_file_get_contents(b, &y, &m, NULL));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
}

static void change(const char *file, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

static int64_t number(const char *file, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t value;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static const char first[] = "bh-order/thread max=50 all";
static const char second[] = "bh-order/thread from=50 max=50 all";

static void test_same_unit_same_file(void **state)
{
    do_unit(first, "a");
    do_unit(first, "b");
    expect_same_bytes("a", "b");
}

static void test_any_order(void **state)
{
    ChildResult ab, ba;

    do_unit(first, "a");
    do_unit(second, "b");
    ab = aiolab("merge", "a", "b", "-o", "ab", "-f", NULL);
    ba = aiolab("merge", "b", "a", "-o", "ba", "-f", NULL);
    child_expect_status(&ab, 1, "a, b");
    child_expect_status(&ba, 1, "b, a");
    assert_string_equal(ab.out, ba.out);
    assert_int_equal(number("ab", "SELECT count(*) FROM unit"), 2);
    assert_int_equal(number("ab", "SELECT sum(schedules) FROM unit"), 100);
    assert_int_equal(number("ab", "SELECT total(seen) FROM finding"),
                     number("a", "SELECT total(seen) FROM finding") +
                         number("b", "SELECT total(seen) FROM finding"));
    child_finish(&ab);
    child_finish(&ba);
    ab = aiolab("merge", "ab", "-o", "ab2", "-f", NULL); /* once more */
    child_expect_status(&ab, 1, "ab");
    child_finish(&ab);
    expect_same_bytes("ab", "ab2");
    expect_same_bytes("ab", "ba");
}

/* It is said in one line, counts for nothing, and the other file does. */
static void expect_left_out(const char *file, const char *said)
{
    ChildResult result = aiolab("merge", "good", file, "-o", "all", "-f", NULL);

    child_expect_status(&result, 3, file);
    if (!g_str_has_prefix(result.err, "aiolab: ") ||
        !strstr(result.err, said) ||
        strchr(result.err, '\n') != result.err + strlen(result.err) - 1) {
        fail_msg("%s: %s", file, result.err);
    }
    assert_non_null(strstr(result.out, "1 units, 50 schedules"));
    assert_non_null(strstr(result.out, "1 files were left out"));
    assert_int_equal(number("all", "SELECT count(*) FROM unit"), 1);
    child_finish(&result);
}

static void test_canary(void **state)
{
    do_unit(first, "good");
    do_unit(second, "silent");
    do_unit(second, "other");
    change("silent", "DELETE FROM meta WHERE k = 'canary'");
    expect_left_out("silent", "silent: its canary is silent");
    change("other", "UPDATE meta SET v = 'aio1-x 0' WHERE k = 'canary'");
    expect_left_out("other", "other: its canary sang 'aio1-x 0'");
}

static void test_not_whole(void **state)
{
    g_autofree char *data = NULL;
    size_t n;

    do_unit(first, "good");
    do_unit(second, "version");
    change("version", "UPDATE meta SET v = '0.0.0' WHERE k = 'version'");
    expect_left_out("version", "version: is of another version");
    expect_left_out("good", "good: the unit '");
    expect_left_out("missing", "missing: cannot be read");

    do_unit(second, "damaged");
    change("damaged", "UPDATE finding SET json = 'x' WHERE signature ="
           " (SELECT max(signature) FROM finding)");
    expect_left_out("damaged", "damaged: is damaged: a finding cannot be read");

    assert_true(g_file_get_contents("good", &data, &n, NULL));
    assert_true(g_file_set_contents("cut", data, n / 2, NULL));
    expect_left_out("cut", "cut: ");
    assert_true(g_file_set_contents("text", "hello", -1, NULL));
    expect_left_out("text", "text: holds no findings");
}

/* Neither over another file, nor half of one. */
static void test_nothing_is_lost(void **state)
{
    g_autofree char *text = NULL;
    ChildResult result;

    assert_true(g_file_set_contents("mine", "precious", -1, NULL));
    result = aiolab("explore", "--unit", first, "-o", "mine", NULL);
    child_expect_status(&result, 5, "no --force");
    assert_non_null(strstr(result.err, "mine: exists"));
    child_finish(&result);
    assert_true(g_file_get_contents("mine", &text, NULL, NULL));
    assert_string_equal(text, "precious");
    assert_false(g_file_test("mine.partial", G_FILE_TEST_EXISTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_unit_same_file),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_canary),
        cmocka_unit_test(test_not_whole),
        cmocka_unit_test(test_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
