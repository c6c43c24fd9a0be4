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

/* False where live runs of several threads cannot be recorded. */
static bool record(const char *scenario)
{
    ChildResult result = aiolab("record", scenario, "--host=live",
                                "--no-replay", "-f", "-o", path, NULL);
    bool refused = result.status == 5;

    if (!refused) {
        child_expect_ok(&result, scenario);
    }
    child_finish(&result);
    return !refused;
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

static void test_racy_word(void **state)
{
    const char *scenario = g_getenv("RACY_WORD");
    unsigned met = 0;

    for (unsigned i = 0; i < TRIES && met < WANTED; i++) {
        if (!record(scenario)) {
            skip();
        }
        if (recorded_result("overlaps") > 0) {
            met++;
            if (!diverges(scenario)) {
                fail_msg("an undeclared racy word was not noticed");
            }
        }
    }
    assert_true(met > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_racy_word),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
