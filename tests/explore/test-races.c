/* SPDX-License-Identifier: MIT */
/* Which accesses race, byte by byte, whatever was copied around them. */
#include "testlib.h"

#include "races.h"

enum { AT = 0x10000 - 24 }; /* what follows crosses blocks that lie together */

static MemoryFault fault;

static Races *begin(void)
{
    Races *r = races_new();

    races_begin(r);
    return r;
}

/* True if it is a fault. */
static bool touch(Races *r, unsigned thread, uintptr_t address, size_t size,
                  bool write)
{
    races_step(r, thread);
    return races_access(r, address, size, write, thread, &fault);
}

static void test_variables(void **state)
{
    Races *r = begin();

    assert_false(touch(r, 1, AT, 4, true));
    assert_false(touch(r, 2, AT + 4, 4, true)); /* a neighbour */
    assert_false(touch(r, 1, AT, 4, false));
    assert_true(touch(r, 2, AT, 4, false));
    assert_int_equal(fault.threads[1], 1);
    assert_true(fault.writes[1]);
    races_free(r);
}

/* A copy touches all its bytes, and each can then be touched alone. */
static void test_copies(void **state)
{
    Races *r = begin();

    assert_false(touch(r, 1, AT, 64, true));
    assert_false(touch(r, 1, AT + 40, 8, true));
    assert_true(touch(r, 2, AT + 63, 1, false));
    assert_true(touch(r, 2, AT + 40, 8, false));
    assert_false(touch(r, 2, AT + 64, 8, false));
    races_begin(r); /* and nothing is left for the next run */
    assert_false(touch(r, 2, AT, 64, false));
    assert_false(touch(r, 3, AT + 8, 8, false));
    assert_true(touch(r, 1, AT + 8, 1, true));
    races_free(r);
}

static void test_order(void **state)
{
    Races *r = begin();

    assert_false(touch(r, 1, AT, 8, true));
    races_wake(r, 2);
    assert_false(touch(r, 2, AT, 8, true));
    races_sync(r, 0x99);
    races_step(r, 3);
    races_sync(r, 0x99);
    assert_false(touch(r, 3, AT, 8, true));
    assert_true(touch(r, 1, AT, 8, false));
    races_free(r);
}

static void test_freed(void **state)
{
    Races *r = begin();

    assert_false(touch(r, 1, AT + 8, 200, true));
    assert_false(races_freed(r, AT + 8, 200, &fault));
    assert_true(touch(r, 2, AT + 100, 4, false));
    assert_true(fault.freed);
    assert_false(touch(r, 2, AT + 8 + 208, 4, true));
    races_step(r, 1);
    assert_true(races_freed(r, AT + 8 + 208, 4, &fault)); /* 2 uses it */
    races_free(r);
}

/* It has clocks for 24; the others go unseen, but what they free is freed. */
static void test_many_threads(void **state)
{
    Races *r = begin();

    assert_false(touch(r, 1, AT, 8, true));
    assert_false(touch(r, 1000, AT, 8, true));
    races_sync(r, 0x99);
    races_wake(r, 1001);
    assert_false(races_freed(r, AT, 8, &fault));
    assert_true(touch(r, 1, AT, 8, false));
    assert_true(fault.freed);
    races_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_freed),
        cmocka_unit_test(test_many_threads),
    };

    return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
