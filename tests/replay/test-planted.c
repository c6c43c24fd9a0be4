/* SPDX-License-Identifier: MIT */
/*
 * The rules of recording, broken on purpose: the digests must notice.
 *
 * An undeclared racy word is a scenario's own mistake; it says itself whether
 * its threads met, and then its replay must not be called identical.  Mistakes
 * of the recorder are built into a program of their own, AIOLAB_PLANTED.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

enum { TRIES = 40, WANTED = 5 };

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

static void record(const char *scenario)
{
    ChildResult result = aiolab("record", scenario, "--host=live",
                                "--no-replay", "-f", "-o", path, NULL);

    child_expect_ok(&result, scenario);
    child_finish(&result);
}

static int64_t recorded_result(const char *name)
{
    g_autofree char *key = g_strconcat("result.", name, NULL);
    Error *err = NULL;
    Log *log = log_open(path, &err);
    int64_t value;

    assert_non_null(log);
    value = log_meta_int(log, key, -1);
    log_close(log, NULL);
    return value;
}

/* True if the replay was a divergence, false if it was identical. */
static bool diverges(const char *what)
{
    ChildResult result = aiolab("replay", path, NULL);
    bool caught = result.status == 4;

    if (caught) {
        assert_non_null(strstr(result.err, "DIVERGENCE"));
    } else {
        child_expect_ok(&result, what);
    }
    child_finish(&result);
    return caught;
}

/* What bisect-divergence says of the recording that has just diverged. */
static void expect_narrowed_down(void)
{
    ChildResult result = aiolab("bisect-divergence", path, NULL);

    child_expect_status(&result, 4, "bisect-divergence");
    assert_non_null(strstr(result.out, "DIVERGENCE at input "));
    assert_non_null(strstr(result.out, "  got             racer"));
    assert_non_null(strstr(result.out, "Two replays agree with each other"));
    assert_true(strstr(result.out, "Meanwhile ran, and may have written") ||
                strstr(result.out, "No other thread took an input meanwhile"));
    assert_non_null(strstr(result.out, "bh.begin"));
    child_finish(&result);
}

/* Every input up to the divergence is in exactly one line of --threads. */
static void expect_threads_told(void)
{
    ChildResult result = aiolab("replay", "--threads", path, NULL);
    g_auto(GStrv) lines = g_strsplit(result.out, "\n", 0);
    size_t next = 1, first, last;
    char thread[32];
    unsigned number;

    for (unsigned i = 0; lines[i]; i++) {
        if (sscanf(lines[i], " %zu - %zu %u %31s", &first, &last, &number,
                   thread) == 4) {
            assert_int_equal(first, next);
            assert_true(last >= first);
            next = last + 1;
        }
    }
    assert_true(next > 1);
    child_finish(&result);
}

static void test_racy_word(void **state)
{
    const char *scenario = g_getenv("RACY_WORD");
    unsigned met = 0;

    for (unsigned i = 0; i < TRIES && met < WANTED; i++) {
        record(scenario);
        if (recorded_result("overlaps") > 0) {
            met++;
            if (!diverges(scenario)) {
                fail_msg("an undeclared racy word was not noticed");
            }
            expect_narrowed_down();
            expect_threads_told();
        }
    }
    assert_true(met > 0);
}

/* ---- Mistakes of the recorder ---- */

/* The planted program records, and the right one replays. */
static void record_planted(const char *mistake, const char *scenario)
{
    g_autofree char *program = g_strdup(g_getenv("AIOLAB"));

    g_setenv("AIOLAB_PLANT", mistake, true);
    g_setenv("AIOLAB", g_getenv("AIOLAB_PLANTED"), true);
    record(scenario);
    g_setenv("AIOLAB", program, true);
    g_unsetenv("AIOLAB_PLANT");
}

/* How many of @tries recordings with that mistake do not replay. */
static unsigned count_caught(const char *mistake, const char *scenario,
                             unsigned tries)
{
    g_autofree char *object = g_strdup_printf("%s/%s.so", g_getenv("STRESS"),
                                              scenario);
    unsigned caught = 0;

    for (unsigned i = 0; i < tries; i++) {
        record_planted(mistake, object);
        caught += diverges(mistake);
    }
    print_message("%s in %s: %u of %u caught\n", mistake, scenario, caught,
                  tries);
    return caught;
}

/* So that the program itself is not what is noticed. */
static void test_no_mistake(void **state)
{
    assert_int_equal(count_caught("none", "words", 3), 0);
    assert_int_equal(count_caught("none", "bh-storm", 3), 0);
}

/* Whether somebody comes between is chance, but not for ever. */
static void test_number_outside(void **state)
{
    assert_true(count_caught("word", "words", 10) > 0);
    assert_true(count_caught("lock", "threads-sync", 10) > 0);
}

static void test_dropped_observation(void **state)
{
    assert_int_equal(count_caught("seen", "bh-storm", 5), 5);
    assert_int_equal(count_caught("seen", "wait-kick", 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_racy_word),
        cmocka_unit_test(test_no_mistake),
        cmocka_unit_test(test_number_outside),
        cmocka_unit_test(test_dropped_observation),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
