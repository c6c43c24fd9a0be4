/* SPDX-License-Identifier: MIT */
/* Busy polling: who is called, when it begins and ends, and what it learns. */
#include "harness.h"

#include "host.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "system/iothread.h"
#include "util/aio-posix.h"

typedef struct Polled {
    EventNotifier e;
    AioContext *ctx;
    int reads, looks, readies, begins, ends;
    bool condition; /* what io_poll looks at */
    int patience;   /* and how often before it says so */
    bool in_ready;
    EventNotifier other; /* wakes a nested poll */
    bool nest;
} Polled;

static Polled *of(EventNotifier *e)
{
    return container_of(e, Polled, e);
}

static void polled_read(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    of(e)->reads++;
}

static bool polled_look(void *opaque)
{
    Polled *p = of(opaque);

    p->looks++;
    CHECK(!p->in_ready);
    return qatomic_read(&p->condition) && --p->patience <= 0;
}

static void polled_ready(EventNotifier *e)
{
    Polled *p = of(e);

    CHECK(!p->in_ready);
    p->in_ready = true;
    p->readies++;
    if (p->nest) {
        event_notifier_set(&p->other);
        CHECK(aio_poll(p->ctx, true));
    }
    qatomic_set(&p->condition, false);
    p->in_ready = false;
}

static void polled_begin(EventNotifier *e)
{
    qatomic_set(&of(e)->begins, of(e)->begins + 1);
}

static void polled_end(EventNotifier *e)
{
    of(e)->ends++;
}

static void polled_init(Polled *p, AioContext *ctx)
{
    *p = (Polled){.ctx = ctx};
    CHECK_EQ(event_notifier_init(&p->e, false), 0);
    aio_set_event_notifier(ctx, &p->e, polled_read, polled_look, polled_ready);
    aio_set_event_notifier_poll(ctx, &p->e, polled_begin, polled_end);
}

static void polled_finish(Polled *p)
{
    aio_set_event_notifier(p->ctx, &p->e, NULL, NULL, NULL);
    event_notifier_cleanup(&p->e);
}

/* A handler takes part once its descriptor's callback has run. */
static void start_polling(Polled *p)
{
    aio_context_set_poll_params(p->ctx, 10 * NANOSECONDS_PER_SECOND, 0, 0, 0,
                                &error_abort);
    poll_until_idle(p->ctx);
    CHECK_EQ(p->looks, 0);
    event_notifier_set(&p->e);
    while (p->reads == 0) {
        aio_poll(p->ctx, true);
    }
    p->ctx->poll_ns = p->ctx->poll_max_ns; /* as if it had learned so */
}

static void bh_nothing(void *opaque)
{
}

static void test_ready(const ScenarioArgs *args)
{
    Polled p;

    polled_init(&p, qemu_get_aio_context());
    start_polling(&p);
    p.condition = true;
    CHECK(aio_poll(p.ctx, true));
    CHECK_EQ(p.readies, 1);
    CHECK_EQ(p.reads, 1);
    CHECK_EQ(p.begins, 1);
    CHECK_EQ(p.ends, 0);
    p.condition = true;
    CHECK(aio_poll(p.ctx, true));
    CHECK_EQ(p.readies, 2);
    CHECK_EQ(p.begins, 1);
    polled_finish(&p);
}

/* QEMU's test-nested-aio-poll: no handler is polled inside its own ready. */
static void other_read(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
}

static void test_nested(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Polled p;

    polled_init(&p, ctx);
    CHECK_EQ(event_notifier_init(&p.other, false), 0);
    aio_set_event_notifier(ctx, &p.other, other_read, NULL, NULL);
    p.nest = true;
    start_polling(&p);
    for (int i = 1; i <= 2; i++) {
        /* Beside io_uring, a handler that cannot be polled ends polling. */
        if (!ctx->fdmon_ops->visible && aio_poll_disabled(ctx)) {
            break;
        }
        p.condition = true;
        CHECK(aio_poll(ctx, true));
        CHECK_EQ(p.readies, i);
    }
    aio_set_event_notifier(ctx, &p.other, NULL, NULL, NULL);
    event_notifier_cleanup(&p.other);
    polled_finish(&p);
}

/* A bottom half from another thread ends busy polling at once (993ed89f35). */
static void *notify_thread(void *opaque)
{
    Polled *p = opaque;

    while (!qatomic_read(&p->begins)) {
        host_point(HOST_POINT_SPIN, 0);
    }
    aio_bh_schedule_oneshot(p->ctx, bh_nothing, NULL);
    return NULL;
}

static void test_notified(const ScenarioArgs *args)
{
    QemuThread thread;
    Polled p;

    polled_init(&p, qemu_get_aio_context());
    start_polling(&p);
    qemu_thread_create(&thread, "notifier", notify_thread, &p,
                       QEMU_THREAD_JOINABLE);
    while (!aio_poll(p.ctx, true)) {
    }
    CHECK_EQ(p.readies, 0);
    qemu_thread_join(&thread);
    polled_finish(&p);
}

/* Going to sleep ends poll mode, with io_poll_end and one last look. */
static void timer_set(void *opaque)
{
    *(bool *)opaque = true;
}

static void test_end(const ScenarioArgs *args)
{
    QEMUTimer timer;
    bool fired = false;
    Polled p;

    polled_init(&p, qemu_get_aio_context());
    start_polling(&p);
    aio_timer_init(p.ctx, &timer, QEMU_CLOCK_REALTIME, SCALE_NS, timer_set,
                   &fired);
    p.ctx->poll_ns = 1000;
    timer_mod(&timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 2 * SCALE_MS);
    while (!fired) {
        aio_poll(p.ctx, true);
    }
    CHECK_EQ(p.begins, p.ends);
    CHECK(p.ends > 0);
    polled_finish(&p);
}

