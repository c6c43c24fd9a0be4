/* SPDX-License-Identifier: MIT */
/*
 * Files as users write them, and do not mean them: whatever a file does, one
 * search ends with a finding, a verdict or one line, and never dies with it.
 * And what "aiolab new-scenario" writes fails and passes as it says.
 */
#include "program.h"
#include "testlib.h"

#include <glib/gstdio.h>

static char *dir;

static int setup(void **state)
{
    dir = test_dir_new();
    return g_chdir(dir);
}

static int teardown(void **state)
{
    test_dir_free(dir);
    return 0;
}

static void write_scenario(const char *name, const char *globals,
                           const char *body)
{
    g_autofree char *file = g_strconcat(name, ".c", NULL);
    g_autofree char *text = g_strdup_printf(
        "#include \"aiolab/scenario.h\"\n%s\n"
        "static void run(const ScenarioArgs *args)\n{\n%s\n}\n"
        "SCENARIO(%s) = {\n"
        "    .name = \"%s\", .summary = \"a test's\",\n"
        "    .params = (const ScenarioParam[]){{\"n\", \"1\", \"\"}, {NULL}},\n"
        "    .run = run,\n};\n", globals, body, name, name);

    assert_true(g_file_set_contents(file, text, -1, NULL));
}

typedef struct Case {
    const char *name, *globals, *body;
    int status;
    const char *said; /* on stdout or stderr */
} Case;

static void expect(const Case *c, const ChildResult *result)
{
    child_expect_status(result, c->status, c->name);
    if (!strstr(result->out, c->said) && !strstr(result->err, c->said)) {
        fail_msg("%s: it does not say \"%s\":\n%s%s", c->name, c->said,
                 result->out, result->err);
    }
}

static void explore_case(const Case *c)
{
    g_autofree char *file = g_strconcat(c->name, ".c", NULL);
    ChildResult result;

    write_scenario(c->name, c->globals, c->body);
    result = aiolab_limited(100, "explore", file, "-n", "200", NULL);
    expect(c, &result);
    child_finish(&result);
}

static void explore_cases(const Case *cases, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        explore_case(&cases[i]);
    }
}

/* ---- Programs that end otherwise than by returning ---- */

static void test_ends(void **state)
{
    static const Case cases[] = {
        {"exits", "", "exit(3);", 1, "it ends the process with status 3"},
        {"leaves", "#include <unistd.h>", "_exit(4);", 1,
         "it ends its process"},
        {"is_done", "", "exit(0);", 0, "200 schedules, 0 failing"},
        {"is_wrong", "", "SCENARIO_CHECK(false, \"no\"); exit(0);", 1,
         "no (false is false)"},
        {"fatal_error", "", "Error *err = NULL; error_setg(&err, \"bad\");"
         "error_propagate(&error_fatal, err);", 1, "with status 1"},
        {"returns", "", "", 0, "200 schedules, 0 failing"},
        {"in_a_child", "#include <sys/wait.h>\n#include <unistd.h>",
         "pid_t pid = fork(); int status; if (pid == 0) { exit(5); }"
         "waitpid(pid, &status, 0);"
         "SCENARIO_CHECK(WEXITSTATUS(status) == 5, \"%x\", status);", 0,
         "200 schedules, 0 failing"},
    };

    explore_cases(cases, ARRAY_SIZE(cases));
}

/* ---- Crashes and assertions: the signal, the message, the line ---- */

static void test_crashes(void **state)
{
    static const Case cases[] = {
        {"null", "", "volatile int *p = NULL;\n*p = 1;", 1, "CRASH  SIGSEGV"},
        {"asserts", "", "int n = 1;\nassert(n == 2);", 1,
         "Assertion `n == 2' failed"},
        {"glib_asserts", "", "int n = 1;\ng_assert_cmpint(n, ==, 2);", 1,
         "assertion failed (n == 2): (1 == 2)"},
        {"glib_error", "", "g_error(\"gone wrong\");", 1, "gone wrong"},
        {"aborts", "", "abort();", 1, "CRASH  SIGABRT"},
        {"says_where", "", "abort();", 1, "#0 run  "},
        {"recursion", "static int deep(int n)\n{\n"
         "    volatile char b[1000] = {n};\n"
         "    return n ? deep(n + 1) + b[0] : 0;\n}",
         "scenario_result(\"n\", deep(1));", 1, "CRASH  SIGSEGV"},
        {"no_such_param", "", "scenario_param(args, \"x\");", 1,
         "parameter 'x', which it does not declare"},
    };

    explore_cases(cases, ARRAY_SIZE(cases));
}

/* ---- Schedules that do not end ---- */

static void test_endless(void **state)
{
    static const Case cases[] = {
        {"computes", "", "volatile int x = 0; while (!x) { }", 1,
         "it computes, and does nothing"},
        {"polls", "", "for (;;) { aio_poll(qemu_get_aio_context(), false); }",
         1, "LIVELOCK  the last 4 events repeat for ever"},
        {"waits", "", "for (;;) { aio_poll(qemu_get_aio_context(), true); }",
         1, "DEADLOCK"},
        {"glib_waits", "",
         "g_main_loop_run(g_main_loop_new(NULL, false));", 1, "DEADLOCK"},
    };

    explore_cases(cases, ARRAY_SIZE(cases));
}

