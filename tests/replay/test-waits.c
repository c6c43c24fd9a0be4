/* SPDX-License-Identifier: MIT */
/*
 * The wait-for graph: which class each deadlock has and what is said of it;
 * that schedules do not change its signature and a replay tells the same; and
 * that nothing that goes on is called stuck.
 */
#include "program.h"
#include "run.h"
#include "session.h"
#include "testlib.h"
#include "wait-graph.h"

#include "builtin.h"

static char *dir, *path;

static int setup(void **state)
{
    dir = test_dir_new();
    path = g_build_filename(dir, "run.aiolog", NULL);
    run_lookup = builtin_scenario_find;
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    return 0;
}

/* ---- What is said ---- */

typedef struct Case {
    const char *act, *class, *signature;
    const char *row; /* one of the headline's, without its spaces */
} Case;

static const Case cases[] = {
    {"lock-cycle", "lock cycle",
     "lock(first)@second_then_first > mutex(first) > lock(second)@cross > "
     "mutex(second)",
     "mutex first (mutex1) is held by main"},
    {"self", "self-deadlock", "lock(first)@lock_twice > mutex(first)",
     "main waits for mutex first (mutex1)"},
    {"co-lock-cycle", "lock cycle",
     "CoMutex(forwards ? &co_second : &co_first) > coroutine(co_cross) > "
     "CoMutex(forwards ? &co_second : &co_first) > coroutine(co_cross)",
     "coroutine co_cross (co0) goes on when it has CoMutex"},
    {"mutex-over-yield", "self-deadlock",
     "lock(first)@yield_with_mutex > mutex(first)",
     "mutex first (mutex1) is held by main"},
    {"while-holding", "wait-while-holding",
     "bh(lock_and_finish) > lock(first)@lock_and_finish > mutex(first) > "
     "wait(!qatomic_read(&done))@wait_with_mutex > "
     "reason(the bottom half's work)",
     "io# waits for mutex first"},
    {"no-kick", "lost wake-up",
     "wait(!qatomic_read(&done))@without_kick > reason(the request)",
     "but nobody has woken who waits for it"},
    {"no-kick-unnamed", "lost wake-up",
     "wait(!qatomic_read(&done))@without_kick > somebody",
     "that may be done by nobody: all else is idle or has ended"},
    {"join", "wait-while-holding",
     "condition(go)@wait_for_go > somebody > join(thread)@join_waiter",
     "main waits until thread waiter ends"},
    {"semaphore", "lost wake-up", "condition(sem)@semaphore > somebody",
     "main waits until sem is signalled"},
    {"co-queue", "wait-while-holding",
     "CoQueue(queue) > somebody > wait(!done)@co_queue > "
     "reason(the queued request) > coroutine(wait_in_queue)",
     "CoQueue queue is restarted by somebody"},
    {"dead-context", "dead context",
     "wait(!done)@wait_for_context > reason(the command) > bh(never) > "
     "context(?)",
     "is polled by nobody: no thread has it as its own"},
    {"other-context", "dead context",
     "bh(never) > context(iohandler) > wait(!done)@wait_for_context > "
     "reason(the command)",
     "iohandler is polled by main <- back to main: cycle of 4"},
    {"disabled", "disabled handler",
     "wait(!done)@disabled_handler > reason(the guest's kick) > handler(?)",
     "the handler of fd1 runs when nobody: it is disabled since event"},
    {"own-bh", "nested-poll starvation",
     "bh(wait_for_myself) > wait(!done)@wait_for_myself > "
     "reason(the bottom half)",
     "runs when its callback has returned <- back to main: cycle of 3"},
    {"poll-in-coroutine", "nested-poll starvation",
     "coroutine(lock_and_end) > coroutine(poll_inside) > "
     "wait(!done)@poll_inside > reason(the other coroutine)",
     "goes on when coroutine poll_inside (co1) yields or ends"},
    {"drain", "drain cycle",
     "drain(disk#) > wait(blk_in_flight(blk) > 0)@blk_drained_begin",
     "which is in bottom half cb (bh1), gives its own count back"},
    {"local", "lock cycle",
     "lock(first)@second_then_first > mutex(first) > "
     "lock(second)@first_then_second > mutex(second)",
     "mutex second (mutex4) is held by two"},
};

