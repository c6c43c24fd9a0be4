/* SPDX-License-Identifier: MIT */
/*
 * What a device sees of the block layer, after QEMU's
 * system/block-backend-io.h.
 *
 * A BlockBackend counts its requests and can be drained: while it is, what
 * arrives waits in a queue, and blk_drain() returns when nothing is in flight.
 */
#ifndef SYSTEM_BLOCK_BACKEND_H
#define SYSTEM_BLOCK_BACKEND_H

#include "block/block.h"
#include "block/block_int.h"

/* Main thread.  @ctx is where blk_drain() of other threads looks for it. */
BlockBackend *blk_new(AioContext *ctx, const char *name);
void blk_insert_bs(BlockBackend *blk, BlockDriverState *bs);
/* Nothing may be in flight. */
void blk_unref(BlockBackend *blk);
BlockDriverState *blk_bs(BlockBackend *blk);
int64_t blk_getlength(BlockBackend *blk);

int coroutine_fn blk_co_preadv(BlockBackend *blk, int64_t offset, int64_t bytes,
                               QEMUIOVector *qiov, BdrvRequestFlags flags);
int coroutine_fn blk_co_pwritev(BlockBackend *blk, int64_t offset,
                                int64_t bytes, QEMUIOVector *qiov,
                                BdrvRequestFlags flags);
int coroutine_fn blk_co_flush(BlockBackend *blk);
int coroutine_fn blk_co_pdiscard(BlockBackend *blk, int64_t offset,
                                 int64_t bytes);
int coroutine_fn blk_co_pwrite_zeroes(BlockBackend *blk, int64_t offset,
                                      int64_t bytes, BdrvRequestFlags flags);

/* In the current context; @cb is never called before these return. */
BlockAIOCB *blk_aio_preadv(BlockBackend *blk, int64_t offset,
                           QEMUIOVector *qiov, BdrvRequestFlags flags,
                           BlockCompletionFunc *cb, void *opaque);
BlockAIOCB *blk_aio_pwritev(BlockBackend *blk, int64_t offset,
                            QEMUIOVector *qiov, BdrvRequestFlags flags,
                            BlockCompletionFunc *cb, void *opaque);
BlockAIOCB *blk_aio_flush(BlockBackend *blk, BlockCompletionFunc *cb,
                          void *opaque);

/* Outside coroutines: run the loop until the request is done. */
int blk_pread(BlockBackend *blk, int64_t offset, int64_t bytes, void *buf,
              BdrvRequestFlags flags);
int blk_pwrite(BlockBackend *blk, int64_t offset, int64_t bytes,
               const void *buf, BdrvRequestFlags flags);
int blk_flush(BlockBackend *blk);

/* Keeps a drain from ending; any thread. */
void blk_inc_in_flight(BlockBackend *blk);
void blk_dec_in_flight(BlockBackend *blk);

/* Main thread: requests that arrive wait until blk_drained_end(). */
void blk_drained_begin(BlockBackend *blk);
void blk_drained_end(BlockBackend *blk);
/* Main thread: waits until nothing is in flight. */
void blk_drain(BlockBackend *blk);
bool blk_in_drain(BlockBackend *blk);

#endif
