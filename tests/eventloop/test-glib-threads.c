/* SPDX-License-Identifier: MIT */
/* GLib's loops between threads: who owns, who wakes, what is each thread's. */
#include "harness.h"
#include "iothread.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"

#include <glib-unix.h>

static GMainLoop *loop;
static Trace order;

static gboolean note(gpointer opaque)
{
    trace(&order, *(const char *)opaque);
    return G_SOURCE_REMOVE;
}

static gboolean note_and_quit(gpointer opaque)
{
    note(opaque);
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void begin(GMainContext *context)
{
    order = (Trace){.n = 0};
    loop = g_main_loop_new(context, false);
}

static void end(const char *expected)
{
    CHECK_STR(order.text, expected);
    g_main_loop_unref(loop);
}

static void run_thread(void *(*fn)(void *), void *opaque)
{
    QemuThread thread;

    qemu_thread_create(&thread, "thread", fn, opaque, QEMU_THREAD_JOINABLE);
    qemu_thread_join(&thread);
}

/* ---- Another thread's sources wake a loop that sleeps ---- */

static void *add_idles(void *opaque)
{
    g_idle_add(note, (void *)"A");
    g_idle_add(note, (void *)"B");
    g_idle_add(note_and_quit, (void *)"C");
    return NULL;
}

static void test_idle_from_thread(const ScenarioArgs *args)
{
    QemuThread thread;

    begin(NULL);
    qemu_thread_create(&thread, "adder", add_idles, NULL, QEMU_THREAD_JOINABLE);
    g_main_loop_run(loop);
    qemu_thread_join(&thread);
    end("ABC");
}

static void *quit_loop(void *opaque)
{
    while (!g_main_loop_is_running(loop)) {
        g_usleep(10);
    }
    g_main_loop_quit(loop);
    return NULL;
}

/* Nothing else would end it: there is no source at all. */
static void test_quit_from_thread(const ScenarioArgs *args)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    QemuThread thread;

    begin(context);
    qemu_thread_create(&thread, "quitter", quit_loop, NULL,
                       QEMU_THREAD_JOINABLE);
    g_main_loop_run(loop);
    qemu_thread_join(&thread);
    end("");
}

static gboolean dispatch_note(GSource *source, GSourceFunc callback,
                              gpointer opaque)
{
    g_source_set_ready_time(source, -1);
    return callback(opaque);
}

static GSourceFuncs note_funcs = {.dispatch = dispatch_note};

static void *make_ready(void *opaque)
{
    g_source_set_ready_time(opaque, 0);
    return NULL;
}

static void test_ready_time_from_thread(const ScenarioArgs *args)
{
    GSource *source = g_source_new(&note_funcs, sizeof(GSource));
    QemuThread thread;

    begin(NULL);
    g_source_set_callback(source, note_and_quit, (void *)"R", NULL);
    g_source_attach(source, NULL);
    qemu_thread_create(&thread, "setter", make_ready, source,
                       QEMU_THREAD_JOINABLE);
    g_main_loop_run(loop);
    qemu_thread_join(&thread);
    g_source_unref(source);
    end("R");
}

/* ---- Time ---- */

static gboolean then_quit(gpointer opaque)
{
    note(opaque);
    g_timeout_add(15, note_and_quit, (void *)"C");
    return G_SOURCE_REMOVE;
}

/* One after the other: two that are due at once come as they were attached. */
static void note_once(gpointer opaque)
{
    note(opaque);
    g_timeout_add(4, then_quit, (void *)"B");
}

static void test_timeouts(const ScenarioArgs *args)
{
    int64_t start_us = g_get_monotonic_time();

    begin(NULL);
    g_timeout_add_once(1, note_once, (void *)"A");
    g_main_loop_run(loop);
    CHECK(g_get_monotonic_time() - start_us >= 20 * 1000);
    end("ABC");
}

/* ---- Who owns a context ---- */

typedef struct Owned {
    GMainContext *context;
    GMainLoop *loop;
    QemuSemaphore entered;
} Owned;

static gboolean enter(gpointer opaque)
{
    Owned *owned = opaque;

    CHECK(g_main_context_is_owner(owned->context));
    CHECK(g_main_context_get_thread_default() == owned->context);
    qemu_sem_post(&owned->entered);
    return G_SOURCE_REMOVE;
}

static void *run_owned(void *opaque)
{
    Owned *owned = opaque;
    GSource *source = g_idle_source_new();

    CHECK(!g_main_context_get_thread_default());
    g_main_context_push_thread_default(owned->context);
    g_source_set_callback(source, enter, owned, NULL);
    g_source_attach(source, owned->context);
    g_source_unref(source);
    g_main_loop_run(owned->loop);
    g_main_context_pop_thread_default(owned->context);
    return NULL;
}

