/* SPDX-License-Identifier: MIT */
/*
 * BlockBackends over each driver: data that comes back as it was written,
 * through buffers in pieces; the end of a file; errors and their texts; and
 * callbacks that never come before the call returns.
 */
#include "harness.h"

#include "block-util.h"

#include <unistd.h>

static void test_null(const ScenarioArgs *args)
{
    static const BlockdevOptions variants[] = {
        {.driver = "null-co", .read_zeroes = true},
        {.driver = "null-co", .read_zeroes = true, .latency_ns = 50000},
        {.driver = "null-aio", .read_zeroes = true},
        {.driver = "null-aio", .read_zeroes = true, .latency_ns = 50000},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(variants); i++) {
        BlockBackend *blk = new_blk(&variants[i]);
        uint8_t buf[100];

        CHECK_STR(bdrv_get_format_name(blk_bs(blk)), variants[i].driver);
        CHECK_EQ(blk_getlength(blk), 1 << 30);
        memset(buf, 0xaa, sizeof(buf));
        CHECK_EQ(blk_pread(blk, 10, sizeof(buf), buf, 0), 0);
        CHECK(buf[0] == 0 && buf[99] == 0);
        CHECK_EQ(blk_pwrite(blk, 10, sizeof(buf), buf, 0), 0);
        CHECK_EQ(blk_flush(blk), 0);
        CHECK_EQ(blk_bs(blk)->in_flight, 0);
        blk_unref(blk);
    }
}

static void test_null_size(const ScenarioArgs *args)
{
    BlockBackend *blk = new_blk(&(BlockdevOptions){
        .driver = "null-co", .size = 1000,
    });
    uint8_t buf[16] = "unchanged";

    CHECK_EQ(blk_getlength(blk), 1000);
    CHECK_EQ(blk_pread(blk, 984, 16, buf, 0), 0);
    CHECK_STR((char *)buf, "unchanged"); /* without read_zeroes */
    CHECK_EQ(blk_pread(blk, 985, 16, buf, 0), -EIO);
    blk_unref(blk);
}

typedef struct RangeCall {
    BlockBackend *blk;
    int ret;
    bool done;
} RangeCall;

static void coroutine_fn change_ranges(void *opaque)
{
    RangeCall *call = opaque;

    call->ret = blk_co_pdiscard(call->blk, 4096, 8192);
    if (call->ret == 0) {
        call->ret = blk_co_pwrite_zeroes(call->blk, 20000, 100,
                                         BDRV_REQ_FUA);
    }
    if (call->ret == 0) {
        call->ret = blk_co_pwrite_zeroes(call->blk, 28672, 4096,
                                         BDRV_REQ_MAY_UNMAP);
    }
    call->done = true;
}

/* A hole and zeroes read as zeroes, and nothing beside them changes. */
static void test_ranges(const ScenarioArgs *args)
{
    RangeCall call = {.blk = new_file_blk(65536, false)};
    g_autofree uint8_t *data = pattern(40000, 2);
    g_autofree uint8_t *in = g_malloc0(40000);

    CHECK_EQ(blk_pwrite(call.blk, 0, 40000, data, 0), 0);
    qemu_coroutine_enter(qemu_coroutine_create(change_ranges, &call));
    AIO_WAIT_WHILE(qemu_get_aio_context(), !call.done);
    CHECK_EQ(call.ret, 0);
    memset(data + 4096, 0, 8192);
    memset(data + 20000, 0, 100);
    memset(data + 28672, 0, 4096);
    CHECK_EQ(blk_pread(call.blk, 0, 40000, in, 0), 0);
    CHECK(memcmp(in, data, 40000) == 0);
    CHECK_EQ(blk_bs(call.blk)->in_flight, 0);
    blk_unref(call.blk);
}

static void coroutine_fn change_null(void *opaque)
{
    RangeCall *call = opaque;

    call->ret = blk_co_pdiscard(call->blk, 1 << 30, 1);
    CHECK_EQ(call->ret, -EIO); /* behind the end */
    call->ret = blk_co_pdiscard(call->blk, 0, 1 << 30);
    CHECK_EQ(call->ret, 0);
    call->ret = blk_co_pwrite_zeroes(call->blk, 0, 1 << 30, 0);
    call->done = true;
}

static void test_null_ranges(const ScenarioArgs *args)
{
    static const char *const drivers[] = {"null-co", "null-aio"};

    for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
        RangeCall call = {
            .blk = new_blk(&(BlockdevOptions){.driver = drivers[i]}),
        };

        qemu_coroutine_enter(qemu_coroutine_create(change_null, &call));
        AIO_WAIT_WHILE(qemu_get_aio_context(), !call.done);
        CHECK_EQ(call.ret, 0);
        blk_unref(call.blk);
    }
}

