/* SPDX-License-Identifier: MIT */
/* GLib's loops over our contexts, the main loop's two contexts, the BQL. */
#include "harness.h"

#include "qemu/aio-wait.h"
#include "qemu/main-loop.h"
#include "system/iothread.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static void iterate_until_idle(void)
{
    while (g_main_context_iteration(NULL, false)) {
    }
}

/* ---- The GSource: QEMU's /aio-gsource tests ---- */

typedef struct BHTest {
    QEMUBH *bh;
    int n, max;
} BHTest;

static void bh_again(void *opaque)
{
    BHTest *data = opaque;

    if (++data->n < data->max) {
        qemu_bh_schedule(data->bh);
    }
}

static void test_source_flush(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    iterate_until_idle();
    CHECK(!g_main_context_iteration(NULL, false));
    aio_notify(ctx);
    iterate_until_idle();
    CHECK(!g_main_context_iteration(NULL, false));
}

static void test_source_bh(const ScenarioArgs *args)
{
    BHTest data = {.max = 10};

    iterate_until_idle();
    data.bh = aio_bh_new(qemu_get_aio_context(), bh_again, &data);
    qemu_bh_schedule(data.bh);
    CHECK_EQ(data.n, 0);
    CHECK(g_main_context_iteration(NULL, true));
    CHECK_EQ(data.n, 1);
    CHECK(g_main_context_iteration(NULL, false));
    CHECK_EQ(data.n, 2);
    iterate_until_idle();
    CHECK_EQ(data.n, 10);
    CHECK(!g_main_context_iteration(NULL, false));
    qemu_bh_delete(data.bh);
}

static void test_source_bh_cancel(const ScenarioArgs *args)
{
    BHTest data = {.max = 1};

    data.bh = aio_bh_new(qemu_get_aio_context(), bh_again, &data);
    qemu_bh_schedule(data.bh);
    qemu_bh_cancel(data.bh);
    iterate_until_idle();
    qemu_bh_schedule(data.bh);
    qemu_bh_delete(data.bh);
    iterate_until_idle();
    CHECK_EQ(data.n, 0);
}

typedef struct NotifierTest {
    EventNotifier e;
    int n, active;
} NotifierTest;

static void notifier_ready(EventNotifier *e)
{
    NotifierTest *data = container_of(e, NotifierTest, e);

    CHECK(event_notifier_test_and_clear(e));
    data->n++;
    if (--data->active > 0) {
        event_notifier_set(e);
    }
}

static void test_source_notifier(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    NotifierTest data = {.active = 10};

    CHECK_EQ(event_notifier_init(&data.e, false), 0);
    aio_set_event_notifier(ctx, &data.e, notifier_ready, NULL, NULL);
    iterate_until_idle();
    CHECK_EQ(data.n, 0);
    event_notifier_set(&data.e);
    CHECK(g_main_context_iteration(NULL, false));
    CHECK_EQ(data.n, 1);
    while (data.active > 0) {
        g_main_context_iteration(NULL, true);
    }
    CHECK_EQ(data.n, 10);
    iterate_until_idle();
    aio_set_event_notifier(ctx, &data.e, NULL, NULL, NULL);
    iterate_until_idle();
    CHECK_EQ(data.n, 10);
    event_notifier_cleanup(&data.e);
}

/* Enough for the change from poll() to epoll, and back. */
static void test_source_many(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    NotifierTest data[100] = {{.n = 0}};

    for (int i = 0; i < 100; i++) {
        CHECK_EQ(event_notifier_init(&data[i].e, false), 0);
        aio_set_event_notifier(ctx, &data[i].e, notifier_ready, NULL, NULL);
    }
    iterate_until_idle();
    for (int i = 0; i < 100; i += 7) {
        event_notifier_set(&data[i].e);
    }
    iterate_until_idle();
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(data[i].n, i % 7 == 0);
        aio_set_event_notifier(ctx, &data[i].e, NULL, NULL, NULL);
        event_notifier_cleanup(&data[i].e);
    }
    iterate_until_idle();
}

