/* SPDX-License-Identifier: MIT */
/* Which monitor a context has: QEMU's upgrade to epoll, and the way back. */
#include "harness.h"

#include "host.h"
#include "util/aio-posix.h"

#include <fcntl.h>
#include <unistd.h>

enum { MANY = 100 };

typedef struct Fd {
    EventNotifier e;
    int n;
} Fd;

static void fd_read(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    container_of(e, Fd, e)->n++;
}

static void fd_add(Fd *fd)
{
    fd->n = 0;
    CHECK_EQ(event_notifier_init(&fd->e, false), 0);
    aio_set_event_notifier(qemu_get_aio_context(), &fd->e, fd_read, NULL, NULL);
}

static void fd_remove(Fd *fd)
{
    aio_set_event_notifier(qemu_get_aio_context(), &fd->e, NULL, NULL, NULL);
    event_notifier_cleanup(&fd->e);
}

/* QEMU's test-fdmon-epoll; other monitors stay what they are. */
static void test_upgrade(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    const FDMonOps *before = ctx->fdmon_ops;
    Fd fds[MANY];

    for (int i = 0; i < MANY; i++) {
        fd_add(&fds[i]);
    }
    poll_until_idle(ctx);
    CHECK(ctx->fdmon_ops == (before->each ? &fdmon_epoll_ops : before));
    for (int i = 0; i < MANY; i++) {
        event_notifier_set(&fds[i].e);
        CHECK(aio_poll(ctx, true));
        CHECK_EQ(fds[i].n, 1);
    }
    for (int i = 0; i < MANY; i++) {
        fd_remove(&fds[i]);
    }
    poll_until_idle(ctx);
    fd_add(&fds[0]);
    event_notifier_set(&fds[0].e);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(fds[0].n, 1);
    fd_remove(&fds[0]);
}

static void count(void *opaque)
{
    (*(int *)opaque)++;
}

/* epoll refuses regular files; poll() finds them ready at all times. */
static void test_fallback(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    const FDMonOps *before = ctx->fdmon_ops;
    g_autofree char *path = g_build_filename(harness_dir(), "file", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), n = 0;

    CHECK(fd >= 0);
    aio_set_fd_handler(ctx, fd, count, NULL, NULL, NULL, &n);
    while (n < 3) {
        aio_poll(ctx, true);
    }
    CHECK(ctx->fdmon_ops == (before == &fdmon_epoll_ops ? &fdmon_poll_ops
                                                        : before));
    aio_set_fd_handler(ctx, fd, NULL, NULL, NULL, NULL, NULL);
    close(fd);
}

static const LoopTest tests[] = {
    {"/fdmon-epoll/upgrade", test_upgrade},
    {"/fdmon-epoll/fallback", test_fallback, TEST_LIVE_ONLY},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
