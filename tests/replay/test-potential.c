/* SPDX-License-Identifier: MIT */
/*
 * Potential deadlocks: found from runs that end well, with both places; and not
 * where a gate, a trylock, one thread, or the end of a thread forbids them, nor
 * in any scenario that is right.
 */
#include "potential.h"
#include "program.h"
#include "run.h"
#include "session.h"
#include "testlib.h"

#include "builtin.h"

enum { RUNS = 3, MANY_RUNS = 40 };

static int setup(void **state)
{
    run_lookup = builtin_scenario_find;
    return 0;
}

/* Runs that end well, by some schedules; the caller frees their sessions. */
static void add_runs(Potential *potential, GPtrArray *sessions,
                     const char *scenario, const char *param, unsigned runs)
{
    for (uint64_t seed = 1; seed <= runs; seed++) {
        ScenarioSpec *spec = run_spec_from_name(scenario, &error_abort);
        RunConfig config = {.sim.seed = seed, .sim.max_steps = 1000000};
        Model *model = model_new();
        RandomOracle oracle;
        Session *session;

        if (param) {
            assert_true(scenario_spec_set(spec, param, &error_abort));
        }
        oracle_random_init(&oracle, seed);
        config.sim.oracle = &oracle.base;
        session = session_open_scenario(spec, &config, &error_abort);
        potential_begin_run(potential);
        for (uint64_t n = 1; n <= session_count(session); n++) {
            ProbeEvent event = event_store_get(session->events, n);

            potential_apply(potential, &event, model);
            model_apply(model, &event);
        }
        model_free(model);
        scenario_spec_free(spec);
        g_ptr_array_add(sessions, session);
    }
}

static void expect_in(unsigned runs, const char *scenario, const char *param,
                      unsigned n, const char *const *words)
{
    GPtrArray *sessions =
        g_ptr_array_new_with_free_func((GDestroyNotify)session_free);
    Potential *potential = potential_new();
    g_autofree char *report = NULL;

    add_runs(potential, sessions, scenario, param, runs);
    report = potential_report(potential);
    if (potential_count(potential) != n) {
        fail_msg("%s, %s: %u cycles, not %u:\n%s", scenario,
                 param ? param : "", potential_count(potential), n, report);
    }
    for (; words && *words; words++) {
        if (!strstr(report, *words)) {
            fail_msg("no '%s' in\n%s", *words, report);
        }
    }
    potential_free(potential);
    g_ptr_array_free(sessions, true);
}

static void expect(const char *scenario, const char *param, unsigned n,
                   const char *const *words)
{
    expect_in(RUNS, scenario, param, n, words);
}

static void test_found(void **state)
{
    expect(g_getenv("ORDER_SO"), "act=meet", 1, (const char *const[]){
        "POTENTIAL DEADLOCK", "lock(first);", "lock(second);",
        "main has first  (forwards, ", "and asks for second  (forwards, ",
        "worker has second  (backwards, ", "and asks for first  (backwards, ",
        NULL});
    expect(g_getenv("ORDER_SO"), "act=coroutines", 1, (const char *const[]){
        "co_order has ", " and asks for ", NULL});
}

/* In few runs the waiter comes between the bringer's lock and its event. */
static void test_waits(void **state)
{
    expect_in(MANY_RUNS, g_getenv("ORDER_SO"), "act=wait-and-need", 1,
           (const char *const[]){
        "POTENTIAL DEADLOCK", "lock(first);", "wait(event_set);",
        "main has first  (with_event, ", "and waits for event_set  (with_event, ",
        "bringer brings event_set  (qemu_cond_broadcast, ", "and needs first for it  (bringer, ",
        NULL});
    expect_in(MANY_RUNS, g_getenv("ORDER_SO"), "act=wait-only", 0, NULL);
    expect_in(MANY_RUNS, g_getenv("ORDER_SO"), "act=wait-for-either", 0, NULL);
}

static void test_signature(void **state)
{
    GPtrArray *sessions =
        g_ptr_array_new_with_free_func((GDestroyNotify)session_free);
    Potential *potential = potential_new();
    g_autofree char *signature = NULL;

    add_runs(potential, sessions, g_getenv("ORDER_SO"), "act=meet", RUNS);
    signature = potential_signature(potential, 0);
    assert_string_equal(signature, "first@forwards > second@forwards, "
                        "second@backwards > first@backwards");
    potential_free(potential);
    g_ptr_array_free(sessions, true);
}

static void test_cannot_meet(void **state)
{
    static const char *const acts[] = {
        "act=gate", "act=trylock", "act=same-thread", "act=created-after",
        "act=joined-before", "act=coroutines-in-turn",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(acts); i++) {
        expect(g_getenv("ORDER_SO"), acts[i], 0, NULL);
    }
}

static void test_right_programs(void **state)
{
    static const char *const right[] = {
        "bh-order/thread", "drain", "nested-laio/fixed", "opt-in", "file-io",
        "b40-throttle-yield/fixed", "b42-cancel-under-lock/fixed",
        "b09-context-lock-twice/fixed", "b39-wrlock-under-context-lock/fixed",
    };
    GDir *stress = g_dir_open(g_getenv("STRESS"), 0, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(right); i++) {
        expect(right[i], NULL, 0, NULL);
    }
    assert_non_null(stress);
    for (const char *name; (name = g_dir_read_name(stress));) {
        g_autofree char *scenario = g_build_filename(g_getenv("STRESS"), name,
                                                     NULL);

        if (g_str_has_suffix(name, ".so")) {
            expect(scenario, NULL, 0, NULL);
        }
    }
    g_dir_close(stress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found), cmocka_unit_test(test_waits),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_cannot_meet),
        cmocka_unit_test(test_right_programs),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