static Session *simulate(const char *act, uint64_t seed)
{
    ScenarioSpec *spec = run_spec_from_name(g_getenv("STUCK_SO"), &error_abort);
    g_autofree char *param = g_strconcat("act=", act, NULL);
    RandomOracle oracle;
    RunConfig config = {.sim.seed = seed, .sim.max_steps = 100000};
    Session *session;

    assert_true(scenario_spec_set(spec, param, &error_abort));
    if (seed) {
        oracle_random_init(&oracle, seed);
        config.sim.oracle = &oracle.base;
    }
    session = session_open_scenario(spec, &config, &error_abort);
    scenario_spec_free(spec);
    return session;
}

/* With one space between words, and thread io0 as io#. */
static char *squeezed(const char *text)
{
    g_autofree char *plain = g_strdup(text);
    g_auto(GStrv) words = NULL;
    GString *out = g_string_new(NULL);
    char *io0;

    while ((io0 = strstr(plain, "io0"))) {
        io0[2] = '#';
    }
    words = g_strsplit_set(plain, " \n", 0);
    for (char **word = words; *word; word++) {
        if (**word) {
            g_string_append_printf(out, "%s%s", out->len ? " " : "", *word);
        }
    }
    return g_string_free(out, false);
}

static void expect_case(const Case *c)
{
    Session *session = simulate(c->act, 0);
    WaitGraph *graph = wait_graph_new(session->model);
    g_autofree char *signature = wait_graph_signature(graph);
    g_autofree char *want = g_strdup_printf("%s: %s", c->class, c->signature);
    g_autofree char *report = wait_graph_report(graph, c->act);
    g_autofree char *words = squeezed(report);

    assert_int_equal(session->end, SESSION_STUCK);
    assert_true(wait_graph_is_stuck(graph));
    assert_string_equal(wait_graph_class(graph), c->class);
    assert_string_equal(signature, want);
    if (!strstr(words, c->row)) {
        fail_msg("%s: no '%s' in\n%s", c->act, c->row, report);
    }
    wait_graph_free(graph);
    session_free(session);
}

static void test_classes(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        expect_case(&cases[i]);
    }
}

/* The design's own example, to the letter. */
static void test_headline(void **state)
{
    ChildResult result = aiolab("run", "nested-laio/buggy", NULL);
    const char *want =
        "DEADLOCK  nested-poll starvation  nested-laio/buggy, event 56\n"
        "  main waits in aio_poll depth 2 until  request B is done             "
        "(complete, from the callback of request A)\n"
        "  request B is done when                its completion is dispatched\n"
        "  that completion is held by            aio_poll depth 1 of main, "
        "batch [A, B], position 2 of 2\n"
        "  aio_poll depth 1 continues when       depth 2 returns               "
        "<- back to main: cycle of 4\n";

    child_expect_status(&result, 1, "run");
    if (!g_str_has_prefix(result.out, want)) {
        fail_msg("%s\nis not\n%s", result.out, want);
    }
    child_finish(&result);
}

/* ---- The commands ---- */

static void expect_output(ChildResult result, const char *const *words)
{
    child_expect_ok(&result, words[0]);
    for (; *words; words++) {
        if (!strstr(result.out, *words)) {
            fail_msg("no '%s' in: %s", *words, result.out);
        }
    }
    child_finish(&result);
}

