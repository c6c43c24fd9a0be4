/* SPDX-License-Identifier: MIT */
/*
 * Handlers of kernel descriptors (pipes), which only the live hosts have, and
 * handlers and notifications of one context from other threads.
 */
#include "harness.h"

#include <fcntl.h>
#include <unistd.h>

typedef struct Pipe {
    int rfd, wfd;
    int reads, writes, hangups;
    char last;
} Pipe;

static void pipe_init(Pipe *p)
{
    int fds[2];

    CHECK_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    *p = (Pipe){.rfd = fds[0], .wfd = fds[1]};
}

static void read_cb(void *opaque)
{
    Pipe *p = opaque;
    ssize_t n = read(p->rfd, &p->last, 1);

    p->reads += n == 1;
    p->hangups += n == 0;
}

static void write_cb(void *opaque)
{
    Pipe *p = opaque;

    p->writes++;
}

static void watch_fd(int fd, IOHandler *io_read, IOHandler *io_write, Pipe *p)
{
    aio_set_fd_handler(qemu_get_aio_context(), fd, io_read, io_write, NULL,
                       NULL, p);
}

static void test_pipe(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Pipe p;

    pipe_init(&p);
    watch_fd(p.rfd, read_cb, NULL, &p);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(write(p.wfd, "ab", 2), 2);
    CHECK(aio_poll(ctx, true));
    CHECK(aio_poll(ctx, true)); /* the second byte needs no new event */
    CHECK_EQ(p.reads, 2);
    CHECK_EQ(p.last, 'b');
    CHECK(!aio_poll(ctx, false));
    watch_fd(p.rfd, NULL, NULL, NULL);
    CHECK(!aio_poll(ctx, false));
    close(p.rfd);
    close(p.wfd);
}

static void test_pipe_writable(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    char block[4096] = {0};
    Pipe p;

    pipe_init(&p);
    watch_fd(p.wfd, NULL, write_cb, &p);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(p.writes, 1);
    while (write(p.wfd, block, sizeof(block)) > 0) {
    }
    CHECK(!aio_poll(ctx, false)); /* full */
    while (read(p.rfd, block, sizeof(block)) > 0) {
    }
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(p.writes, 2);
    watch_fd(p.wfd, NULL, NULL, NULL);
    CHECK(!aio_poll(ctx, false));
    close(p.rfd);
    close(p.wfd);
}

static void test_pipe_hangup(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Pipe p;

    pipe_init(&p);
    watch_fd(p.rfd, read_cb, NULL, &p);
    CHECK(!aio_poll(ctx, false));
    close(p.wfd);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(p.hangups, 1);
    watch_fd(p.rfd, NULL, NULL, NULL);
    CHECK(!aio_poll(ctx, false));
    close(p.rfd);
}

/* The same number again, for another pipe, before the loop has turned. */
static void test_fd_reuse(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Pipe p, q;

    pipe_init(&p);
    watch_fd(p.rfd, read_cb, NULL, &p);
    CHECK(!aio_poll(ctx, false));
    watch_fd(p.rfd, NULL, NULL, NULL);
    close(p.rfd);
    close(p.wfd);
    pipe_init(&q);
    CHECK_EQ(q.rfd, p.rfd);
    watch_fd(q.rfd, read_cb, NULL, &q);
    CHECK_EQ(write(q.wfd, "x", 1), 1);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(q.reads, 1);
    CHECK_EQ(p.reads + p.hangups, 0);
    watch_fd(q.rfd, NULL, NULL, NULL);
    CHECK(!aio_poll(ctx, false));
    close(q.rfd);
    close(q.wfd);
}

/* Closed too early, but there is a duplicate, which is still readable. */
static void test_closed_duplicate(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    int duplicate;
    Pipe p;

    pipe_init(&p);
    duplicate = dup(p.rfd);
    watch_fd(p.rfd, read_cb, NULL, &p);
    CHECK(!aio_poll(ctx, false));
    close(p.rfd);
    watch_fd(p.rfd, NULL, NULL, NULL);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(write(p.wfd, "x", 1), 1);
    CHECK(!aio_poll(ctx, false));
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(p.reads, 0);
    close(duplicate);
    close(p.wfd);
}

