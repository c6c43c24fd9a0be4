/* SPDX-License-Identifier: MIT */
/*
 * Devices without data: null-co and null-aio (block/null.c).
 *
 * null-co returns from the coroutine, or sleeps in it.  null-aio completes by
 * a timer of the current context, or, without a latency, by a bottom half that
 * record/replay can see.
 */
#include "block/block_int.h"
#include "system/replay.h"

typedef struct BDRVNullState {
    int64_t length;
    int64_t latency_ns;
    bool read_zeroes;
} BDRVNullState;

static int null_open(BlockDriverState *bs, const BlockdevOptions *options,
                     Error **errp)
{
    BDRVNullState *s = bs->opaque;

    s->length = options->size ? options->size : 1LL << 30;
    s->latency_ns = options->latency_ns;
    s->read_zeroes = options->read_zeroes;
    return 0;
}

static int64_t null_getlength(BlockDriverState *bs)
{
    BDRVNullState *s = bs->opaque;

    return s->length;
}

static int coroutine_fn null_co_common(BlockDriverState *bs)
{
    BDRVNullState *s = bs->opaque;

    if (s->latency_ns) {
        qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, s->latency_ns);
    }
    return 0;
}

static int coroutine_fn null_co_preadv(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, QEMUIOVector *qiov,
                                       BdrvRequestFlags flags)
{
    BDRVNullState *s = bs->opaque;

    if (s->read_zeroes) {
        qemu_iovec_memset(qiov, 0, 0, bytes);
    }
    return null_co_common(bs);
}

static int coroutine_fn null_co_pwritev(BlockDriverState *bs, int64_t offset,
                                        int64_t bytes, QEMUIOVector *qiov,
                                        BdrvRequestFlags flags)
{
    return null_co_common(bs);
}

static int coroutine_fn null_co_flush(BlockDriverState *bs)
{
    return null_co_common(bs);
}

static int coroutine_fn null_co_pdiscard(BlockDriverState *bs, int64_t offset,
                                         int64_t bytes)
{
    return null_co_common(bs);
}

static int coroutine_fn null_co_pwrite_zeroes(BlockDriverState *bs,
                                              int64_t offset, int64_t bytes,
                                              BdrvRequestFlags flags)
{
    return null_co_common(bs);
}

/* ---- null-aio ---- */

typedef struct NullAIOCB {
    BlockAIOCB common;
    QEMUTimer timer; /* only with a latency */
} NullAIOCB;

static const AIOCBInfo null_aiocb_info = {.aiocb_size = sizeof(NullAIOCB)};

static void null_complete(void *opaque)
{
    NullAIOCB *acb = opaque;

    acb->common.cb(acb->common.opaque, 0);
    qemu_aio_unref(acb);
}

static BlockAIOCB *null_aio_common(BlockDriverState *bs,
                                   BlockCompletionFunc *cb, void *opaque)
{
    BDRVNullState *s = bs->opaque;
    AioContext *ctx = qemu_get_current_aio_context();
    NullAIOCB *acb = qemu_aio_get(&null_aiocb_info, bs, cb, opaque);

    if (s->latency_ns) {
        aio_timer_init(ctx, &acb->timer, QEMU_CLOCK_REALTIME, SCALE_NS,
                       null_complete, acb);
        timer_mod_ns(&acb->timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                                  s->latency_ns);
    } else {
        replay_bh_schedule_oneshot_event(ctx, null_complete, acb);
    }
    return &acb->common;
}

static BlockAIOCB *null_aio_preadv(BlockDriverState *bs, int64_t offset,
                                   int64_t bytes, QEMUIOVector *qiov,
                                   BdrvRequestFlags flags,
                                   BlockCompletionFunc *cb, void *opaque)
{
    BDRVNullState *s = bs->opaque;

    if (s->read_zeroes) {
        qemu_iovec_memset(qiov, 0, 0, bytes);
    }
    return null_aio_common(bs, cb, opaque);
}

static BlockAIOCB *null_aio_pwritev(BlockDriverState *bs, int64_t offset,
                                    int64_t bytes, QEMUIOVector *qiov,
                                    BdrvRequestFlags flags,
                                    BlockCompletionFunc *cb, void *opaque)
{
    return null_aio_common(bs, cb, opaque);
}

static BlockAIOCB *null_aio_flush(BlockDriverState *bs, BlockCompletionFunc *cb,
                                  void *opaque)
{
    return null_aio_common(bs, cb, opaque);
}

const BlockDriver bdrv_null_co = {
    .format_name = "null-co",
    .instance_size = sizeof(BDRVNullState),
    .bdrv_open = null_open,
    .bdrv_getlength = null_getlength,
    .bdrv_co_preadv = null_co_preadv,
    .bdrv_co_pwritev = null_co_pwritev,
    .bdrv_co_flush = null_co_flush,
    .bdrv_co_pdiscard = null_co_pdiscard,
    .bdrv_co_pwrite_zeroes = null_co_pwrite_zeroes,
};

const BlockDriver bdrv_null_aio = {
    .format_name = "null-aio",
    .instance_size = sizeof(BDRVNullState),
    .bdrv_open = null_open,
    .bdrv_getlength = null_getlength,
    .bdrv_aio_preadv = null_aio_preadv,
    .bdrv_aio_pwritev = null_aio_pwritev,
    .bdrv_aio_flush = null_aio_flush,
    .bdrv_co_pdiscard = null_co_pdiscard,
    .bdrv_co_pwrite_zeroes = null_co_pwrite_zeroes,
};
