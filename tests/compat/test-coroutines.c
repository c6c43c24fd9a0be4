/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: who runs when, the locks that yield, sleeping, and what misuse
 * is told.  Only the last part needs an AioContext.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/coroutine.h"
#include "qemu/coroutine-core.h"
#include "qemu/coroutine_int.h"
#include "qemu/lockable.h"
#include "qemu/main-loop.h"

static GString *order;

static void note(const char *text)
{
    g_string_append(order, text);
}

static void expect_order(const char *text)
{
    g_assert_cmpstr(order->str, ==, text);
    g_string_set_size(order, 0);
}

/* ---- Without a loop ---- */

static void coroutine_fn yield_twice(void *opaque)
{
    Coroutine *self = qemu_coroutine_self();

    g_assert_true(qemu_in_coroutine());
    g_assert_true(qemu_coroutine_entered(self));
    for (int i = 0; i < 2; i++) {
        note(opaque);
        qemu_coroutine_yield();
    }
}

static void test_yield(void)
{
    Coroutine *a = qemu_coroutine_create(yield_twice, (void *)"a");
    Coroutine *b = qemu_coroutine_create(yield_twice, (void *)"b");

    g_assert_false(qemu_in_coroutine());
    for (int i = 0; i < 3; i++) {
        qemu_coroutine_enter(a);
        qemu_coroutine_enter(b);
        g_assert_false(i < 2 && qemu_coroutine_entered(a));
    }
    expect_order("abab");
    g_assert_cmpint(sizeof(Coroutine), >, sizeof(void *));
}

static void coroutine_fn nest(void *opaque)
{
    int *depth = opaque;

    if (--*depth > 0) {
        qemu_coroutine_enter(qemu_coroutine_create(nest, depth));
    }
    qemu_coroutine_enter_if_inactive(qemu_coroutine_self());
}

/* More than a pool keeps, with and without one. */
static void test_many(void)
{
    for (int i = 0; i < 3; i++) {
        int depth = CONFIG_COROUTINE_POOL ? 700 : 100;

        qemu_coroutine_inc_pool_size(64);
        qemu_coroutine_enter(qemu_coroutine_create(nest, &depth));
        qemu_coroutine_dec_pool_size(64);
        g_assert_cmpint(depth, ==, 0);
    }
}

/* ---- Locks ---- */

static CoMutex mutex;

static void coroutine_fn lock_and_yield(void *opaque)
{
    WITH_QEMU_LOCK_GUARD(&mutex) {
        qemu_co_mutex_assert_locked(&mutex);
        note(opaque);
        qemu_coroutine_yield();
    }
}

static void test_mutex(void)
{
    Coroutine *a = qemu_coroutine_create(lock_and_yield, (void *)"a");
    Coroutine *b = qemu_coroutine_create(lock_and_yield, (void *)"b");

    qemu_co_mutex_init(&mutex);
    qemu_coroutine_enter(a);
    qemu_coroutine_enter(b);
    expect_order("a");
    qemu_coroutine_enter(a); /* hands it over, and runs b */
    expect_order("b");
    qemu_coroutine_enter(b);
}

static CoQueue queue;
static QemuMutex queue_lock;

static void coroutine_fn wait_in_queue(void *opaque)
{
    QEMU_LOCK_GUARD(&queue_lock);
    qemu_co_queue_wait(&queue, &queue_lock);
    note(opaque);
}

static void coroutine_fn restart_queue(void *opaque)
{
    note("<");
    qemu_co_queue_restart_all(&queue);
    note(">");
}

static void fill_queue(void)
{
    static const char *const names[] = {"1", "2", "3"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        qemu_coroutine_enter(qemu_coroutine_create(wait_in_queue,
                                                   (void *)names[i]));
    }
}

static void test_queue(void)
{
    qemu_mutex_init(&queue_lock);
    qemu_co_queue_init(&queue);
    fill_queue();
    qemu_coroutine_enter(qemu_coroutine_create(restart_queue, NULL));
    expect_order("<>123");
    fill_queue();
    WITH_QEMU_LOCK_GUARD(&queue_lock) {
        g_assert_true(qemu_co_enter_next(&queue, &queue_lock));
        expect_order("1");
        qemu_co_enter_all(&queue, &queue_lock);
        expect_order("23");
        g_assert_false(qemu_co_enter_next(&queue, &queue_lock));
    }
    g_assert_true(qemu_co_queue_empty(&queue));
    qemu_mutex_destroy(&queue_lock);
}

static CoRwlock rwlock;

static void coroutine_fn read_locked(void *opaque)
{
    qemu_co_rwlock_rdlock(&rwlock);
    note(opaque);
    qemu_coroutine_yield();
    qemu_co_rwlock_unlock(&rwlock);
}