static void handler_read(void *opaque)
{
    int *fd = opaque;
    char byte;

    CHECK_EQ(read(*fd, &byte, 1), 0);
    aio_set_fd_handler(qemu_get_aio_context(), *fd, NULL, NULL, NULL, NULL,
                       NULL);
    close(*fd);
    *fd = -1;
}

/* The other end is closed, and there is nothing to read. */
static void test_source_hangup(const ScenarioArgs *args)
{
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    aio_set_fd_handler(qemu_get_aio_context(), fds[0], handler_read, NULL, NULL,
                       NULL, &fds[0]);
    close(fds[1]);
    for (int i = 0; i < 100 && fds[0] >= 0; i++) {
        g_main_context_iteration(NULL, true);
    }
    CHECK_EQ(fds[0], -1);
}

typedef struct UnixSource {
    int fds[2], n;
    guint id;
} UnixSource;

static gboolean unix_fd_ready(gint fd, GIOCondition condition, gpointer opaque)
{
    UnixSource *source = opaque;
    char byte;

    CHECK_EQ(read(fd, &byte, 1), 1);
    source->n++;
    return G_SOURCE_CONTINUE;
}

/* GLib's own sources beside ours: a replay must find the right one ready. */
static void test_source_unix_fd(const ScenarioArgs *args)
{
    UnixSource sources[3];

    for (int i = 0; i < 3; i++) {
        sources[i].n = 0;
        CHECK_EQ(pipe(sources[i].fds), 0);
        sources[i].id = g_unix_fd_add(sources[i].fds[0], G_IO_IN, unix_fd_ready,
                                      &sources[i]);
    }
    iterate_until_idle();
    for (int i = 2; i >= 0; i--) {
        CHECK_EQ(write(sources[i].fds[1], "x", 1), 1);
        while (sources[i].n == 0) {
            g_main_context_iteration(NULL, true);
        }
        CHECK_EQ(sources[0].n + sources[1].n + sources[2].n, 3 - i);
    }
    for (int i = 0; i < 3; i++) {
        g_source_remove(sources[i].id);
        close(sources[i].fds[0]);
        close(sources[i].fds[1]);
    }
}

/* Handlers may outlive the source's time in a GMainContext. */
static void test_source_destroyed(const ScenarioArgs *args)
{
    GMainContext *context = g_main_context_new();
    AioContext *ctx = aio_context_new(&error_abort);
    GSource *source = aio_get_g_source(ctx);
    NotifierTest data = {.n = 0};

    CHECK_EQ(event_notifier_init(&data.e, false), 0);
    aio_set_event_notifier(ctx, &data.e, notifier_ready, NULL, NULL);
    g_source_attach(source, context);
    while (g_main_context_iteration(context, false)) {
    }
    g_source_destroy(source);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    aio_set_event_notifier(ctx, &data.e, NULL, NULL, NULL);
    g_source_unref(source);
    aio_context_unref(ctx);
    g_main_context_unref(context);
    event_notifier_cleanup(&data.e);
}

typedef struct TimerTest {
    QEMUTimer timer;
    GMainLoop *loop;
    int64_t deadline, fired;
} TimerTest;

static void timer_fired(void *opaque)
{
    TimerTest *data = opaque;

    data->fired = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    if (data->loop) {
        g_main_loop_quit(data->loop);
    }
}

/* QEMU rounds up to a millisecond here; we must be less than that late. */
static void test_source_timer(const ScenarioArgs *args)
{
    TimerTest data = {.loop = g_main_loop_new(NULL, false)};

    aio_timer_init(qemu_get_aio_context(), &data.timer, QEMU_CLOCK_REALTIME,
                   SCALE_NS, timer_fired, &data);
    data.deadline = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 300 * SCALE_US;
    timer_mod(&data.timer, data.deadline);
    g_main_loop_run(data.loop);
    CHECK(data.fired >= data.deadline);
    g_main_loop_unref(data.loop);
}

