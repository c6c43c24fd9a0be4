/* SPDX-License-Identifier: MIT */
/*
 * What the tables say of runs whose truth is known: that the events of locks
 * fit together, and that the views count what they claim to count.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <sqlite3.h>
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
        "DEADLOCK  lock cycle", "  main waits for ", "mutex other (mutex",
        "(run_deadlock, ", " is held by ", "(other_way_round, ",
        "  crosser waits for ", "mutex shared (mutex",
        "<- back to main: cycle of 4", NULL});
    child_finish(&result);

    result = aiolab("inspect", path, "locks", NULL);
    child_expect_ok(&result, "inspect");
    expect_says(result.out, (const char *const[]){
        "main       holds shared (mutex", "crosser    waits for it  in ",
        "crosser    holds other (mutex", "main       waits for it  in ", NULL});
    child_finish(&result);
}

/* ---- Views ---- */

/* Every row is there, and what it refers to as well. */
static void expect_views_fit(Log *log)
{
    expect(log, "SELECT (SELECT count(*) FROM lock_hold) - "
                "(SELECT count(*) FROM event WHERE kind = 'lock')", 0);
    expect(log, "SELECT (SELECT count(*) FROM bh_latency) - "
                "(SELECT count(*) FROM event WHERE kind = 'bh.begin')", 0);
    expect(log, "SELECT count(*) FROM bh_latency "
                "WHERE scheduled_seq IS NULL OR times < 1", 0);
    expect(log, "SELECT (SELECT count(*) FROM coroutine_legs) - "
                "(SELECT count(*) FROM event WHERE kind = 'co.enter')", 0);
    expect(log, "SELECT (SELECT count(*) FROM turn) - "
                "(SELECT count(*) FROM input WHERE kind = 'turn')", 0);
    expect(log, "SELECT count(*) FROM turn WHERE begin_seq IS NULL "
                "OR digest IS NULL OR ticket IS NULL", 0);
    expect(log, "SELECT (SELECT count(*) FROM replay_event "
                "WHERE ticket IS NOT NULL AND bh IS NOT NULL) - "
                "(SELECT count(*) FROM input WHERE kind = 'replay.bh')", 0);
    expect(log, "SELECT (SELECT count(*) FROM io_latency WHERE queued) - "
                "(SELECT count(DISTINCT obj) FROM event "
                "WHERE kind = 'req.queued')", 0);
    /* Whatever ran was woken. */
    expect(log, "SELECT count(*) FROM event WHERE kind IN "
                "('bh.begin', 'co.enter') AND seq NOT IN "
                "(SELECT ran_seq FROM who_woke WHERE ran_seq IS NOT NULL)", 0);
    /* An event has an inside only where that has begun and not ended. */
    expect(log, "SELECT count(*) FROM event e WHERE inside AND NOT EXISTS ("
                "SELECT 1 FROM event b WHERE b.obj = e.inside AND b.seq < "
                "e.seq AND b.kind IN ('bh.begin', 'fd.begin', 'timer.begin', "
                "'cqe.begin', 'co.enter'))", 0);
}

/* The compiled scenario must still be there to say what its functions are. */
static void test_own_functions(void **state)
{
    g_autofree char *scenario = scenario_file("locks.c/deadlock");
    Log *log = record(scenario, 2, 1, NULL);
    ChildResult result = aiolab("inspect", path, "bt", NULL);

    child_expect_ok(&result, "inspect bt");
    assert_non_null(strstr(result.out, "tests/replay/scenarios/locks.c:"));
    assert_null(strstr(result.out, "??"));
    assert_null(strstr(result.out, "probe_show"));
    assert_null(strstr(result.out, " replay/"));
    child_finish(&result);
    log_close(log, NULL);
}

static void test_views_of_drain(void **state)
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        Log *log = record("drain", seed, 0, seed % 2 ? "latency=0" : NULL);

        expect_views_fit(log);
        expect(log, "SELECT count(*) FROM drain WHERE begin_seq < idle_seq "
                    "AND idle_seq < end_seq", 3);
        expect(log, "SELECT count(*) FROM io_latency "
                    "WHERE result = 0 AND end_seq", 6);
        log_close(log, NULL);
    }
}

/* The numbers that scenarios/views.c is made for. */
static void test_known_numbers(void **state)
{
    g_autofree char *scenario = scenario_file("views.c");
    Log *log = record(scenario, 1, 0, NULL);

    expect_views_fit(log);
    /* From the schedule behind the cancel on, and not from the last. */
    expect(log, "SELECT times FROM bh_latency WHERE bh LIKE 'count_call%' "
                "ORDER BY seq LIMIT 1", 3);
    expect(log, "SELECT count(*) FROM replay_event r JOIN event e "
                "ON e.seq = r.ran_seq AND e.kind = 'bh.begin'", 2);
    expect(log, "SELECT count(DISTINCT call) FROM replay_event", 2);
    /* The inner section ends first. */
    expect(log, "SELECT count(*) FROM drain", 2);
    expect(log, "SELECT count(*) FROM drain i JOIN drain o ON "
                "o.begin_seq < i.begin_seq AND i.end_seq < o.end_seq", 1);
    /* Lock, sleep, end; and the second waits for the lock before. */
    expect(log, "SELECT count(*) FROM coroutine_legs", 5);
    expect(log, "SELECT count(*) FROM coroutine_legs "
                "WHERE waits_for = 'sleep'", 2);
    expect(log, "SELECT count(*) FROM coroutine_legs "
                "WHERE waits_for = 'CoMutex'", 1);
    expect(log, "SELECT count(*) FROM coroutine_legs WHERE ending = 'end'", 2);
    expect(log, "SELECT count(*) FROM who_woke WHERE how = 'co.enter' "
                "AND inside = 'main'", 2);
    log_close(log, NULL);
}

static char *dump(void)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    char *text = log_query(log, "SELECT group_concat(sql, char(10)) || ("
        "SELECT group_concat(seq || kind || obj || a || inside || "
        "coalesce(ticket, '')) FROM event) || "
        "(SELECT group_concat(id || kind || name || born) FROM object) "
        "FROM sqlite_schema", &err);

    assert_non_null(text);
    log_close(log, NULL);
    return text;
}

static void change_log(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Whatever has become of the tables, they are made as they were. */
static void test_index_again(void **state)
{
    static const char *const changes[] = {
        "SELECT 1",
        "DROP TABLE event; DROP VIEW turn; DROP TABLE thread",
        "DROP VIEW drain; CREATE TABLE drain (x); DROP TABLE site; "
        "CREATE VIEW site AS SELECT 1",
        "CREATE TABLE \"it's; \"\"odd\" (x); CREATE TRIGGER t AFTER INSERT ON "
        "event BEGIN DELETE FROM chunk; END",
    };
    g_autofree char *before = NULL;

    log_close(record("drain", 3, 0, NULL), NULL);
    before = dump();
    for (unsigned i = 0; i < ARRAY_SIZE(changes); i++) {
        g_autofree char *after = NULL;
        ChildResult result;

        change_log(changes[i]);
        result = aiolab("index", path, NULL);
        child_expect_ok(&result, changes[i]);
        child_finish(&result);
        after = dump();
        assert_string_equal(before, after);
        expect_identical(path, changes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock_events),
        cmocka_unit_test(test_own_functions),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_views_of_drain),
        cmocka_unit_test(test_known_numbers),
        cmocka_unit_test(test_index_again),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
