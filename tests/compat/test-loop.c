/* SPDX-License-Identifier: MIT */
/*
 * One AioContext without a main loop: bottom halves, descriptors, timers,
 * deferred calls, and requests on the ring.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "qapi/error.h"
#include "qemu/defer-call.h"
#include "qemu/event_notifier.h"
#include "qemu/sockets.h"
#include "qemu/timer.h"
#include "util/aio-posix.h"

static AioContext *ctx;
static GString *order;

static void note(void *opaque)
{
    g_string_append(order, opaque);
}

static void expect_order(const char *text)
{
    g_assert_cmpstr(order->str, ==, text);
    g_string_set_size(order, 0);
}

static void poll_all(void)
{
    while (aio_poll(ctx, false)) {
    }
}

/* ---- Bottom halves ---- */

static void note_nested(void *opaque)
{
    note((void *)"[");
    aio_poll(ctx, false);
    note((void *)"]");
}

static void test_bh_order(void)
{
    aio_bh_schedule_oneshot(ctx, note, (void *)"a");
    aio_bh_schedule_oneshot(ctx, note, (void *)"b");
    g_assert_true(aio_poll(ctx, true));
    expect_order("ba");

    aio_bh_schedule_oneshot(ctx, note, (void *)"a");
    aio_bh_schedule_oneshot(ctx, note_nested, NULL);
    aio_bh_schedule_oneshot(ctx, note, (void *)"b");
    g_assert_true(aio_poll(ctx, true));
    expect_order("b[a]");
}

static void test_bh_states(void)
{
    QEMUBH *bh = aio_bh_new(ctx, note, (void *)"x");

    qemu_bh_schedule(bh);
    qemu_bh_schedule(bh);
    g_assert_true(aio_poll(ctx, false));
    expect_order("x");
    qemu_bh_schedule(bh);
    qemu_bh_cancel(bh);
    g_assert_false(aio_poll(ctx, false));
    qemu_bh_schedule_idle(bh);
    g_assert_false(aio_poll(ctx, false)); /* it runs, and is no progress */
    expect_order("x");
    qemu_bh_schedule(bh);
    qemu_bh_delete(bh);
    g_assert_false(aio_poll(ctx, false));
    expect_order("");
}

/* ---- Descriptors ---- */

typedef struct Peer {
    int fd[2];
    int reads, writes;
} Peer;

static void peer_init(Peer *peer)
{
    *peer = (Peer){.reads = 0};
    g_assert_cmpint(qemu_socketpair(AF_UNIX, SOCK_STREAM, 0, peer->fd), ==, 0);
}

static void peer_watch(Peer *peer, IOHandler *io_read, IOHandler *io_write)
{
    aio_set_fd_handler(ctx, peer->fd[0], io_read, io_write, NULL, NULL, peer);
}

static void peer_finish(Peer *peer)
{
    peer_watch(peer, NULL, NULL);
    closesocket(peer->fd[0]);
    closesocket(peer->fd[1]);
    poll_all();
}

static void send_byte(Peer *peer)
{
    g_assert_cmpint(write(peer->fd[1], "x", 1), ==, 1);
}

static void read_byte(void *opaque)
{
    Peer *peer = opaque;
    char byte;

    g_assert_cmpint(read(peer->fd[0], &byte, 1), ==, 1);
    peer->reads++;
}

static void count_write(void *opaque)
{
    ((Peer *)opaque)->writes++;
}

static void test_fd_level(void)
{
    Peer peer;

    peer_init(&peer);
    peer_watch(&peer, read_byte, NULL);
    g_assert_false(aio_poll(ctx, false));
    send_byte(&peer);
    send_byte(&peer);
    g_assert_true(aio_poll(ctx, true));
    g_assert_true(aio_poll(ctx, true));
    g_assert_false(aio_poll(ctx, false));
    g_assert_cmpint(peer.reads, ==, 2);
    peer_watch(&peer, read_byte, count_write);
    g_assert_true(aio_poll(ctx, true));
    g_assert_cmpint(peer.writes, ==, 1);
    peer_finish(&peer);
}

static void read_and_forget(void *opaque)
{
    read_byte(opaque);
    peer_watch(opaque, NULL, NULL);
}

static void read_and_replace(void *opaque)
{
    read_byte(opaque);
    peer_watch(opaque, read_and_forget, NULL);
}