static void bh_quit(void *opaque)
{
    g_main_loop_quit(opaque);
}

static void test_source_main_loop_run(const ScenarioArgs *args)
{
    GMainLoop *loop = g_main_loop_new(NULL, false);

    aio_bh_schedule_oneshot(qemu_get_aio_context(), bh_quit, loop);
    g_main_loop_run(loop);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), bh_quit, loop);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
}

static void bh_note_writes(void *opaque)
{
}

/* A prepare that was ready must not leave its announcement behind. */
static void test_source_notify_me(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    iterate_until_idle();
    aio_bh_schedule_oneshot(ctx, bh_note_writes, NULL);
    CHECK(g_main_context_iteration(NULL, false));
    CHECK_EQ(ctx->notify_me, 0);
}

/* A context of another GMainContext, with requests on its ring. */
static void request_done(CqeHandler *handler)
{
    handler->cqe.user_data = 0;
}

static void prep_nop(struct io_uring_sqe *sqe, void *opaque)
{
    io_uring_prep_nop(sqe);
}

static void test_source_sqe(const ScenarioArgs *args)
{
    CqeHandler request = {.cb = request_done};

    aio_add_sqe(prep_nop, NULL, &request);
    while (request.cqe.user_data) {
        g_main_context_iteration(NULL, true);
    }
    CHECK_EQ(request.cqe.res, 0);
}

/* ---- Two contexts ---- */

static void test_iohandler_not_nested(const ScenarioArgs *args)
{
    NotifierTest data = {.active = 1};

    CHECK_EQ(event_notifier_init(&data.e, false), 0);
    event_notifier_set_handler(&data.e, notifier_ready);
    event_notifier_set(&data.e);
    for (int i = 0; i < 3; i++) {
        aio_poll(qemu_get_aio_context(), false);
    }
    CHECK_EQ(data.n, 0);
    while (data.n == 0) {
        main_loop_wait(false);
    }
    CHECK(qemu_get_current_aio_context() == qemu_get_aio_context());
    event_notifier_set_handler(&data.e, NULL);
    event_notifier_cleanup(&data.e);
}

/* monitor_cleanup() polls both, and so may anybody in the main thread. */
static void test_iohandler_poll(const ScenarioArgs *args)
{
    NotifierTest data = {.active = 1};

    CHECK_EQ(event_notifier_init(&data.e, false), 0);
    event_notifier_set_handler(&data.e, notifier_ready);
    event_notifier_set(&data.e);
    while (data.n == 0) {
        aio_poll(iohandler_get_aio_context(), true);
    }
    event_notifier_set_handler(&data.e, NULL);
    event_notifier_cleanup(&data.e);
}

static void bh_set(void *opaque)
{
    *(bool *)opaque = true;
}

static void test_main_loop_wait(const ScenarioArgs *args)
{
    TimerTest data = {.loop = NULL};
    bool done = false;

    main_loop_wait(true);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), bh_set, &done);
    main_loop_wait(false);
    CHECK(done);

    timer_init_full(&data.timer, NULL, QEMU_CLOCK_REALTIME, SCALE_NS, 0,
                    timer_fired, &data);
    data.deadline = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 200 * SCALE_US;
    timer_mod(&data.timer, data.deadline);
    while (!data.fired) {
        main_loop_wait(false);
    }
    CHECK(data.fired >= data.deadline);
}

/* The kick comes before the wait, which must not begin. */
static void test_notify_event(const ScenarioArgs *args)
{
    for (int i = 0; i < 3; i++) {
        main_loop_wait(true);
    }
    qemu_notify_event();
    main_loop_wait(false);
}

static void signal_handler(int number)
{
}