static void test_commands(void **state)
{
    ChildResult result;

    expect_output(aiolab("inspect", "nested-laio/buggy", "waits", NULL),
                  (const char *const[]){
        "STUCK  main waits in aio_poll depth 2 until request B is done  (",
        "STUCK  main waits in aio_poll depth 1 until request A is done  (",
        NULL});
    expect_output(aiolab("inspect", "nested-laio/buggy", "graph", NULL),
                  (const char *const[]){
        "Signature: nested-poll starvation: completion > poll(nested)@aio_poll"
        " > wait(!req->needs->done)@complete > reason(request B)\n",
        "-->  2  request B is done\n", NULL});
    expect_output(aiolab("inspect", "nested-laio/buggy", "waits", "--json",
                         "--at=25", NULL), (const char *const[]){
        "\"stuck\":false", "\"kind\":\"wait\"", NULL});
    expect_output(aiolab("export", "nested-laio/buggy", "--format=dot", NULL),
                  (const char *const[]){
        "digraph waits {\n", " [label=\"reason(request B)", " -> ",
        "penwidth=2, color=red", NULL});
    expect_output(aiolab("export", "nested-laio/buggy", "--format=json", NULL),
                  (const char *const[]){
        "\"class\" : \"nested-poll starvation\"", "\"headline\"", NULL});
    result = aiolab("export", "nested-laio/buggy", "--format=dot", "--at=999",
                    NULL);
    child_expect_status(&result, 2, "an event that is not there");
    assert_non_null(strstr(result.err, "the run has events 1 to 56"));
    child_finish(&result);
}

/* ---- Schedules, and replays ---- */

static char *signature_of(Session *session)
{
    WaitGraph *graph = wait_graph_new(session->model);
    char *signature = wait_graph_signature(graph);

    wait_graph_free(graph);
    return signature;
}

static void test_schedules(void **state)
{
    static const char *const acts[] = {
        "lock-cycle", "co-lock-cycle", "while-holding", "no-kick", "join",
        "local",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(acts); i++) {
        g_autofree char *want = NULL;

        for (uint64_t seed = 1; seed <= 20; seed++) {
            Session *session = simulate(acts[i], seed);
            g_autofree char *got = signature_of(session);

            if (session->end == SESSION_DONE) { /* nobody had begun to wait */
                session_free(session);
                continue;
            }
            if (!want) {
                want = g_strdup(got);
            }
            assert_string_equal(got, want);
            session_free(session);
        }
        assert_non_null(want);
    }
}

static void test_replay(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *param = g_strconcat("act=", cases[i].act, NULL);
        ChildResult run = aiolab("run", g_getenv("STUCK_SO"), "-p", param,
                                 "--no-index", "-f", "-o", path, NULL);
        Log *log = log_open(path, &error_abort);
        ScenarioSpec *spec = run_spec_from_log(log, &error_abort);
        Session *replayed = session_open_log(log, spec, &error_abort);
        Session *simulated = simulate(cases[i].act, 0);
        g_autofree char *got = signature_of(replayed);
        g_autofree char *want = signature_of(simulated);

        child_expect_status(&run, 1, cases[i].act);
        assert_int_equal(replayed->end, SESSION_STUCK);
        assert_string_equal(got, want);
        assert_int_equal(session_count(replayed), session_count(simulated));
        session_free(replayed);
        session_free(simulated);
        scenario_spec_free(spec);
        log_close(log, NULL);
        child_finish(&run);
    }
}

/* ---- Live ---- */

static void expect_replays(const char *headline, const char *row)
{
    for (unsigned i = 0; i < 10; i++) {
        ChildResult result = aiolab("replay", path, NULL);
        g_autofree char *words = squeezed(result.out);

        child_expect_ok(&result, headline);
        if (!strstr(words, "the run is stuck, as recorded") ||
            !strstr(words, headline) || !strstr(words, row)) {
            fail_msg("%s, %s: %s", headline, row, result.out);
        }
        child_finish(&result);
    }
}

/*
 * Threads and the kernel's rings, and nothing that could end them: the
 * recording ends with that, is complete, and replays to the same.
 */
static void test_live(void **state)
{
    static const char *const acts[] = {"act=lock-cycle", "act=no-kick"};
    static const char *const heads[] = {
        "DEADLOCK lock cycle", "DEADLOCK lost wake-up",
    };
    static const char *const rows[] = {
        "<- back to main: cycle of 4", "but nobody has woken who waits for it",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(acts); i++) {
        ChildResult result = aiolab("record", g_getenv("STUCK_SO"),
                                    "--host=live", "-p", acts[i], "-f", "-q",
                                    "--no-index", "-o", path, NULL);

        child_expect_status(&result, 1, acts[i]);
        child_finish(&result);
        expect_replays(heads[i], rows[i]);
    }
}

