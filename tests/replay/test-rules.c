/* SPDX-License-Identifier: MIT */
/*
 * Rules: each one is found where it is broken, in a run and in its replay, with
 * both places and the QEMU bug; and nothing is found where it is kept, nor in
 * any scenario whose runs are right.
 */
#include "program.h"
#include "rules.h"
#include "testlib.h"

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

typedef struct Case {
    const char *act;
    RuleId rule;
    const char *what, *place;
} Case;

static const Case cases[] = {
    {"yields", RULE_YIELD_WITH_MUTEX,
     "coroutine yield_once (co0) yields with mutex mutex (mutex1)",
     "first   yield_once, "},
    {"enters", RULE_ENTER_WITH_MUTEX,
     "coroutine nothing (co0) is entered with mutex mutex (mutex1)",
     "first   enters, "},
    {"polls", RULE_POLL_IN_COROUTINE,
     "coroutine poll_inside (co0) runs the loop", "then    aio_poll, "},
    {"drains", RULE_DRAIN_IN_COROUTINE, "coroutine drain_inside (co0) drains",
     "then    blk_drained_begin, "},
    {"kicks", RULE_NO_KICK, "the request is done by io0, and the callback "
     "ends without aio_wait_kick()", "first   wait_reason_done, "},
    {"schedules", RULE_WAKE_BEFORE_YIELD,
     "coroutine schedule_myself (co0) is scheduled in io0 while main runs it",
     "then    aio_co_schedule, "},
    {"recurses", RULE_REENTERED, "call_again (bh1) is entered while 16 such "
     "callbacks have not returned", "aio_bh_call, "},
    {"adds", RULE_DEAD_PAYLOAD, "sqe0 points to a stack frame that has "
     "returned", "then    adds, "},
    {"loses", RULE_REQUEST_LOST, "read (req0) is in flight when the run ends",
     "first   blk_co_request, "},
};

static void expect_found(const Case *c, const char *said)
{
    g_autofree char *head = g_strdup_printf(
        "RULE BROKEN  %s   (QEMU %s)\n", rule_table[c->rule].name,
        rule_table[c->rule].bug);

    if (!strstr(said, head) || !strstr(said, c->what) ||
        !strstr(said, c->place)) {
        fail_msg("%s: no '%s%s', '%s' in: %s", c->act, head, c->what, c->place,
                 said);
    }
}

static ChildResult run(const char *variant, const char *act)
{
    g_autofree char *scenario = g_strdup_printf("%s/%s", g_getenv("RULES_SO"),
                                                variant);
    g_autofree char *param = g_strconcat("act=", act, NULL);

    return aiolab("run", scenario, "--host=sim", "-p", param, NULL);
}

static void test_broken(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ChildResult result = run("broken", cases[i].act);

        child_expect_status(&result, 1, cases[i].act);
        expect_found(&cases[i], result.out);
        child_finish(&result);
    }
}

static void test_kept(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ChildResult result = run("kept", cases[i].act);

        child_expect_ok(&result, cases[i].act);
        assert_null(strstr(result.out, "RULE BROKEN"));
        child_finish(&result);
    }
}

/* A recording is checked when it is replayed. */
static void test_replayed(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *scenario = g_strdup_printf("%s/broken",
                                                    g_getenv("RULES_SO"));
        g_autofree char *param = g_strconcat("act=", cases[i].act, NULL);
        /* Live, the other thread may enter it first, and that is an abort. */
        bool races = cases[i].rule == RULE_WAKE_BEFORE_YIELD;
        ChildResult result = aiolab("record", scenario,
                                    races ? "--host=sim" : "--host=live", "-p",
                                    param, "-q", "-f", "--no-index", "-o",
                                    path, NULL);

        child_expect_ok(&result, cases[i].act);
        child_finish(&result);
        result = aiolab("replay", path, NULL);
        child_expect_ok(&result, cases[i].act);
        expect_found(&cases[i], result.out);
        child_finish(&result);
    }
}

static void test_json(void **state)
{
    ChildResult result;
    g_autofree char *scenario = g_strdup_printf("%s/broken",
                                                g_getenv("RULES_SO"));

    result = aiolab("run", scenario, "--host=sim", "--json", NULL);
    child_expect_status(&result, 1, "json");
    assert_non_null(strstr(result.out,
                           "\"rules\":[{\"rule\":\"yield with a mutex held\","
                           "\"qemu\":\"d481617765\""));
    child_finish(&result);
}

static void expect_silent(const char *scenario)
{
    ChildResult result = aiolab("run", scenario, "--host=sim", "--seed=1",
                                NULL);

    if (strstr(result.out, "RULE BROKEN")) {
        fail_msg("%s: %s", scenario, result.out);
    }
    child_finish(&result);
}

static void test_no_false_alarm(void **state)
{
    static const char *const right[] = {
        "bh-order/plain", "drain", "file-io", "nested-laio/fixed", "opt-in",
        "b08-drain-in-coroutine/fixed", "b40-throttle-yield/fixed",
        "b41-wake-under-mutex/fixed", "b16-kick-before-result/fixed",
        "b28-resume-and-drain/fixed", "s2-qcow2-open/fixed",
    };
    GDir *stress = g_dir_open(g_getenv("STRESS"), 0, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(right); i++) {
        expect_silent(right[i]);
    }
    assert_non_null(stress);
    for (const char *name; (name = g_dir_read_name(stress));) {
        g_autofree char *scenario = g_build_filename(g_getenv("STRESS"), name,
                                                     NULL);

        if (g_str_has_suffix(name, ".so")) {
            expect_silent(scenario);
        }
    }
    g_dir_close(stress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_replayed), cmocka_unit_test(test_json),
        cmocka_unit_test(test_no_false_alarm),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