static gboolean quit_owned(gpointer opaque)
{
    Owned *owned = opaque;

    CHECK(g_main_context_is_owner(owned->context));
    g_main_loop_quit(owned->loop);
    return G_SOURCE_REMOVE;
}

static void test_owner(const ScenarioArgs *args)
{
    Owned owned = {.context = g_main_context_new()};
    QemuThread thread;

    owned.loop = g_main_loop_new(owned.context, false);
    qemu_sem_init(&owned.entered, 0);
    qemu_thread_create(&thread, "owner", run_owned, &owned,
                       QEMU_THREAD_JOINABLE);
    qemu_sem_wait(&owned.entered);
    CHECK(!g_main_context_is_owner(owned.context));
    CHECK(!g_main_context_acquire(owned.context));
    CHECK(!g_main_context_iteration(owned.context, false));
    CHECK(!g_main_context_pending(owned.context));
    CHECK(!g_main_context_get_thread_default());
    g_main_context_invoke(owned.context, quit_owned, &owned);
    qemu_thread_join(&thread);
    CHECK(g_main_context_acquire(owned.context));
    g_main_context_release(owned.context);
    qemu_sem_destroy(&owned.entered);
    g_main_loop_unref(owned.loop);
    g_main_context_unref(owned.context);
}

static bool has_run; /* any thread */

/* Who waits for a context gets it when it is free, or is told to quit. */
static void *wait_to_run(void *opaque)
{
    g_main_loop_run(opaque);
    qatomic_set(&has_run, true);
    return NULL;
}

static void test_wait_to_own(const ScenarioArgs *args)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    QemuThread thread;

    begin(context);
    has_run = false;
    g_main_context_acquire(context);
    qemu_thread_create(&thread, "waiter", wait_to_run, loop,
                       QEMU_THREAD_JOINABLE);
    for (int i = 0; i < 20; i++) {
        g_main_context_iteration(context, false);
        g_usleep(50);
    }
    g_main_context_release(context);
    while (!qatomic_read(&has_run)) {
        g_main_loop_quit(loop); /* it runs if it begins after this */
        g_usleep(50);
    }
    qemu_thread_join(&thread);
    end("");
}

/* Asks again and again, when nobody owns the context yet, and never sleeps. */
static void test_quit_until_over(const ScenarioArgs *args)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    QemuThread thread;

    begin(context);
    has_run = false;
    qemu_thread_create(&thread, "runner", wait_to_run, loop,
                       QEMU_THREAD_JOINABLE);
    while (!g_main_loop_is_running(loop)) {
    }
    while (!qatomic_read(&has_run)) {
        g_main_loop_quit(loop);
    }
    qemu_thread_join(&thread);
    has_run = false;
    qemu_thread_create(&thread, "runner", wait_to_run, loop,
                       QEMU_THREAD_JOINABLE);
    while (!qatomic_read(&has_run)) {
        g_main_loop_quit(loop);
    }
    qemu_thread_join(&thread);
    end("");
}

/* ---- Here, or there ---- */

static void test_invoke_here(const ScenarioArgs *args)
{
    begin(NULL);
    g_main_context_invoke(NULL, note, (void *)"H");
    CHECK_EQ(order.n, 1);
    CHECK(!g_main_context_pending(NULL) || g_main_context_iteration(NULL, false));
    end("H");
}

static void *invoke_there(void *opaque)
{
    g_main_context_invoke(NULL, note_and_quit, (void *)"T");
    return NULL;
}

static void test_invoke_there(const ScenarioArgs *args)
{
    QemuThread thread;

    begin(NULL);
    g_main_context_acquire(NULL);
    qemu_thread_create(&thread, "invoker", invoke_there, NULL,
                       QEMU_THREAD_JOINABLE);
    g_main_loop_run(loop);
    g_main_context_release(NULL);
    qemu_thread_join(&thread);
    end("T");
}

/* ---- Taken back ---- */

static int destroyed;

static void count_destroyed(gpointer opaque)
{
    destroyed++;
}

static void *destroy_source(void *opaque)
{
    g_source_destroy(opaque);
    CHECK(g_source_is_destroyed(opaque));
    return NULL;
}

static void test_destroyed(const ScenarioArgs *args)
{
    GSource *source = g_idle_source_new();

    begin(NULL);
    destroyed = 0;
    g_source_set_callback(source, note, (void *)"X", count_destroyed);
    g_source_attach(source, NULL);
    run_thread(destroy_source, source);
    CHECK_EQ(destroyed, 1);
    while (g_main_context_iteration(NULL, false)) {
    }
    g_source_unref(source);
    end("");
}

