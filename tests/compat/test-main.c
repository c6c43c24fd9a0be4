/* SPDX-License-Identifier: MIT */
/*
 * The main loop and GLib: both contexts as sources, other people's sources
 * beside them, and GMainLoops in IOThreads.
 */
#include "qemu/osdep.h"
#include "qemu/aio-wait.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "system/iothread.h"

static AioContext *ctx;

static void iterate_all(void)
{
    while (g_main_context_iteration(NULL, false)) {
    }
}

static void count(void *opaque)
{
    qatomic_inc((int *)opaque);
}

typedef struct SelfDelete {
    QEMUBH *bh;
} SelfDelete;

static void delete_self(void *opaque)
{
    SelfDelete *data = opaque;

    qemu_bh_delete(data->bh);
    data->bh = NULL;
}

static void test_source_bh(void)
{
    SelfDelete data;
    int n = 0;

    iterate_all();
    aio_bh_schedule_oneshot(ctx, count, &n);
    g_assert_true(g_main_context_iteration(NULL, true));
    g_assert_cmpint(n, ==, 1);
    g_assert_false(g_main_context_iteration(NULL, false));

    data.bh = qemu_bh_new(delete_self, &data);
    qemu_bh_schedule(data.bh);
    g_assert_true(g_main_context_iteration(NULL, false));
    g_assert_null(data.bh);
    g_assert_true(g_main_context_iteration(NULL, false));
    g_assert_false(g_main_context_iteration(NULL, false));
}

static void test_source_notify(void)
{
    iterate_all();
    aio_notify(ctx);
    g_assert_false(g_main_context_iteration(NULL, false));
    qemu_notify_event();
    g_assert_true(aio_poll(ctx, false));
    g_assert_false(aio_poll(ctx, false));
}

typedef struct Pipe {
    int fd[2];
    int reads;
    bool nest;
} Pipe;

static void pipe_init(Pipe *p)
{
    *p = (Pipe){.reads = 0};
    g_assert_true(g_unix_open_pipe(p->fd, FD_CLOEXEC, NULL));
}

static void pipe_put(Pipe *p)
{
    g_assert_cmpint(write(p->fd[1], "x", 1), ==, 1);
}

static void pipe_finish(Pipe *p)
{
    close(p->fd[0]);
    close(p->fd[1]);
    iterate_all();
}

static void pipe_read(void *opaque)
{
    Pipe *p = opaque;
    char byte;

    g_assert_cmpint(read(p->fd[0], &byte, 1), ==, 1);
    p->reads++;
    if (p->nest) {
        p->nest = false;
        pipe_put(p);
        g_assert_true(g_main_context_iteration(NULL, true));
        g_assert_cmpint(p->reads, ==, 2);
    }
}

/* Both contexts are served; a nested poll serves the main one only. */
static void test_two_contexts(void)
{
    Pipe inner, outer;

    pipe_init(&inner);
    pipe_init(&outer);
    aio_set_fd_handler(ctx, inner.fd[0], pipe_read, NULL, NULL, NULL, &inner);
    qemu_set_fd_handler(outer.fd[0], pipe_read, NULL, &outer);
    pipe_put(&inner);
    pipe_put(&outer);
    while (!inner.reads) {
        aio_poll(ctx, true);
    }
    g_assert_cmpint(outer.reads, ==, 0);
    while (!outer.reads) {
        main_loop_wait(false);
    }
    inner.reads = 0;
    inner.nest = true;
    pipe_put(&inner);
    while (!inner.reads) {
        main_loop_wait(false);
    }
    aio_set_fd_handler(ctx, inner.fd[0], NULL, NULL, NULL, NULL, NULL);
    qemu_set_fd_handler(outer.fd[0], NULL, NULL, NULL);
    pipe_finish(&inner);
    pipe_finish(&outer);
}

/* ---- Other sources ---- */

static gboolean count_to_three(gpointer opaque)
{
    return ++*(int *)opaque < 3;
}

static void child_ended(GPid pid, gint status, gpointer opaque)
{
    *(int *)opaque = WEXITSTATUS(status);
    g_spawn_close_pid(pid);
}

static gboolean channel_readable(GIOChannel *channel, GIOCondition condition,
                                 gpointer opaque)
{
    Pipe *p = opaque;

    pipe_read(p);
    return p->reads < 2;
}