static void test_round_trip(const ScenarioArgs *args)
{
    BlockBackend *blk = new_file_blk(65536, false);
    g_autofree uint8_t *out = pattern(30000, 1);
    g_autofree uint8_t *in = g_malloc0(30000);

    CHECK_EQ(blk_pwrite(blk, 12345, 30000, out, 0), 0);
    CHECK_EQ(blk_flush(blk), 0);
    CHECK_EQ(blk_pread(blk, 12345, 30000, in, 0), 0);
    CHECK(memcmp(in, out, 30000) == 0);
    CHECK_EQ(blk_pread(blk, 12344, 2, in, 0), 0);
    CHECK_EQ(in[0], 0);
    CHECK_EQ(in[1], out[0]);
    CHECK_EQ(blk_pwrite(blk, 0, 100, out + 100, BDRV_REQ_FUA), 0);
    CHECK_EQ(blk_pread(blk, 0, 100, in, 0), 0);
    CHECK(memcmp(in, out + 100, 100) == 0);
    blk_unref(blk);
}

static void test_vectored(const ScenarioArgs *args)
{
    static const size_t cuts[] = {1, 511, 0, 4096, 3, 777};
    BlockBackend *blk = new_file_blk(65536, false);
    g_autofree uint8_t *out = pattern(6000, 2);
    g_autofree uint8_t *in = g_malloc0(6000);
    QEMUIOVector qiov;
    size_t size;

    cut_buffer(&qiov, out, cuts, ARRAY_SIZE(cuts));
    size = qiov.size;
    CHECK_EQ(size, 1 + 511 + 4096 + 3 + 777);
    CHECK_EQ(run_request(blk, true, 700, &qiov), 0);
    qemu_iovec_destroy(&qiov);
    /* Read back in other pieces: the same cuts, from the other end. */
    qemu_iovec_init(&qiov, 2);
    qemu_iovec_add(&qiov, in, 3000);
    qemu_iovec_add(&qiov, in + 3000, size - 3000);
    CHECK_EQ(run_request(blk, false, 700, &qiov), 0);
    qemu_iovec_destroy(&qiov);
    CHECK(memcmp(in, out, size) == 0);
    blk_unref(blk);
}

/* Across the end: a short read, read on, then zeroes. */
static void test_end_of_file(const ScenarioArgs *args)
{
    static const size_t cuts[] = {100, 400, 1500, 3096};
    BlockBackend *blk = new_file_blk(65536 + 1000, false);
    int64_t length = blk_getlength(blk), tail = 1000;
    g_autofree uint8_t *data = pattern(tail, 3);
    g_autofree uint8_t *in = g_malloc(5096);
    QEMUIOVector qiov;

    CHECK_EQ(blk_pwrite(blk, length - tail, tail, data, 0), 0);
    for (unsigned pieces = 1; pieces <= ARRAY_SIZE(cuts); pieces++) {
        memset(in, 0xee, 5096);
        cut_buffer(&qiov, in, cuts, pieces);
        CHECK_EQ(run_node_read(blk_bs(blk), length - tail, &qiov), 0);
        for (size_t i = 0; i < 5096; i++) {
            CHECK_EQ(in[i], i >= qiov.size ? 0xee
                            : (int64_t)i < tail ? data[i] : 0);
        }
        qemu_iovec_destroy(&qiov);
    }
    /* All of it beyond the end. */
    qemu_iovec_init(&qiov, 1);
    qemu_iovec_add(&qiov, in, 512);
    CHECK_EQ(run_node_read(blk_bs(blk), length + 4096, &qiov), 0);
    CHECK(in[0] == 0 && in[511] == 0);
    qemu_iovec_destroy(&qiov);
    blk_unref(blk);
}

static void test_range(const ScenarioArgs *args)
{
    BlockBackend *blk = new_file_blk(65536, false);
    int64_t length = blk_getlength(blk);
    uint8_t buf[512] = {0};

    CHECK_EQ(blk_pread(blk, length - 512, 512, buf, 0), 0);
    CHECK_EQ(blk_pread(blk, length - 511, 512, buf, 0), -EIO);
    CHECK_EQ(blk_pwrite(blk, length - 511, 512, buf, 0), -EIO);
    CHECK_EQ(blk_pread(blk, length, 0, buf, 0), 0);
    CHECK_EQ(blk_pread(blk, length + 1, 0, buf, 0), -EIO);
    CHECK_EQ(blk_pread(blk, -1, 512, buf, 0), -EIO);
    CHECK_EQ(blk_pread(blk, INT64_MAX, 512, buf, 0), -EIO);
    CHECK_EQ(blk_bs(blk)->in_flight, 0);
    blk_unref(blk);
}

static void test_read_only(const ScenarioArgs *args)
{
    BlockBackend *blk = new_file_blk(65536, true);
    uint8_t buf[512] = {0};

    CHECK_EQ(blk_pwrite(blk, 0, 512, buf, 0), -EPERM);
    CHECK_EQ(blk_pread(blk, 0, 512, buf, 0), 0);
    CHECK_EQ(blk_bs(blk)->in_flight, 0);
    blk_unref(blk);
}