/* ---- Other threads ---- */

enum { WATCHED = 8, ROUNDS = 60 };

typedef struct Churn {
    AioContext *ctx;
    QemuThread thread;
    EventNotifier e[WATCHED];
    int n[WATCHED];
    bool done; /* any thread */
} Churn;

static Churn churn;

static void count_cb(EventNotifier *e)
{
    churn.n[e - churn.e]++; /* not cleared: ready again at once */
}

static void *churn_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        EventNotifier *e = &churn.e[i % WATCHED];

        aio_set_event_notifier(churn.ctx, e, NULL, NULL, NULL);
        aio_set_event_notifier(churn.ctx, e, count_cb, NULL, NULL);
    }
    qatomic_set(&churn.done, true);
    aio_notify(churn.ctx);
    return NULL;
}

static void set_all(EventNotifierHandler *cb)
{
    for (int i = 0; i < WATCHED; i++) {
        aio_set_event_notifier(churn.ctx, &churn.e[i], cb, NULL, NULL);
    }
}

/* Another thread removes and adds handlers that are ready all the time. */
static void test_change_from_thread(const ScenarioArgs *args)
{
    int before[WATCHED];

    churn = (Churn){.ctx = qemu_get_aio_context()};
    for (int i = 0; i < WATCHED; i++) {
        CHECK_EQ(event_notifier_init(&churn.e[i], true), 0);
    }
    set_all(count_cb);
    qemu_thread_create(&churn.thread, "churn", churn_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    while (!qatomic_read(&churn.done)) {
        aio_poll(churn.ctx, true);
    }
    qemu_thread_join(&churn.thread);
    aio_poll(churn.ctx, true);
    memcpy(before, churn.n, sizeof(before));
    aio_poll(churn.ctx, true);
    for (int i = 0; i < WATCHED; i++) {
        CHECK_EQ(churn.n[i], before[i] + 1); /* none was forgotten */
    }
    set_all(NULL);
    CHECK(!aio_poll(churn.ctx, false));
    for (int i = 0; i < WATCHED; i++) {
        event_notifier_cleanup(&churn.e[i]);
    }
}

static void test_notify(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    aio_notify(ctx);
    aio_notify(ctx);
    CHECK(!aio_poll(ctx, true)); /* returns, and nothing has run */
    CHECK(!aio_poll(ctx, false));
}

static void *notify_thread(void *opaque)
{
    for (int i = 0; i < 20; i++) {
        aio_notify(churn.ctx);
    }
    qatomic_set(&churn.done, true);
    aio_notify(churn.ctx);
    return NULL;
}

static void test_notify_from_thread(const ScenarioArgs *args)
{
    churn = (Churn){.ctx = qemu_get_aio_context()};
    qemu_thread_create(&churn.thread, "notifier", notify_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    while (!qatomic_read(&churn.done)) {
        /* The context's own notifier is no progress. */
        CHECK(!aio_poll(churn.ctx, true));
    }
    qemu_thread_join(&churn.thread);
    CHECK(!aio_poll(churn.ctx, false));
}

static const LoopTest tests[] = {
    {"/aio/fd/pipe", test_pipe, TEST_LIVE_ONLY},
    {"/aio/fd/writable", test_pipe_writable, TEST_LIVE_ONLY},
    {"/aio/fd/hangup", test_pipe_hangup, TEST_LIVE_ONLY},
    {"/aio/fd/reuse", test_fd_reuse, TEST_LIVE_ONLY},
    {"/aio/fd/closed-duplicate", test_closed_duplicate, TEST_LIVE_ONLY},
    {"/aio/event/change-from-thread", test_change_from_thread,
     TEST_THREADS | TEST_SPINS},
    {"/aio/notify", test_notify},
    {"/aio/notify/thread", test_notify_from_thread, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
