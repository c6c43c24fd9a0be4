/* SPDX-License-Identifier: MIT */
/*
 * Plays in virtual time: when requests are issued in each mode, what is chosen,
 * what drains and faults do, and that two runs are one.
 */
#include "play-util.h"
#include "testlib.h"

/* ---- Determinism, recording ---- */

static void test_same_twice(void **state)
{
    const char *trace = play_trace("same", 2000, 50, 40, 64);
    g_autofree char *a = play(0, trace, "--device", "ssd", NULL);
    g_autofree char *b = play(0, trace, "--device", "ssd", NULL);
    g_autofree char *seed = play(0, trace, "--device", "ssd", "--seed", "2",
                                 NULL);

    assert_string_equal(a, b);
    assert_string_not_equal(play_hash_line(a), play_hash_line(seed));
    assert_non_null(strstr(a, "2000 succeeded, 0 failed"));
}

/* More inputs than a ring holds, so its recorder waits for its writer. */
static void test_recorded(void **state)
{
    const char *trace = play_trace("rec", 3000, 20, 10, 64);
    const char *log = play_file("rec.play");
    g_autofree char *plain = play(0, trace, "--device", "ssd", NULL);
    g_autofree char *out = play(0, trace, "--device", "ssd", "-o", log, NULL);
    ChildResult result;

    assert_memory_equal(play_hash_line(out), play_hash_line(plain), 24);
    expect_identical(log, "a play");
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request"), 3000);
    assert_int_equal(play_sql(log, "SELECT max(lag_ns) FROM play_latency"), 0);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_latency "
                              "WHERE captured_ns = 10000"), 3000);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_blame "
                              "WHERE reason = 'device'"), 3000);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_slowest"), 20);
    result = aiolab("report", log, NULL);
    child_expect_status(&result, 0, "report");
    assert_non_null(strstr(result.out, "The play: 3000 requests, 0 failed"));
    assert_non_null(strstr(result.out, "us  device\n"));
    child_finish(&result);
    /* The recording needs no other file, and other tables may be made anew. */
    remove(trace);
    result = aiolab("index", log, NULL);
    child_expect_status(&result, 0, "index");
    child_finish(&result);
    expect_identical(log, "a play without its trace");
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request p "
                              "JOIN record r ON r.seq = p.record "
                              "WHERE r.offset = p.offset"), 3000);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request"), 3000);
}

static void test_threads(void **state)
{
    const char *trace = play_trace("threads", 600, 20, 10, 64);
    const char *log = play_file("threads.play");

    g_free(play(0, trace, "--device", "ssd", "--iothreads", "3", "--aio",
                "threads", "-o", log, NULL));
    expect_identical(log, "three IOThreads");
    assert_int_equal(play_sql(log, "SELECT count(DISTINCT thread) "
                              "FROM play_request WHERE state = 'done'"), 3);
}

/* ---- When ---- */

static void test_speed(void **state)
{
    const char *trace = play_trace("speed", 100, 1000, 10, 64);
    const char *log = play_file("speed.play");

    g_free(play(0, trace, "--device", "null", "--speed", "4", "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT max(issued_ns) - min(issued_ns) "
                              "FROM play_request"), 99 * 250000);
}

/* The most that were in flight at once. */
static int64_t depth_of(const char *log)
{
    return play_sql(log, "SELECT max(depth) FROM (SELECT sum(step) OVER "
                    "(ORDER BY t, step, seq) AS depth FROM ("
                    "SELECT seq, issued_ns AS t, 1 AS step FROM play_request "
                    "UNION ALL SELECT seq, completed_ns, -1 "
                    "FROM play_request))");
}

static void test_asap(void **state)
{
    const char *trace = play_trace("asap", 500, 1000, 10, 64);
    const char *log = play_file("asap.play");

    g_free(play(0, trace, "--device", "ssd", "--asap", "--depth", "7", "-o",
                log, NULL));
    assert_int_equal(depth_of(log), 7);
    assert_true(play_sql(log, "SELECT max(completed_ns) FROM play_request") <
                500 * 70000 / 6);
}

