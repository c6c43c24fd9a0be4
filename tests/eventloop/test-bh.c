/* SPDX-License-Identifier: MIT */
/*
 * Bottom halves: when they run, in which order, how often, and what becomes of
 * them when they are cancelled or deleted, also from each other's callbacks.
 */
#include "harness.h"

#include "qemu/mem-reentrancy.h"

typedef struct BHTest {
    AioContext *ctx;
    QEMUBH *bh;
    int n;
    int max; /* the last run deletes or stops */
} BHTest;

static void bh_count_cb(void *opaque)
{
    BHTest *data = opaque;

    data->n++;
}

static void bh_again_cb(void *opaque)
{
    BHTest *data = opaque;

    if (++data->n < data->max) {
        qemu_bh_schedule(data->bh);
    }
}

static void bh_delete_cb(void *opaque)
{
    BHTest *data = opaque;

    if (++data->n < data->max) {
        qemu_bh_schedule(data->bh);
    } else {
        qemu_bh_delete(data->bh);
        data->bh = NULL;
    }
}

static void bh_test_init(BHTest *data, QEMUBHFunc *cb, int max)
{
    AioContext *ctx = qemu_get_aio_context();

    *data = (BHTest){.ctx = ctx, .max = max};
    data->bh = aio_bh_new(ctx, cb, data);
}

static void test_schedule(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    CHECK(!aio_poll(data.ctx, false));
    qemu_bh_schedule(data.bh);
    CHECK_EQ(data.n, 0);
    CHECK(aio_poll(data.ctx, true));
    CHECK_EQ(data.n, 1);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 1);
    qemu_bh_delete(data.bh);
}

static void test_schedule10(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_again_cb, 10);
    qemu_bh_schedule(data.bh);
    for (int i = 1; i <= 10; i++) {
        CHECK(aio_poll(data.ctx, true));
        CHECK_EQ(data.n, i);
    }
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 10);
    qemu_bh_delete(data.bh);
}

static void test_schedule_twice(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    qemu_bh_schedule(data.bh);
    qemu_bh_schedule(data.bh);
    CHECK(aio_poll(data.ctx, false));
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 1);
    qemu_bh_delete(data.bh);
}

static void test_cancel(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    qemu_bh_schedule(data.bh);
    qemu_bh_cancel(data.bh);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 0);
    /* While it is still on the list, it can be scheduled again. */
    qemu_bh_schedule(data.bh);
    qemu_bh_cancel(data.bh);
    qemu_bh_schedule(data.bh);
    CHECK(aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 1);
    qemu_bh_delete(data.bh);
}

static void test_delete(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    qemu_bh_schedule(data.bh);
    qemu_bh_delete(data.bh);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 0);
}

static void test_delete_from_cb(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_delete_cb, 1);
    qemu_bh_schedule(data.bh);
    CHECK(aio_poll(data.ctx, true));
    CHECK_EQ(data.n, 1);
    CHECK(!data.bh);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 1);
}

static void test_delete_from_cb_many(const ScenarioArgs *args)
{
    static const int max[] = {1, 3, 2, 4};
    BHTest data[ARRAY_SIZE(max)];

    for (unsigned i = 0; i < ARRAY_SIZE(max); i++) {
        bh_test_init(&data[i], bh_delete_cb, max[i]);
        qemu_bh_schedule(data[i].bh);
    }
    for (int turn = 1; turn <= 4; turn++) {
        CHECK(aio_poll(data[0].ctx, true));
        for (unsigned i = 0; i < ARRAY_SIZE(max); i++) {
            CHECK_EQ(data[i].n, MIN(turn, max[i]));
            CHECK_EQ(!data[i].bh, turn >= max[i]);
        }
    }
    CHECK(!aio_poll(data[0].ctx, false));
}

static void test_flush(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_again_cb, 7);
    qemu_bh_schedule(data.bh);
    poll_until_idle(data.ctx);
    CHECK_EQ(data.n, 7);
    qemu_bh_delete(data.bh);
}

static void oneshot_chain_cb(void *opaque)
{
    BHTest *data = opaque;

    if (++data->n < data->max) {
        aio_bh_schedule_oneshot(data->ctx, oneshot_chain_cb, data);
    }
}

static void test_oneshot(const ScenarioArgs *args)
{
    BHTest data = {.ctx = qemu_get_aio_context(), .max = 3};

    aio_bh_schedule_oneshot(data.ctx, oneshot_chain_cb, &data);
    for (int i = 1; i <= 3; i++) {
        CHECK(aio_poll(data.ctx, true));
        CHECK_EQ(data.n, i);
    }
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 3);
}

