/* SPDX-License-Identifier: MIT */
/* What drivers see of a node, after QEMU's block/block_int-common.h. */
#ifndef BLOCK_BLOCK_INT_H
#define BLOCK_BLOCK_INT_H

#include "block/block.h"
#include "qemu/coroutine.h"

/*
 * A driver implements either the coroutine or the callback form of reading
 * and writing; flush, discard and zeroes may be left out: then a discard does
 * nothing, and zeroes are written.
 */
struct BlockDriver {
    const char *format_name;
    size_t instance_size;

    int (*bdrv_open)(BlockDriverState *bs, const BlockdevOptions *options,
                     Error **errp);
    void (*bdrv_close)(BlockDriverState *bs);
    int64_t (*bdrv_getlength)(BlockDriverState *bs);

    int coroutine_fn (*bdrv_co_preadv)(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, QEMUIOVector *qiov,
                                       BdrvRequestFlags flags);
    int coroutine_fn (*bdrv_co_pwritev)(BlockDriverState *bs, int64_t offset,
                                        int64_t bytes, QEMUIOVector *qiov,
                                        BdrvRequestFlags flags);
    int coroutine_fn (*bdrv_co_flush)(BlockDriverState *bs);
    /* Either may return -ENOTSUP, with the same effect as being left out. */
    int coroutine_fn (*bdrv_co_pdiscard)(BlockDriverState *bs, int64_t offset,
                                         int64_t bytes);
    int coroutine_fn (*bdrv_co_pwrite_zeroes)(BlockDriverState *bs,
                                              int64_t offset, int64_t bytes,
                                              BdrvRequestFlags flags);

    /* @cb is called from the current context, never before these return. */
    BlockAIOCB *(*bdrv_aio_preadv)(BlockDriverState *bs, int64_t offset,
                                   int64_t bytes, QEMUIOVector *qiov,
                                   BdrvRequestFlags flags,
                                   BlockCompletionFunc *cb, void *opaque);
    BlockAIOCB *(*bdrv_aio_pwritev)(BlockDriverState *bs, int64_t offset,
                                    int64_t bytes, QEMUIOVector *qiov,
                                    BdrvRequestFlags flags,
                                    BlockCompletionFunc *cb, void *opaque);
    BlockAIOCB *(*bdrv_aio_flush)(BlockDriverState *bs,
                                  BlockCompletionFunc *cb, void *opaque);
};

struct BlockDriverState {
    const BlockDriver *drv;
    void *opaque; /* instance_size bytes of the driver's */
    unsigned refcnt;
    unsigned in_flight; /* any thread */
    bool read_only;
};

extern const BlockDriver bdrv_file;
extern const BlockDriver bdrv_null_co;
extern const BlockDriver bdrv_null_aio;

#endif