/* Four processes, each with one request at a time, that think for 90 us. */
static void test_closed_loop(void **state)
{
    const char *trace = play_trace("closed", 400, 250, 910, 64);
    const char *log = play_file("closed.play");

    g_free(play(0, trace, "--device", "hdd", "--closed-loop", "-o", log, NULL));
    assert_int_equal(depth_of(log), 4);
    assert_int_equal(
        play_sql(log, "SELECT count(*) FROM play_request a JOIN play_request b "
                 "ON b.seq = a.seq + 4 "
                 "WHERE b.issued_ns - a.completed_ns = 90000"), 396);
}

/* Two were issued by the completion of the one before them, one was not. */
static void test_dependencies(void **state)
{
    const char *log = play_file("deps.play");
    const char *trace = play_file("deps");
    g_autofree char *text = g_strdup(
        "0,100,R,0,4096,d\n110,50,R,4096,4096,d\n130,500,R,8192,4096,d\n"
        "2000,10,R,0,4096,d\n");
    g_autofree char *source = g_strconcat(trace, ".csv", NULL);
    ChildResult result;

    assert_true(g_file_set_contents(source, text, -1, NULL));
    result = aiolab("import", "--columns",
                    "time:us,latency:us,op,offset,bytes,device", source, "-o",
                    trace, "-q", NULL);
    child_expect_status(&result, 0, "import");
    child_finish(&result);
    g_free(play(0, trace, "--device", "hdd", "--dependencies", "-o", log,
                NULL));
    assert_int_equal(
        play_sql(log, "SELECT (SELECT issued_ns FROM play_request "
                 "WHERE seq = 2) - completed_ns FROM play_request "
                 "WHERE seq = 1"), 10000);
    assert_int_equal(
        play_sql(log, "SELECT (SELECT issued_ns FROM play_request "
                 "WHERE seq = 3) - completed_ns FROM play_request "
                 "WHERE seq = 1"), 30000);
    assert_int_equal(play_sql(log, "SELECT issued_ns FROM play_request "
                              "WHERE seq = 4"), 2000000);
}

/* Each began when two others had not ended. */
static void test_match_depth(void **state)
{
    const char *trace = play_trace("match", 300, 100, 250, 64);
    const char *log = play_file("match.play");

    g_free(play(0, trace, "--device", "hdd", "--match-depth", "-o", log, NULL));
    assert_int_equal(depth_of(log), 3);
}

/* One at a time, and each takes ten times as long as there is. */
static const char *slow_table(void)
{
    const char *table = play_file("slow.latency");

    assert_true(g_file_set_contents(table, "# slow\nslots 1\n"
                                    "read max 1ms\nwrite max 1ms\n", -1,
                                    NULL));
    return table;
}

static void test_lag(void **state)
{
    const char *trace = play_trace("lag", 100, 100, 50, 64);
    const char *log = play_file("lag.play"), *slow = slow_table();

    g_free(play(0, trace, "--device", slow, "--depth", "1", "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT max(lag_ns) FROM play_latency"),
                     99 * 900000);
    g_free(play(0, trace, "--device", slow, "--depth", "1", "--lag", "slip",
                "-f", "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT max(lag_ns) FROM play_latency"),
                     900000);
    g_free(play(0, trace, "--device", slow, "--depth", "1", "--lag", "drop",
                "--max-lag", "500us", "-f", "-o", log, NULL));
    assert_true(play_sql(log, "SELECT max(lag_ns) FROM play_latency") <=
                500000);
    assert_true(play_sql(log, "SELECT count(*) FROM play_request "
                         "WHERE state = 'dropped'") > 80);
    expect_identical(log, "dropped requests");
}