static void test_other_sources(void)
{
    int timeouts = 0, idles = 0, status = -1;
    GIOChannel *channel;
    pid_t pid;
    Pipe p;

    g_timeout_add(1, count_to_three, &timeouts);
    g_idle_add(count_to_three, &idles);
    pid = fork();
    if (!pid) {
        _exit(7);
    }
    g_child_watch_add(pid, child_ended, &status);
    while (timeouts < 3 || idles < 3 || status < 0) {
        main_loop_wait(false);
    }
    g_assert_cmpint(status, ==, 7);

    pipe_init(&p);
    channel = g_io_channel_unix_new(p.fd[0]);
    g_io_add_watch(channel, G_IO_IN, channel_readable, &p);
    for (int i = 1; i <= 2; i++) {
        pipe_put(&p);
        while (p.reads < i) {
            main_loop_wait(false);
        }
    }
    g_io_channel_unref(channel);
    pipe_finish(&p);
}

static void quit(void *opaque)
{
    g_main_loop_quit(opaque);
}

static void *schedule_quit(void *opaque)
{
    aio_bh_schedule_oneshot(ctx, quit, opaque);
    return NULL;
}

static void test_main_loop_run(void)
{
    GMainLoop *loop = g_main_loop_new(NULL, false);
    QEMUTimer *timer = timer_new_us(QEMU_CLOCK_REALTIME, quit, loop);
    QEMUTimer own;
    GThread *thread;

    aio_timer_init(ctx, &own, QEMU_CLOCK_REALTIME, SCALE_US, quit, loop);
    timer_mod(&own, qemu_clock_get_us(QEMU_CLOCK_REALTIME) + 300);
    g_main_loop_run(loop);
    thread = g_thread_new("quit", schedule_quit, loop);
    g_main_loop_run(loop);
    g_thread_join(thread);

    /* A timer without a context belongs to main_loop_wait(). */
    timer_mod(timer, qemu_clock_get_us(QEMU_CLOCK_REALTIME) + 300);
    while (timer_pending(timer)) {
        main_loop_wait(false);
    }
    timer_free(timer);
    g_main_loop_unref(loop);
}

static volatile sig_atomic_t signalled;

static void note_signal(int number)
{
    signalled = 1;
}

/* A signal's handler is enough to end a wait; here nobody notifies. */
static void test_signal(void)
{
    struct itimerval often = {.it_interval.tv_usec = 500,
                              .it_value.tv_usec = 500};
    struct itimerval never = {.it_value.tv_usec = 0};

    signal(SIGALRM, note_signal);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 3; i++) {
        signalled = 0;
        while (!signalled) {
            if (i) {
                main_loop_wait(false);
            } else {
                g_main_context_iteration(NULL, true);
            }
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

/* ---- IOThreads ---- */

static gboolean in_gcontext(gpointer opaque)
{
    g_assert_true(qemu_in_iothread());
    count(opaque);
    aio_wait_kick();
    return G_SOURCE_REMOVE;
}

static void test_iothread_gcontext(void)
{
    IOThread *iothread = iothread_create("io", &error_abort);
    g_autofree char *id = iothread_get_id(iothread);
    GMainContext *context = iothread_get_g_main_context(iothread);
    GSource *source = g_timeout_source_new(1);
    int n = 0;

    g_assert_cmpstr(id, ==, "io");
    g_source_set_callback(source, in_gcontext, &n, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&n));
    aio_wait_bh_oneshot(iothread_get_aio_context(iothread), count, &n);
    g_assert_cmpint(n, ==, 2);
    iothread_destroy(iothread);
}

static void test_iothread_stop(void)
{
    for (int i = 0; i < 100; i++) {
        IOThread *iothread = iothread_create("io", &error_abort);

        g_assert_true(iothread_by_id("io") == iothread);
        if (i % 3 == 1) {
            iothread_get_g_main_context(iothread);
        }
        if (i % 5 == 1) {
            iothread_stop(iothread);
        }
        iothread_destroy(iothread);
        g_assert_null(iothread_by_id("io"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(qemu_init_main_loop(&error_fatal), ==, 0);
    ctx = qemu_get_aio_context();
    iterate_all();
    g_test_add_func("/main/source/bh", test_source_bh);
    g_test_add_func("/main/source/notify", test_source_notify);
    g_test_add_func("/main/two-contexts", test_two_contexts);
    g_test_add_func("/main/other-sources", test_other_sources);
    g_test_add_func("/main/main-loop-run", test_main_loop_run);
    g_test_add_func("/main/signal", test_signal);
    g_test_add_func("/main/iothread/gcontext", test_iothread_gcontext);
    g_test_add_func("/main/iothread/stop", test_iothread_stop);
    return g_test_run(); /* the contexts stay, as in every tool */
}
