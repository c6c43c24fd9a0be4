/* SPDX-License-Identifier: MIT */
/*
 * The headers around the loop, and adaptive polling: errors and messages,
 * vectors and sockets, queues, module functions.  No main loop anywhere.
 */
#include "qemu/osdep.h"
#include "glib-compat.h"
#include "qapi/error.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qemu/module.h"
#include "qemu/queue.h"
#include "qemu/sockets.h"
#include "util/aio-posix.h"

/* ---- Errors ---- */

static bool fail(Error **errp)
{
    ERRP_GUARD();
    error_setg_errno(errp, ENOENT, "no %s", "luck");
    error_append_hint(errp, "Try again.\n");
    return !*errp;
}

static void test_error(void)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(fail(&err));
    error_prepend(&err, "today: ");
    g_assert_true(g_str_has_prefix(error_get_pretty(err), "today: no luck: "));
    g_assert_false(fail(NULL));
}

static void test_report(void)
{
    if (g_test_subprocess()) {
        Location loc;

        error_init("/usr/bin/tool");
        error_report("one");
        loc_push_none(&loc);
        loc_set_file("a.conf", 3);
        warn_report("two");
        loc_pop(&loc);
        for (int i = 0; i < 2; i++) {
            warn_report_once("three");
        }
        g_message("four");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("tool: one\ntool:a.conf:3: warning: two\n"
                              "tool: warning: three\n*info: four\n");
}

/* ---- Vectors and sockets ---- */

static void test_iov(void)
{
    char out[] = "hello", in[6] = "";
    struct iovec iov[2] = {
        {.iov_base = out, .iov_len = 2}, {.iov_base = out + 2, .iov_len = 4},
    };
    int sv[2];

    g_assert_cmpint(qemu_socketpair(AF_UNIX, SOCK_STREAM, 0, sv), ==, 0);
    g_assert_true(g_unix_set_fd_nonblocking(sv[0], true, NULL));
    g_assert_cmpint(iov_send(sv[0], iov, 2, 0, 6), ==, 6);
    iov[0] = (struct iovec){.iov_base = in, .iov_len = 6};
    g_assert_cmpint(iov_recv(sv[1], iov, 1, 0, 6), ==, 6);
    g_assert_cmpstr(in, ==, "hello");
    g_assert_cmpint(iov_size(iov, 2), ==, 10);
    closesocket(sv[0]);
    closesocket(sv[1]);
}

static void test_qiov(void)
{
    QEMUIOVector qiov;
    char a[4], b[4], all[8];

    qemu_iovec_init(&qiov, 1);
    qemu_iovec_add(&qiov, a, sizeof(a));
    qemu_iovec_add(&qiov, b, sizeof(b));
    g_assert_cmpint(qemu_iovec_from_buf(&qiov, 0, "abcdefgh", 8), ==, 8);
    g_assert_true(memcmp(b, "efgh", 4) == 0);
    g_assert_cmpint(qemu_iovec_to_buf(&qiov, 2, all, 8), ==, 6);
    g_assert_true(memcmp(all, "cdefgh", 6) == 0);
    qemu_iovec_destroy(&qiov);
}

/* ---- Queues and modules ---- */

typedef struct Item {
    int value;
    QTAILQ_ENTRY(Item) next;
} Item;

static void test_queue(void)
{
    QTAILQ_HEAD(, Item) list = QTAILQ_HEAD_INITIALIZER(list);
    Item items[3], *item;
    int sum = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(items); i++) {
        items[i].value = i + 1;
        QTAILQ_INSERT_HEAD(&list, &items[i], next);
    }
    QTAILQ_FOREACH_REVERSE(item, &list, next) {
        sum = 10 * sum + item->value;
    }
    g_assert_cmpint(sum, ==, 123);
}

static int inits;

static void count_init(void)
{
    inits++;
}
block_init(count_init);

static void test_module(void)
{
    g_assert_cmpint(inits, ==, 0);
    module_call_init(MODULE_INIT_BLOCK);
    g_assert_cmpint(inits, ==, 1);
}

/* ---- Adaptive polling ---- */

typedef struct Polled {
    AioContext *ctx;
    EventNotifier e, wake;
    bool nested;
    int reads, readies;
} Polled;

static void polled_read(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    container_of(e, Polled, e)->reads++;
}

static bool always(void *opaque)
{
    return true;
}

static bool never(void *opaque)
{
    return false;
}

static void wake_read(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
}

/* Until it returns it is not polled: the nested turn sees @wake only. */
static void polled_ready(EventNotifier *e)
{
    Polled *polled = container_of(e, Polled, e);

    g_assert_false(polled->nested);
    polled->nested = true;
    event_notifier_set(&polled->wake);
    g_assert_true(aio_poll(polled->ctx, true));
    polled->nested = false;
    polled->readies++;
}

static void test_polling(void)
{
    Polled p = {.ctx = aio_context_new(&error_abort)};

    qemu_set_current_aio_context(p.ctx);
    aio_context_set_poll_params(p.ctx, 1000000, 2, 2, 0, &error_abort);
    event_notifier_init(&p.e, true);
    event_notifier_init(&p.wake, false);
    aio_set_event_notifier(p.ctx, &p.e, polled_read, always, polled_ready);
    aio_set_event_notifier(p.ctx, &p.wake, wake_read, never, wake_read);
    g_assert_false(aio_poll_disabled(p.ctx));
    while (!p.reads) {
        aio_poll(p.ctx, true);
    }
    while (p.readies < 3) {
        g_assert_true(aio_poll(p.ctx, true));
    }
    aio_set_event_notifier(p.ctx, &p.wake, NULL, NULL, NULL);
    aio_set_event_notifier(p.ctx, &p.e, NULL, NULL, NULL);
    event_notifier_cleanup(&p.wake);
    event_notifier_cleanup(&p.e);
    qemu_set_current_aio_context(NULL);
    aio_context_unref(p.ctx);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/util/error", test_error);
    g_test_add_func("/util/report", test_report);
    g_test_add_func("/util/iov", test_iov);
    g_test_add_func("/util/qiov", test_qiov);
    g_test_add_func("/util/queue", test_queue);
    g_test_add_func("/util/module", test_module);
    g_test_add_func("/util/polling", test_polling);
    return g_test_run();
}
