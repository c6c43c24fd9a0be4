/* SPDX-License-Identifier: MIT */
/*
 * Event notifiers and descriptor handlers: added, changed and removed, from
 * outside and from inside handlers, also those that are ready in the same
 * turn; and what counts as progress.
 */
#include "harness.h"

typedef struct EventTest {
    EventNotifier e;
    int n;
    int active;    /* handlers stop being called for when it is 0 */
    bool auto_set; /* the handler sets the notifier again */
} EventTest;

static void event_ready_cb(EventNotifier *e)
{
    EventTest *data = container_of(e, EventTest, e);

    CHECK(event_notifier_test_and_clear(e));
    data->n++;
    if (data->active > 0) {
        data->active--;
    }
    if (data->auto_set && data->active) {
        event_notifier_set(e);
    }
}

static void watch(EventTest *data, EventNotifierHandler *cb)
{
    aio_set_event_notifier(qemu_get_aio_context(), &data->e, cb, NULL, NULL);
}

static void event_test_init(EventTest *data, bool active)
{
    *data = (EventTest){.n = 0};
    CHECK_EQ(event_notifier_init(&data->e, active), 0);
}

static void event_test_finish(EventTest *data)
{
    watch(data, NULL);
    CHECK(!aio_poll(qemu_get_aio_context(), false));
    event_notifier_cleanup(&data->e);
}

static void test_notifier(const ScenarioArgs *args)
{
    EventNotifier e;

    CHECK_EQ(event_notifier_init(&e, true), 0);
    CHECK(event_notifier_test_and_clear(&e));
    CHECK(!event_notifier_test_and_clear(&e));
    event_notifier_set(&e);
    event_notifier_set(&e);
    CHECK(event_notifier_test_and_clear(&e));
    CHECK(!event_notifier_test_and_clear(&e));
    event_notifier_cleanup(&e);
}

static void test_add_remove(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest data;

    event_test_init(&data, false);
    watch(&data, event_ready_cb);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(data.n, 0);
    watch(&data, NULL);
    event_notifier_set(&data.e);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(data.n, 0);
    event_test_finish(&data);
}

static void test_wait(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest data;

    event_test_init(&data, false);
    data.active = 1;
    watch(&data, event_ready_cb);
    poll_until_idle(ctx);
    CHECK_EQ(data.n, 0);
    event_notifier_set(&data.e);
    CHECK(aio_poll(ctx, false));
    CHECK_EQ(data.n, 1);
    CHECK_EQ(data.active, 0);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(data.n, 1);
    event_notifier_set(&data.e);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(data.n, 2);
    event_test_finish(&data);
}

static void test_wait_no_flush_cb(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest data, idle;

    event_test_init(&data, false);
    event_test_init(&idle, false);
    data.active = 3;
    data.auto_set = true;
    watch(&data, event_ready_cb);
    watch(&idle, event_ready_cb); /* watched, and never set */
    event_notifier_set(&data.e);
    while (data.active) {
        CHECK(aio_poll(ctx, true));
    }
    CHECK_EQ(data.n, 3);
    CHECK_EQ(idle.n, 0);
    watch(&idle, NULL);
    event_test_finish(&data);
    event_notifier_cleanup(&idle.e);
}

static void test_flush(const ScenarioArgs *args)
{
    EventTest data;

    event_test_init(&data, false);
    data.active = 10;
    data.auto_set = true;
    watch(&data, event_ready_cb);
    event_notifier_set(&data.e);
    poll_until_idle(qemu_get_aio_context());
    CHECK_EQ(data.n, 10);
    CHECK_EQ(data.active, 0);
    event_test_finish(&data);
}

static void not_cleared_cb(EventNotifier *e)
{
    container_of(e, EventTest, e)->n++;
}

static void test_level(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest data;

    event_test_init(&data, true); /* set before anybody watches */
    watch(&data, not_cleared_cb);
    for (int i = 1; i <= 3; i++) {
        CHECK(aio_poll(ctx, i == 2));
        CHECK_EQ(data.n, i);
    }
    event_notifier_test_and_clear(&data.e);
    CHECK(!aio_poll(ctx, false));
    CHECK_EQ(data.n, 3);
    event_test_finish(&data);
}

static void remove_self_cb(EventNotifier *e)
{
    EventTest *data = container_of(e, EventTest, e);

    data->n++;
    watch(data, NULL);
}

static void test_remove_self(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest data;

    event_test_init(&data, true);
    watch(&data, remove_self_cb);
    CHECK(aio_poll(ctx, true));
    CHECK(!aio_poll(ctx, false)); /* still set, watched no longer */
    CHECK_EQ(data.n, 1);
    watch(&data, event_ready_cb);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(data.n, 2);
    event_test_finish(&data);
}

