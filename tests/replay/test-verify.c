/* SPDX-License-Identifier: MIT */
/*
 * aiolab verify: what it says of whole logs, of logs that need what this build
 * does not know, and of replays; and flight recorders' logs, which keep the end
 * of a run in a file that does not grow.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <sys/stat.h>
#include <unistd.h>

enum { KEEP = 20000, SECONDS = 60 };

static char *dir, *path, *image;

static int setup(void **state)
{
    dir = test_dir_new();
    path = g_build_filename(dir, "run.aiolog", NULL);
    image = new_image(dir, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    g_free(image);
    return 0;
}

static void record_io(void)
{
    g_autofree char *param = g_strconcat("image=", image, NULL);
    ChildResult result = aiolab("record", "file-io", "--host=live", "-p", param,
                                "-p", "requests=200", "-p", "block=512", "-f",
                                "-q", "-o", path, NULL);

    child_expect_ok(&result, "record");
    child_finish(&result);
}

static void expect(ChildResult result, int status, const char *text)
{
    child_expect_status(&result, status, text);
    if (!strstr(status ? result.err : result.out, text)) {
        fail_msg("it does not say \"%s\": %s%s", text, result.out, result.err);
    }
    child_finish(&result);
}

static void test_whole(void **state)
{
    record_io();
    expect(aiolab("verify", path, NULL), 0, "whole, ");
    expect(aiolab("verify", "--replay", path, NULL), 0, "; identical, ");
    expect(aiolab_limited(SECONDS, "verify", "--twice", path, NULL), 0,
           "twice the same events");
    expect(aiolab("verify", "--json", path, NULL), 0, "\"stalls\":");
}

static void set_meta(const char *name, const char *value)
{
    Error *err = NULL;
    Log *log = log_open_rw(path, &err);

    assert_non_null(log);
    log_set_meta(log, name, value);
    assert_true(log_close(log, &err));
}

static void test_quirks(void **state)
{
    static const char *const commands[] = {"verify", "replay", "index"};

    record_io();
    set_meta("quirks", "runs-backwards");
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        expect(aiolab(commands[i], path, NULL), 3,
               "needs quirk 'runs-backwards'");
    }
}

static void test_format(void **state)
{
    static const char *const commands[] = {"verify", "replay", "index"};

    record_io();
    set_meta("format", "0123456789abcdef");
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        expect(aiolab(commands[i], path, NULL), 3,
               "recorded by another state of aiolab");
    }
}

/* A parameter is not what it was: the run is another one. */
static void test_divergence(void **state)
{
    record_io();
    set_meta("param.seed", "99");
    expect(aiolab("verify", path, NULL), 0, "whole, ");
    expect(aiolab("verify", "--replay", path, NULL), 4, "DIVERGENCE at input");
}

/* ---- Flight recorders ---- */

static off_t record_flight(const char *rounds)
{
    g_autofree char *param = g_strconcat("rounds=", rounds, NULL);
    g_autofree char *keep = g_strdup_printf("--flight-recorder=%d", KEEP);
    ChildResult result = aiolab("record", g_getenv("AIOLAB_BUSY"), "-p", param,
                                keep, "-f", "-o", path, NULL);
    struct stat st;

    child_expect_ok(&result, "record");
    child_finish(&result);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void test_flight_keeps_the_end(void **state)
{
    off_t size = record_flight("60000"), later = record_flight("300000");
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    Log *log;
    size_t n;

    assert_true(later < 2 * size);
    expect(aiolab("verify", path, NULL), 0, "the last of a longer run");
    log = log_open(path, &err);
    inputs = log_inputs(log, &n, &err);
    assert_non_null(inputs);
    assert_true(n >= KEEP && n < 2 * KEEP);
    assert_int_equal(inputs[0].ticket, log_inputs_let_go(log) + 1);
    assert_int_equal(inputs[n - 1].kind, INPUT_END);
    log_close(log, NULL);
}

static void test_flight_is_refused_by_name(void **state)
{
    static const char text[] = "holds only the last ";
    g_autofree char *count = NULL;
    Error *err = NULL;
    Log *log;

    record_flight("60000");
    expect(aiolab("replay", path, NULL), 3, text);
    expect(aiolab("tui", path, NULL), 3, text);
    expect(aiolab("verify", "--replay", path, NULL), 3, text);
    expect(aiolab("index", path, NULL), 0, " inputs");
    log = log_open(path, &err);
    count = log_query(log, "SELECT count(*) FROM input", &err);
    assert_int_equal(g_ascii_strtoll(count, NULL, 10),
                     log_meta_int(log, "inputs", -1));
    log_close(log, NULL);
}

/* A run that was shorter is all there, and replays. */
static void test_flight_of_a_short_run(void **state)
{
    record_flight("100");
    expect(aiolab("replay", path, NULL), 0, "identical: ");
}

/* Contents go with the inputs that refer to them, and not before. */
static void test_flight_with_data(void **state)
{
    g_autofree char *param = g_strconcat("image=", image, NULL);
    ChildResult result = aiolab("record", "file-io", "--host=live", "-p", param,
                                "-p", "requests=20000", "-p", "block=512",
                                "--flight-recorder=3000", "-f", "-o", path,
                                NULL);
    Error *err = NULL;
    g_autofree char *payloads = NULL;
    Log *log;

    child_expect_ok(&result, "record");
    child_finish(&result);
    expect(aiolab("verify", path, NULL), 0, "the last of a longer run");
    log = log_open(path, &err);
    payloads = log_query(log, "SELECT count(*) FROM payload", &err);
    assert_true(g_ascii_strtoll(payloads, NULL, 10) < 6000);
    log_close(log, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_flight_keeps_the_end),
        cmocka_unit_test(test_flight_is_refused_by_name),
        cmocka_unit_test(test_flight_of_a_short_run),
        cmocka_unit_test(test_flight_with_data),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
