/* SPDX-License-Identifier: MIT */
/*
 * Recording and replaying through the program: every built-in scenario under
 * many random schedules, and real I/O on a real file with both data policies;
 * and what the log's tables say of the requests.
 */
#include "builtin.h"
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <unistd.h>

enum { SEEDS = 50, LIVE_RUNS = 20 };

static char *dir, *image, *path;

static int setup(void **state)
{
    dir = test_dir_new();
    image = new_image(dir, 1 << 20);
    path = g_build_filename(dir, "run.aiolog", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(image);
    g_free(path);
    return 0;
}

/* What is called buggy may be found to be; nothing else. */
static void expect_recorded(ChildResult result, const char *what)
{
    if (result.status != 1 || !strstr(what, "/buggy,")) {
        child_expect_ok(&result, what);
    }
    child_finish(&result);
}

static void simulate_and_replay(const char *name, unsigned seed)
{
    g_autofree char *number = g_strdup_printf("%u", seed);
    g_autofree char *what = g_strdup_printf("%s, seed %u", name, seed);

    if (g_str_equal(name, "file-io")) {
        expect_recorded(aiolab("record", name, "--host=sim", "--seed", number,
                               "--no-replay", "-p", "requests=100", "-f", "-o",
                               path, NULL), what);
    } else {
        expect_recorded(aiolab("record", name, "--host=sim", "--seed", number,
                               "--no-replay", "-f", "-o", path, NULL), what);
    }
    expect_identical(path, what);
}

static void test_simulated(void **state)
{
    unsigned seeds = test_number("AIOLAB_TEST_SEEDS", SEEDS);

    for (unsigned i = 0; builtin_scenarios[i]; i++) {
        const Scenario *s = builtin_scenarios[i];
        const ScenarioVariant *v = s->variants;

        do {
            g_autofree char *name =
                v ? g_strconcat(s->name, "/", v->name, NULL)
                  : g_strdup(s->name);

            for (unsigned seed = 1; seed <= seeds; seed++) {
                simulate_and_replay(name, seed);
            }
        } while (v && (++v)->name);
    }
}

static void record_live(const char *policy, unsigned seed, unsigned writes,
                        const char *index)
{
    g_autofree char *write = g_strdup_printf("write=%u", writes);
    g_autofree char *param = g_strconcat("image=", image, NULL);
    g_autofree char *seeded = g_strdup_printf("seed=%u", seed);
    ChildResult result = aiolab(
        "record", "file-io", "--host=live", "-p", param, "-p", seeded, "-p",
        "requests=150", "-p", "depth=8", "-p", write, policy, index, "-f",
        "-o", path, NULL);

    child_expect_ok(&result, policy);
    child_finish(&result);
}

static void live_and_replay(const char *policy)
{
    for (unsigned i = 1; i <= LIVE_RUNS; i++) {
        record_live(policy, i, 30, "--no-replay");
        expect_identical(path, policy);
    }
}

static void test_live_full(void **state)
{
    live_and_replay("--data=full");
}

static void test_live_hash(void **state)
{
    live_and_replay("--data=hash");
}

/* A log that holds all data needs no image. */
static void test_full_without_image(void **state)
{
    g_autofree char *aside = g_strconcat(image, ".aside", NULL);

    record_live("--data=full", 1, 30, "--no-replay");
    assert_int_equal(rename(image, aside), 0);
    expect_identical(path, "without its image");
    assert_int_equal(rename(aside, image), 0);
}

static void expect_bad_image(const char *text)
{
    ChildResult result = aiolab("replay", path, NULL);

    child_expect_status(&result, 3, text);
    assert_non_null(strstr(result.err, image));
    child_finish(&result);
}

/*
 * A log that holds hashes needs the image as it was.  Nothing was written, so
 * the log has no pre-image to fall back to.
 */
static void test_hash_changed_image(void **state)
{
    record_live("--data=hash", 1, 0, "--no-replay");
    expect_identical(path, "with the image as it was");
    assert_true(g_file_set_contents(image, "other", -1, NULL));
    expect_bad_image("with another image");
    assert_int_equal(unlink(image), 0);
    expect_bad_image("without its image");
    g_free(new_image(dir, 1 << 20));
}

/* A file that is open several times holds what was written by any way. */
static void test_same_image(void **state)
{
    g_autofree char *other = g_strconcat(image, ".link", NULL);
    g_autofree char *image_is = g_strconcat("image=", image, NULL);
    g_autofree char *other_is = g_strconcat("other=", other, NULL);

    g_free(new_image(dir, 1 << 20));
    assert_int_equal(symlink(image, other), 0);
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *fill = g_strdup_printf("fill=%u", 10 * (i + 1));
        const char *policy = i % 2 ? "--data=full" : "--data=hash";
        ChildResult result = aiolab(
            "record", g_getenv("SAME_IMAGE"), "-p", image_is, "-p", other_is,
            "-p", fill, policy, "--no-replay", "-f", "-o", path, NULL);

        child_expect_ok(&result, policy);
        child_finish(&result);
        expect_identical(path, policy);
    }
    unlink(other);
}

