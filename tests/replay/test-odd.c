/* SPDX-License-Identifier: MIT */
/* Programs that end, open files or start threads as few do: scenarios/odd.c. */
#include "program.h"
#include "testlib.h"

static char *dir, *path, *image;

static int setup(void **state)
{
    g_autofree char *zeros = g_malloc0(4096);

    dir = test_dir_new();
    path = g_build_filename(dir, "run.aiolog", NULL);
    image = g_build_filename(dir, "disk.img", NULL);
    return g_file_set_contents(image, zeros, 4096, NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    g_free(image);
    return 0;
}

static void record(const char *act, int status, const char *said)
{
    g_autofree char *param = g_strconcat("act=", act, NULL);
    g_autofree char *file = g_strconcat("image=", image, NULL);
    ChildResult result = aiolab("record", g_getenv("ODD_SO"), "-p", param, "-p",
                                file, "--no-replay", "--data=hash", "-q", "-f",
                                "-o", path, NULL);

    child_expect_status(&result, status, act);
    if (!strstr(result.err, said)) {
        fail_msg("%s: it does not say \"%s\": %s", act, said, result.err);
    }
    child_finish(&result);
}

static void expect_cut(const char *act)
{
    ChildResult result = aiolab_limited(60, "replay", path, NULL);

    child_expect_status(&result, 3, act);
    if (!strstr(result.err, "all of them were identical")) {
        fail_msg("%s: %s", act, result.err);
    }
    child_finish(&result);
}

/* What was recorded before is kept, whatever the status. */
static void test_exit(void **state)
{
    ChildResult result;

    record("exit", 7, "ended the process, with status 7");
    result = aiolab("verify", path, NULL);
    child_expect_ok(&result, "verify");
    child_finish(&result);
}

/* The replay of a thread that was killed looking does not look for ever. */
static void test_only_looks(void **state)
{
    g_setenv("ODD_KILL", "yes", true);
    record("only-looks", 137, "killed by signal 9");
    g_unsetenv("ODD_KILL");
    expect_cut("only-looks");
}

static void test_opens(void **state)
{
    record("opens", 0, "");
    expect_identical(path, "opens");
}

static void test_locals(void **state)
{
    record("locals", 0, "");
    expect_identical(path, "locals");
}

static void test_locals_simulated(void **state)
{
    ChildResult result = aiolab("run", g_getenv("ODD_SO"), "--host=sim",
                                "--seed=3", NULL);

    child_expect_ok(&result, "simulated");
    child_finish(&result);
}

static void test_foreign(void **state)
{
    record("foreign", 5, "another library has started");
    expect_cut("foreign");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit), cmocka_unit_test(test_only_looks),
        cmocka_unit_test(test_opens), cmocka_unit_test(test_locals),
        cmocka_unit_test(test_locals_simulated), cmocka_unit_test(test_foreign),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