/* The sum of a stranger's times, loops and a speed stays a number. */
static void test_far_times(void **state)
{
    const char *trace = play_trace_of(
        "far", "0 file read 0 4096\n9000000000000000 file read 4096 4096\n");
    const char *log = play_file("far.play");

    g_free(play(0, trace, "--device", "ssd", "--speed", "0.000001", "--loops",
                "1000", "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request "
                              "WHERE state = 'done' AND planned_ns >= 0"), 2000);
}

/* A coroutine goes on with the request that waits for the room of its last. */
static void test_coroutines(void **state)
{
    const char *trace = play_trace("coroutines", 500, 100, 10, 64);
    const char *log = play_file("coroutines.play");

    g_free(play(0, trace, "--device", "ssd", "--asap", "--depth", "4", "-o",
                log, NULL));
    expect_identical(log, "a play of few coroutines");
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request "
                              "WHERE state = 'done'"), 500);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM event "
                              "WHERE kind = 'co.create'"), 4);
}

/* ---- Which ---- */

static void test_choice(void **state)
{
    const char *trace = play_trace("choice", 1000, 1000, 10, 64);
    const char *log = play_file("choice.play");

    g_free(play(0, trace, "--device", "null", "--window", "100ms..200ms",
                "--loops", "3", "--where", "pid = 2", "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request"), 75);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request "
                              "WHERE record BETWEEN 101 AND 200"), 75);
    /* A loop is as long as the window. */
    assert_int_equal(play_sql(log, "SELECT max(issued_ns) - min(issued_ns) "
                              "FROM play_request"), 2 * 100000000 + 96000000);
}

/* Only the function is refused, not what is called like it. */
static void test_random_name(void **state)
{
    const char *trace = play_trace_of(
        "names", "0 random add\n0 random open\n"
        "10 random read 0 4096\n20 sda read 0 4096\n30 random close\n");
    g_autofree char *out = play(0, trace, "--device", "null", "--asap",
                                "--where", "device <> 'random()'", NULL);

    assert_non_null(strstr(out, "random -> null: 1 requests"));
    assert_non_null(strstr(out, "sda -> null: 1 requests"));
    g_free(out);
    out = play(0, trace, "--device", "null", "--asap", "--where",
               "device = 'random'", NULL);
    assert_non_null(strstr(out, "random -> null: 1 requests"));
    assert_null(strstr(out, "sda -> null"));
}

/* ---- Latency tables ---- */