/* Signals that come sooner than the timer do not put it off. */
static void test_wait_signals(const ScenarioArgs *args)
{
    struct sigaction action = {.sa_handler = signal_handler};
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    AioContext *ctx = qemu_get_aio_context();
    TimerTest data;

    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int by_glib = 0; by_glib < 2; by_glib++) {
        data = (TimerTest){.fired = 0};
        aio_timer_init(ctx, &data.timer, QEMU_CLOCK_REALTIME, SCALE_NS,
                       timer_fired, &data);
        timer_mod(&data.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                               20 * SCALE_MS);
        while (!data.fired) {
            if (by_glib) {
                main_loop_wait(false);
            } else {
                aio_poll(ctx, true);
            }
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
}

typedef struct PollNotifier {
    Notifier base;
    int fills, oks;
    GPollFD *seen;
} PollNotifier;

static void poll_notified(Notifier *base, void *opaque)
{
    PollNotifier *n = container_of(base, PollNotifier, base);
    MainLoopPoll *poll = opaque;

    if (poll->state == MAIN_LOOP_POLL_FILL) {
        n->fills++;
        poll->timeout = 0;
    } else {
        n->oks += poll->state == MAIN_LOOP_POLL_OK;
    }
}

static void test_poll_notifier(const ScenarioArgs *args)
{
    PollNotifier n = {.base.notify = poll_notified};

    main_loop_poll_add_notifier(&n.base);
    main_loop_wait(false);
    main_loop_wait(false);
    CHECK_EQ(n.fills, 2);
    CHECK_EQ(n.oks, 2);
    main_loop_poll_remove_notifier(&n.base);
    main_loop_wait(true);
    CHECK_EQ(n.fills, 2);
}

/* ---- The BQL ---- */

typedef struct VcpuTest {
    QemuThread thread;
    bool main_has_it, done;
    int kicks;
    CqeHandler request;
} VcpuTest;

static void *vcpu_thread(void *opaque)
{
    VcpuTest *data = opaque;

    CHECK(qemu_get_current_aio_context() == NULL);
    CHECK(!qemu_in_main_thread());
    bql_lock();
    CHECK(!qatomic_read(&data->main_has_it));
    CHECK(qemu_in_main_thread());
    CHECK(qemu_get_current_aio_context() == qemu_get_aio_context());
    data->request.cb = request_done;
    aio_add_sqe(prep_nop, NULL, &data->request);
    bql_unlock();

    for (int i = 0; i < 5; i++) {
        BQL_LOCK_GUARD();
        data->kicks++;
        qemu_notify_event();
    }
    aio_bh_schedule_oneshot(qemu_get_aio_context(), bh_set, &data->done);
    return NULL;
}

static void test_bql(const ScenarioArgs *args)
{
    VcpuTest data = {.kicks = 0};

    bql_lock();
    CHECK(bql_locked());
    data.main_has_it = true;
    qemu_thread_create(&data.thread, "vcpu", vcpu_thread, &data,
                       QEMU_THREAD_JOINABLE);
    while (!data.done || data.request.cqe.user_data) {
        qatomic_set(&data.main_has_it, false);
        main_loop_wait(false);
        qatomic_set(&data.main_has_it, true);
        CHECK(bql_locked());
    }
    CHECK_EQ(data.kicks, 5);
    bql_unlock();
    qemu_thread_join(&data.thread);
}

/* ---- An IOThread with a GMainLoop ---- */

typedef struct GcontextTest {
    IOThread *iothread;
    bool idle_ran, bh_ran;
} GcontextTest;

static gboolean idle_callback(gpointer opaque)
{
    GcontextTest *data = opaque;

    CHECK(qemu_get_current_aio_context() ==
          iothread_get_aio_context(data->iothread));
    CHECK(qemu_in_iothread());
    qatomic_set(&data->idle_ran, true);
    aio_wait_kick();
    return G_SOURCE_REMOVE;
}

static void bh_in_iothread(void *opaque)
{
    GcontextTest *data = opaque;

    qatomic_set(&data->bh_ran, true);
    aio_wait_kick();
}

static void test_iothread_gcontext(const ScenarioArgs *args)
{
    GcontextTest data = {.iothread = iothread_create("g", &error_abort)};
    GMainContext *context = iothread_get_g_main_context(data.iothread);
    GSource *idle = g_idle_source_new();

    g_source_set_callback(idle, idle_callback, &data, NULL);
    g_source_attach(idle, context);
    g_source_unref(idle);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&data.idle_ran));
    aio_bh_schedule_oneshot(iothread_get_aio_context(data.iothread),
                            bh_in_iothread, &data);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&data.bh_ran));
    iothread_destroy(data.iothread);
}

