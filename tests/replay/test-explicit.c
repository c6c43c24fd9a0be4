/* SPDX-License-Identifier: MIT */
/*
 * --capture=explicit: what it notes, and that a replay of it never claims more
 * than it knows, and never hangs.  The example in docs/architecture.md is true.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE AIOLAB_SOURCE_DIR "/docs/architecture.md"

enum { RUNS = 10, SECONDS = 60, TRIES = 5 };

static char *dir, *path;

static int setup(void **state)
{
    dir = test_dir_new();
    path = g_build_filename(dir, "run.aiolog", NULL);
    return chdir(dir);
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    return 0;
}

/* @param: of the scenario, or NULL. */
static void record(const char *scenario, const char *param, const char *capture)
{
    ChildResult result = aiolab("record", scenario, "--host=live", capture,
                                "-f", "-o", path, param ? "-p" : NULL, param,
                                NULL);

    child_expect_ok(&result, scenario);
    child_finish(&result);
}

static void expect_luck(const char *what)
{
    ChildResult result = aiolab_limited(SECONDS, "replay", path, NULL);

    child_expect_ok(&result, what);
    if (!g_str_has_prefix(result.out, "identical: ") ||
        !strstr(result.out, "by luck: nothing else decided here\n")) {
        fail_msg("%s: the replay says %s", what, result.out);
    }
    child_finish(&result);
}

/* @words, up to a NULL, must all be in the report. */
static void expect_divergence(const char *const *words)
{
    ChildResult result = aiolab_limited(SECONDS, "replay", path, NULL);

    child_expect_status(&result, 4, words[0]);
    for (; *words; words++) {
        if (!strstr(result.err, *words)) {
            fail_msg("'%s' is not in the report: %s", *words, result.err);
        }
    }
    child_finish(&result);
}

/* ---- The scenario that shows it ---- */

static void test_full_is_enough(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        record("opt-in", "requests=8", "--capture=full");
        expect_identical(path, "full");
    }
}

static void test_explicit_diverges(void **state)
{
    for (unsigned i = 0; i < RUNS; i++) {
        record("opt-in", "requests=8", "--capture=explicit");
        expect_divergence((const char *const[]){
            "DIVERGENCE at input ", " of 12, event ", "--capture=explicit",
            "  expected        ", "  got             ", "  agreed before   ",
            "  last agreement  ", "  hint            ", NULL});
    }
}

static void test_luck(void **state)
{
    record("opt-in/alone", "requests=8", "--capture=explicit");
    expect_luck("alone");
    record("bh-order/plain", NULL, "--capture=explicit");
    expect_luck("bh-order");
}

static void test_real_io(void **state)
{
    g_autofree char *image = new_image(dir, 1 << 20);
    g_autofree char *param = g_strconcat("image=", image, NULL);

    record("file-io", param, "--capture=explicit");
    expect_divergence((const char *const[]){
        "expected        main: the end of the run",
        "the order in which completions were taken is not in the log", NULL});
    record("drain", "latency=0", "--capture=explicit");
    expect_divergence((const char *const[]){"explicit calls", NULL});
}

/* ---- What differs, and how ---- */

static void record_whim(const char *act)
{
    g_autofree char *param = g_strconcat("act=", act, NULL);

    record(g_getenv("WHIM_SO"), param, "--capture=explicit");
}

/* Recorded without a whim, and replayed with one. */
static void expect_noticed(const char *act, const char *got)
{
    record_whim(act);
    expect_luck(act);
    g_setenv("WHIM", "1", true);
    expect_divergence((const char *const[]){"DIVERGENCE at input ", got, NULL});
    g_unsetenv("WHIM");
}

static void test_noticed(void **state)
{
    expect_noticed("call", "got             main: "
                           "replay_bh_schedule_oneshot_event(ctx 1.");
    expect_noticed("check", "got             main: a check that fails: whim.c:");
    expect_noticed("clock", "main: a look at the clock virtual");
}

static void test_never_hangs(void **state)
{
    expect_noticed("stuck", "a machine that is stuck");
    expect_noticed("endless", "a machine that goes on and on");
    expect_noticed("spin", "a loop without any operation of the host's");
}

/* A call that the log has, and that is not made. */
static void test_missing_call(void **state)
{
    g_setenv("WHIM", "1", true);
    record_whim("call");
    expect_luck("call");
    g_unsetenv("WHIM");
    expect_divergence((const char *const[]){
        "expected        main: replay_bh_schedule_oneshot_event",
        "got             main: the end of the run", NULL});
}

/* The order of calls is the log's, whoever is ready first. */
static void test_turns(void **state)
{
    for (unsigned i = 0; i < RUNS; i++) {
        record_whim("turns");
        expect_luck("turns");
    }
}

static void test_clocks(void **state)
{
    for (unsigned i = 0; i < RUNS; i++) {
        record_whim("clock");
        expect_luck("clock");
    }
}

static void test_cut(void **state)
{
    ChildResult result;

    g_setenv("WHIM", "1", true);
    result = aiolab("record", g_getenv("WHIM_SO"), "--host=live", "-p",
                    "act=die", "--capture=explicit", "-f", "-o", path, NULL);
    child_expect_status(&result, 128 + SIGKILL, "die");
    child_finish(&result);
    g_unsetenv("WHIM");
    result = aiolab("replay", path, NULL);
    child_expect_status(&result, 3, "cut");
    assert_non_null(strstr(result.err, "ends after 1 inputs"));
    child_finish(&result);
}

/* ---- The rest of the program ---- */

static void expect_refused(const char *option, const char *host,
                           const char *words)
{
    ChildResult result = aiolab("record", "opt-in", option, host, "-f", "-o",
                                path, NULL);

    child_expect_status(&result, 2, option);
    assert_non_null(strstr(result.err, words));
    child_finish(&result);
}