static const char *table(const char *text)
{
    const char *path = play_file("table");

    assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void test_tables(void **state)
{
    const char *trace = play_trace("tables", 20, 100, 10, 64);
    static const char *const senseless[] = {
        "", "slots 4\n", "slots 0\nread max 1us\n", "slots 1025\nread max 1us\n",
        "read max\n", "read 4k soon\n", "read max 1e300s\n", "read max nans\n",
        "read 99999999999G 1us\n", "erase max 1us\n",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(senseless); i++) {
        g_autofree char *err = play_error(2, trace, "--device",
                                          table(senseless[i]), NULL);

        assert_non_null(strstr(err, "latency table"));
    }
    /* Together these are more nanoseconds than a number holds. */
    g_free(play(0, trace, "--device", table("read max 900000000s\n"
                                            "write max 900000000s\n"), NULL));
}

static void test_refusals(void **state)
{
    const char *trace = play_trace("refuse", 10, 100, 10, 64);
    static const struct {
        int status;
        const char *option, *value, *says;
    } cases[] = {
        {2, "--device", "floppy", "floppy: no such device model"},
        {2, "--speed", "0", "speed=0"},
        {2, "--window", "5s", "A..B"},
        {2, "--window", "2s..1s", "ends before it begins"},
        {2, "--lag", "hurry", "catch-up, slip, drop"},
        {2, "--fault", "1s:EFUN", "AT:ERROR"},
        {2, "--drain", "soon", "is no time"},
        {2, "--set", "colour=red", "no such setting"},
        {2, "--fault", "1s:EIO:read:9999999999", "is no count"},
        {2, "--set", "iothreads=1,x", "iothreads=x"},
        {2, "--driver", "null-co", "does not go with device=ssd"},
        {2, "--map", "vda=/dev/null", "either --device"},
        {2, "--where", "colour = 'red'", "not an SQL condition"},
        {2, "--where", "seq < 3) or (1", "not an SQL condition"},
        {2, "--where", "Random() < 1", "must choose the same"},
        {2, "--where", "seq < length(randomblob(9))", "must choose the same"},
        {2, "--where", "CURRENT_TIME > '12'", "must choose the same"},
        {3, "--where", "op = 'flush'", "none of its 10 records"},
        {3, "--window", "1s..", "none of its 10 records"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *err = play_error(cases[i].status, trace, "--device",
                                          "ssd", cases[i].option,
                                          cases[i].value, NULL);

        if (!strstr(err, cases[i].says)) {
            fail_msg("%s %s: %s", cases[i].option, cases[i].value, err);
        }
    }
    g_free(play_error(2, trace, NULL));
    g_free(play_error(2, trace, "--device", "null", "--verify", NULL));
    g_free(play_error(3, play_file("missing"), "--device", "ssd", NULL));
}

/* A table says how long anything takes that it has rows for. */
static void test_table_without_end(void **state)
{
    const char *trace = play_trace("endless", 10, 100, 10, 64);
    const char *table = play_file("table");
    g_autofree char *err = NULL;

    assert_true(g_file_set_contents(table, "read 4k 80us\n", -1, NULL));
    err = play_error(2, trace, "--device", table, NULL);
    assert_non_null(strstr(err, "says nothing of larger reads"));
}

/* In virtual time all waiters are the same. */
static void test_waiters(void **state)
{
    static const char *const waiters[] = {"sleep", "hybrid", "spin"};
    const char *trace = play_trace("waiters", 20, 100, 10, 64);
    g_autofree char *plain = play(0, trace, "--device", "ssd", NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
        g_autofree char *out = play(0, trace, "--device", "ssd", "--waiter",
                                    waiters[i], NULL);

        assert_string_equal(out, plain);
    }
}

/* The thread pool's workers have no clock; whom they work for has. */
static void test_blame_of_workers(void **state)
{
    const char *trace = play_trace_of("discards", "0 file trim 0 4096\n"
                                      "10 file trim 8192 4096\n");
    const char *log = play_file("discards.play");
    ChildResult result;

    g_free(play(0, trace, "--device", "ssd", "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_blame WHERE "
                              "reason = 'device' AND device_ns > 0 AND "
                              "loop_ns >= 0"), 2);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM event WHERE t_ns = 0 "
                              "AND thread > 1"), 0);
    result = aiolab("diff", log, log, NULL);
    child_expect_status(&result, 0, "a play and itself");
    child_finish(&result);
}

/* ---- Drains and faults ---- */

static void test_drain(void **state)
{
    const char *trace = play_trace("drain", 500, 100, 10, 64);
    const char *log = play_file("drain.play");

    g_free(play(0, trace, "--device", "ssd", "--drain", "10ms+5ms", "-o", log,
                NULL));
    expect_identical(log, "a drained play");
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_blame "
                              "WHERE reason = 'drain' AND seq NOT BETWEEN 101 "
                              "AND 152"), 0);
    assert_true(play_sql(log, "SELECT count(*) FROM play_blame "
                         "WHERE reason = 'drain'") >= 48);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM event "
                              "WHERE kind = 'drain.begin'"), 2);
}

/* As fast as possible, a time of the trace is that of a request. */
static void test_drain_of_request(void **state)
{
    const char *trace = play_trace("asap-drain", 500, 100, 10, 64);
    const char *log = play_file("asap-drain.play");
    g_autofree char *out = play(0, trace, "--device", "ssd", "--asap",
                                "--drain", "10ms+5ms", "--drain", "9s",
                                "--fault", "9s:EIO", "-o", log, NULL);

    expect_identical(log, "a play that is drained at a request");
    assert_int_equal(play_sql(log, "SELECT count(*) FROM event "
                              "WHERE kind = 'drain.begin'"), 2);
    assert_true(play_sql(log, "SELECT max(latency_ns) FROM play_latency "
                         "WHERE seq > 100") > 5000000);
    assert_true(play_sql(log, "SELECT max(latency_ns) FROM play_latency "
                         "WHERE seq < 60") < 5000000);
    assert_non_null(strstr(out, "1 of 2 drains never took place"));
    assert_non_null(strstr(out, "1 faults never took place"));
}

