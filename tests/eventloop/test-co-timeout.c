/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that wait for time, for descriptors and for a share of something.
 */
#include "harness.h"

#include "qemu/co-shared-resource.h"
#include "qemu/coroutine.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "system/iothread.h"

static void poll_while(bool *running)
{
    while (qatomic_read(running)) {
        aio_poll(qemu_get_aio_context(), true);
    }
}

/* ---- Time-outs ---- */

typedef struct Late {
    int64_t sleep_ns;     /* of the entry; 0: none */
    uint64_t timeout_ns;
    CleanupFunc *clean;
    int ret;
    bool waits, runs;     /* the waiter, and the entry */
    Coroutine *waiter, *runner;
    unsigned cleaned;
} Late;

static void coroutine_fn late_entry(void *opaque)
{
    Late *late = opaque;

    late->runner = qemu_coroutine_self();
    if (late->sleep_ns) {
        qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, late->sleep_ns);
    }
    late->runs = false;
}

static void late_clean(void *opaque)
{
    Late *late = opaque;

    CHECK(!late->runs);
    late->cleaned++;
}

static void coroutine_fn wait_entry(void *opaque)
{
    Late *late = opaque;

    late->waiter = qemu_coroutine_self();
    late->ret = qemu_co_timeout(late_entry, late, late->timeout_ns,
                                late->clean);
    late->waits = false;
}

static void run_late(Late *late)
{
    late->waits = late->runs = true;
    qemu_coroutine_enter(qemu_coroutine_create(wait_entry, late));
    poll_while(&late->waits);
}

static void test_in_time(const ScenarioArgs *args)
{
    Late late = {.timeout_ns = 1000 * NANOSECONDS_PER_SECOND,
                 .clean = late_clean};

    run_late(&late);
    CHECK_EQ(late.ret, 0);
    CHECK(!late.runs);
    CHECK(late.runner != late.waiter);
    late.sleep_ns = SCALE_US;
    run_late(&late);
    CHECK_EQ(late.ret, 0);
    CHECK(!late.runs);
    CHECK_EQ(late.cleaned, 0); /* that is for who is late */
    CHECK_EQ(aio_compute_timeout(qemu_get_aio_context()), -1);
    late.timeout_ns = UINT64_MAX;
    run_late(&late);
    CHECK_EQ(late.ret, 0);
}

static void test_no_timeout(const ScenarioArgs *args)
{
    Late late = {.timeout_ns = 0, .sleep_ns = SCALE_US, .clean = late_clean};

    run_late(&late);
    CHECK_EQ(late.ret, 0);
    CHECK(!late.runs);
    CHECK(late.runner == late.waiter);
    CHECK_EQ(late.cleaned, 0);
}

static void test_too_late(const ScenarioArgs *args)
{
    Late late = {.timeout_ns = 1, .sleep_ns = 20 * SCALE_MS,
                 .clean = late_clean};

    run_late(&late);
    CHECK_EQ(late.ret, -ETIMEDOUT);
    CHECK(late.runs); /* it goes on */
    CHECK_EQ(late.cleaned, 0);
    poll_while(&late.runs);
    CHECK_EQ(late.cleaned, 1);
    late.clean = NULL;
    run_late(&late);
    CHECK_EQ(late.ret, -ETIMEDOUT);
    poll_while(&late.runs);
    CHECK_EQ(late.cleaned, 1);
}

/* ---- Descriptors ---- */

typedef struct Reader {
    EventNotifier e;
    unsigned n;
    bool running;
} Reader;

static void coroutine_fn reader_entry(void *opaque)
{
    Reader *reader = opaque;

    for (unsigned i = 0; i < 3; i++) {
        yield_until_fd_readable(event_notifier_get_fd(&reader->e));
        CHECK(event_notifier_test_and_clear(&reader->e));
        reader->n++;
    }
    reader->running = false;
}

static void test_readable(const ScenarioArgs *args)
{
    Reader reader = {.running = true};

    CHECK_EQ(event_notifier_init(&reader.e, false), 0);
    qemu_coroutine_enter(qemu_coroutine_create(reader_entry, &reader));
    poll_until_idle(qemu_get_aio_context());
    CHECK_EQ(reader.n, 0);
    for (unsigned i = 1; i <= 3; i++) {
        event_notifier_set(&reader.e);
        while (reader.n < i) {
            aio_poll(qemu_get_aio_context(), true);
        }
    }
    CHECK(!reader.running);
    event_notifier_set(&reader.e); /* nobody watches it any more */
    CHECK(!aio_poll(qemu_get_aio_context(), false));
    event_notifier_cleanup(&reader.e);
}

/* ---- Shares ---- */

static SharedResource *shared;
static Trace order;