static void test_idle(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    CHECK_EQ(aio_compute_timeout(data.ctx), -1);
    qemu_bh_schedule_idle(data.bh);
    CHECK_EQ(aio_compute_timeout(data.ctx), 10 * SCALE_MS);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 1);
    qemu_bh_schedule_idle(data.bh);
    CHECK(!aio_poll(data.ctx, true)); /* waits, but not for ever */
    CHECK_EQ(data.n, 2);
    qemu_bh_schedule_idle(data.bh);
    qemu_bh_cancel(data.bh);
    CHECK_EQ(aio_compute_timeout(data.ctx), -1);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 2);
    qemu_bh_schedule(data.bh); /* idleness does not stick */
    CHECK_EQ(aio_compute_timeout(data.ctx), 0);
    CHECK(aio_poll(data.ctx, true));
    CHECK_EQ(data.n, 3);
    qemu_bh_delete(data.bh);
}

static void test_call(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    aio_bh_call(data.bh);
    CHECK_EQ(data.n, 1);
    CHECK(!aio_poll(data.ctx, false));
    CHECK_EQ(data.n, 1);
    qemu_bh_delete(data.bh);
}

static void test_bh_poll(const ScenarioArgs *args)
{
    BHTest data;

    bh_test_init(&data, bh_count_cb, 0);
    CHECK_EQ(aio_bh_poll(data.ctx), 0);
    qemu_bh_schedule(data.bh);
    CHECK_EQ(aio_bh_poll(data.ctx), 1);
    qemu_bh_schedule_idle(data.bh);
    CHECK_EQ(aio_bh_poll(data.ctx), 0);
    CHECK_EQ(data.n, 2);
    qemu_bh_delete(data.bh);
}

/* ---- Guards ---- */

typedef struct Device {
    MemReentrancyGuard guard;
    QEMUBH *bh, *plain;
    unsigned n, plain_n;
    bool nest, engaged_before;
} Device;

static void device_cb(void *opaque)
{
    Device *device = opaque;

    CHECK(device->guard.engaged_in_io);
    device->n++;
    if (device->nest) {
        device->nest = false;
        aio_bh_call(device->bh); /* reentrant: told, and called all the same */
        CHECK(device->guard.engaged_in_io);
    }
}

static void plain_cb(void *opaque)
{
    Device *device = opaque;

    CHECK_EQ(device->guard.engaged_in_io, device->engaged_before);
    device->plain_n++;
}

static void test_guard(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Device device = {.n = 0};

    device.bh = aio_bh_new_guarded(ctx, device_cb, &device, &device.guard);
    device.plain = aio_bh_new(ctx, plain_cb, &device);
    qemu_bh_schedule(device.bh);
    qemu_bh_schedule(device.plain);
    poll_until_idle(ctx);
    CHECK_EQ(device.n, 1);
    CHECK_EQ(device.plain_n, 1);
    CHECK(!device.guard.engaged_in_io);

    device.nest = true;
    aio_bh_call(device.bh);
    CHECK_EQ(device.n, 3);
    CHECK(!device.guard.engaged_in_io);

    /* Called in the middle of the device's own I/O: left as it was. */
    device.guard.engaged_in_io = device.engaged_before = true;
    aio_bh_call(device.bh);
    aio_bh_call(device.plain);
    CHECK(device.guard.engaged_in_io);
    CHECK_EQ(device.n, 4);
    qemu_bh_delete(device.bh);
    qemu_bh_delete(device.plain);
}

static void delete_and_poll_cb(void *opaque)
{
    Device *device = opaque;

    CHECK(device->guard.engaged_in_io);
    qemu_bh_delete(device->bh);
    /* The inner turn frees it, while we are called (7915bd06f2). */
    poll_until_idle(qemu_get_aio_context());
    device->n++;
}

static void test_guard_delete(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Device device = {.n = 0};

    device.bh = aio_bh_new_full(ctx, delete_and_poll_cb, &device, "guarded",
                                &device.guard);
    aio_bh_call(device.bh);
    CHECK_EQ(device.n, 1);
    CHECK(!device.guard.engaged_in_io);
}

static const LoopTest tests[] = {
    {"/aio/bh/schedule", test_schedule},
    {"/aio/bh/schedule10", test_schedule10},
    {"/aio/bh/schedule-twice", test_schedule_twice},
    {"/aio/bh/cancel", test_cancel},
    {"/aio/bh/delete", test_delete},
    {"/aio/bh/delete-from-cb", test_delete_from_cb},
    {"/aio/bh/delete-from-cb-many", test_delete_from_cb_many},
    {"/aio/bh/flush", test_flush},
    {"/aio/bh/oneshot", test_oneshot},
    {"/aio/bh/idle", test_idle},
    {"/aio/bh/call", test_call},
    {"/aio/bh/poll", test_bh_poll},
    {"/aio/bh/guard", test_guard},
    {"/aio/bh/guard-delete", test_guard_delete},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