static void coroutine_fn write_locked(void *opaque)
{
    qemu_co_rwlock_wrlock(&rwlock);
    note(opaque);
    qemu_co_rwlock_downgrade(&rwlock);
    qemu_co_rwlock_unlock(&rwlock);
}

static void test_rwlock(void)
{
    Coroutine *first = qemu_coroutine_create(read_locked, (void *)"r");
    Coroutine *last = qemu_coroutine_create(read_locked, (void *)"R");

    qemu_co_rwlock_init(&rwlock);
    qemu_coroutine_enter(first);
    qemu_coroutine_enter(qemu_coroutine_create(write_locked, (void *)"w"));
    qemu_coroutine_enter(last); /* behind the writer: it is fair */
    expect_order("r");
    qemu_coroutine_enter(first);
    expect_order("wR");
    qemu_coroutine_enter(last);
}

/* ---- With a loop ---- */

static bool done;
static QemuCoSleep sleeper;

static void coroutine_fn sleep_long(void *opaque)
{
    qemu_co_sleep_ns_wakeable(&sleeper, QEMU_CLOCK_REALTIME,
                              1000 * NANOSECONDS_PER_SECOND);
}

static void coroutine_fn sleep_and_wake(void *opaque)
{
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 100 * SCALE_US);
    g_assert_cmpint(qemu_co_timeout(sleep_long, NULL, 100 * SCALE_US, NULL), ==,
                    -ETIMEDOUT);
    qemu_co_sleep_wake(&sleeper);
    qemu_co_sleep_wake(&sleeper); /* nobody sleeps */
    done = true;
}

static void test_sleep(void)
{
    done = false;
    qemu_coroutine_enter(qemu_coroutine_create(sleep_and_wake, NULL));
    while (!done) {
        main_loop_wait(false);
    }
}

static void coroutine_fn wait_for_byte(void *opaque)
{
    int fd = *(int *)opaque;
    char byte;

    yield_until_fd_readable(fd);
    g_assert_cmpint(read(fd, &byte, 1), ==, 1);
    done = true;
}

static void test_fd_readable(void)
{
    int fds[2];

    done = false;
    g_assert_true(g_unix_open_pipe(fds, FD_CLOEXEC, NULL));
    qemu_coroutine_enter(qemu_coroutine_create(wait_for_byte, &fds[0]));
    g_assert_false(done);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    while (!done) {
        aio_poll(qemu_get_aio_context(), true);
    }
    close(fds[0]);
    close(fds[1]);
}

static void coroutine_fn note_only(void *opaque)
{
    note(opaque);
}

static void test_schedule(void)
{
    AioContext *ctx = qemu_get_aio_context();

    aio_co_schedule(ctx, qemu_coroutine_create(note_only, (void *)"1"));
    aio_co_schedule(ctx, qemu_coroutine_create(note_only, (void *)"2"));
    aio_co_enter(ctx, qemu_coroutine_create(note_only, (void *)"0"));
    g_assert_true(aio_poll(ctx, true));
    expect_order("012");
}

/* ---- Misuse ---- */

static void coroutine_fn enter_self(void *opaque)
{
    qemu_coroutine_enter(qemu_coroutine_self());
}

static void expect_abort(void (*misuse)(void), const char *message)
{
    if (g_test_subprocess()) {
        misuse();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr(message);
}

static void enter_recursively(void)
{
    qemu_coroutine_enter(qemu_coroutine_create(enter_self, NULL));
}

static void test_enter_recursively(void)
{
    expect_abort(enter_recursively, "*Co-routine re-entered recursively*");
}

static void schedule_twice(void)
{
    Coroutine *co = qemu_coroutine_create(note_only, NULL);

    aio_co_schedule(qemu_get_aio_context(), co);
    aio_co_schedule(qemu_get_aio_context(), co);
}

static void test_schedule_twice(void)
{
    expect_abort(schedule_twice, "*already scheduled in 'aio_co_schedule'*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    order = g_string_new("");
    qemu_init_main_loop(&error_fatal);
    g_test_add_func("/coroutines/yield", test_yield);
    g_test_add_func("/coroutines/many", test_many);
    g_test_add_func("/coroutines/mutex", test_mutex);
    g_test_add_func("/coroutines/queue", test_queue);
    g_test_add_func("/coroutines/rwlock", test_rwlock);
    g_test_add_func("/coroutines/sleep", test_sleep);
    g_test_add_func("/coroutines/fd-readable", test_fd_readable);
    g_test_add_func("/coroutines/schedule", test_schedule);
    g_test_add_func("/coroutines/misuse/enter", test_enter_recursively);
    g_test_add_func("/coroutines/misuse/schedule", test_schedule_twice);
    return g_test_run();
}