/* Asked for, and stopped before it could begin (6c95363d97). */
static void test_iothread_gcontext_stop(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("g", &error_abort);

    CHECK(iothread_by_id("g") == iothread);
    iothread_get_g_main_context(iothread);
    iothread_destroy(iothread);
    CHECK(iothread_by_id("g") == NULL);
}

static void test_iothread_parameters(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("p", &error_abort);
    Error *err = NULL;

    CHECK_EQ(iothread_get_parameter(iothread, "poll-max-ns"), 32768);
    CHECK_EQ(iothread_get_parameter(iothread, "poll-weight"), 3);
    CHECK_EQ(iothread_get_parameter(iothread, "thread-pool-max"), 64);
    CHECK(iothread_set_parameter(iothread, "poll-max-ns", 0, &err));
    CHECK_EQ(iothread_get_parameter(iothread, "poll-max-ns"), 0);
    CHECK(!iothread_set_parameter(iothread, "poll-weight", 64, &err));
    CHECK(err != NULL);
    error_free(err);
    err = NULL;
    CHECK(!iothread_set_parameter(iothread, "poll-maximum", 1, &err));
    CHECK(strstr(error_get_pretty(err), "poll-maximum") != NULL);
    error_free(err);
    CHECK_EQ(iothread_get_parameter(iothread, "nothing"), -1);
    iothread_destroy(iothread);
}

static void abort_bql_twice(const ScenarioArgs *args)
{
    bql_lock();
    bql_lock();
}

static const LoopTest tests[] = {
    {"/aio-gsource/flush", test_source_flush},
    {"/aio-gsource/bh/schedule10", test_source_bh},
    {"/aio-gsource/bh/cancel", test_source_bh_cancel},
    {"/aio-gsource/event/flush", test_source_notifier},
    {"/aio-gsource/event/many", test_source_many},
    {"/aio-gsource/event/hangup", test_source_hangup, TEST_LIVE_ONLY},
    {"/aio-gsource/event/unix-fd", test_source_unix_fd},
    {"/aio-gsource/event/destroyed", test_source_destroyed},
    {"/aio-gsource/timer/schedule", test_source_timer},
    {"/aio-gsource/main-loop-run", test_source_main_loop_run},
    {"/aio-gsource/notify-me", test_source_notify_me},
    {"/aio-gsource/sqe", test_source_sqe},
    {"/main-loop/iohandler/not-nested", test_iohandler_not_nested},
    {"/main-loop/iohandler/poll", test_iohandler_poll},
    {"/main-loop/wait", test_main_loop_wait},
    {"/main-loop/notify-event", test_notify_event},
    {"/main-loop/signals", test_wait_signals, TEST_LIVE_ONLY},
    {"/main-loop/poll-notifier", test_poll_notifier},
    {"/main-loop/bql", test_bql, TEST_THREADS},
    {"/iothread/gcontext", test_iothread_gcontext, TEST_THREADS},
    {"/iothread/gcontext-stop", test_iothread_gcontext_stop, TEST_THREADS},
    {"/iothread/parameters", test_iothread_parameters, TEST_THREADS},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/misuse/bql-twice", abort_bql_twice, "!bql_locked()"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
