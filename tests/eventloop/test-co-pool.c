/* SPDX-License-Identifier: MIT */
/*
 * The pool of coroutines: many at once, created here and ended there, threads
 * that come and go, and a size that changes.  Under a sanitizer or valgrind
 * the point is that nothing is lost and nobody gets a stack that is in use.
 */
#include "harness.h"

#include "qemu/coroutine_int.h"

typedef struct Member {
    Coroutine *co;
    unsigned n;
} Member;

static void coroutine_fn member_entry(void *opaque)
{
    Member *member = opaque;
    volatile unsigned local = member->n;

    qemu_coroutine_yield();
    CHECK_EQ(local, member->n);
    member->n = 0;
}

static void enter_all(Member *members, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        qemu_coroutine_enter(members[i].co);
    }
}

static void many_at_once(unsigned n)
{
    g_autofree Member *members = g_new0(Member, n);

    for (unsigned i = 0; i < n; i++) {
        members[i].n = i + 1;
        members[i].co = qemu_coroutine_create(member_entry, &members[i]);
    }
    enter_all(members, n);
    enter_all(members, n);
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(members[i].n, 0);
    }
}

/* Around each multiple of a batch, up to what overflows all pools. */
static void test_overflow(const ScenarioArgs *args)
{
    static const unsigned sizes[] = {1, 127, 128, 129, 255, 256, 257, 384, 385,
                                     600, 1, 600};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        many_at_once(sizes[i]);
    }
}

static void test_resize(const ScenarioArgs *args)
{
    qemu_coroutine_inc_pool_size(400);
    many_at_once(700);
    many_at_once(700);
    qemu_coroutine_dec_pool_size(400);
    many_at_once(700);
}

typedef struct Nest {
    unsigned enter, leave, max;
} Nest;

static void coroutine_fn nest_entry(void *opaque)
{
    Nest *nest = opaque;

    if (++nest->enter < nest->max) {
        qemu_coroutine_enter(qemu_coroutine_create(nest_entry, nest));
    }
    nest->leave++;
}

static void test_deep_nesting(const ScenarioArgs *args)
{
    Nest nest = {.max = 1000};

    qemu_coroutine_enter(qemu_coroutine_create(nest_entry, &nest));
    CHECK_EQ(nest.leave, 1000);
}

/* ---- Threads: what ends in one is found by another ---- */

enum { HANDED = 300 };

static Member handed[HANDED];

static void *end_thread(void *opaque)
{
    enter_all(handed, HANDED);
    return NULL;
}

static void run_thread(const char *name, void *(*fn)(void *))
{
    QemuThread thread;

    qemu_thread_create(&thread, name, fn, NULL, QEMU_THREAD_JOINABLE);
    qemu_thread_join(&thread);
}

/* Created and entered by this thread, ended by another. */
static void test_end_elsewhere(const ScenarioArgs *args)
{
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < HANDED; i++) {
            handed[i].n = i + 1;
            handed[i].co = qemu_coroutine_create(member_entry, &handed[i]);
        }
        enter_all(handed, HANDED);
        run_thread("end", end_thread);
        for (unsigned i = 0; i < HANDED; i++) {
            CHECK_EQ(handed[i].n, 0);
        }
    }
}

static void *churn_thread(void *opaque)
{
    many_at_once(1 + 200 * (uintptr_t)opaque);
    many_at_once(150);
    return NULL;
}

static void test_threads(const ScenarioArgs *args)
{
    QemuThread threads[4];

    for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_create(&threads[i], "churn", churn_thread, (void *)i,
                           QEMU_THREAD_JOINABLE);
    }
    many_at_once(300);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_join(&threads[i]);
    }
    many_at_once(300);
}

static const LoopTest tests[] = {
    {"/pool/overflow", test_overflow},
    {"/pool/resize", test_resize},
    {"/pool/deep-nesting", test_deep_nesting},
    {"/pool/end-elsewhere", test_end_elsewhere, TEST_THREADS},
    {"/pool/threads", test_threads, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