static void test_found(const ScenarioArgs *args)
{
    static int a, b;
    GSource *source;
    guint id = g_idle_add(note, &a);

    g_timeout_add(1000, note, &b);
    source = g_main_context_find_source_by_id(NULL, id);
    CHECK(source && source == g_main_context_find_source_by_user_data(NULL, &a));
    CHECK(source == g_main_context_find_source_by_funcs_user_data(
                        NULL, &g_idle_funcs, &a));
    CHECK(g_idle_remove_by_data(&a));
    CHECK(!g_idle_remove_by_data(&a));
    CHECK(g_source_remove_by_user_data(&b));
    CHECK(!g_main_context_find_source_by_id(NULL, id));
}

/* ---- Within each other ---- */

static gboolean inner(gpointer opaque)
{
    CHECK_EQ(g_main_depth(), 2);
    CHECK(g_main_current_source() != opaque);
    note((void *)"I");
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static gboolean outer(gpointer opaque)
{
    GMainLoop *before = loop;
    GSource *self = g_main_current_source();

    CHECK_EQ(g_main_depth(), 1);
    note((void *)"O");
    loop = g_main_loop_new(NULL, false);
    g_idle_add(inner, self);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    loop = before;
    CHECK(g_main_current_source() == self);
    return note_and_quit((void *)"o");
}

static void test_nested(const ScenarioArgs *args)
{
    begin(NULL);
    CHECK(!g_main_current_source());
    g_idle_add(outer, NULL);
    g_main_loop_run(loop);
    CHECK_EQ(g_main_depth(), 0);
    end("OIo");
}

/* ---- An IOThread's loop ---- */

static gboolean post(gpointer opaque)
{
    CHECK(qemu_in_iothread());
    qemu_sem_post(opaque);
    return G_SOURCE_REMOVE;
}

static void test_iothread_context(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    GMainContext *context = iothread_get_g_main_context(iothread);
    GSource *timeout = g_timeout_source_new(1);
    QemuSemaphore sem;

    qemu_sem_init(&sem, 0);
    g_main_context_invoke(context, post, &sem);
    qemu_sem_wait(&sem);
    g_source_set_callback(timeout, post, &sem, NULL);
    g_source_attach(timeout, context);
    g_source_unref(timeout);
    qemu_sem_wait(&sem);
    iothread_join(iothread);
    qemu_sem_destroy(&sem);
}

/* ---- Descriptors, and the program's own poll function ---- */

static gboolean read_byte(gint fd, GIOCondition events, gpointer opaque)
{
    char byte;

    CHECK_EQ(read(fd, &byte, 1), 1);
    trace(&order, byte);
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void *write_byte(void *opaque)
{
    CHECK_EQ(write(*(int *)opaque, "P", 1), 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

static void test_pipe(const ScenarioArgs *args)
{
    QemuThread thread;
    int fds[2];

    begin(NULL);
    CHECK_EQ(pipe(fds), 0);
    g_unix_fd_add(fds[0], G_IO_IN, read_byte, NULL);
    qemu_thread_create(&thread, "writer", write_byte, &fds[1],
                       QEMU_THREAD_JOINABLE);
    g_main_loop_run(loop);
    qemu_thread_join(&thread);
    close(fds[0]);
    close(fds[1]);
    end("P");
}

static int polls;

static gint count_poll(GPollFD *fds, guint n, gint timeout_ms)
{
    polls++;
    return g_poll(fds, n, 0);
}

static void test_own_poll(const ScenarioArgs *args)
{
    g_autoptr(GMainContext) context = g_main_context_new();

    polls = 0;
    g_main_context_set_poll_func(context, count_poll);
    CHECK(g_main_context_get_poll_func(context) == count_poll);
    g_main_context_iteration(context, false);
    CHECK_EQ(polls, 1);
    g_main_context_set_poll_func(context, NULL);
    g_main_context_iteration(context, false);
    CHECK_EQ(polls, 1);
}

static const LoopTest tests[] = {
    {"idle from a thread", test_idle_from_thread, TEST_THREADS},
    {"quit from a thread", test_quit_from_thread, TEST_THREADS},
    {"ready time from a thread", test_ready_time_from_thread, TEST_THREADS},
    {"timeouts", test_timeouts, 0},
    {"owner", test_owner, TEST_THREADS},
    {"wait to own", test_wait_to_own, TEST_THREADS},
    {"quit until over", test_quit_until_over, TEST_THREADS | TEST_SPINS},
    {"invoke here", test_invoke_here, 0},
    {"invoke there", test_invoke_there, TEST_THREADS},
    {"destroyed", test_destroyed, TEST_THREADS},
    {"found", test_found, 0},
    {"nested", test_nested, 0},
    {"an IOThread's context", test_iothread_context, TEST_THREADS},
    {"pipe", test_pipe, TEST_THREADS},
    {"own poll function", test_own_poll, 0},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
