/* SPDX-License-Identifier: MIT */
/*
 * Requests to a node: count them, and call the driver (block/io.c).
 *
 * A driver with callbacks is turned into a coroutine by yielding until its
 * callback has come (bdrv_driver_preadv and bdrv_co_io_em_complete in QEMU).
 */
#include "block/block_int.h"

#include "raw-atomic.h"

void bdrv_inc_in_flight(BlockDriverState *bs)
{
    raw_inc(&bs->in_flight);
}

void bdrv_dec_in_flight(BlockDriverState *bs)
{
    raw_dec(&bs->in_flight);
    aio_wait_kick();
}

typedef struct CoroutineIOCompletion {
    Coroutine *coroutine;
    int ret;
} CoroutineIOCompletion;

static void bdrv_co_io_em_complete(void *opaque, int ret)
{
    CoroutineIOCompletion *co = opaque;

    co->ret = ret;
    aio_co_wake(co->coroutine);
}

/* Yields until the callback, if the driver took the request. */
static int coroutine_fn wait_for_aio(BlockAIOCB *acb, CoroutineIOCompletion *co)
{
    if (!acb) {
        return -EIO;
    }
    qemu_coroutine_yield();
    return co->ret;
}

static int coroutine_fn bdrv_driver_preadv(BlockDriverState *bs, int64_t offset,
                                           int64_t bytes, QEMUIOVector *qiov,
                                           BdrvRequestFlags flags)
{
    const BlockDriver *drv = bs->drv;
    CoroutineIOCompletion co = {.coroutine = qemu_coroutine_self()};

    if (drv->bdrv_co_preadv) {
        return drv->bdrv_co_preadv(bs, offset, bytes, qiov, flags);
    }
    return wait_for_aio(drv->bdrv_aio_preadv(bs, offset, bytes, qiov, flags,
                                             bdrv_co_io_em_complete, &co), &co);
}

static int coroutine_fn bdrv_driver_pwritev(BlockDriverState *bs,
                                            int64_t offset, int64_t bytes,
                                            QEMUIOVector *qiov,
                                            BdrvRequestFlags flags)
{
    const BlockDriver *drv = bs->drv;
    CoroutineIOCompletion co = {.coroutine = qemu_coroutine_self()};

    if (drv->bdrv_co_pwritev) {
        return drv->bdrv_co_pwritev(bs, offset, bytes, qiov, flags);
    }
    return wait_for_aio(drv->bdrv_aio_pwritev(bs, offset, bytes, qiov, flags,
                                              bdrv_co_io_em_complete, &co),
                        &co);
}

int coroutine_fn bdrv_co_preadv(BlockDriverState *bs, int64_t offset,
                                int64_t bytes, QEMUIOVector *qiov,
                                BdrvRequestFlags flags)
{
    int ret;

    bdrv_inc_in_flight(bs);
    ret = bdrv_driver_preadv(bs, offset, bytes, qiov, flags);
    bdrv_dec_in_flight(bs);
    return ret;
}

int coroutine_fn bdrv_co_pwritev(BlockDriverState *bs, int64_t offset,
                                 int64_t bytes, QEMUIOVector *qiov,
                                 BdrvRequestFlags flags)
{
    int ret;

    if (bs->read_only) {
        return -EPERM;
    }
    bdrv_inc_in_flight(bs);
    ret = bdrv_driver_pwritev(bs, offset, bytes, qiov, flags);
    bdrv_dec_in_flight(bs);
    return ret;
}

int coroutine_fn bdrv_co_flush(BlockDriverState *bs)
{
    const BlockDriver *drv = bs->drv;
    CoroutineIOCompletion co = {.coroutine = qemu_coroutine_self()};
    int ret = 0;

    bdrv_inc_in_flight(bs);
    if (drv->bdrv_co_flush) {
        ret = drv->bdrv_co_flush(bs);
    } else if (drv->bdrv_aio_flush) {
        ret = wait_for_aio(drv->bdrv_aio_flush(bs, bdrv_co_io_em_complete, &co),
                           &co);
    }
    bdrv_dec_in_flight(bs);
    return ret;
}

/* Of a discard that cannot be made, nobody is told. */
int coroutine_fn bdrv_co_pdiscard(BlockDriverState *bs, int64_t offset,
                                  int64_t bytes)
{
    int ret = 0;

    if (bs->read_only) {
        return -EPERM;
    }
    bdrv_inc_in_flight(bs);
    if (bs->drv->bdrv_co_pdiscard) {
        ret = bs->drv->bdrv_co_pdiscard(bs, offset, bytes);
    }
    bdrv_dec_in_flight(bs);
    return ret == -ENOTSUP ? 0 : ret;
}

enum { ZEROES_AT_ONCE = 1 << 20 };

/* bdrv_co_do_pwrite_zeroes() without a driver's help: a buffer of them. */
static int coroutine_fn write_zero_buffers(BlockDriverState *bs, int64_t offset,
                                           int64_t bytes,
                                           BdrvRequestFlags flags)
{
    size_t size = MIN(bytes, ZEROES_AT_ONCE);
    uint8_t *zeroes = g_aligned_alloc(1, size, 4096);
    int ret = 0;

    memset(zeroes, 0, size);
    for (int64_t done = 0; done < bytes && ret == 0; done += size) {
        QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(
            qiov, zeroes, MIN((int64_t)size, bytes - done));

        ret = bdrv_driver_pwritev(bs, offset + done, qiov.size, &qiov, flags);
    }
    g_aligned_free(zeroes);
    return ret;
}

int coroutine_fn bdrv_co_pwrite_zeroes(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, BdrvRequestFlags flags)
{
    int ret = -ENOTSUP;

    if (bs->read_only) {
        return -EPERM;
    }
    bdrv_inc_in_flight(bs);
    if (bs->drv->bdrv_co_pwrite_zeroes) {
        ret = bs->drv->bdrv_co_pwrite_zeroes(bs, offset, bytes, flags);
    }
    if (ret == -ENOTSUP) {
        ret = write_zero_buffers(bs, offset, bytes, flags & BDRV_REQ_FUA);
    }
    bdrv_dec_in_flight(bs);
    return ret;
}

void bdrv_aio_cancel_async(BlockAIOCB *acb)
{
    if (acb->aiocb_info->cancel_async) {
        acb->aiocb_info->cancel_async(acb);
    }
}

/*
 * Our own reference tells when the request has dropped its own.  QEMU polls
 * the main context; here a thread with a context waits in that, which is the
 * same for the main thread, and lets an IOThread cancel what it submitted.
 */
void bdrv_aio_cancel(BlockAIOCB *acb)
{
    qemu_aio_ref(acb);
    bdrv_aio_cancel_async(acb);
    AIO_WAIT_WHILE_UNLOCKED(qemu_get_current_aio_context(), acb->refcnt > 1);
    qemu_aio_unref(acb);
}
