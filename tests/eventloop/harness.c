/* SPDX-License-Identifier: MIT */
/* Runs each test of a table on the hosts; see harness.h. */
#include "harness.h"

#include "log.h"
#include "replayer.h"
#include "run.h"
#include "testlib.h"

enum { EXIT_SKIPPED = 77 };

typedef enum Where { ON_URING, ON_EPOLL, ON_POLL, ON_SIM, ON_REPLAY } Where;

static const char *const where_names[] = {"uring", "epoll", "poll", "sim",
                                          "replay"};

static Where where;
static char *dir;

const char *harness_dir(void)
{
    return dir;
}

/* ---- In the child ---- */

typedef struct Job {
    const LoopTest *test;
    const char *log_path; /* NULL: not recorded */
    bool live;
    uint64_t seed;        /* simulated; 0: the default policy */
} Job;

static ScenarioSpec *new_spec(const Scenario *scenario)
{
    return scenario_spec_new(scenario, NULL, &error_abort);
}

static Scenario scenario_of(const LoopTest *test)
{
    return (Scenario){.name = test->name, .run = test->run};
}

static void run_in_child(void *opaque)
{
    const Job *job = opaque;
    Scenario scenario = scenario_of(job->test);
    ScenarioSpec *spec = new_spec(&scenario);
    RandomOracle oracle;
    RunConfig config = {
        .live = job->live, .sim.seed = job->seed, .sim.max_steps = 20000000,
        .monitor = where == ON_URING ? LIVE_MONITOR_IO_URING
                 : where == ON_POLL  ? LIVE_MONITOR_POLL
                                     : LIVE_MONITOR_EPOLL,
    };
    RunResult result;

    if (where == ON_REPLAY) {
        config.monitor = LIVE_MONITOR_AUTO;
    }
    if (job->seed) {
        oracle_random_init(&oracle, job->seed);
        config.sim.oracle = &oracle.base;
    }
    if (job->log_path) {
        config.log = log_create(job->log_path, true, &error_abort);
    }
    if (!run_scenario(spec, &config, &result, &error_abort)) {
        abort();
    }
    CHECK_EQ(result.sim.outcome, SIM_DONE);
    CHECK_STR(result.scenario.first_failure, NULL);
    if (config.log) {
        CHECK(log_close(config.log, &error_abort));
    }
    scenario_outcome_finish(&result.scenario);
    scenario_spec_free(spec);
}

static void replay_in_child(void *opaque)
{
    const Job *job = opaque;
    Scenario scenario = scenario_of(job->test);
    ScenarioSpec *spec = new_spec(&scenario);
    Log *log = log_open(job->log_path, &error_abort);
    ReplayResult result = replay_run(log, spec, NULL, NULL);

    if (result.outcome != REPLAY_IDENTICAL) {
        check_failed(__FILE__, __LINE__, "the replay is not identical: %s",
                     result.report ? result.report : "cut or stuck");
    }
    CHECK_EQ(result.inputs, log_meta_int(log, "inputs", -1));
    CHECK(result.digests > 0);
    replay_result_finish(&result);
    log_close(log, NULL);
    scenario_spec_free(spec);
}

/* ---- In the parent ---- */

static void expect_ok(ChildFn *fn, Job *job)
{
    ChildResult result = child_run(fn, job);
    g_autofree char *what = g_strdup_printf(
        "%s on %s%s, seed %" PRIu64, job->test->name, where_names[where],
        where != ON_REPLAY ? "" : fn == run_in_child ? ", recording"
                                                     : ", replaying",
        job->seed);

    child_expect_ok(&result, what);
    child_finish(&result);
}

static void replay_one(Job job)
{
    g_autofree char *path = g_build_filename(dir, "test.aiolog", NULL);

    job.log_path = path;
    expect_ok(run_in_child, &job);
    expect_ok(replay_in_child, &job);
    unlink(path);
}

static void run_on_host(const LoopTest *test)
{
    unsigned usual = test->flags & TEST_THREADS ? 12 : 2;
    unsigned seeds = test_number("AIOLAB_TEST_SEEDS",
                                 test->seeds && where == ON_SIM ? test->seeds
                                                                : usual);
    Job job = {.test = test, .live = where < ON_SIM};

    if (job.live) {
        expect_ok(run_in_child, &job);
        return;
    }
    job.seed = test->flags & TEST_SPINS ? 1 : 0;
    for (; job.seed <= seeds; job.seed++) {
        if (where == ON_SIM) {
            expect_ok(run_in_child, &job);
        } else {
            replay_one(job);
        }
    }
    if (where == ON_REPLAY && !(test->flags & TEST_TAKES_TIME)) {
        replay_one((Job){.test = test, .live = true});
    }
}

static void run_loop_test(void **state)
{
    const LoopTest *test = *state;

    if ((test->flags & TEST_LIVE_ONLY && where >= ON_SIM) ||
        (test->flags & TEST_TAKES_TIME && where < ON_SIM)) {
        skip();
    }
    dir = test_dir_new();
    run_on_host(test);
    test_dir_free(dir);
}

static void run_abort_test(void **state)
{
    const AbortTest *test = *state;
    LoopTest as_loop_test = {.name = test->name, .run = test->run};
    Job job = {.test = &as_loop_test, .live = where < ON_SIM};
    ChildResult result = child_run(run_in_child, &job);

    child_expect_abort(&result, test->message);
    child_finish(&result);
}

static struct CMUnitTest table_row(const char *name, CMUnitTestFunction fn,
                                   const void *row)
{
    return (struct CMUnitTest){
        .name = name, .test_func = fn, .initial_state = (void *)row,
    };
}

static int run_tables(const LoopTest *tests, const AbortTest *aborts)
{
    GArray *all = g_array_new(false, false, sizeof(struct CMUnitTest));
    int failed;

    for (; tests->name; tests++) {
        struct CMUnitTest t = table_row(tests->name, run_loop_test, tests);

        g_array_append_val(all, t);
    }
    for (; aborts && aborts->name && where != ON_REPLAY; aborts++) {
        struct CMUnitTest t = table_row(aborts->name, run_abort_test, aborts);

        g_array_append_val(all, t);
    }
    failed = _cmocka_run_group_tests(where_names[where],
                                     (struct CMUnitTest *)all->data, all->len,
                                     NULL, NULL);
    g_array_free(all, true);
    return failed ? 1 : 0;
}

int harness_main(int argc, char **argv, const LoopTest *tests,
                 const AbortTest *aborts)
{
    g_autofree char *reason = NULL;

    while (where <= ON_REPLAY &&
           (argc < 2 || !g_str_equal(argv[1], where_names[where]))) {
        where++;
    }
    if (where > ON_REPLAY) {
        fprintf(stderr, "usage: %s uring|epoll|poll|sim|replay\n", argv[0]);
        return 2;
    }
    if (where == ON_URING && live_probe_io_uring(&reason) < 0) {
        printf("skipped: %s\n", reason);
        return EXIT_SKIPPED;
    }
    return run_tables(tests, aborts);
}
