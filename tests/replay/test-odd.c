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

static void expect_said(const char *act, const char *said)
{
    ChildResult result = aiolab_limited(60, "replay", path, NULL);

    child_expect_ok(&result, act);
    if (!strstr(result.out, "identical") || !strstr(result.out, said)) {
        fail_msg("%s: it does not say \"%s\": %s%s", act, said, result.out,
                 result.err);
    }
    child_finish(&result);
}

/* What was recorded before is kept, whatever the status. */
static void test_exits(void **state)
{
    ChildResult result;

    record("_exit", 7, "ended the process, with status 7");
    result = aiolab("verify", path, NULL);
    child_expect_ok(&result, "verify");
    child_finish(&result);
    expect_said("_exit", "exit(7), as recorded");
    record("exit", 3, "ended the process, with status 3");
    expect_said("exit", "exit(3), as recorded");
}

static void test_signals(void **state)
{
    record("kill", 143, "killed by signal 15");
    expect_said("kill", "signal 15, as recorded");
    record("raise", 0, "");
    expect_said("raise", "the run ended well");
}

static void simulate(const char *act, const char *said)
{
    g_autofree char *param = g_strconcat("act=", act, NULL);
    ChildResult result = aiolab_limited(60, "run", g_getenv("ODD_SO"), "-p",
                                        param, "--host=sim", NULL);

    child_expect_ok(&result, act);
    if (!strstr(result.out, said)) {
        fail_msg("%s, simulated: %s", act, result.out);
    }
    child_finish(&result);
}

static void test_simulated_ends(void **state)
{
    simulate("exit", "the scenario has ended its process: exit(3)");
    simulate("kill", "the scenario has ended its process: signal 15");
    simulate("raise", "done");
    simulate("pthread_exit", "done");
    simulate("detached", "done");
}

static void test_thread_ends(void **state)
{
    record("pthread_exit", 0, "");
    expect_identical(path, "pthread_exit");
}

/* It is waited for, not for ever; what it did and the results are there. */
static void test_detached(void **state)
{
    ChildResult result;

    record("detached", 0, "a detached thread still ran");
    expect_identical(path, "detached");
    result = aiolab("verify", path, NULL);
    child_expect_ok(&result, "verify");
    child_finish(&result);
}

static void test_sleeps_until_done(void **state)
{
    record("sleep", 0, "");
    expect_identical(path, "sleep");
}

static void test_note_differs(void **state)
{
    ChildResult result;

    record("note-pid", 0, "");
    result = aiolab_limited(60, "replay", path, NULL);
    child_expect_status(&result, 4, "a note that differs");
    assert_non_null(strstr(result.err, "note"));
    child_finish(&result);
}

/* What no replay could do ends the recording, by name. */
static void test_refused(void **state)
{
    record("foreign-idle", 5, "another library has started");
    record("child-watch", 5, "calls g_child_watch_add()");
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
    for (unsigned i = 0; i < 20; i++) { /* which thread is faster varies */
        expect_cut("foreign");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exits), cmocka_unit_test(test_signals),
        cmocka_unit_test(test_simulated_ends),
        cmocka_unit_test(test_thread_ends), cmocka_unit_test(test_detached),
        cmocka_unit_test(test_sleeps_until_done),
        cmocka_unit_test(test_note_differs), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_only_looks),
        cmocka_unit_test(test_opens), cmocka_unit_test(test_locals),
        cmocka_unit_test(test_locals_simulated), cmocka_unit_test(test_foreign),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
