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

/* ---- The main context ---- */

static void test_notify_event(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    qemu_notify_event();
    qemu_notify_event();
    CHECK(aio_poll(ctx, true));
    CHECK(!aio_poll(ctx, false));
    qemu_notify_event();
    main_loop_wait(false);
    CHECK(!aio_poll(ctx, false));
}

typedef struct FirstUse {
    AioContext *seen[2];
    QemuSemaphore go;
} FirstUse;

static void *use_iohandler(void *opaque)
{
    FirstUse *use = opaque;

    qemu_sem_wait(&use->go);
    use->seen[0] = iohandler_get_aio_context();
    return NULL;
}

/* Two threads need the second context at once: there is one. */
static void test_iohandler_first_use(const ScenarioArgs *args)
{
    FirstUse use;
    QemuThread thread;

    qemu_sem_init(&use.go, 0);
    qemu_thread_create(&thread, "first", use_iohandler, &use,
                       QEMU_THREAD_JOINABLE);
    qemu_sem_post(&use.go);
    use.seen[1] = iohandler_get_aio_context();
    qemu_thread_join(&thread);
    CHECK(use.seen[0] == use.seen[1]);
    CHECK(!in_aio_context_home_thread(use.seen[0]));
    while (aio_poll(use.seen[0], false)) {
    }
    qemu_sem_destroy(&use.go);
}

static void *check_home(void *opaque)
{
    AioContext *main_ctx = qemu_get_aio_context();
    AioContext *own = aio_context_new(&error_abort);

    qemu_set_current_aio_context(own);
    CHECK(!in_aio_context_home_thread(main_ctx));
    bql_lock();
    CHECK(in_aio_context_home_thread(own));
    CHECK(in_aio_context_home_thread(main_ctx));
    bql_unlock();
    qemu_set_current_aio_context(NULL);
    aio_context_unref(own);
    return NULL;
}

/* Who holds the BQL is at home in the main context, with a context or not. */
static void test_home_by_bql(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_thread_create(&thread, "home", check_home, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_thread_join(&thread);
}

static void abort_bql_blocked(const ScenarioArgs *args)
{
    bql_lock();
    bql_block_unlock(true);
    bql_block_unlock(true);
    bql_block_unlock(false);
    bql_unlock();
}

static const LoopTest tests[] = {
    {"/aio/turn/kinds", test_kinds},
    {"/aio/turn/polled-only", test_polled_only},
    {"/aio-gsource/turn/notified-in-dispatch", test_notified_in_dispatch},
    {"/main-loop/notify-event", test_notify_event},
    {"/main-loop/iohandler/first-use", test_iohandler_first_use, TEST_THREADS},
    {"/main-loop/home-by-bql", test_home_by_bql, TEST_THREADS},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/misuse/bql-blocked", abort_bql_blocked, "!unlock_blocked"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
