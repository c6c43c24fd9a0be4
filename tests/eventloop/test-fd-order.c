/* SPDX-License-Identifier: MIT */
/*
 * Which of several ready descriptors goes first.  QEMU leaves it to the
 * monitor, and so do we: docs/qemu-api.md has the table that is tested here.
 */
#include "harness.h"

#include "host.h"

enum { N = 4 };

typedef struct Fd {
    EventNotifier e;
    char letter;
    Trace *trace;
} Fd;

static void fd_read(EventNotifier *e)
{
    Fd *fd = container_of(e, Fd, e);

    event_notifier_test_and_clear(e);
    trace(fd->trace, fd->letter);
}

static void fds_init(Fd *fds, Trace *t)
{
    for (int i = 0; i < N; i++) {
        fds[i] = (Fd){.letter = '1' + i, .trace = t};
        CHECK_EQ(event_notifier_init(&fds[i].e, false), 0);
        aio_set_event_notifier(qemu_get_aio_context(), &fds[i].e, fd_read, NULL,
                               NULL);
    }
    poll_until_idle(qemu_get_aio_context());
}

static void fds_finish(Fd *fds)
{
    for (int i = 0; i < N; i++) {
        aio_set_event_notifier(qemu_get_aio_context(), &fds[i].e, NULL, NULL,
                               NULL);
        event_notifier_cleanup(&fds[i].e);
    }
}

/* @ascending: set from the first to the last; @glib: GLib's loop runs them. */
static void check_order(bool ascending, bool glib, const char *poll_order,
                        const char *event_order)
{
    AioContext *ctx = qemu_get_aio_context();
    Trace t = {.n = 0};
    Fd fds[N];

    fds_init(fds, &t);
    for (int i = 0; i < N; i++) {
        event_notifier_set(&fds[ascending ? i : N - 1 - i].e);
    }
    while (t.n < N) {
        if (glib) {
            g_main_context_iteration(NULL, true);
        } else {
            aio_poll(ctx, true);
        }
    }
    CHECK_STR(t.text, ctx->fdmon_ops->each ? poll_order : event_order);
    fds_finish(fds);
}

static void test_ascending(const ScenarioArgs *args)
{
    check_order(true, false, "1234", "4321");
}

static void test_descending(const ScenarioArgs *args)
{
    check_order(false, false, "1234", "1234");
}

static void test_glib_ascending(const ScenarioArgs *args)
{
    check_order(true, true, "1234", "4321");
}

static void test_glib_descending(const ScenarioArgs *args)
{
    check_order(false, true, "1234", "1234");
}

static const LoopTest tests[] = {
    {"/fd/order/ascending", test_ascending},
    {"/fd/order/descending", test_descending},
    {"/fd/order/glib/ascending", test_glib_ascending},
    {"/fd/order/glib/descending", test_glib_descending},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
