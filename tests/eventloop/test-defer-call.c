/* SPDX-License-Identifier: MIT */
/*
 * Deferred calls: to the end of the outermost section, once each, in the order
 * in which they were first noted; and sections within deferred functions.
 */
#include "harness.h"

#include "qemu/defer-call.h"

static Trace order;

static void call(void *opaque)
{
    trace(&order, *(char *)opaque);
}

static void defer(const char *name)
{
    defer_call(call, (void *)name);
}

static const char a[] = "a", b[] = "b", i[] = "i", z[] = "z";

static void test_sections(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    defer(a);
    CHECK_STR(order.text, "a"); /* outside a section: now */
    defer_call_begin();
    defer(a);
    defer_call_begin();
    defer(b);
    defer_call_end();
    CHECK_STR(order.text, "a"); /* the inner end is not the end */
    defer(a);
    defer_call_end();
    CHECK_STR(order.text, "aab"); /* once each, in first order */
    defer_call_begin();
    defer_call_end();
    CHECK_STR(order.text, "aab");
}

/* ---- A deferred function with a section of its own ---- */

static void call_with_section(void *opaque)
{
    trace(&order, 'N');
    defer_call_begin();
    defer(i);
    trace(&order, '(');
    defer_call_end();
    trace(&order, ')');
}

static void test_nested(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    defer_call_begin();
    defer(a);
    defer_call(call_with_section, NULL);
    defer(z);
    defer_call_end();
    CHECK_STR(order.text, "aN(i)z");
}

static void call_with_pending(void *opaque)
{
    trace(&order, 'N');
    defer_call_begin();
    defer(a); /* has been called: once more, at this section's end */
    defer(z); /* will be called anyway, after us */
    defer_call_end();
}

static void test_nested_pending(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    defer_call_begin();
    defer(a);
    defer_call(call_with_pending, NULL);
    defer(z);
    defer_call_end();
    CHECK_STR(order.text, "aNaz");
}

static unsigned depth;

static void call_deeper(void *opaque)
{
    char name[] = {'0' + depth, '\0'};

    trace(&order, name[0]);
    if (++depth < 5) {
        defer_call_begin();
        defer_call(call_deeper, NULL);
        defer(z);
        defer_call_end();
    }
}

static void test_nested_deep(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    depth = 0;
    defer_call_begin();
    defer_call(call_deeper, NULL);
    defer(z);
    defer_call_end();
    CHECK_STR(order.text, "01234z"); /* z was noted first by the outermost */
}

static void call_immediate(void *opaque)
{
    defer(i); /* no section is open any more: now */
    trace(&order, 'n');
}

static void test_immediate(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    defer_call_begin();
    defer_call(call_immediate, NULL);
    defer_call_end();
    CHECK_STR(order.text, "in");
}

/* ---- Many ---- */

enum { MANY = 1024 };

static unsigned next_number, calls;

static void call_number(void *opaque)
{
    CHECK_EQ((uintptr_t)opaque, next_number++);
    calls++;
}

static void call_other(void *opaque)
{
    calls++;
}

static void test_many(const ScenarioArgs *args)
{
    for (unsigned n = 1; n <= MANY; n *= 2) {
        next_number = calls = 0;
        defer_call_begin();
        for (unsigned round = 0; round < 3; round++) {
            for (uintptr_t number = 0; number < n; number++) {
                defer_call(call_number, (void *)number);
            }
        }
        /* The function counts as much as the argument. */
        defer_call(call_other, (void *)0);
        defer_call(call_other, (void *)0);
        CHECK_EQ(calls, 0);
        defer_call_end();
        CHECK_EQ(calls, n + 1);
    }
}

static void abort_end_only(const ScenarioArgs *args)
{
    defer_call_end();
}

int main(int argc, char **argv)
{
    static const LoopTest tests[] = {
        {"/defer-call/sections", test_sections},
        {"/defer-call/nested", test_nested},
        {"/defer-call/nested-pending", test_nested_pending},
        {"/defer-call/nested-deep", test_nested_deep},
        {"/defer-call/immediate", test_immediate},
        {"/defer-call/many", test_many},
        {NULL}};
    static const AbortTest aborts[] = {
        {"/defer-call/end-without-begin", abort_end_only,
         "defer_call_end() without defer_call_begin()"},
        {NULL}};

    return harness_main(argc, argv, tests, aborts);
}