static void test_live_nested_poll(void **state)
{
    ChildResult result = aiolab("record", "nested-laio/buggy", "--host=live",
                                "-f", "-q", "-o", path, NULL);

    child_expect_status(&result, 1, "nested-laio");
    child_finish(&result);
    expect_replays("DEADLOCK nested-poll starvation",
                   "batch [A, B], position 2 of 2");
    result = aiolab("run", "nested-laio/buggy", "--host=live", NULL);
    child_expect_status(&result, 1, "not recorded");
    assert_true(g_str_has_prefix(result.out, "DEADLOCK  nothing can run"));
    child_finish(&result);
}

/* ---- What is not stuck ---- */

/* The two are, while the main thread runs on. */
static void test_local(void **state)
{
    Session *session = simulate("local", 0);
    bool stuck_while_running = false;

    for (uint64_t n = 1; n < session_count(session); n++) {
        WaitGraph *graph;

        session_goto(session, n);
        graph = wait_graph_new(session->model);
        if (session_event(session).kind == PROBE_NOTE) {
            assert_false(session->model->stuck);
            stuck_while_running = wait_graph_is_stuck(graph);
            assert_string_equal(wait_graph_class(graph), "lock cycle");
        }
        wait_graph_free(graph);
    }
    assert_true(stuck_while_running);
    session_free(session);
}

/* Looks at every @step-th event. */
static void expect_never_stuck(const char *name, uint64_t seed, unsigned step)
{
    ScenarioSpec *spec = run_spec_from_name(name, &error_abort);
    RunConfig config = {.sim.seed = seed, .sim.max_steps = 2000000};
    RandomOracle oracle;
    Session *session;

    oracle_random_init(&oracle, seed);
    config.sim.oracle = &oracle.base;
    session = session_open_scenario(spec, &config, &error_abort);
    assert_true(session->end == SESSION_DONE || session->end == SESSION_FAILED);
    for (uint64_t n = 1; n <= session_count(session); n += step) {
        WaitGraph *graph;

        session_goto(session, n);
        graph = wait_graph_new(session->model);
        if (wait_graph_is_stuck(graph)) {
            g_autofree char *report = wait_graph_report(graph, name);

            fail_msg("event %" PRIu64 ", seed %" PRIu64 ":\n%s", n, seed,
                     report);
        }
        wait_graph_free(graph);
    }
    session_free(session);
    scenario_spec_free(spec);
}

static void test_never_stuck(void **state)
{
    static const char *const passing[] = {
        "bh-order/plain", "bh-order/thread", "nested-laio/fixed", "drain",
        "opt-in",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(passing); i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            expect_never_stuck(passing[i], seed, 1);
        }
    }
    for (uint64_t seed = 1; seed <= 3; seed++) {
        expect_never_stuck(g_getenv("LOCKS_SO"), seed, 1);
    }
}

/* Many threads, every kind of lock, pools, drains, GLib's loops. */
static void test_stress_is_never_stuck(void **state)
{
    GDir *stress = g_dir_open(g_getenv("STRESS"), 0, NULL);
    unsigned n = 0;

    assert_non_null(stress);
    for (const char *name; (name = g_dir_read_name(stress));) {
        g_autofree char *scenario = g_build_filename(g_getenv("STRESS"), name,
                                                     NULL);

        if (g_str_has_suffix(name, ".so")) {
            expect_never_stuck(scenario, 1, 101);
            n++;
        }
    }
    g_dir_close(stress);
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes), cmocka_unit_test(test_headline),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_schedules), cmocka_unit_test(test_replay),
        cmocka_unit_test(test_live), cmocka_unit_test(test_live_nested_poll),
        cmocka_unit_test(test_local), cmocka_unit_test(test_never_stuck),
        cmocka_unit_test(test_stress_is_never_stuck),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
