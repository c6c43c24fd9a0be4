/* SPDX-License-Identifier: MIT */
/*
 * The file driver by each of its engines: what is read is what was written, by
 * one request, by many at once, and across the end of the file.
 */
#include "harness.h"

#include "block-util.h"

#include <fcntl.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 32, TAIL = 512 };

static char *new_image(int64_t size)
{
    char *path = g_build_filename(harness_dir(), "disk", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, size), 0);
    close(fd);
    return path;
}

/* NULL where there is no O_DIRECT; then there is nothing to test. */
static BlockBackend *engine_blk(const char *aio)
{
    g_autofree char *path = new_image(BLOCKS * BLOCK + TAIL);
    BlockdevOptions options = {
        .driver = "file", .filename = path, .cache_direct = true, .aio = aio,
    };
    BlockDriverState *bs = bdrv_open_blockdev(&options, NULL);
    BlockBackend *blk;

    if (!bs) {
        return NULL;
    }
    blk = blk_new(qemu_get_aio_context(), "disk0");
    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    return blk;
}

static void free_blk(BlockBackend *blk)
{
    blk_drain(blk);
    CHECK_EQ(blk_bs(blk)->in_flight, 0);
    blk_unref(blk);
}

/* Each block from a buffer of its own, aligned as O_DIRECT wants it. */
typedef struct Block {
    BlockBackend *blk;
    uint8_t *out, *in;
    QEMUIOVector qiov;
    int64_t number;
    bool done;
} Block;

static void block_done(void *opaque, int ret)
{
    Block *block = opaque;

    CHECK_EQ(ret, 0);
    block->done = true;
}

static void wait_all(Block *blocks)
{
    for (int i = 0; i < BLOCKS; i++) {
        AIO_WAIT_WHILE(qemu_get_aio_context(), !blocks[i].done);
        blocks[i].done = false;
    }
}

static void run_many(BlockBackend *blk)
{
    static Block blocks[BLOCKS];

    for (int i = 0; i < BLOCKS; i++) {
        Block *b = &blocks[i];
        g_autofree uint8_t *data = pattern(BLOCK, i);

        *b = (Block){.blk = blk, .number = (i * 7) % BLOCKS};
        b->out = g_aligned_alloc(1, BLOCK, BLOCK);
        b->in = g_aligned_alloc0(1, BLOCK, BLOCK);
        memcpy(b->out, data, BLOCK);
        qemu_iovec_init_buf(&b->qiov, b->out, BLOCK);
        blk_aio_pwritev(blk, b->number * BLOCK, &b->qiov,
                        i % 5 ? 0 : BDRV_REQ_FUA, block_done, b);
    }
    wait_all(blocks);
    CHECK_EQ(blk_flush(blk), 0);
    for (int i = 0; i < BLOCKS; i++) {
        Block *b = &blocks[i];

        qemu_iovec_init_buf(&b->qiov, b->in, BLOCK);
        blk_aio_preadv(blk, b->number * BLOCK, &b->qiov, 0, block_done, b);
    }
    wait_all(blocks);
    for (int i = 0; i < BLOCKS; i++) {
        CHECK(memcmp(blocks[i].in, blocks[i].out, BLOCK) == 0);
        g_aligned_free(blocks[i].in);
        g_aligned_free(blocks[i].out);
    }
}

/* Written in two pieces, read in three. */
static void run_vectored(BlockBackend *blk)
{
    static const size_t two[] = {512, 3584}, three[] = {1024, 1024, 2048};
    uint8_t *out = g_aligned_alloc(1, BLOCK, BLOCK);
    uint8_t *in = g_aligned_alloc0(1, BLOCK, BLOCK);
    g_autofree uint8_t *data = pattern(BLOCK, 99);
    QEMUIOVector qiov;

    memcpy(out, data, BLOCK);
    cut_buffer(&qiov, out, two, ARRAY_SIZE(two));
    CHECK_EQ(run_request(blk, true, 3 * BLOCK, &qiov), 0);
    qemu_iovec_destroy(&qiov);
    cut_buffer(&qiov, in, three, ARRAY_SIZE(three));
    CHECK_EQ(run_request(blk, false, 3 * BLOCK, &qiov), 0);
    qemu_iovec_destroy(&qiov);
    CHECK(memcmp(in, out, BLOCK) == 0);
    g_aligned_free(in);
    g_aligned_free(out);
}

/* From the last whole bytes over the end: data, then zeroes. */
static void run_end(BlockBackend *blk)
{
    int64_t length = blk_getlength(blk);
    uint8_t *buf = g_aligned_alloc(1, BLOCK, BLOCK);
    g_autofree uint8_t *data = pattern(TAIL, 7);
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, BLOCK);

    memcpy(buf, data, TAIL);
    CHECK_EQ(blk_pwrite(blk, length - TAIL, TAIL, buf, 0), 0);
    memset(buf, 0xee, BLOCK);
    CHECK_EQ(run_node_read(blk_bs(blk), length - TAIL, &qiov), 0);
    CHECK(memcmp(buf, data, TAIL) == 0);
    for (int i = TAIL; i < BLOCK; i++) {
        CHECK_EQ(buf[i], 0);
    }
    CHECK_EQ(run_node_read(blk_bs(blk), ROUND_UP(length, BLOCK), &qiov), 0);
    CHECK_EQ(buf[0], 0);
    g_aligned_free(buf);
}