/* ---- What one schedule leaves, the next does not find ---- */

static void test_state(void **state)
{
    static const Case cases[] = {
        {"statics", "static int n; int m = 7;",
         "static int k; n++; m++; k++;"
         "SCENARIO_CHECK(n == 1 && m == 8 && k == 1, \"%d %d %d\", n, m, k);",
         0, "200 schedules, 0 failing"},
        {"containers", "static GHashTable *table;",
         "SCENARIO_CHECK(!table, \"there is one\");"
         "table = g_hash_table_new(NULL, NULL);"
         "for (int i = 0; i < 1000; i++) {"
         " g_hash_table_add(table, GINT_TO_POINTER(i)); }", 0,
         "200 schedules, 0 failing"},
        {"warnings", "", "g_warning(\"like this\");", 0,
         "200 schedules, 0 failing"},
        {"keys", "#include <pthread.h>", "pthread_key_t key[20];"
         "for (int i = 0; i < 20; i++) {"
         " SCENARIO_CHECK(pthread_key_create(&key[i], NULL) == 0, \"full\");"
         " SCENARIO_CHECK(!pthread_getspecific(key[i]), \"not empty\");"
         " pthread_setspecific(key[i], key); }", 0,
         "200 schedules, 0 failing"},
        {"thread_locals", "static __thread int n;",
         "SCENARIO_CHECK(++n == 1, \"%d\", n);", 0,
         "200 schedules, 0 failing"},
    };

    explore_cases(cases, ARRAY_SIZE(cases));
}

static void test_prints_nothing(void **state)
{
    ChildResult result;

    write_scenario("prints", "", "printf(\"hello\\n\"); fflush(stdout);"
                   "fprintf(stderr, \"hello\\n\");");
    result = aiolab("explore", "prints.c", "-n", "200", NULL);
    child_expect_ok(&result, "prints");
    assert_string_equal(result.out,
                        "prints.c: nothing found  200 schedules, 0 failing\n");
    assert_string_equal(result.err, "");
    child_finish(&result);
}

/* ---- GLib's loop, and many threads ---- */

static void test_loops_and_threads(void **state)
{
    static const Case cases[] = {
        {"glib_loop",
         "static void quit(void *loop) { g_main_loop_quit(loop); }",
         "GMainLoop *loop = g_main_loop_new(NULL, false);"
         "aio_bh_schedule_oneshot(qemu_get_aio_context(), quit, loop);"
         "g_main_loop_run(loop); g_main_loop_unref(loop);", 0,
         "200 schedules, 0 failing"},
        {"threads", "static QemuMutex lock; static int n;\n"
         "static void *count(void *opaque)\n{\n"
         "    WITH_QEMU_LOCK_GUARD(&lock) {\n        n++;\n    }\n"
         "    return NULL;\n}",
         "QemuThread t[20]; qemu_mutex_init(&lock);"
         "for (int i = 0; i < 20; i++) {"
         " qemu_thread_create(&t[i], \"t\", count, NULL,"
         " QEMU_THREAD_JOINABLE); }"
         "for (int i = 0; i < 20; i++) { qemu_thread_join(&t[i]); }"
         "SCENARIO_CHECK(n == 20, \"%d\", n);", 0, "200 schedules, 0 failing"},
        {"lost_update", "static int n;\n"
         "static void *count(void *opaque)\n{\n"
         "    qatomic_set(&n, qatomic_read(&n) + 1);\n"
         "    return NULL;\n}",
         "QemuThread t; qemu_thread_create(&t, \"t\", count, NULL,"
         " QEMU_THREAD_JOINABLE); count(NULL); qemu_thread_join(&t);"
         "SCENARIO_CHECK(n == 2, \"an update is lost\");", 1,
         "an update is lost"},
    };

    explore_cases(cases, ARRAY_SIZE(cases));
}

/* ---- What is no scenario gets one line ---- */

static void expect_line(const char *file, const char *text, const char *said)
{
    ChildResult result;

    if (text) {
        assert_true(g_file_set_contents(file, text, -1, NULL));
    }
    result = aiolab("explore", file, NULL);
    child_expect_status(&result, 3, file);
    if (!strstr(result.err, said) || *result.out) {
        fail_msg("%s: %s%s", file, result.out, result.err);
    }
    child_finish(&result);
}

static void test_no_scenario(void **state)
{
    expect_line("missing.c", NULL, "aiolab: missing.c: no such file\n");
    expect_line("empty.c", "", "aiolab: empty.c: defines no scenario; ");
    expect_line("wrong.c", "int x = ;\n",
                "aiolab: wrong.c: does not compile; ");
    expect_line("unlinked.c", "#include \"aiolab/scenario.h\"\n"
                "void missing(void);\n"
                "static void run(const ScenarioArgs *a) { missing(); }\n"
                "SCENARIO(u) = {.name = \"u\", .run = run};\n",
                "undefined symbol: missing");
}

