/* SPDX-License-Identifier: MIT */
/*
 * Drains: they wait for what is in flight, requests that arrive meanwhile wait
 * in order, and nothing runs below the BlockBackend in a drained section, also
 * when the requests come from an IOThread.
 */
#include "harness.h"

#include "block-util.h"

enum { DEPTH = 6 };

static Trace finished;

typedef struct Request {
    BlockBackend *blk;
    QEMUIOVector qiov;
    uint8_t buf[512];
    char name;
    bool done;
} Request;

static void request_cb(void *opaque, int ret)
{
    Request *req = opaque;

    CHECK_EQ(ret, 0);
    trace(&finished, req->name);
    req->done = true;
}

static void submit(Request *req, BlockBackend *blk, char name)
{
    *req = (Request){.blk = blk, .name = name};
    qemu_iovec_init_buf(&req->qiov, req->buf, sizeof(req->buf));
    blk_aio_preadv(blk, 0, &req->qiov, 0, request_cb, req);
}

static BlockBackend *slow_blk(const char *driver)
{
    finished = (Trace){.n = 0};
    return new_blk(&(BlockdevOptions){
        .driver = driver, .latency_ns = 100 * SCALE_US,
    });
}

static void test_in_flight(const ScenarioArgs *args)
{
    static const char *const drivers[] = {"null-co", "null-aio"};

    for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
        BlockBackend *blk = slow_blk(drivers[i]);
        Request reqs[DEPTH];

        for (int j = 0; j < DEPTH; j++) {
            submit(&reqs[j], blk, 'A' + j);
        }
        CHECK_EQ(blk_bs(blk)->in_flight, DEPTH);
        CHECK_EQ(finished.n, 0);
        blk_drain(blk);
        CHECK_EQ(finished.n, DEPTH);
        CHECK_EQ(blk_bs(blk)->in_flight, 0);
        CHECK(!blk_in_drain(blk));
        blk_unref(blk);
    }
}

static void test_counts(const ScenarioArgs *args)
{
    BlockBackend *blk = slow_blk("null-co");
    Request req;

    blk_inc_in_flight(blk);
    blk_inc_in_flight(blk);
    submit(&req, blk, 'A');
    blk_dec_in_flight(blk);
    blk_dec_in_flight(blk);
    CHECK(!req.done);
    blk_drain(blk); /* it would hang if a count were left */
    CHECK(req.done);
    blk_drain(blk);
    blk_unref(blk);
}

static bool gave_back;

static void dec_cb(void *opaque)
{
    gave_back = true;
    blk_dec_in_flight(opaque);
}

/* A count that is no request holds a drain up just the same. */
static void test_held_count(const ScenarioArgs *args)
{
    BlockBackend *blk = slow_blk("null-co");

    gave_back = false;
    blk_inc_in_flight(blk);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), dec_cb, blk);
    CHECK(!blk_in_drain(blk));
    blk_drained_begin(blk);
    CHECK(blk_in_drain(blk));
    CHECK(gave_back);
    blk_drained_end(blk);
    blk_unref(blk);
}

static void expect_none_runs(Request *req)
{
    poll_until_idle(qemu_get_aio_context());
    CHECK(!req->done);
    CHECK_EQ(blk_bs(req->blk)->in_flight, 0);
}

static void test_queued(const ScenarioArgs *args)
{
    BlockBackend *blk = slow_blk("null-aio");
    Request reqs[3];

    blk_drained_begin(blk);
    for (int i = 0; i < 3; i++) {
        submit(&reqs[i], blk, 'A' + i);
    }
    expect_none_runs(&reqs[0]);
    CHECK_EQ(aio_compute_timeout(qemu_get_aio_context()), -1);
    blk_drained_end(blk);
    CHECK_EQ(blk_bs(blk)->in_flight, 3);
    AIO_WAIT_WHILE(qemu_get_aio_context(), finished.n < 3);
    CHECK_STR(finished.text, "ABC");
    blk_unref(blk);
}

