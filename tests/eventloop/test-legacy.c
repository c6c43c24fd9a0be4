/* SPDX-License-Identifier: MIT */
/* What QEMU had once: the AioContext lock, and external handlers. */
#include "harness.h"

#include "aiolab/legacy.h"
#include "system/iothread.h"

typedef struct External {
    EventNotifier e;
    int n;
} External;

static void external_read(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    container_of(e, External, e)->n++;
}

static void external_init(External *x, bool is_external)
{
    x->n = 0;
    CHECK_EQ(event_notifier_init(&x->e, false), 0);
    aio_set_event_notifier(qemu_get_aio_context(), &x->e, is_external,
                           external_read, NULL, NULL);
}

static void external_finish(External *x)
{
    aio_set_event_notifier(qemu_get_aio_context(), &x->e, false, NULL, NULL,
                           NULL);
    event_notifier_cleanup(&x->e);
}

/* QEMU's /aio/external-client. */
static void test_external_client(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    External external, internal;

    external_init(&external, true);
    external_init(&internal, false);
    for (int depth = 1; depth <= 2; depth++) {
        for (int i = 0; i < depth; i++) {
            aio_disable_external(ctx);
        }
        event_notifier_set(&external.e);
        event_notifier_set(&internal.e);
        for (int i = 0; i < depth; i++) {
            CHECK(aio_external_disabled(ctx));
            poll_until_idle(ctx);
            CHECK_EQ(external.n, depth - 1);
            CHECK_EQ(internal.n, depth);
            aio_enable_external(ctx);
        }
        CHECK(aio_poll(ctx, true));
        CHECK_EQ(external.n, depth);
    }
    external_finish(&external);
    external_finish(&internal);
}

/* Made while disabled, and removed while disabled. */
static void test_external_added(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    External external;

    aio_disable_external(ctx);
    external_init(&external, true);
    event_notifier_set(&external.e);
    poll_until_idle(ctx);
    CHECK_EQ(external.n, 0);
    aio_enable_external(ctx);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(external.n, 1);
    aio_disable_external(ctx);
    external_finish(&external);
    aio_enable_external(ctx);
    poll_until_idle(ctx);
}

static void iterate_until_idle(void)
{
    while (g_main_context_iteration(NULL, false)) {
    }
}

/* GLib's loop does not look at disabled ones either, nor turn for ever. */
static void test_external_glib(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    External external;

    external_init(&external, true);
    iterate_until_idle();
    aio_disable_external(ctx);
    event_notifier_set(&external.e);
    iterate_until_idle();
    CHECK_EQ(external.n, 0);
    aio_enable_external(ctx);
    while (external.n == 0) {
        g_main_context_iteration(NULL, true);
    }
    external_finish(&external);
}

static void bh_needs_lock(void *opaque)
{
    AioContext *ctx = qemu_get_current_aio_context();

    aio_context_acquire(ctx);
    qatomic_set((bool *)opaque, true);
    aio_context_release(ctx);
    aio_wait_kick();
}

/* The waiter gives the lock up, once, while it polls. */
static void test_wait_releases(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("lock", &error_abort);
    AioContext *ctx = iothread_get_aio_context(iothread);
    bool done = false;

    aio_context_acquire(ctx);
    aio_bh_schedule_oneshot(ctx, bh_needs_lock, &done);
    AIO_WAIT_WHILE(ctx, !qatomic_read(&done));
    CHECK(done);
    aio_context_release(ctx);
    iothread_destroy(iothread);
}

static void test_recursive(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    aio_context_acquire(ctx);
    aio_context_acquire(ctx);
    aio_context_release(ctx);
    aio_context_release(ctx);
}

static void bh_count(void *opaque)
{
    (*(int *)opaque)++;
}

static void test_aio_wait(const ScenarioArgs *args)
{
    int n = 0;

    aio_bh_schedule_oneshot(qemu_get_aio_context(), bh_count, &n);
    CHECK(qemu_aio_wait());
    CHECK_EQ(n, 1);
}

static const LoopTest tests[] = {
    {"/aio/external-client", test_external_client},
    {"/legacy/external/added-while-disabled", test_external_added},
    {"/legacy/external/glib", test_external_glib},
    {"/legacy/lock/wait-releases", test_wait_releases, TEST_THREADS},
    {"/legacy/lock/recursive", test_recursive},
    {"/legacy/qemu-aio-wait", test_aio_wait},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