/* A poll that does not wait sees what is not notified meanwhile, too. */
static void test_not_blocking(const ScenarioArgs *args)
{
    Polled p;

    polled_init(&p, qemu_get_aio_context());
    start_polling(&p);
    p.condition = true;
    CHECK(aio_poll(p.ctx, true));
    CHECK_EQ(p.begins, 1);
    p.condition = true;
    CHECK(aio_poll(p.ctx, false));
    CHECK_EQ(p.readies, 2);
    aio_bh_schedule_oneshot(p.ctx, bh_nothing, NULL);
    p.condition = true;
    CHECK(aio_poll(p.ctx, true));
    CHECK_EQ(p.readies, 3);
    CHECK(!aio_poll(p.ctx, false));
    polled_finish(&p);
}

static void forget_since(Polled *p, int64_t timestamp)
{
    AioHandler *node;

    QLIST_FOREACH(node, &p->ctx->poll_aio_handlers, node_poll) {
        if (node->opaque == &p->e) {
            node->last_dispatch_timestamp = timestamp;
        }
    }
}

/* Its event comes when it has not been notified yet, and is polled no more. */
static void late_end(EventNotifier *e)
{
    polled_end(e);
    of(e)->condition = true;
}

static void test_idle(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Polled idle, busy;

    if (!ctx->fdmon_ops->visible) {
        return; /* none is removed */
    }
    polled_init(&idle, ctx);
    polled_init(&busy, ctx);
    aio_set_event_notifier_poll(ctx, &idle.e, polled_begin, late_end);
    start_polling(&idle);
    start_polling(&busy);
    forget_since(&idle, 1 - 8 * NANOSECONDS_PER_SECOND);
    for (int i = 0; i < 5; i++) {
        busy.condition = true;
        /* Live, time counts from the eighth look on; simulated, at once. */
        busy.patience = host_mode & HOST_LISTS ? 0 : 20;
        while (busy.condition) {
            CHECK(aio_poll(ctx, true));
        }
    }
    CHECK_EQ(idle.ends, 1);
    CHECK_EQ(idle.readies, 1);
    polled_finish(&idle);
    polled_finish(&busy);
}

static void test_learn(const ScenarioArgs *args)
{
    Polled p;

    polled_init(&p, qemu_get_aio_context());
    aio_context_set_poll_params(p.ctx, 50000, 4, 2, 3, &error_abort);
    CHECK_EQ(p.ctx->poll_ns, 0);
    for (int i = 0; i < 20; i++) {
        event_notifier_set(&p.e);
        aio_poll(p.ctx, true);
        CHECK(p.ctx->poll_ns <= 50000);
    }
    CHECK(p.ctx->poll_ns > 0);
    aio_context_set_poll_params(p.ctx, 0, 0, 0, 0, &error_abort);
    CHECK_EQ(p.ctx->poll_ns, 0);
    polled_finish(&p);
}

static void test_remove_while_polled(const ScenarioArgs *args)
{
    Polled p, q;

    polled_init(&p, qemu_get_aio_context());
    polled_init(&q, qemu_get_aio_context());
    start_polling(&p);
    start_polling(&q);
    p.condition = true;
    CHECK(aio_poll(p.ctx, true));
    polled_finish(&p);
    q.condition = true;
    CHECK(aio_poll(q.ctx, true));
    CHECK_EQ(q.readies, 1);
    CHECK_EQ(p.readies, 1);
    polled_finish(&q);
}

static void test_params(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    static const int64_t bad[][4] = {
        {-1, 0, 0, 0}, {1, -1, 0, 0}, {1, 0, -2, 0}, {1, 0, 0, 64},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;

        aio_context_set_poll_params(ctx, bad[i][0], bad[i][1], bad[i][2],
                                    bad[i][3], &err);
        CHECK(err != NULL);
        error_free(err);
    }
    CHECK_EQ(ctx->poll_max_ns, 0);
}

/* An IOThread that polls serves a stream of bottom halves all the same. */
enum { ROUNDS = 50 };

typedef struct PingPong {
    AioContext *there;
    int pings, pongs;
} PingPong;

static void pong(void *opaque)
{
    ((PingPong *)opaque)->pongs++;
}

static void ping(void *opaque)
{
    PingPong *pp = opaque;

    pp->pings++;
    aio_bh_schedule_oneshot(qemu_get_aio_context(), pong, pp);
}

static void test_iothread(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("polling", &error_abort);
    PingPong pp = {.there = iothread_get_aio_context(iothread)};

    for (int i = 0; i < ROUNDS; i++) {
        aio_bh_schedule_oneshot(pp.there, ping, &pp);
        while (pp.pongs <= i) {
            aio_poll(qemu_get_aio_context(), true);
        }
    }
    CHECK_EQ(pp.pings, ROUNDS);
    iothread_destroy(iothread);
}

static const LoopTest tests[] = {
    {"/aio/poll/ready", test_ready},
    {"/aio/poll/nested", test_nested},
    {"/aio/poll/notified", test_notified, TEST_THREADS | TEST_SPINS},
    {"/aio/poll/end", test_end},
    {"/aio/poll/not-blocking", test_not_blocking},
    {"/aio/poll/idle", test_idle},
    {"/aio/poll/learn", test_learn},
    {"/aio/poll/remove", test_remove_while_polled},
    {"/aio/poll/params", test_params},
    {"/aio/poll/iothread", test_iothread, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
