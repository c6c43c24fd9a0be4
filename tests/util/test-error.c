/* SPDX-License-Identifier: MIT */
/* Errors, what is printed, notifiers, and functions that register. */
#include "child.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/notify.h"
#include "testlib.h"

/* ---- Errors ---- */

static void burn(Error **errp)
{
    error_setg(errp, "disk %d is on fire", 3);
}

static void test_set(void **state)
{
    Error *err = NULL;

    errno = EBADF;
    burn(NULL);
    burn(&err);
    assert_int_equal(errno, EBADF);
    assert_string_equal(error_get_pretty(err), "disk 3 is on fire");
    assert_int_equal(error_get_class(err), ERROR_CLASS_GENERIC_ERROR);
    error_free_or_abort(&err);
    assert_null(err);

    error_setg_errno(&err, ENOENT, "no %s", "luck");
    assert_string_equal(error_get_pretty(err),
                        "no luck: No such file or directory");
    error_free_or_abort(&err);
    error_setg_errno(&err, 0, "no luck");
    assert_string_equal(error_get_pretty(err), "no luck");
    error_free_or_abort(&err);
    error_setg_file_open(&err, EACCES, "/x");
    assert_string_equal(error_get_pretty(err),
                        "Could not open '/x': Permission denied");
    error_free_or_abort(&err);
    error_set(&err, ERROR_CLASS_DEVICE_NOT_FOUND, "no %s", "disk");
    assert_int_equal(error_get_class(err), ERROR_CLASS_DEVICE_NOT_FOUND);
    error_free(err);
    error_free(NULL);
}

static void test_propagate(void **state)
{
    Error *err = NULL, *local = NULL, *copy;

    error_propagate(&err, NULL);
    assert_null(err);
    burn(&local);
    error_propagate_prepend(&err, local, "%s: ", "boot");
    assert_string_equal(error_get_pretty(err), "boot: disk 3 is on fire");
    local = NULL;
    burn(&local);
    error_propagate(&err, local); /* the first one stays */
    local = NULL;
    burn(&local);
    error_propagate_prepend(NULL, local, "nobody reads this");
    error_prepend(&err, "again: ");
    error_append_hint(&err, "Use %s.\n", "water");
    error_append_hint(NULL, "nobody reads this");
    copy = error_copy(err);
    error_free(err);
    assert_string_equal(error_get_pretty(copy),
                        "again: boot: disk 3 is on fire");
    error_free(copy);
}

static bool guarded(Error **errp)
{
    ERRP_GUARD();

    burn(errp);
    if (*errp) {
        error_prepend(errp, "guarded: ");
        error_append_hint(errp, "Leave.\n");
        return false;
    }
    return true;
}

static void test_guard(void **state)
{
    Error *err = NULL;

    assert_false(guarded(NULL));
    assert_false(guarded(&err));
    assert_string_equal(error_get_pretty(err), "guarded: disk 3 is on fire");
    error_free(err);
}

static void test_autoptr(void **state)
{
    g_autoptr(Error) err = NULL;

    burn(&err);
    assert_non_null(err);
}

/* ---- What is printed ---- */

static void print_everything(void *opaque)
{
    Error *err = NULL;
    bool printed = false;

    g_set_prgname("prog");
    error_report("it is %d", 5);
    warn_report("hot");
    info_report("nice");
    error_printf("as %s is\n", "it");
    guarded(&err);
    error_report_err(err);
    err = NULL;
    guarded(&err);
    warn_reportf_err(err, "later: ");
    for (int i = 0; i < 3; i++) {
        error_report_once("once");
        CHECK(warn_report_once("warned") == (i == 0));
        err = NULL;
        burn(&err);
        CHECK(warn_report_err_once_cond(&printed, err) == (i == 0));
    }
}

static void test_report(void **state)
{
    ChildResult result = child_run(print_everything, NULL);

    child_expect_ok(&result, "printing");
    assert_string_equal(result.err,
                        "prog: it is 5\n"
                        "prog: warning: hot\n"
                        "prog: info: nice\n"
                        "as it is\n"
                        "prog: guarded: disk 3 is on fire\nLeave.\n"
                        "prog: warning: later: guarded: disk 3 is on fire\n"
                        "Leave.\n"
                        "prog: once\n"
                        "prog: warning: warned\n"
                        "prog: warning: disk 3 is on fire\n");
    child_finish(&result);
}

static void print_locations(void *opaque)
{
    char *argv[] = {(char *)"-drive", (char *)"x", (char *)"y"};
    Location file, cmdline, saved;

    error_init("/usr/bin/tool");
    loc_push_none(&file);
    loc_set_file("a.conf", 7);
    error_report("odd");
    loc_set_file(NULL, 8);
    loc_save(&saved);
    loc_push_none(&cmdline);
    loc_set_cmdline(argv, 0, 2);
    warn_report("odder");
    loc_restore(&saved);
    error_report("as before");
    loc_set_none();
    error_report("nowhere");
    loc_pop(&cmdline);
    loc_pop(&file);
    error_report("out");
}