static void test_no_medium(const ScenarioArgs *args)
{
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "empty");
    uint8_t buf[512] = {0};

    CHECK_EQ(blk_getlength(blk), -ENOMEDIUM);
    CHECK_EQ(blk_pread(blk, 0, 512, buf, 0), -ENOMEDIUM);
    CHECK_EQ(blk_flush(blk), -ENOMEDIUM);
    blk_drain(blk);
    blk_unref(blk);
}

static void test_unknown_driver(const ScenarioArgs *args)
{
    Error *err = NULL;

    CHECK(!bdrv_open_blockdev(&(BlockdevOptions){.driver = "qcow9"}, &err));
    CHECK(strstr(error_get_pretty(err), "'qcow9'"));
    CHECK(strstr(error_get_pretty(err), "null-co"));
    error_free(err);
}

static void test_missing_file(const ScenarioArgs *args)
{
    g_autofree char *path = g_build_filename(harness_dir(), "missing", NULL);
    BlockdevOptions options = {.driver = "file", .filename = path};
    Error *err = NULL;

    CHECK(!bdrv_open_blockdev(&options, &err));
    CHECK(g_str_has_prefix(error_get_pretty(err), path));
    CHECK(g_str_has_suffix(error_get_pretty(err), g_strerror(ENOENT)));
    error_free(err);
}

/* ---- Callbacks ---- */

typedef struct Request {
    int n, ret;
    bool returned;
} Request;

static void request_cb(void *opaque, int ret)
{
    Request *req = opaque;

    CHECK(req->returned);
    req->n++;
    req->ret = ret;
}

static void test_aio_cb(const ScenarioArgs *args)
{
    uint8_t buf[512] = {0};
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, sizeof(buf));
    BlockBackend *blk = new_blk(&(BlockdevOptions){
        .driver = "null-co", .size = 512,
    });
    Request req[4] = {{0}};

    /* null-co completes at once, and so do errors: still not before that. */
    CHECK(blk_aio_preadv(blk, 0, &qiov, 0, request_cb, &req[0]));
    CHECK(blk_aio_preadv(blk, 1, &qiov, 0, request_cb, &req[1]));
    CHECK(blk_aio_pwritev(blk, 0, &qiov, 0, request_cb, &req[2]));
    CHECK(blk_aio_flush(blk, request_cb, &req[3]));
    for (int i = 0; i < 4; i++) {
        req[i].returned = true;
    }
    poll_until_idle(qemu_get_aio_context());
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(req[i].n, 1);
        CHECK_EQ(req[i].ret, i == 1 ? -EIO : 0);
    }
    blk_unref(blk);
}

/* ---- Buffers in pieces ---- */

static void test_iov(const ScenarioArgs *args)
{
    static const size_t cuts[] = {3, 0, 5, 2};
    char text[] = "abcdefghij", out[16] = "";
    QEMUIOVector qiov, part;

    cut_buffer(&qiov, (uint8_t *)text, cuts, 4);
    CHECK_EQ(qiov.size, 10);
    CHECK_EQ(qemu_iovec_to_buf(&qiov, 2, out, 4), 4);
    CHECK_STR(out, "cdef");
    CHECK_EQ(qemu_iovec_to_buf(&qiov, 8, out, 16), 2);
    CHECK_EQ(qemu_iovec_from_buf(&qiov, 7, "XY", 2), 2);
    CHECK_STR(text, "abcdefgXYj");
    CHECK_EQ(qemu_iovec_memset(&qiov, 1, '-', 3), 3);
    CHECK_STR(text, "a---efgXYj");
    qemu_iovec_init(&part, 1);
    qemu_iovec_concat(&part, &qiov, 4, 5);
    CHECK_EQ(part.size, 5);
    memset(out, 0, sizeof(out));
    CHECK_EQ(qemu_iovec_to_buf(&part, 0, out, 16), 5);
    CHECK_STR(out, "efgXY");
    qemu_iovec_reset(&part);
    CHECK_EQ(part.size, 0);
    qemu_iovec_destroy(&part);
    qemu_iovec_destroy(&qiov);
}

static const LoopTest tests[] = {
    {"/block/null", test_null},
    {"/block/null/size", test_null_size},
    {"/block/null/ranges", test_null_ranges},
    {"/block/file/ranges", test_ranges},
    {"/block/file/round-trip", test_round_trip},
    {"/block/file/vectored", test_vectored},
    {"/block/file/end", test_end_of_file},
    {"/block/range", test_range},
    {"/block/read-only", test_read_only},
    {"/block/no-medium", test_no_medium},
    {"/block/unknown-driver", test_unknown_driver},
    {"/block/missing-file", test_missing_file, TEST_LIVE_ONLY},
    {"/block/aio-callback", test_aio_cb},
    {"/iov", test_iov},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
