/* SPDX-License-Identifier: MIT */
/*
 * BlockBackend: the device's end of the block layer (block/block-backend.c).
 *
 * in_flight counts requests from before they are visible until after their
 * result is stored; a drain waits for it to reach zero.  A request that finds
 * the backend drained gives up its count before it waits, or the drain would
 * wait for the request and the request for the drain (7f16476fab); it is
 * counted again before it is woken, or a second drain could miss it
 * (8eeaa706ba).
 */
#include "system/block-backend.h"

#include "aiolab/probe.h"
#include "host.h"
#include "system/replay.h"

typedef struct QueuedRequest {
    Coroutine *co;
    QSIMPLEQ_ENTRY(QueuedRequest) next;
} QueuedRequest;

struct BlockBackend {
    uint64_t id;
    char *name;
    AioContext *ctx;
    BlockDriverState *bs;
    unsigned in_flight; /* any thread */

    QemuMutex queued_lock; /* quiesce_counter, queued */
    unsigned quiesce_counter;
    QSIMPLEQ_HEAD(, QueuedRequest) queued;
};

/*
 * How often a drained section began or ended.  A request that finds none goes
 * on with what the last one has left; so whether there was one since the
 * thread's last request matters, even if that has ended.
 */
static struct {
    unsigned n;
    unsigned run;
} drains;

BlockBackend *blk_new(AioContext *ctx, const char *name)
{
    BlockBackend *blk = g_new0(BlockBackend, 1);

    if (drains.run != host_run) {
        drains.run = host_run;
        drains.n = 0;
    }

    blk->id = host_new_id();
    blk->name = g_strdup(name);
    blk->ctx = ctx;
    qemu_mutex_init(&blk->queued_lock);
    QSIMPLEQ_INIT(&blk->queued);
    PROBE_TEXT(BLK_NEW, blk->id, 0, 0, 0, blk->name);
    return blk;
}

void blk_insert_bs(BlockBackend *blk, BlockDriverState *bs)
{
    assert(!blk->bs);
    bdrv_ref(bs);
    blk->bs = bs;
}

void blk_unref(BlockBackend *blk)
{
    assert(!blk->in_flight && !blk->quiesce_counter);
    PROBE(BLK_FREE, blk->id, 0, 0, 0);
    bdrv_unref(blk->bs);
    qemu_mutex_destroy(&blk->queued_lock);
    g_free(blk->name);
    g_free(blk);
}

BlockDriverState *blk_bs(BlockBackend *blk)
{
    return blk->bs;
}

int64_t blk_getlength(BlockBackend *blk)
{
    return blk->bs ? bdrv_getlength(blk->bs) : -ENOMEDIUM;
}

/* ---- Drain ---- */

void blk_inc_in_flight(BlockBackend *blk)
{
    raw_inc(&blk->in_flight);
}

static unsigned blk_in_flight(BlockBackend *blk)
{
    /* + 1: that there are none is news, the requests are over. */
    return host_observe(HOST_SIGHT_IN_FLIGHT, raw_read(&blk->in_flight) + 1) -
           1;
}

void blk_dec_in_flight(BlockBackend *blk)
{
    raw_dec(&blk->in_flight);
    aio_wait_kick();
}

bool blk_in_drain(BlockBackend *blk)
{
    unsigned drained = raw_load_acquire(&blk->quiesce_counter) > 0;

    return host_observe_change(HOST_SIGHT_DRAINS,
                               raw_read(&drains.n) << 1 | drained) & 1;
}

void blk_drained_begin(BlockBackend *blk)
{
    PROBE(DRAIN_BEGIN, blk->id, blk_in_flight(blk), 0, 0);
    qemu_mutex_lock(&blk->queued_lock);
    raw_inc(&drains.n);
    raw_store_release(&blk->quiesce_counter, blk->quiesce_counter + 1);
    qemu_mutex_unlock(&blk->queued_lock);
    AIO_WAIT_WHILE(blk->ctx, blk_in_flight(blk) > 0);
}

void blk_drained_end(BlockBackend *blk)
{
    QSIMPLEQ_HEAD(, QueuedRequest) resumed =
        QSIMPLEQ_HEAD_INITIALIZER(resumed);
    QueuedRequest *req;

    PROBE(DRAIN_END, blk->id, 0, 0, 0);
    qemu_mutex_lock(&blk->queued_lock);
    assert(blk->quiesce_counter > 0);
    raw_inc(&drains.n);
    raw_store_release(&blk->quiesce_counter, blk->quiesce_counter - 1);
    if (!blk->quiesce_counter) {
        QSIMPLEQ_CONCAT(&resumed, &blk->queued);
        QSIMPLEQ_FOREACH(req, &resumed, next) {
            blk_inc_in_flight(blk);
        }
    }
    qemu_mutex_unlock(&blk->queued_lock);
    while ((req = QSIMPLEQ_FIRST(&resumed))) {
        /* It is on the coroutine's stack: read it before the wake. */
        QSIMPLEQ_REMOVE_HEAD(&resumed, next);
        aio_co_wake(req->co);
    }
}