typedef struct Eater {
    char name;
    uint64_t n;
} Eater;

static void coroutine_fn eater_entry(void *opaque)
{
    Eater *eater = opaque;

    co_get_from_shres(shared, eater->n);
    trace(&order, eater->name);
}

static void coroutine_fn put_entry(void *opaque)
{
    co_put_to_shres(shared, *(uint64_t *)opaque);
    trace(&order, '.');
}

static void put(uint64_t n)
{
    qemu_coroutine_enter(qemu_coroutine_create(put_entry, &n));
}

static void test_shares(const ScenarioArgs *args)
{
    Eater eaters[] = {{'a', 6}, {'b', 6}, {'c', 10}, {'d', 3}};

    order = (Trace){.n = 0};
    shared = shres_create(10);
    CHECK(co_try_get_from_shres(shared, 10));
    CHECK(!co_try_get_from_shres(shared, 1));
    CHECK(co_try_get_from_shres(shared, 0));
    put(4);
    put(6); /* in parts */
    order = (Trace){.n = 0};
    for (unsigned i = 0; i < ARRAY_SIZE(eaters); i++) {
        qemu_coroutine_enter(qemu_coroutine_create(eater_entry, &eaters[i]));
    }
    CHECK_STR(order.text, "ad"); /* 6 and 3 of 10 */
    put(6);
    CHECK_STR(order.text, "ad.b");
    put(9);
    CHECK_STR(order.text, "ad.b.c");
    put(10);
    shres_destroy(shared);
}

/* ---- Shares of threads ---- */

enum { WORKERS = 4, ROUNDS = 10 };

static unsigned in_use, left;

static void coroutine_fn worker_entry(void *opaque)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t n = 1 + i % 3;

        co_get_from_shres(shared, n);
        CHECK(qatomic_fetch_add(&in_use, n) + n <= 4);
        qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 0);
        qatomic_fetch_sub(&in_use, n);
        co_put_to_shres(shared, n);
    }
    if (qatomic_fetch_dec(&left) == 1) {
        aio_notify(qemu_get_aio_context());
    }
}

static void test_shares_threads(const ScenarioArgs *args)
{
    IOThread *threads[WORKERS];

    shared = shres_create(4);
    left = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        static const char *const names[WORKERS] = {"w0", "w1", "w2", "w3"};

        threads[i] = iothread_create(names[i], &error_abort);
        aio_co_schedule(iothread_get_aio_context(threads[i]),
                        qemu_coroutine_create(worker_entry, NULL));
    }
    while (qatomic_read(&left)) {
        aio_poll(qemu_get_aio_context(), true);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        iothread_destroy(threads[i]);
    }
    shres_destroy(shared);
}

/* ---- Misuse ---- */

static void abort_outside(const ScenarioArgs *args)
{
    qemu_co_timeout(late_entry, NULL, 1, NULL);
}

static void abort_readable_outside(const ScenarioArgs *args)
{
    yield_until_fd_readable(0);
}

static void abort_too_much(const ScenarioArgs *args)
{
    Eater eater = {'x', 11};

    shared = shres_create(10);
    qemu_coroutine_enter(qemu_coroutine_create(eater_entry, &eater));
}

static void abort_put_too_much(const ScenarioArgs *args)
{
    shared = shres_create(10);
    CHECK(co_try_get_from_shres(shared, 3));
    put(4);
}

static void abort_destroy(const ScenarioArgs *args)
{
    shared = shres_create(10);
    CHECK(co_try_get_from_shres(shared, 3));
    shres_destroy(shared);
}

int main(int argc, char **argv)
{
    static const LoopTest tests[] = {
        {"/co-timeout/in-time", test_in_time},
        {"/co-timeout/no-timeout", test_no_timeout},
        {"/co-timeout/too-late", test_too_late},
        {"/co-io/yield-until-fd-readable", test_readable},
        {"/co-shared-resource/shares", test_shares},
        {"/co-shared-resource/threads", test_shares_threads, TEST_THREADS},
        {NULL}};
    static const AbortTest aborts[] = {
        {"/co-timeout/outside", abort_outside,
         "qemu_co_timeout() outside a coroutine: in thread 'main'"},
        {"/co-io/outside", abort_readable_outside,
         "yield_until_fd_readable() outside a coroutine: in thread 'main'"},
        {"/co-shared-resource/too-much", abort_too_much,
         "more is wanted than there ever is: 11 of 10"},
        {"/co-shared-resource/put-too-much", abort_put_too_much,
         "more is put back than was taken: 4 of 3"},
        {"/co-shared-resource/destroy", abort_destroy,
         "destroyed before all was put back: 7 of 10"},
        {NULL}};

    return harness_main(argc, argv, tests, aborts);
}
