/* SPDX-License-Identifier: MIT */
/*
 * Waiting for other contexts: AIO_WAIT_WHILE() and its kick,
 * aio_wait_bh_oneshot(), and the life of IOThreads.
 */
#include "harness.h"

static void set_cb(void *opaque)
{
    *(bool *)opaque = true;
}

static void test_wait_while(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    bool done = false;

    CHECK(!AIO_WAIT_WHILE(ctx, false));
    aio_bh_schedule_oneshot(ctx, set_cb, &done);
    CHECK(AIO_WAIT_WHILE(ctx, !done));
    CHECK(done);
    CHECK(!AIO_WAIT_WHILE(ctx, !done));
    CHECK_EQ(global_aio_wait.num_waiters, 0);
}

static void wait_inside_cb(void *opaque)
{
    bool done = false;

    aio_bh_schedule_oneshot(qemu_get_aio_context(), set_cb, &done);
    CHECK_EQ(global_aio_wait.num_waiters, 1);
    CHECK(AIO_WAIT_WHILE(qemu_get_aio_context(), !done));
    CHECK_EQ(global_aio_wait.num_waiters, 1);
    *(bool *)opaque = true;
}

static void test_nested_wait(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    bool done = false;

    aio_bh_schedule_oneshot(ctx, wait_inside_cb, &done);
    CHECK(AIO_WAIT_WHILE(ctx, !done));
    CHECK_EQ(global_aio_wait.num_waiters, 0);
}

static void test_kick_without_waiter(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    aio_wait_kick();
    CHECK_EQ(aio_compute_timeout(ctx), -1); /* it scheduled nothing */
    CHECK(!aio_poll(ctx, false));
}

/* ---- IOThreads ---- */

typedef struct Task {
    AioContext *ctx;
    int left; /* any thread */
    int n;
} Task;

static void count_down_cb(void *opaque)
{
    Task *task = opaque;

    CHECK(in_aio_context_home_thread(task->ctx));
    CHECK(!in_aio_context_home_thread(qemu_get_aio_context()));
    task->n++;
    if (qatomic_fetch_dec(&task->left) > 1) {
        aio_bh_schedule_oneshot(task->ctx, count_down_cb, task);
    }
    aio_wait_kick();
}

static void test_kick(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("worker", &error_abort);
    Task task = {.ctx = iothread_get_aio_context(iothread)};

    for (int i = 1; i <= 10; i++) {
        qatomic_set(&task.left, 3);
        aio_bh_schedule_oneshot(task.ctx, count_down_cb, &task);
        /* The main context sleeps; only the kick can wake it. */
        AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&task.left) > 0);
        CHECK_EQ(task.n, 3 * i);
    }
    iothread_destroy(iothread);
}

static void home_cb(void *opaque)
{
    Task *task = opaque;

    CHECK(in_aio_context_home_thread(task->ctx));
    task->n++;
}

static void test_bh_oneshot(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("worker", &error_abort);
    Task task = {.ctx = iothread_get_aio_context(iothread)};

    for (int i = 1; i <= 10; i++) {
        aio_wait_bh_oneshot(task.ctx, home_cb, &task);
        CHECK_EQ(task.n, i); /* it has run, and it ran once */
    }
    task.ctx = qemu_get_aio_context();
    aio_wait_bh_oneshot(task.ctx, home_cb, &task);
    CHECK_EQ(task.n, 11);
    iothread_destroy(iothread);
}

static void test_iothread(const ScenarioArgs *args)
{
    IOThread *iothreads[4];

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < ARRAY_SIZE(iothreads); i++) {
            g_autofree char *id = g_strdup_printf("iothread%u", i);

            iothreads[i] = iothread_create(id, &error_abort);
            g_autofree char *got = iothread_get_id(iothreads[i]);

            CHECK_STR(got, id);
            CHECK_STR(aio_context_get_name(
                          iothread_get_aio_context(iothreads[i])), id);
            CHECK(!in_aio_context_home_thread(
                iothread_get_aio_context(iothreads[i])));
        }
        iothread_stop(iothreads[1]);
        iothread_stop(iothreads[1]); /* a second time is fine */
        for (unsigned i = 0; i < ARRAY_SIZE(iothreads); i++) {
            iothread_destroy(iothreads[i]);
        }
    }
}

/* What is scheduled before the stop still runs. */
static void test_iothread_stop_runs_all(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("worker", &error_abort);
    Task task = {.ctx = iothread_get_aio_context(iothread)};

    for (int i = 0; i < 5; i++) {
        aio_bh_schedule_oneshot(task.ctx, home_cb, &task);
    }
    iothread_stop(iothread);
    CHECK_EQ(task.n, 5);
    iothread_destroy(iothread);
}

static void test_context_refs(const ScenarioArgs *args)
{
    AioContext *ctx = aio_context_new(&error_abort);

    CHECK_STR(aio_context_get_name(ctx), "unnamed");
    aio_context_set_name(ctx, "other");
    CHECK_STR(aio_context_get_name(ctx), "other");
    CHECK_EQ(aio_compute_timeout(ctx), -1);
    aio_context_ref(ctx);
    aio_context_unref(ctx);
    CHECK_STR(aio_context_get_name(ctx), "other");
    CHECK(qemu_get_current_aio_context() == qemu_get_aio_context());
    aio_context_unref(ctx);
}

static const LoopTest tests[] = {
    {"/aio/wait/while", test_wait_while},
    {"/aio/wait/nested", test_nested_wait},
    {"/aio/wait/kick-without-waiter", test_kick_without_waiter},
    {"/aio/wait/kick", test_kick, TEST_THREADS},
    {"/aio/wait/bh-oneshot", test_bh_oneshot, TEST_THREADS},
    {"/iothread/life", test_iothread, TEST_THREADS},
    {"/iothread/stop", test_iothread_stop_runs_all, TEST_THREADS},
    {"/aio/context/refs", test_context_refs},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