void blk_drain(BlockBackend *blk)
{
    blk_drained_begin(blk);
    blk_drained_end(blk);
}

/* Called with one count held; returns with one held. */
static void coroutine_fn blk_wait_while_drained(BlockBackend *blk, uint64_t id)
{
    QueuedRequest self;

    if (likely(!blk_in_drain(blk))) {
        return;
    }
    qemu_mutex_lock(&blk->queued_lock);
    if (!blk->quiesce_counter) {
        qemu_mutex_unlock(&blk->queued_lock);
        return;
    }
    self.co = qemu_coroutine_self();
    QSIMPLEQ_INSERT_TAIL(&blk->queued, &self, next);
    PROBE(REQ_QUEUED, id, blk->id, 0, 0);
    qemu_mutex_unlock(&blk->queued_lock);
    blk_dec_in_flight(blk);
    qemu_coroutine_yield();
}

/* ---- Requests ---- */

typedef enum BlkOp {
    BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD, BLK_ZEROES,
} BlkOp;

static const char *const op_names[] = {
    "read", "write", "flush", "discard", "write-zeroes",
};

static int blk_check_byte_request(BlockBackend *blk, int64_t offset,
                                  int64_t bytes)
{
    int64_t length;

    if (offset < 0 || bytes < 0) {
        return -EIO;
    }
    length = blk_getlength(blk);
    if (length < 0) {
        return length;
    }
    return offset > length || length - offset < bytes ? -EIO : 0;
}

static int coroutine_fn blk_co_perform(BlockBackend *blk, BlkOp op,
                                       int64_t offset, int64_t bytes,
                                       QEMUIOVector *qiov,
                                       BdrvRequestFlags flags)
{
    int ret = op == BLK_FLUSH ? 0 : blk_check_byte_request(blk, offset, bytes);

    if (ret < 0) {
        return ret;
    }
    switch (op) {
    case BLK_READ:
        return bdrv_co_preadv(blk->bs, offset, bytes, qiov, flags);
    case BLK_WRITE:
        return bdrv_co_pwritev(blk->bs, offset, bytes, qiov, flags);
    case BLK_DISCARD:
        return bdrv_co_pdiscard(blk->bs, offset, bytes);
    case BLK_ZEROES:
        return bdrv_co_pwrite_zeroes(blk->bs, offset, bytes, flags);
    default:
        return bdrv_co_flush(blk->bs);
    }
}

/* One request, counted already; the end gives the count back. */
static int coroutine_fn blk_co_request(BlockBackend *blk, BlkOp op,
                                       int64_t offset, int64_t bytes,
                                       QEMUIOVector *qiov,
                                       BdrvRequestFlags flags)
{
    uint64_t id = host_new_id();
    int ret;

    PROBE_TEXT(REQ_BEGIN, id, blk->id, offset, bytes, op_names[op]);
    blk_wait_while_drained(blk, id);
    ret = blk->bs ? blk_co_perform(blk, op, offset, bytes, qiov, flags)
                  : -ENOMEDIUM;
    PROBE(REQ_END, id, blk->id, (int64_t)ret, 0);
    return ret;
}

int coroutine_fn blk_co_preadv(BlockBackend *blk, int64_t offset, int64_t bytes,
                               QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    int ret;

    blk_inc_in_flight(blk);
    ret = blk_co_request(blk, BLK_READ, offset, bytes, qiov, flags);
    blk_dec_in_flight(blk);
    return ret;
}

int coroutine_fn blk_co_pwritev(BlockBackend *blk, int64_t offset,
                                int64_t bytes, QEMUIOVector *qiov,
                                BdrvRequestFlags flags)
{
    int ret;

    blk_inc_in_flight(blk);
    ret = blk_co_request(blk, BLK_WRITE, offset, bytes, qiov, flags);
    blk_dec_in_flight(blk);
    return ret;
}

int coroutine_fn blk_co_flush(BlockBackend *blk)
{
    int ret;

    blk_inc_in_flight(blk);
    ret = blk_co_request(blk, BLK_FLUSH, 0, 0, NULL, 0);
    blk_dec_in_flight(blk);
    return ret;
}

int coroutine_fn blk_co_pdiscard(BlockBackend *blk, int64_t offset,
                                 int64_t bytes)
{
    int ret;

    blk_inc_in_flight(blk);
    ret = blk_co_request(blk, BLK_DISCARD, offset, bytes, NULL, 0);
    blk_dec_in_flight(blk);
    return ret;
}

