/* SPDX-License-Identifier: MIT */
/* A file as a block device, over the current context's ring. */
#include "block/block_int.h"
#include "io_uring.h"
#include "qapi/error.h"

#include "host.h"

typedef struct BDRVRawState {
    int fd;
    int64_t length;
} BDRVRawState;

static int raw_open(BlockDriverState *bs, const BlockdevOptions *options,
                    Error **errp)
{
    BDRVRawState *s = bs->opaque;

    s->fd = host->file_open(options->filename, !options->read_only,
                            options->cache_direct);
    if (s->fd < 0) {
        error_setg_errno(errp, -s->fd, "%s: cannot open the image",
                         options->filename);
        return s->fd;
    }
    s->length = host->file_size(s->fd);
    if (s->length < 0) {
        error_setg_errno(errp, -s->length, "%s: cannot get the size",
                         options->filename);
        host->file_close(s->fd);
        return s->length;
    }
    return 0;
}

static void raw_close(BlockDriverState *bs)
{
    BDRVRawState *s = bs->opaque;

    host->file_close(s->fd);
}

static int64_t raw_getlength(BlockDriverState *bs)
{
    BDRVRawState *s = bs->opaque;

    return s->length;
}

static int coroutine_fn raw_co_preadv(BlockDriverState *bs, int64_t offset,
                                      int64_t bytes, QEMUIOVector *qiov,
                                      BdrvRequestFlags flags)
{
    BDRVRawState *s = bs->opaque;

    return luring_co_submit(s->fd, offset, qiov, LURING_READ);
}

static int coroutine_fn raw_co_pwritev(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, QEMUIOVector *qiov,
                                       BdrvRequestFlags flags)
{
    BDRVRawState *s = bs->opaque;
    int ret = luring_co_submit(s->fd, offset, qiov, LURING_WRITE);

    if (ret == 0 && flags & BDRV_REQ_FUA) {
        ret = luring_co_submit(s->fd, 0, NULL, LURING_FLUSH);
    }
    return ret;
}

static int coroutine_fn raw_co_flush(BlockDriverState *bs)
{
    BDRVRawState *s = bs->opaque;

    return luring_co_submit(s->fd, 0, NULL, LURING_FLUSH);
}

const BlockDriver bdrv_file = {
    .format_name = "file",
    .instance_size = sizeof(BDRVRawState),
    .bdrv_open = raw_open,
    .bdrv_close = raw_close,
    .bdrv_getlength = raw_getlength,
    .bdrv_co_preadv = raw_co_preadv,
    .bdrv_co_pwritev = raw_co_pwritev,
    .bdrv_co_flush = raw_co_flush,
};
