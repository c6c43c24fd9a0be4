/* SPDX-License-Identifier: MIT */
/*
 * Coroutines in contexts: scheduled, woken, queued behind the running one,
 * asleep, and moved from thread to thread.
 */
#include "harness.h"

typedef struct AioCo {
    Coroutine *co;
    AioContext *ctx;
    char name;
    int n;
    bool done; /* any thread */
} AioCo;

static Trace order;

static void coroutine_fn trace_entry(void *opaque)
{
    AioCo *data = opaque;

    CHECK(qemu_get_current_aio_context() == data->ctx);
    trace(&order, data->name);
    data->done = true;
}

static void init_many(AioCo *data, unsigned n, CoroutineEntry *entry)
{
    order = (Trace){.n = 0};
    for (unsigned i = 0; i < n; i++) {
        data[i] = (AioCo){.ctx = qemu_get_aio_context(), .name = 'A' + i};
        data[i].co = qemu_coroutine_create(entry, &data[i]);
    }
}

static void test_schedule(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    AioCo data[4];

    init_many(data, 4, trace_entry);
    for (int i = 0; i < 4; i++) {
        aio_co_schedule(ctx, data[i].co);
    }
    CHECK_STR(order.text, "");
    CHECK(aio_poll(ctx, true));
    CHECK_STR(order.text, "ABCD"); /* unlike bottom halves */
    CHECK(!aio_poll(ctx, false));
}

static void coroutine_fn again_entry(void *opaque)
{
    AioCo *data = opaque;

    while (data->n < 3) {
        data->n++;
        aio_co_schedule(data->ctx, data->co);
        qemu_coroutine_yield();
    }
    data->done = true;
}

static void test_schedule_self(const ScenarioArgs *args)
{
    AioCo data;

    init_many(&data, 1, again_entry);
    qemu_coroutine_enter(data.co);
    for (int i = 2; i <= 3; i++) {
        CHECK(aio_poll(data.ctx, true));
        CHECK_EQ(data.n, i);
        CHECK(!data.done);
    }
    CHECK(aio_poll(data.ctx, true));
    CHECK(data.done);
}

/* A wakes B and C, which are entered when A yields or ends, in that order. */
static AioCo chain[5];

static void coroutine_fn chain_entry(void *opaque)
{
    AioCo *data = opaque;
    unsigned i = data - chain;

    trace(&order, data->name);
    if (2 * i + 2 < ARRAY_SIZE(chain)) {
        aio_co_wake(chain[2 * i + 1].co);
        aio_co_enter(data->ctx, chain[2 * i + 2].co);
    }
    trace(&order, data->name - 'A' + 'a');
    qemu_coroutine_yield();
    trace(&order, '0' + i);
    data->done = true;
}

static void coroutine_fn wait_entry(void *opaque)
{
    qemu_coroutine_yield();
    chain_entry(opaque);
}

static void test_queue_wakeup(const ScenarioArgs *args)
{
    init_many(chain, ARRAY_SIZE(chain), wait_entry);
    for (unsigned i = 0; i < ARRAY_SIZE(chain); i++) {
        qemu_coroutine_enter(chain[i].co);
    }
    qemu_coroutine_enter(chain[0].co);
    /* Depth first: what B wakes (D, E) goes before C, which A woke. */
    CHECK_STR(order.text, "AaBbDdEeCc");
    for (unsigned i = 0; i < ARRAY_SIZE(chain); i++) {
        CHECK(!chain[i].done);
        qemu_coroutine_enter(chain[i].co);
        CHECK(chain[i].done);
    }
    CHECK_STR(order.text, "AaBbDdEeCc01234");
}

static void coroutine_fn sleep_entry(void *opaque)
{
    AioCo *data = opaque;
    int64_t ns = (3 - (data->name - 'A')) * 300 * SCALE_US;
    int64_t begin = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, ns);
    CHECK(qemu_clock_get_ns(QEMU_CLOCK_REALTIME) >= begin + ns);
    trace(&order, data->name);
    data->done = true;
}

static void test_sleep(const ScenarioArgs *args)
{
    AioCo data[3];

    init_many(data, 3, sleep_entry);
    for (int i = 0; i < 3; i++) {
        qemu_coroutine_enter(data[i].co);
    }
    CHECK_STR(order.text, "");
    while (order.n < 3) {
        aio_poll(data[0].ctx, true);
    }
    CHECK(data[0].done && data[1].done && data[2].done);
    CHECK(!aio_poll(data[0].ctx, false));
}