static void test_params(void **state)
{
    static const Case good = {"params", "", "", 1, "it is 5"};
    static const Case bad = {"params", "", "", 3, "is not 1 to 9"};
    static const Case none = {"params", "", "", 3, "no parameter 'm'"};
    const Case *const cases[] = {&good, &bad, &none};
    const char *const assignments[] = {"n=5", "n=50", "m=1"};

    write_scenario("params", "",
                   "int64_t n = scenario_param_int(args, \"n\");"
                   "if (n < 1 || n > 9) {"
                   " scenario_bad_input(\"n=%\" PRId64 \" is not 1 to 9\", n);"
                   " return; }"
                   "SCENARIO_CHECK(n != 5, \"it is 5\");");
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        ChildResult result = aiolab("explore", "params.c", "-p",
                                    assignments[i], NULL);

        expect(cases[i], &result);
        child_finish(&result);
    }
}

/*
 * Plain accesses of a user's code are watched like our own: two threads that
 * write a word without telling anybody are more than one class.
 */
static void test_plain_accesses_are_seen(void **state)
{
    static const Case seen = {"plain", "", "", 1, "the other one was last"};
    ChildResult result;

    write_scenario("plain", "static int last;\n"
                   "static void *mark(void *opaque)\n{\n"
                   "    last = 2;\n    return NULL;\n}",
                   "QemuThread t; qemu_thread_create(&t, \"t\", mark, NULL,"
                   " QEMU_THREAD_JOINABLE); last = 1; qemu_thread_join(&t);"
                   "SCENARIO_CHECK(last == 1, \"the other one was last\");");
    result = aiolab("explore", "plain.c", "-s", "dpor", "-a", NULL);
    expect(&seen, &result);
    if (!strstr(result.out, "COMPLETE  2 classes")) {
        fail_msg("%s", result.out);
    }
    child_finish(&result);
}

/* ---- --watch ---- */

/* Off a terminal: a line for each finding, and a last one for all. */
static void test_watch(void **state)
{
    static const Case told = {"watched", "", "", 1,
                              "watched: FAILED, found by default, seed 1, "
                              "schedule 1\n"};
    ChildResult result;

    write_scenario("watched", "", "SCENARIO_CHECK(false, \"no\");");
    result = aiolab("explore", "watched.c", "-a", "-n", "300", "-w", NULL);
    expect(&told, &result);
    assert_non_null(strstr(result.err, "watched.c: 300 of 300 schedules, "
                           "300 failing, "));
    assert_true(g_str_has_suffix(result.err, "/s, 1 finding\n"));
    assert_null(strchr(result.err, '\r'));
    child_finish(&result);
    result = aiolab("explore", "watched.c", "-a", "-n", "300", NULL);
    child_expect_status(&result, 1, "not watched");
    assert_string_equal(result.err, "");
    child_finish(&result);
}

/* ---- new-scenario ---- */

static void test_template(void **state)
{
    static const Case fails = {"my-hang.c", "", "", 1, "DEADLOCK"};
    static const Case holds = {"my-hang.c/fixed", "", "", 0,
                               "2000 schedules, 0 failing"};
    g_autofree char *text = NULL;
    ChildResult result = aiolab("new-scenario", "my-hang", NULL);

    child_expect_ok(&result, "new-scenario");
    assert_string_equal(result.out, "my-hang.c: written; next: aiolab explore "
                        "my-hang.c\n");
    child_finish(&result);
    assert_true(g_file_get_contents("my-hang.c", &text, NULL, NULL));
    assert_null(strchr(text, '@'));
    assert_non_null(strstr(text, "SCENARIO(my_hang) ="));

    result = aiolab("explore", "my-hang.c", NULL);
    expect(&fails, &result);
    assert_string_equal(result.err, ""); /* no warning of the compiler's */
    child_finish(&result);
    result = aiolab("explore", "my-hang.c/fixed", "-n", "2000", NULL);
    expect(&holds, &result);
    child_finish(&result);
}

static void test_template_is_not_lost(void **state)
{
    static const Case exists = {"mine", "", "", 3, "mine.c: exists; "};
    g_autofree char *text = NULL;
    ChildResult result;

    assert_true(g_file_set_contents("mine.c", "precious", -1, NULL));
    result = aiolab("new-scenario", "mine", NULL);
    expect(&exists, &result);
    child_finish(&result);
    assert_true(g_file_get_contents("mine.c", &text, NULL, NULL));
    assert_string_equal(text, "precious");
}

static void test_template_names(void **state)
{
    static const char *const bad[] = {
        "", "My-hang", "my_hang", "9lives", "a/b", "hang.c", "ü",
        "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghij",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        ChildResult result = aiolab("new-scenario", bad[i], NULL);

        child_expect_status(&result, 2, bad[i]);
        assert_non_null(strstr(result.err, "is no name of a scenario"));
        assert_ptr_equal(strchr(result.err, '\n') + 1,
                         result.err + strlen(result.err));
        child_finish(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_prints_nothing),
        cmocka_unit_test(test_loops_and_threads),
        cmocka_unit_test(test_no_scenario),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_plain_accesses_are_seen),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_template_is_not_lost),
        cmocka_unit_test(test_template_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
