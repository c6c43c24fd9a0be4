/* SPDX-License-Identifier: MIT */
/* AIO_REC_ASSERT(): a value that is another one in a replay ends it there. */
#include "log.h"
#include "program.h"
#include "testlib.h"

#define SCENARIO_FILE AIOLAB_SOURCE_DIR "/tests/replay/scenarios/whim.c"

static char *dir, *path;

static int setup(void **state)
{
    dir = test_dir_new();
    path = g_build_filename(dir, "run.aiolog", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    return 0;
}

static void record(const char *host, const char *act)
{
    g_autofree char *param = g_strconcat("act=", act, NULL);
    ChildResult result = aiolab("record", g_getenv("WHIM_SO"), host, "-p",
                                param, "-f", "-o", path, NULL);

    child_expect_ok(&result, act);
    child_finish(&result);
}

static unsigned asserts_in_log(void)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    size_t n;
    g_autofree Input *inputs = log ? log_inputs(log, &n, &err) : NULL;
    unsigned found = 0;

    assert_non_null(inputs);
    for (size_t i = 0; i < n; i++) {
        found += inputs[i].kind == INPUT_ASSERT;
    }
    log_close(log, NULL);
    return found;
}

static void test_equal(const char *host)
{
    record(host, "equal");
    assert_int_equal(asserts_in_log(), 5);
    expect_identical(path, host);
    record(host, "assert");
    expect_identical(path, host);
}

/* Where the scenario says so, by its own text. */
static unsigned line_of_assertion(void)
{
    g_autofree char *text = NULL;
    unsigned line = 1;

    assert_true(g_file_get_contents(SCENARIO_FILE, &text, NULL, NULL));
    assert_non_null(strstr(text, "/* the test looks for this line */"));
    for (const char *p = text;
         p < strstr(text, "/* the test looks for this line */"); p++) {
        line += *p == '\n';
    }
    return line;
}

static void test_differs(const char *host)
{
    g_autofree char *place = g_strdup_printf("whim.c:%u with value 7",
                                             line_of_assertion());
    g_autofree char *expected = g_strdup_printf("assert line %u value 3",
                                                line_of_assertion());
    ChildResult result;

    record(host, "assert");
    g_setenv("WHIM", "1", true);
    result = aiolab("replay", path, NULL);
    g_unsetenv("WHIM");
    child_expect_status(&result, 4, host);
    assert_true(g_str_has_prefix(result.err, "DIVERGENCE at input "));
    assert_non_null(strstr(result.err, "AIO_REC_ASSERT at "));
    assert_non_null(strstr(result.err, place));
    assert_non_null(strstr(result.err, expected));
    child_finish(&result);
}

static void test_equal_live(void **state)
{
    test_equal("--host=live");
}

static void test_equal_sim(void **state)
{
    test_equal("--host=sim");
}

static void test_differs_live(void **state)
{
    test_differs("--host=live");
}

static void test_differs_sim(void **state)
{
    test_differs("--host=sim");
}

/* Not recorded, it does nothing. */
static void test_not_recorded(void **state)
{
    for (const char *const *host = (const char *const[]){
             "--host=live", "--host=sim", NULL}; *host; host++) {
        ChildResult result = aiolab("run", g_getenv("WHIM_SO"), *host, "-p",
                                    "act=assert", NULL);

        child_expect_ok(&result, *host);
        child_finish(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_live), cmocka_unit_test(test_equal_sim),
        cmocka_unit_test(test_differs_live), cmocka_unit_test(test_differs_sim),
        cmocka_unit_test(test_not_recorded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
