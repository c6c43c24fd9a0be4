/* SPDX-License-Identifier: MIT */
/* Disks, buffers and requests for tests of the block layer. */
#include "block-util.h"

#include <fcntl.h>
#include <unistd.h>

BlockBackend *new_blk(const BlockdevOptions *options)
{
    BlockDriverState *bs = bdrv_open_blockdev(options, &error_abort);
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk0");

    blk_insert_bs(blk, bs);
    bdrv_unref(bs); /* the BlockBackend keeps it */
    CHECK_EQ(bs->refcnt, 1);
    return blk;
}

BlockBackend *new_file_blk(int64_t size, bool read_only)
{
    g_autofree char *path = g_build_filename(harness_dir(), "disk", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, size), 0);
    close(fd);
    return new_blk(&(BlockdevOptions){
        .driver = "file", .filename = path, .read_only = read_only,
    });
}

uint8_t *pattern(size_t n, unsigned seed)
{
    uint8_t *buf = g_malloc(n);

    for (size_t i = 0; i < n; i++) {
        buf[i] = 1 + (i * 31 + i / 251 + seed * 17) % 255;
    }
    return buf;
}

void cut_buffer(QEMUIOVector *qiov, uint8_t *buf, const size_t *sizes,
                unsigned n)
{
    qemu_iovec_init(qiov, 1);
    for (unsigned i = 0; i < n; i++) {
        qemu_iovec_add(qiov, buf, sizes[i]);
        buf += sizes[i];
    }
}

typedef struct Run {
    BlockBackend *blk;
    BlockDriverState *bs; /* or NULL: the BlockBackend */
    bool write, done;
    int64_t offset;
    QEMUIOVector *qiov;
    int ret;
} Run;

static void coroutine_fn run_entry(void *opaque)
{
    Run *run = opaque;
    int64_t bytes = run->qiov->size;

    run->ret = run->bs
        ? bdrv_co_preadv(run->bs, run->offset, bytes, run->qiov, 0)
        : run->write
        ? blk_co_pwritev(run->blk, run->offset, bytes, run->qiov, 0)
        : blk_co_preadv(run->blk, run->offset, bytes, run->qiov, 0);
    run->done = true;
}

static int run_to_end(Run run)
{
    qemu_coroutine_enter(qemu_coroutine_create(run_entry, &run));
    AIO_WAIT_WHILE(qemu_get_aio_context(), !run.done);
    return run.ret;
}

int run_request(BlockBackend *blk, bool write, int64_t offset,
                QEMUIOVector *qiov)
{
    return run_to_end((Run){
        .blk = blk, .write = write, .offset = offset, .qiov = qiov,
    });
}

int run_node_read(BlockDriverState *bs, int64_t offset, QEMUIOVector *qiov)
{
    return run_to_end((Run){.bs = bs, .offset = offset, .qiov = qiov});
}