static void test_refused(void **state)
{
    expect_refused("--capture=most", "--host=live",
                   "--capture: 'most' is neither full nor explicit");
    expect_refused("--capture=explicit", "--host=sim",
                   "--capture=explicit: a simulated run");
}

static void expect_rows(const char *sql, const char *expected)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    g_autofree char *got = log ? log_query(log, sql, &err) : NULL;

    CHECK_STR(got, expected);
    log_close(log, NULL);
}

static void test_tables(void **state)
{
    static const char calls[] =
        "SELECT count(*) FROM replay_event "
        "WHERE call = 'replay_bh_schedule_event' AND bh IS NOT NULL";
    ChildResult result;

    record("opt-in", "requests=8", "--capture=full");
    expect_rows(calls, "9");
    expect_rows("SELECT count(ran_seq) FROM replay_event", "9");
    expect_rows("SELECT value FROM meta WHERE name = 'capture'", "full");
    record("opt-in", "requests=8", "--capture=explicit");
    expect_rows(calls, "9");
    expect_rows("SELECT count(seq) FROM replay_event", "0");
    expect_rows("SELECT value FROM meta WHERE name = 'capture'", "explicit");
    record_whim("call");
    expect_rows("SELECT thread || ' ' || call || coalesce(bh, '') "
                "FROM replay_event",
                "thread 1 replay_bh_schedule_oneshot_event");
    for (const char *const *command = (const char *const[]){
             "verify", "index", NULL}; *command; command++) {
        result = aiolab(*command, path, NULL);
        child_expect_ok(&result, *command);
        child_finish(&result);
    }
    expect_rows("SELECT count(*) FROM replay_event", "1");
}

/* What is shown is the repeated run, as far as it agrees. */
static void test_inspect(void **state)
{
    ChildResult result;

    record("opt-in", "requests=8", "--capture=explicit");
    result = aiolab("inspect", path, "contexts", NULL);
    child_expect_ok(&result, "inspect");
    assert_non_null(strstr(result.err, "its replay diverges after event "));
    child_finish(&result);
}

static void expect_no_use(ChildResult result, const char *command)
{
    child_expect_status(&result, 3, command);
    assert_non_null(strstr(result.err, "holds explicit calls only"));
    child_finish(&result);
}

static void test_no_use(void **state)
{
    record("opt-in", "requests=8", "--capture=explicit");
    expect_no_use(aiolab("bisect-divergence", path, NULL), "bisect");
    expect_no_use(aiolab("explore", "--neighbourhood", path, NULL), "explore");
}

/* ---- docs/architecture.md ---- */

/* Numbers differ from run to run, and from machine to machine. */
static char *without_numbers(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text; text++) {
        if (!g_ascii_isdigit(*text)) {
            g_string_append_c(out, *text);
        } else if (!out->len || out->str[out->len - 1] != '#') {
            g_string_append_c(out, '#');
        }
    }
    return g_string_free(out, false);
}

/* What a command of the example prints, to both streams. */
static char *run_command(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 0);
    ChildResult result;
    char *out;

    assert_string_equal(words[0], "aiolab");
    words[0] = (g_free(words[0]), g_strdup(g_getenv("AIOLAB")));
    result = child_spawn((const char *const *)words, SECONDS);
    out = g_strconcat(result.out, result.err, NULL);
    child_finish(&result);
    return out;
}

static bool prints(const char *command, const char *expected, bool last_try)
{
    g_autofree char *got = run_command(command);
    g_autofree char *got_words = without_numbers(got);
    g_autofree char *expected_words = without_numbers(expected);

    if (last_try) {
        CHECK_STR(got_words, expected_words);
    }
    return g_str_equal(got_words, expected_words);
}

/*
 * Commands stand behind "$ ", and under them what they print.  Returns how
 * many did, or 0.
 */
static unsigned try_example(char **line, bool last_try)
{
    g_autofree char *command = NULL;
    g_autoptr(GString) output = g_string_new(NULL);
    unsigned done = 0;

    for (; *line && !g_str_has_prefix(*line, "## "); line++) {
        bool indented = g_str_has_prefix(*line, "    ");

        if (indented && !g_str_has_prefix(*line, "    $ ")) {
            g_string_append_printf(output, "%s\n", *line + 4);
            continue;
        }
        if (command && !prints(command, output->str, last_try)) {
            return 0;
        }
        done += command != NULL;
        g_clear_pointer(&command, g_free);
        g_string_truncate(output, 0);
        command = indented ? g_strdup(*line + 6) : NULL;
    }
    return done;
}

/* On a busy machine the fast thread may once be the slower one. */
static void test_docs(void **state)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned done = 0;

    assert_true(g_file_get_contents(PAGE, &text, NULL, NULL));
    assert_non_null(strstr(text, "## Explicit capture\n"));
    lines = g_strsplit(strstr(text, "## Explicit capture\n") + 3, "\n", 0);
    for (unsigned i = 1; i <= TRIES && !done; i++) {
        g_autofree char *own = g_strdup_printf("%s/try%u", dir, i);

        assert_int_equal(mkdir(own, 0700) | chdir(own), 0);
        done = try_example(lines, i == TRIES);
    }
    assert_int_equal(done, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_is_enough),
        cmocka_unit_test(test_explicit_diverges),
        cmocka_unit_test(test_luck),
        cmocka_unit_test(test_real_io),
        cmocka_unit_test(test_noticed),
        cmocka_unit_test(test_never_hangs),
        cmocka_unit_test(test_missing_call),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_no_use),
        cmocka_unit_test(test_docs),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