static void run_engine(const char *aio)
{
    BlockBackend *blk = engine_blk(aio);

    if (blk) {
        run_many(blk);
        run_vectored(blk);
        run_end(blk);
        free_blk(blk);
    }
}

static void test_io_uring(const ScenarioArgs *args)
{
    run_engine("io_uring");
}

static void test_native(const ScenarioArgs *args)
{
    run_engine("native");
}

static void test_threads(const ScenarioArgs *args)
{
    run_engine("threads");
}

/* Without O_DIRECT, in buffers of any place and size. */
static void test_buffered(const ScenarioArgs *args)
{
    g_autofree char *path = new_image(65536);
    BlockBackend *blk = new_blk(&(BlockdevOptions){
        .driver = "file", .filename = path, .aio = "threads",
    });
    g_autofree uint8_t *out = pattern(30001, 1);
    g_autofree uint8_t *in = g_malloc0(30001);

    CHECK_EQ(blk_pwrite(blk, 12345, 30001, out, BDRV_REQ_FUA), 0);
    CHECK_EQ(blk_pread(blk, 12345, 30001, in, 0), 0);
    CHECK(memcmp(in, out, 30001) == 0);
    free_blk(blk);
}

static void test_write_error(const ScenarioArgs *args)
{
    g_autofree char *path = new_image(65536);
    BlockdevOptions options = {
        .driver = "file", .filename = path, .read_only = true,
        .aio = "threads",
    };
    BlockBackend *blk = new_blk(&options);
    uint8_t buf[512] = {0};

    /* The node would refuse it; the kernel does, too. */
    blk_bs(blk)->read_only = false;
    CHECK_EQ(blk_pwrite(blk, 0, 512, buf, 0), -EBADF);
    CHECK_EQ(blk_pread(blk, 0, 512, buf, 0), 0);
    free_blk(blk);
}

static void expect_refused(const BlockdevOptions *options, const char *word)
{
    Error *err = NULL;

    CHECK(!bdrv_open_blockdev(options, &err));
    CHECK(strstr(error_get_pretty(err), word));
    error_free(err);
}

static void test_options(const ScenarioArgs *args)
{
    BlockdevOptions options = {.driver = "file", .filename = "no-such-file"};

    options.aio = "native";
    expect_refused(&options, "cache.direct");
    options.aio = "windows";
    expect_refused(&options, "'windows'");
    options.aio = NULL;
    options.aio_max_batch = -1;
    expect_refused(&options, "aio-max-batch");
}

/* ---- In an IOThread ---- */

typedef struct Remote {
    BlockBackend *blk;
    QemuSemaphore done;
} Remote;

static void coroutine_fn remote_entry(void *opaque)
{
    Remote *remote = opaque;
    uint8_t *buf = g_aligned_alloc0(1, BLOCK, BLOCK);
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, BLOCK);

    memset(buf, 5, BLOCK);
    CHECK_EQ(blk_co_pwritev(remote->blk, BLOCK, BLOCK, &qiov, 0), 0);
    memset(buf, 0, BLOCK);
    CHECK_EQ(blk_co_preadv(remote->blk, BLOCK, BLOCK, &qiov, 0), 0);
    CHECK(buf[0] == 5 && buf[BLOCK - 1] == 5);
    CHECK_EQ(blk_co_flush(remote->blk), 0);
    g_aligned_free(buf);
    qemu_sem_post(&remote->done);
}

/* Its context gets a queue, and a pool, of its own. */
static void test_iothread(const ScenarioArgs *args)
{
    static const char *const engines[] = {"native", "threads"};

    for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
        Remote remote = {.blk = engine_blk(engines[i])};
        IOThread *iothread = iothread_create("io", &error_abort);

        if (remote.blk) {
            qemu_sem_init(&remote.done, 0);
            aio_co_schedule(iothread_get_aio_context(iothread),
                            qemu_coroutine_create(remote_entry, &remote));
            qemu_sem_wait(&remote.done);
            qemu_sem_destroy(&remote.done);
        }
        iothread_destroy(iothread);
        if (remote.blk) {
            free_blk(remote.blk);
        }
    }
}

static const LoopTest tests[] = {
    {"/engine/io_uring", test_io_uring},
    {"/engine/native", test_native},
    {"/engine/threads", test_threads, TEST_THREADS},
    {"/engine/threads/buffered", test_buffered, TEST_THREADS},
    {"/engine/threads/write-error", test_write_error,
     TEST_THREADS | TEST_LIVE_ONLY},
    {"/engine/options", test_options},
    {"/engine/iothread", test_iothread, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