/* Two that are ready in one turn; whichever comes first removes the other. */
static EventTest pair[2];

static void remove_other_cb(EventNotifier *e)
{
    EventTest *data = container_of(e, EventTest, e);

    data->n++;
    watch(&pair[data == &pair[0]], NULL);
}

static void test_remove_other(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    event_test_init(&pair[0], true);
    event_test_init(&pair[1], true);
    watch(&pair[0], remove_other_cb);
    watch(&pair[1], remove_other_cb);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(pair[0].n + pair[1].n, 1);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(pair[0].n + pair[1].n, 2);
    CHECK(pair[0].n == 0 || pair[1].n == 0);
    watch(&pair[0], NULL);
    event_test_finish(&pair[1]);
    event_notifier_cleanup(&pair[0].e);
}

static void change_self_cb(EventNotifier *e)
{
    EventTest *data = container_of(e, EventTest, e);

    data->n += 100;
    watch(data, event_ready_cb);
}

static void test_change(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest data;

    event_test_init(&data, true);
    watch(&data, not_cleared_cb);
    watch(&data, change_self_cb); /* replaces it */
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(data.n, 100);
    CHECK(aio_poll(ctx, true));   /* the notifier is still set */
    CHECK_EQ(data.n, 101);
    CHECK(!aio_poll(ctx, false));
    event_test_finish(&data);
}

static void add_other_cb(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    pair[0].n++;
    watch(&pair[1], event_ready_cb);
}

static void test_add_from_handler(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    event_test_init(&pair[0], true);
    event_test_init(&pair[1], true);
    watch(&pair[0], add_other_cb);
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(pair[0].n, 1);
    CHECK_EQ(pair[1].n, 0); /* it was not in what this turn found */
    CHECK(aio_poll(ctx, true));
    CHECK_EQ(pair[0].n, 1);
    CHECK_EQ(pair[1].n, 1);
    watch(&pair[0], NULL);
    event_test_finish(&pair[1]);
    event_notifier_cleanup(&pair[0].e);
}

static void nested_cb(EventNotifier *e)
{
    event_ready_cb(e);
    aio_poll(qemu_get_aio_context(), false);
}

static void test_nested(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();

    event_test_init(&pair[0], true);
    event_test_init(&pair[1], true);
    watch(&pair[0], nested_cb);
    watch(&pair[1], nested_cb);
    CHECK(aio_poll(ctx, true));
    /* Neither was lost, and neither was called for one event twice. */
    CHECK_EQ(pair[0].n, 1);
    CHECK_EQ(pair[1].n, 1);
    CHECK(!aio_poll(ctx, false));
    watch(&pair[0], NULL);
    event_test_finish(&pair[1]);
    event_notifier_cleanup(&pair[0].e);
}

static void remove_and_nest_cb(EventNotifier *e)
{
    EventTest *data = container_of(e, EventTest, e);

    data->n++;
    watch(data, NULL);
    /* The deleted handler is on our stack: this must not free it. */
    aio_poll(qemu_get_aio_context(), false);
}

static void test_remove_and_nest(const ScenarioArgs *args)
{
    EventTest data;

    event_test_init(&data, true);
    watch(&data, remove_and_nest_cb);
    CHECK(aio_poll(qemu_get_aio_context(), true));
    CHECK_EQ(data.n, 1);
    event_test_finish(&data);
}

enum { MANY = 300 }; /* more than a ring or an epoll_wait() takes at once */

static void test_many(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    EventTest *data = g_new0(EventTest, MANY);
    int n = 0;

    for (int i = 0; i < MANY; i++) {
        event_test_init(&data[i], true);
        watch(&data[i], event_ready_cb);
    }
    while (n < MANY) {
        CHECK(aio_poll(ctx, true));
        n = 0;
        for (int i = 0; i < MANY; i++) {
            n += data[i].n;
        }
    }
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(data[i].n, 1);
        watch(&data[i], NULL);
    }
    CHECK(!aio_poll(ctx, false));
    for (int i = 0; i < MANY; i++) {
        event_notifier_cleanup(&data[i].e);
    }
    g_free(data);
}

static const LoopTest tests[] = {
    {"/event-notifier", test_notifier},
    {"/aio/event/add-remove", test_add_remove},
    {"/aio/event/wait", test_wait},
    {"/aio/event/wait/no-flush-cb", test_wait_no_flush_cb},
    {"/aio/event/flush", test_flush},
    {"/aio/event/level", test_level},
    {"/aio/event/remove-self", test_remove_self},
    {"/aio/event/remove-other", test_remove_other},
    {"/aio/event/change", test_change},
    {"/aio/event/add-from-handler", test_add_from_handler},
    {"/aio/event/nested", test_nested},
    {"/aio/event/remove-and-nest", test_remove_and_nest},
    {"/aio/event/many", test_many},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