static void test_nested(const ScenarioArgs *args)
{
    BlockBackend *blk = slow_blk("null-aio");
    Request req;

    blk_drained_begin(blk);
    blk_drained_begin(blk);
    submit(&req, blk, 'A');
    blk_drained_end(blk);
    CHECK(blk_in_drain(blk));
    expect_none_runs(&req);
    blk_drained_end(blk);
    CHECK(!blk_in_drain(blk));
    blk_drain(blk); /* a drain right behind waits for what was resumed */
    CHECK(req.done);
    blk_unref(blk);
}

/* Requests below a BlockBackend that wait for another one. */
static void test_two_backends(const ScenarioArgs *args)
{
    BlockBackend *a = slow_blk("null-aio"), *b = slow_blk("null-aio");
    Request on_a, on_b;

    submit(&on_a, a, 'A');
    blk_drained_begin(b);
    submit(&on_b, b, 'B');
    CHECK(!on_a.done); /* draining b did not wait for a */
    blk_drain(a);
    CHECK(on_a.done && !on_b.done);
    blk_drained_end(b);
    blk_drain(b);
    CHECK(on_b.done);
    blk_unref(a);
    blk_unref(b);
}

/* ---- Requests from an IOThread ---- */

enum { WORKERS = 3, REQUESTS = 4, DRAINS = 4 };

typedef struct Load {
    BlockBackend *blk;
    int completed, workers; /* any thread */
} Load;

static void coroutine_fn worker(void *opaque)
{
    Load *load = opaque;
    uint8_t buf[512];
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, sizeof(buf));

    for (int i = 0; i < REQUESTS; i++) {
        CHECK_EQ(blk_co_preadv(load->blk, i * 512, 512, &qiov, 0), 0);
        qatomic_inc(&load->completed);
    }
    qatomic_dec(&load->workers);
    aio_wait_kick();
}

static void run_load(const BlockdevOptions *options)
{
    IOThread *iothread = iothread_create("iothread0", &error_abort);
    AioContext *ctx = iothread_get_aio_context(iothread);
    Load load = {.workers = WORKERS};
    BlockDriverState *bs = bdrv_open_blockdev(options, &error_abort);

    load.blk = blk_new(ctx, "disk0");
    blk_insert_bs(load.blk, bs);
    bdrv_unref(bs);
    for (int i = 0; i < WORKERS; i++) {
        aio_co_schedule(ctx, qemu_coroutine_create(worker, &load));
    }
    for (int i = 0; i < DRAINS; i++) {
        blk_drained_begin(load.blk);
        for (int j = 0; j < 3; j++) {
            CHECK_EQ(qatomic_read(&blk_bs(load.blk)->in_flight), 0);
            aio_poll(qemu_get_aio_context(), false);
        }
        blk_drained_end(load.blk);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&load.workers) > 0);
    CHECK_EQ(load.completed, WORKERS * REQUESTS);
    blk_drain(load.blk);
    iothread_stop(iothread);
    blk_unref(load.blk);
    iothread_destroy(iothread);
}

static void test_iothread_co(const ScenarioArgs *args)
{
    run_load(&(BlockdevOptions){.driver = "null-co"});
}

static void test_iothread_aio(const ScenarioArgs *args)
{
    run_load(&(BlockdevOptions){.driver = "null-aio"});
}

static void test_iothread_latency(const ScenarioArgs *args)
{
    run_load(&(BlockdevOptions){.driver = "null-aio", .latency_ns = 20000});
}

static const LoopTest tests[] = {
    {"/drain/in-flight", test_in_flight},
    {"/drain/counts", test_counts},
    {"/drain/held-count", test_held_count},
    {"/drain/queued", test_queued},
    {"/drain/nested", test_nested},
    {"/drain/two-backends", test_two_backends},
    {"/drain/iothread/null-co", test_iothread_co, TEST_THREADS, 200},
    {"/drain/iothread/null-aio", test_iothread_aio, TEST_THREADS, 200},
    {"/drain/iothread/latency", test_iothread_latency, TEST_THREADS, 200},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
