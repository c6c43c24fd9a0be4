/* SPDX-License-Identifier: MIT */
/*
 * What the tables say of runs whose truth is known: that the events of locks
 * fit together, and that the views count what they claim to count.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <unistd.h>

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

/* Records @scenario, which is simulated with @seed. */
static Log *record(const char *scenario, unsigned seed, int status,
                   const char *param)
{
    g_autofree char *number = g_strdup_printf("%u", seed);
    ChildResult result = aiolab("record", scenario, "--host=sim", "--seed",
                                number, "-q", "-f", "-o", path,
                                param ? "-p" : NULL, param, NULL);
    Error *err = NULL;
    Log *log;

    child_expect_status(&result, status, scenario);
    child_finish(&result);
    log = log_open(path, &err);
    if (!log) {
        fail_msg("%s: %s", scenario, error_get_pretty(err));
    }
    return log;
}

static int64_t query(Log *log, const char *sql)
{
    Error *err = NULL;
    g_autofree char *text = log_query(log, sql, &err);

    if (err) {
        fail_msg("%s: %s", sql, error_get_pretty(err));
    }
    return text ? g_ascii_strtoll(text, NULL, 10) : -1;
}

static void expect(Log *log, const char *sql, int64_t want)
{
    int64_t got = query(log, sql);

    if (got != want) {
        fail_msg("%s: is %" PRId64 ", not %" PRId64, sql, got, want);
    }
}

static char *scenario_file(const char *name)
{
    return g_build_filename(AIOLAB_SOURCE_DIR, "tests/replay/scenarios", name,
                            NULL);
}

/* ---- Locks ---- */

/* Each mutex: taken, released, taken; by one thread each time. */
#define PAIRS                                                               \
    "WITH pair AS (SELECT kind, thread, lead(kind) OVER next AS kind2, "    \
    "lead(thread) OVER next AS thread2 FROM event "                         \
    "WHERE kind IN ('lock', 'unlock') "                                     \
    "WINDOW next AS (PARTITION BY obj ORDER BY seq)) "

static void expect_lock_order(Log *log)
{
    expect(log, PAIRS "SELECT count(*) FROM pair WHERE kind = kind2", 0);
    expect(log, PAIRS "SELECT count(*) FROM pair "
                      "WHERE kind = 'lock' AND thread <> thread2", 0);
    /* Each input that takes a mutex has its event. */
    expect(log, "SELECT (SELECT count(*) FROM event WHERE kind = 'lock') - "
                "(SELECT count(*) FROM input WHERE kind IN ('lock', 'cond') "
                " OR kind = 'trylock' AND a)", 0);
}

static void test_lock_events(void **state)
{
    g_autofree char *scenario = scenario_file("locks.c");

    for (unsigned seed = 1; seed <= 10; seed++) {
        Log *log = record(scenario, seed, 0, NULL);

        expect_lock_order(log);
        expect(log, "SELECT (SELECT count(*) FROM event WHERE kind = 'lock') -"
                    "(SELECT count(*) FROM event WHERE kind = 'unlock')", 0);
        expect(log, "SELECT count(*) FROM event WHERE kind = 'lock' "
                    "AND text = '&recursive'", 3 * 4);
        log_close(log, NULL);
        expect_identical(path, scenario);
    }
}

static void expect_says(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (!strstr(text, *words)) {
            fail_msg("no '%s' in: %s", *words, text);
        }
    }
}

/* Who has what, and who wants it. */
static void test_deadlock(void **state)
{
    g_autofree char *scenario = scenario_file("locks.c/deadlock");
    Log *log = record(scenario, 2, 1, NULL);
    ChildResult result;

    expect_lock_order(log);
    log_close(log, NULL);
    result = aiolab("replay", path, NULL);
    child_expect_ok(&result, "replay");
    expect_says(result.out, (const char *const[]){
        "waits for mutex other (mutex", "in run_deadlock, ",
        "which crosser holds  since event ", "in other_way_round, ",
        "waits for mutex shared (mutex", "which main holds", NULL});
    child_finish(&result);

    result = aiolab("inspect", path, "locks", NULL);
    child_expect_ok(&result, "inspect");
    expect_says(result.out, (const char *const[]){
        "main       holds shared (mutex", "crosser    waits for it  in ",
        "crosser    holds other (mutex", "main       waits for it  in ", NULL});
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock_events),
        cmocka_unit_test(test_deadlock),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