/* What GLib says itself, and what stands before the name. */
static void print_with_origin(void *opaque)
{
    error_init("/usr/bin/tool");
    g_message("by GLib");
    g_log("net", G_LOG_LEVEL_WARNING, "slow");
    g_log("net", G_LOG_LEVEL_DEBUG, "not asked for");
    error_guest_name = "vm1";
    error_report("no guest");
    error_with_guestname = true;
    error_report("lost");
    error_printf_unless_qmp("%d\n", 5);
    error_with_guestname = false;
    message_with_timestamp = true;
    warn_report("late");
}

static void test_origin(void **state)
{
    ChildResult result = child_run(print_with_origin, NULL);
    const char *said = "tool: info: by GLib\n"
                       "tool: warning: net: slow\n"
                       "tool: no guest\n"
                       "vm1 tool: lost\n"
                       "5\n";

    child_expect_ok(&result, "printing");
    assert_true(g_str_has_prefix(result.err, said));
    assert_true(g_pattern_match_simple("2*-*-*T*:*:*Z tool: warning: late\n",
                                       result.err + strlen(said)));
    child_finish(&result);
}

static void test_location(void **state)
{
    ChildResult result = child_run(print_locations, NULL);

    child_expect_ok(&result, "printing");
    assert_string_equal(result.err, "tool:a.conf:7: odd\n"
                                    "tool: -drive x: warning: odder\n"
                                    "tool:a.conf:8: as before\n"
                                    "tool: nowhere\n"
                                    "tool: out\n");
    child_finish(&result);
}

static void fail_fatally(void *opaque)
{
    g_set_prgname("prog");
    guarded(&error_fatal);
}

static void test_fatal(void **state)
{
    ChildResult result = child_run(fail_fatally, NULL);

    assert_int_equal(result.status, 1);
    assert_string_equal(result.err,
                        "prog: guarded: disk 3 is on fire\nLeave.\n");
    child_finish(&result);
}

/* ---- Bugs ---- */

static void fail_by_bug(void *opaque)
{
    guarded(&error_abort);
}

static void set_twice(void *opaque)
{
    Error *err = NULL;

    burn(&err);
    burn(&err);
}

static void propagate_to_abort(void *opaque)
{
    Error *err = NULL;

    burn(&err);
    error_propagate(&error_abort, err);
}

static void free_nothing(void *opaque)
{
    Error *err = NULL;

    error_free_or_abort(&err);
}

static void test_aborts(void **state)
{
    const struct {
        ChildFn *fn;
        const char *message;
    } cases[] = {
        {fail_by_bug, "Unexpected error in burn() at "},
        {propagate_to_abort, "Unexpected error in burn() at "},
        {set_twice, "!*errp"},
        {free_nothing, "errp && *errp"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        ChildResult result = child_run(cases[i].fn, NULL);

        child_expect_abort(&result, cases[i].message);
        child_finish(&result);
    }
}

/* ---- Notifiers ---- */

static char heard[8];

static void hear(Notifier *notifier, void *data)
{
    strcat(heard, data);
    notifier_remove(notifier);
}

static void test_notifiers(void **state)
{
    NotifierList list = NOTIFIER_LIST_INITIALIZER(list);
    Notifier a = {.notify = hear}, b = {.notify = hear};

    assert_true(notifier_list_empty(&list));
    notifier_list_add(&list, &a);
    notifier_list_add(&list, &b);
    notifier_list_notify(&list, (void *)"x");
    notifier_list_notify(&list, (void *)"y");
    assert_string_equal(heard, "xx");
    assert_true(notifier_list_empty(&list));
}

static int count_or_fail(NotifierWithReturn *notifier, void *data,
                         Error **errp)
{
    if (++*(int *)data == 2) {
        burn(errp);
        return -EIO;
    }
    return 0;
}

/* The first that fails is the last that is called. */
static void test_notifiers_with_return(void **state)
{
    NotifierWithReturn n[3];
    NotifierWithReturnList list;
    Error *err = NULL;
    int count = 0;

    notifier_with_return_list_init(&list);
    for (int i = 0; i < 3; i++) {
        n[i] = (NotifierWithReturn){.notify = count_or_fail};
        notifier_with_return_list_add(&list, &n[i]);
    }
    assert_int_equal(notifier_with_return_list_notify(&list, &count, &err),
                     -EIO);
    assert_int_equal(count, 2);
    error_free_or_abort(&err);
    count = 10;
    notifier_with_return_remove(&n[1]);
    assert_int_equal(notifier_with_return_list_notify(&list, &count, &err),
                     0);
    assert_int_equal(count, 12);
}

/* ---- Functions that register themselves ---- */

static int inits;

static void first_init(void)
{
    assert_int_equal(inits++, 0);
}
block_init(first_init);

static void second_init(void)
{
    assert_int_equal(inits++, 1);
}
block_init(second_init);

static void never_init(void)
{
    inits = 100;
}
type_init(never_init);

static void test_module(void **state)
{
    assert_int_equal(inits, 0);
    module_call_init(MODULE_INIT_TRACE); /* nobody */
    module_call_init(MODULE_INIT_BLOCK);
    module_call_init(MODULE_INIT_BLOCK);
    assert_int_equal(inits, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_propagate),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_autoptr),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_location),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_aborts),
        cmocka_unit_test(test_notifiers),
        cmocka_unit_test(test_notifiers_with_return),
        cmocka_unit_test(test_module),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
