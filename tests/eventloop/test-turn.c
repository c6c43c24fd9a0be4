/* SPDX-License-Identifier: MIT */
/*
 * One turn: which kind of work goes first, when descriptors are looked at, and
 * what is returned; as it was measured on QEMU (docs/qemu-api.md).
 */
#include "harness.h"

#include "qemu/main-loop.h"
#include "util/aio-posix.h"

enum { N = 4 };

typedef struct Noted {
    EventNotifier e;
    char letter;
} Noted;

static Trace order;
static Noted noted[N];

static void note_read(EventNotifier *e)
{
    CHECK(event_notifier_test_and_clear(e));
    trace(&order, container_of(e, Noted, e)->letter);
}

static void note_bh(void *opaque)
{
    trace(&order, *(const char *)opaque);
}

static void clear_order(void)
{
    order = (Trace){.n = 0};
}

static void watch_all(bool watch)
{
    AioContext *ctx = qemu_get_aio_context();

    for (int i = 0; i < N; i++) {
        if (watch) {
            noted[i].letter = '1' + i;
            CHECK_EQ(event_notifier_init(&noted[i].e, false), 0);
        }
        aio_set_event_notifier(ctx, &noted[i].e, watch ? note_read : NULL, NULL,
                               NULL);
        if (!watch) {
            event_notifier_cleanup(&noted[i].e);
        }
    }
    while (g_main_context_iteration(NULL, false)) {
    }
    clear_order();
}

static void note_timer(void *opaque)
{
    trace(&order, *(const char *)opaque);
}

/* Bottom halves, descriptors, timers; bottom halves last in, first out. */
static void test_kinds(const ScenarioArgs *args)
{
    static const char letters[] = "ABtu";
    AioContext *ctx = qemu_get_aio_context();
    QEMUTimer timers[2];

    for (int glib = 0; glib < 2; glib++) {
        watch_all(true);
        for (int i = 0; i < 2; i++) {
            aio_timer_init(ctx, &timers[i], QEMU_CLOCK_REALTIME, SCALE_NS,
                           note_timer, (void *)&letters[2 + i]);
            timer_mod(&timers[i], 1);
            aio_bh_schedule_oneshot(ctx, note_bh, (void *)&letters[i]);
        }
        for (int i = N - 1; i >= 0; i--) {
            event_notifier_set(&noted[i].e);
        }
        CHECK(glib ? g_main_context_iteration(NULL, true)
                   : aio_poll(ctx, true));
        CHECK_STR(order.text, "BA1234tu");
        watch_all(false);
    }
}

/* ---- What an iteration returns ---- */

static void delete_self(void *opaque)
{
    QEMUBH **bh = opaque;

    qemu_bh_delete(*bh);
    *bh = NULL;
}

static void do_nothing(void *opaque)
{
}

/* QEMU's /aio-gsource/bh/callback-delete/one counts on the second one. */
static void test_notified_in_dispatch(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    QEMUBH *bh = aio_bh_new(ctx, delete_self, &bh);

    while (g_main_context_iteration(NULL, false)) {
    }
    qemu_bh_schedule(bh);
    CHECK(g_main_context_iteration(NULL, false));
    CHECK(bh == NULL);
    CHECK(g_main_context_iteration(NULL, false));
    CHECK(!g_main_context_iteration(NULL, false));

    aio_bh_schedule_oneshot(ctx, do_nothing, NULL);
    CHECK(g_main_context_iteration(NULL, false));
    CHECK(!g_main_context_iteration(NULL, false));
}

static bool poll_never(void *opaque)
{
    return false;
}

/* A turn that may not sleep looks only where it must: need_wait in QEMU. */
static void test_polled_only(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    bool visible = ctx->fdmon_ops == &fdmon_io_uring_ops;

    CHECK_EQ(event_notifier_init(&noted[0].e, true), 0);
    noted[0].letter = '1';
    aio_set_event_notifier(ctx, &noted[0].e, note_read, poll_never, note_read);
    CHECK(!aio_poll_disabled(ctx));
    CHECK_EQ(aio_poll(ctx, false), visible);
    CHECK_EQ(aio_poll(ctx, !visible), !visible);
    CHECK_STR(order.text, "1");
    aio_set_event_notifier(ctx, &noted[0].e, NULL, NULL, NULL);
    event_notifier_cleanup(&noted[0].e);
    clear_order();
}

static const LoopTest tests[] = {
    {"/aio/turn/kinds", test_kinds},
    {"/aio/turn/polled-only", test_polled_only},
    {"/aio-gsource/turn/notified-in-dispatch", test_notified_in_dispatch},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