static void test_fault(void **state)
{
    const char *trace = play_trace("fault", 500, 100, 10, 64);
    const char *log = play_file("fault.play");

    g_free(play(0, trace, "--device", "ssd", "--fault", "20ms:ENOSPC:write:2",
                "--fault", "30ms:EIO", "-o", log, NULL));
    expect_identical(log, "a play with faults");
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request "
                              "WHERE result = -28 AND op = 'write' "
                              "AND planned_ns >= 20000000"), 2);
    assert_int_equal(play_sql(log, "SELECT min(seq) FROM play_request "
                              "WHERE result = -5"), 301);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request "
                              "WHERE result < 0"), 3);
}

/* ---- Tables of plays ---- */

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++) {
        n += *text == '\n';
    }
    return n;
}

static void test_grid(void **state)
{
    const char *trace = play_trace("grid", 500, 100, 10, 64);
    g_autofree char *out = play(0, trace, "--device", "ssd", "--set",
                                "poll-max-ns=0,16384", "--set",
                                "iothreads=1,2,4", NULL);
    g_autofree char *one = play(0, trace, "--device", "ssd", "--set",
                                "device=hdd", NULL);

    g_autofree char *json = play(0, trace, "--set", "device=null,ssd",
                                 "--json", NULL);

    assert_int_equal(count_lines(out), 7);
    assert_non_null(strstr(out, "\n16384          4 "));
    assert_int_equal(count_lines(one), 2);
    assert_non_null(strstr(json, "{\"set\":{\"device\":\"ssd\"},"));
    g_free(play_error(2, trace, "--device", "ssd", "--set", "depth=1", "--set",
                      "depth=2", NULL));
}

static void test_compare(void **state)
{
    const char *trace = play_trace("cmp", 500, 1000, 10, 64);
    const char *a = play_file("cmp-a"), *b = play_file("cmp-b");
    ChildResult result;

    g_free(play(0, trace, "--device", "ssd", "-o", a, NULL));
    g_free(play(0, trace, "--device", "hdd", "--where", "seq > 100", "-o", b,
                NULL));
    result = aiolab("compare", a, b, NULL);
    child_expect_status(&result, 0, "compare");
    assert_non_null(strstr(result.out, "400 requests in both, 100 in A only, "
                           "0 in B only"));
    assert_non_null(strstr(result.out, "B is faster for 0, slower for 400, "
                           "the same for 0"));
    child_finish(&result);
    result = aiolab("compare", a, a, NULL);
    child_expect_status(&result, 0, "compare");
    assert_non_null(strstr(result.out, "slower for 0, the same for 500"));
    child_finish(&result);
    result = aiolab("compare", a, trace, NULL);
    child_expect_status(&result, 3, "compare");
    child_finish(&result);
}

static int setup(void **state)
{
    play_begin();
    return 0;
}

static int teardown(void **state)
{
    play_end();
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_same_twice), TEST(test_recorded), TEST(test_threads),
        TEST(test_speed), TEST(test_asap), TEST(test_closed_loop),
        TEST(test_dependencies), TEST(test_match_depth), TEST(test_lag),
        TEST(test_choice), TEST(test_random_name), TEST(test_tables),
        TEST(test_coroutines), TEST(test_far_times),
        TEST(test_refusals), TEST(test_table_without_end), TEST(test_waiters),
        TEST(test_blame_of_workers), TEST(test_drain),
        TEST(test_drain_of_request),
        TEST(test_fault), TEST(test_grid), TEST(test_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