/* ---- Threads ---- */

static void coroutine_fn yield_once_entry(void *opaque)
{
    AioCo *data = opaque;

    qemu_coroutine_yield();
    CHECK(qemu_get_current_aio_context() == data->ctx);
    data->done = true;
}

static void *wake_thread(void *opaque)
{
    AioCo *data = opaque;

    CHECK(!qemu_get_current_aio_context());
    aio_co_wake(data->co);
    return NULL;
}

static void test_wake_from_thread(const ScenarioArgs *args)
{
    for (int i = 0; i < 10; i++) {
        QemuThread thread;
        AioCo data;

        init_many(&data, 1, yield_once_entry);
        qemu_coroutine_enter(data.co);
        CHECK(qemu_coroutine_get_aio_context(data.co) == data.ctx);
        qemu_thread_create(&thread, "waker", wake_thread, &data,
                           QEMU_THREAD_JOINABLE);
        AIO_WAIT_WHILE(data.ctx, !data.done);
        qemu_thread_join(&thread);
    }
}

enum { HOPS = 12, HOPPERS = 4, CONTEXTS = 3 };

static AioContext *contexts[CONTEXTS];
static int hops_left;

static void coroutine_fn hop_entry(void *opaque)
{
    AioCo *data = opaque;

    for (int i = 0; i < HOPS; i++) {
        AioContext *to = contexts[(data->name + i) % CONTEXTS];

        aio_co_reschedule_self(to);
        CHECK(qemu_get_current_aio_context() == to);
        CHECK(qemu_coroutine_self() == data->co);
        CHECK(qemu_coroutine_get_aio_context(data->co) == to);
        data->n++;
    }
    qatomic_dec(&hops_left);
    aio_wait_kick();
}

static void test_reschedule(const ScenarioArgs *args)
{
    static const char *const names[CONTEXTS] = {"main", "hop1", "hop2"};
    IOThread *iothreads[CONTEXTS];
    AioCo data[HOPPERS];

    contexts[0] = qemu_get_aio_context();
    for (int i = 1; i < CONTEXTS; i++) {
        iothreads[i] = iothread_create(names[i], &error_abort);
        contexts[i] = iothread_get_aio_context(iothreads[i]);
    }
    hops_left = HOPPERS;
    init_many(data, HOPPERS, hop_entry);
    for (int i = 0; i < HOPPERS; i++) {
        aio_co_schedule(contexts[i % CONTEXTS], data[i].co);
    }
    AIO_WAIT_WHILE(NULL, qatomic_load_acquire(&hops_left) > 0);
    for (int i = 0; i < HOPPERS; i++) {
        CHECK_EQ(data[i].n, HOPS);
    }
    for (int i = 1; i < CONTEXTS; i++) {
        iothread_destroy(iothreads[i]);
    }
}

static void coroutine_fn in_iothread_entry(void *opaque)
{
    AioCo *data = opaque;

    CHECK(qemu_get_current_aio_context() == data->ctx);
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 20 * SCALE_US);
    CHECK(qemu_get_current_aio_context() == data->ctx);
    qatomic_set(&data->done, true);
    aio_wait_kick();
}

static void test_enter_in_iothread(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("enter", &error_abort);
    AioCo data;

    init_many(&data, 1, in_iothread_entry);
    data.ctx = iothread_get_aio_context(iothread);
    aio_co_enter(data.ctx, data.co);
    AIO_WAIT_WHILE(NULL, !qatomic_read(&data.done));
    iothread_destroy(iothread);
}

static const LoopTest tests[] = {
    {"/aio/coroutine/schedule", test_schedule},
    {"/aio/coroutine/schedule-self", test_schedule_self},
    {"/aio/coroutine/queue-wakeup", test_queue_wakeup},
    {"/aio/coroutine/sleep", test_sleep},
    {"/aio/coroutine/wake-from-thread", test_wake_from_thread, TEST_THREADS},
    {"/aio/coroutine/reschedule-self", test_reschedule, TEST_THREADS},
    {"/aio/coroutine/worker-thread-co-enter", test_enter_in_iothread,
     TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