/* Tickets that a slice has taken in advance, and did not need. */
static void test_unused_tickets(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        Error *err = NULL;
        ChildResult result = aiolab("record", g_getenv("UNEVEN_SLICES"),
                                    "--no-replay", "-f", "-o", path, NULL);
        g_autofree Input *inputs = NULL;
        size_t n, unused = 0;
        Log *log;

        child_expect_ok(&result, "slices");
        child_finish(&result);
        log = log_open(path, &err);
        assert_non_null(log);
        inputs = log_inputs(log, &n, &err);
        assert_non_null(inputs);
        for (size_t at = 0; at < n; at++) {
            unused += inputs[at].kind == INPUT_UNUSED;
            assert_int_equal(inputs[at].ticket, at + 1);
        }
        assert_true(unused > 0);
        log_close(log, NULL);
        expect_identical(path, "slices");
    }
}

/* ---- The tables ---- */

static int64_t query(Log *log, const char *sql)
{
    Error *err = NULL;
    g_autofree char *text = log_query(log, sql, &err);

    if (!text) {
        fail_msg("%s: %s", sql, err ? error_get_pretty(err) : "no row");
    }
    return g_ascii_strtoll(text, NULL, 10);
}

static void test_tables(void **state)
{
    Error *err = NULL;
    Log *log;
    int64_t requests;

    record_live("--data=full", 3, 30, "-q");
    log = log_open(path, &err);
    assert_non_null(log);
    requests = query(log, "SELECT count(*) FROM event WHERE kind='req.begin' "
                          "AND text IN ('read', 'write')");
    assert_int_equal(requests, 150);
    assert_int_equal(query(log, "SELECT value FROM meta "
                                "WHERE name='result.submitted'"), requests);
    assert_int_equal(query(log, "SELECT value FROM meta "
                                "WHERE name='result.completed'"), requests);
    assert_int_equal(query(log, "SELECT count(*) FROM io_latency "
                                "WHERE op IN ('read', 'write') AND result=0"),
                     requests);
    assert_int_equal(query(log, "SELECT count(*) FROM io_latency "
                                "WHERE latency_ns < 0"), 0);
    assert_int_equal(query(log, "SELECT count(*) FROM event "
                                "WHERE kind='sqe.add'"),
                     query(log, "SELECT count(*) FROM event "
                                "WHERE kind='cqe.end'"));
    assert_int_equal(query(log, "SELECT value FROM meta WHERE name='inputs'"),
                     query(log, "SELECT count(*) FROM input"));
    assert_int_equal(query(log, "SELECT count(*) FROM event"),
                     query(log, "SELECT max(seq) FROM event"));
    log_close(log, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simulated),
        cmocka_unit_test(test_live_full),
        cmocka_unit_test(test_live_hash),
        cmocka_unit_test(test_full_without_image),
        cmocka_unit_test(test_hash_changed_image),
        cmocka_unit_test(test_same_image),
        cmocka_unit_test(test_unused_tickets),
        cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