static void test_fd_changes_itself(void)
{
    Peer peer;

    peer_init(&peer);
    peer_watch(&peer, read_and_replace, NULL);
    for (int i = 0; i < 3; i++) {
        send_byte(&peer);
    }
    poll_all();
    g_assert_cmpint(peer.reads, ==, 2);
    peer_finish(&peer);
}

static bool never(void *opaque)
{
    return false;
}

static void clear_and_note(EventNotifier *e)
{
    g_assert_true(event_notifier_test_and_clear(e));
    note((void *)"e");
}

static void test_notifier(void)
{
    EventNotifier e;

    g_assert_cmpint(event_notifier_init(&e, false), ==, 0);
    aio_set_event_notifier(ctx, &e, clear_and_note, never, clear_and_note);
    aio_set_event_notifier_poll(ctx, &e, NULL, NULL);
    poll_all();
    event_notifier_set(&e);
    while (!order->len) {
        aio_poll(ctx, true);
    }
    expect_order("e");
    aio_set_event_notifier(ctx, &e, NULL, NULL, NULL);
    event_notifier_cleanup(&e);
    poll_all();
}

/* Enough descriptors for the change from poll() to epoll. */
static void test_many(void)
{
    enum { N = 100 };
    Peer peers[N];
    int reads = 0;

    for (int i = 0; i < N; i++) {
        peer_init(&peers[i]);
        peer_watch(&peers[i], read_byte, NULL);
        send_byte(&peers[i]);
    }
    poll_all();
    for (int i = 0; i < N; i++) {
        reads += peers[i].reads;
        peer_finish(&peers[i]);
    }
    g_assert_cmpint(reads, ==, N);
}

/* ---- Timers, deferred calls, requests ---- */

static void test_timer(void)
{
    QEMUTimer first, second;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    aio_timer_init(ctx, &first, QEMU_CLOCK_REALTIME, SCALE_NS, note,
                   (void *)"1");
    aio_timer_init(ctx, &second, QEMU_CLOCK_REALTIME, SCALE_MS, note,
                   (void *)"2");
    timer_mod(&first, now);
    timer_mod(&second, now / SCALE_MS + 2);
    g_assert_true(aio_poll(ctx, true));
    expect_order("1");
    while (timer_pending(&second)) {
        aio_poll(ctx, true);
    }
    expect_order("2");
    g_assert_cmpint(qemu_clock_get_ns(QEMU_CLOCK_REALTIME), >=,
                    now + SCALE_MS);
    timer_deinit(&first);
    timer_deinit(&second);
}

static void note_in_section(void *opaque)
{
    defer_call_begin();
    note(opaque);
    defer_call_end();
}

static void test_defer_call(void)
{
    defer_call(note, (void *)"now");
    expect_order("now");
    defer_call_begin();
    defer_call(note_in_section, (void *)"a");
    defer_call(note, (void *)"b");
    defer_call(note_in_section, (void *)"a");
    expect_order("");
    defer_call_end();
    expect_order("ab"); /* QEMU's inner end runs the outer calls again */
}

static void prep_nop(struct io_uring_sqe *sqe, void *opaque)
{
    io_uring_prep_nop(sqe);
}

static void nop_done(CqeHandler *handler)
{
    g_assert_cmpint(handler->cqe.res, ==, 0);
    note((void *)"c");
}

static void test_sqe(void)
{
    CqeHandler handler = {.cb = nop_done};

    g_assert_cmpint(aio_has_io_uring(), ==,
                    ctx->fdmon_ops == &fdmon_io_uring_ops);
    aio_add_sqe(prep_nop, NULL, &handler);
    while (!order->len) {
        g_assert_true(aio_poll(ctx, true));
    }
    expect_order("c");
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    order = g_string_new("");
    ctx = aio_context_new(&error_abort);
    qemu_set_current_aio_context(ctx);
    poll_all();
    g_test_add_func("/loop/bh/order", test_bh_order);
    g_test_add_func("/loop/bh/states", test_bh_states);
    g_test_add_func("/loop/fd/level", test_fd_level);
    g_test_add_func("/loop/fd/changes-itself", test_fd_changes_itself);
    g_test_add_func("/loop/fd/notifier", test_notifier);
    g_test_add_func("/loop/fd/many", test_many);
    g_test_add_func("/loop/timer", test_timer);
    g_test_add_func("/loop/defer-call", test_defer_call);
    g_test_add_func("/loop/sqe", test_sqe);
    ret = g_test_run();
    aio_context_unref(ctx);
    g_string_free(order, true);
    return ret;
}