int coroutine_fn blk_co_pwrite_zeroes(BlockBackend *blk, int64_t offset,
                                      int64_t bytes, BdrvRequestFlags flags)
{
    int ret;

    blk_inc_in_flight(blk);
    ret = blk_co_request(blk, BLK_ZEROES, offset, bytes, NULL, flags);
    blk_dec_in_flight(blk);
    return ret;
}

/* ---- Requests with a callback ---- */

typedef struct BlkAioEmAIOCB {
    BlockAIOCB common;
    BlockBackend *blk;
    BlkOp op;
    int64_t offset;
    QEMUIOVector *qiov;
    BdrvRequestFlags flags;
    int ret;
    bool finished;
    bool has_returned; /* the submitter has its AIOCB */
} BlkAioEmAIOCB;

static const AIOCBInfo blk_aio_em_aiocb_info = {
    .aiocb_size = sizeof(BlkAioEmAIOCB),
};

static void blk_aio_complete(BlkAioEmAIOCB *acb)
{
    BlockBackend *blk = acb->blk;

    acb->common.cb(acb->common.opaque, acb->ret);
    qemu_aio_unref(acb);
    blk_dec_in_flight(blk);
}

static void blk_aio_complete_bh(void *opaque)
{
    blk_aio_complete(opaque);
}

static void coroutine_fn blk_aio_entry(void *opaque)
{
    BlkAioEmAIOCB *acb = opaque;

    acb->ret = blk_co_request(acb->blk, acb->op, acb->offset,
                              acb->qiov ? acb->qiov->size : 0, acb->qiov,
                              acb->flags);
    acb->finished = true;
    if (acb->has_returned) {
        blk_aio_complete(acb);
    }
}

static BlockAIOCB *blk_aio_prwv(BlockBackend *blk, BlkOp op, int64_t offset,
                                QEMUIOVector *qiov, BdrvRequestFlags flags,
                                BlockCompletionFunc *cb, void *opaque)
{
    AioContext *ctx = qemu_get_current_aio_context();
    BlkAioEmAIOCB *acb = qemu_aio_get(&blk_aio_em_aiocb_info, blk->bs, cb,
                                      opaque);

    blk_inc_in_flight(blk);
    acb->blk = blk;
    acb->op = op;
    acb->offset = offset;
    acb->qiov = qiov;
    acb->flags = flags;
    acb->finished = acb->has_returned = false;
    aio_co_enter(ctx, qemu_coroutine_create(blk_aio_entry, acb));
    acb->has_returned = true;
    if (acb->finished) {
        /* The caller does not expect its callback before we return. */
        replay_bh_schedule_oneshot_event(ctx, blk_aio_complete_bh, acb);
    }
    return &acb->common;
}

BlockAIOCB *blk_aio_preadv(BlockBackend *blk, int64_t offset,
                           QEMUIOVector *qiov, BdrvRequestFlags flags,
                           BlockCompletionFunc *cb, void *opaque)
{
    return blk_aio_prwv(blk, BLK_READ, offset, qiov, flags, cb, opaque);
}

BlockAIOCB *blk_aio_pwritev(BlockBackend *blk, int64_t offset,
                            QEMUIOVector *qiov, BdrvRequestFlags flags,
                            BlockCompletionFunc *cb, void *opaque)
{
    return blk_aio_prwv(blk, BLK_WRITE, offset, qiov, flags, cb, opaque);
}

BlockAIOCB *blk_aio_flush(BlockBackend *blk, BlockCompletionFunc *cb,
                          void *opaque)
{
    return blk_aio_prwv(blk, BLK_FLUSH, 0, NULL, 0, cb, opaque);
}

/* ---- Requests that wait ---- */

typedef struct BlkSync {
    int ret;
    bool done;
} BlkSync;

static void blk_sync_cb(void *opaque, int ret)
{
    BlkSync *sync = opaque;

    sync->ret = ret;
    sync->done = true;
}

static int blk_sync(BlockBackend *blk, BlkOp op, int64_t offset,
                    QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    BlkSync sync = {.done = false};

    assert(!qemu_in_coroutine());
    blk_aio_prwv(blk, op, offset, qiov, flags, blk_sync_cb, &sync);
    AIO_WAIT_WHILE(qemu_get_current_aio_context(), !sync.done);
    return sync.ret;
}

int blk_pread(BlockBackend *blk, int64_t offset, int64_t bytes, void *buf,
              BdrvRequestFlags flags)
{
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, bytes);

    return blk_sync(blk, BLK_READ, offset, &qiov, flags);
}

int blk_pwrite(BlockBackend *blk, int64_t offset, int64_t bytes,
               const void *buf, BdrvRequestFlags flags)
{
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, bytes);

    return blk_sync(blk, BLK_WRITE, offset, &qiov, flags);
}

int blk_flush(BlockBackend *blk)
{
    return blk_sync(blk, BLK_FLUSH, 0, NULL, 0);
}
