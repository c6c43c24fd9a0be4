/* SPDX-License-Identifier: MIT */
/*
 * Block nodes, after QEMU's block/block.h.
 *
 * A BlockDriverState is one node: a driver with its state.  It is reference
 * counted.  Requests run in coroutines and return 0 or a negative errno.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "qemu/aio.h"
#include "qemu/aio-wait.h"
#include "qemu/aiocb.h"
#include "qemu/iov.h"

typedef enum {
    BDRV_REQ_MAY_UNMAP = 0x4, /* zeroes that may give space back */
    BDRV_REQ_FUA = 0x10, /* a write that is stable when it completes */
} BdrvRequestFlags;

/* What QAPI's BlockdevOptions are in QEMU. */
typedef struct BlockdevOptions {
    const char *driver;   /* "file", "null-co", "null-aio" */
    const char *filename; /* file */
    bool read_only;
    bool cache_direct;    /* file: O_DIRECT */
    const char *aio;      /* file: "threads", "native" or "io_uring" (NULL) */
    int64_t aio_max_batch; /* file: requests that aio=native submits together,
                              at most; 0: as many as its context does */
    int64_t size;         /* null-*: bytes; 0 means 1 GiB */
    int64_t latency_ns;   /* null-*: time that a request takes */
    bool read_zeroes;     /* null-*: reads fill the buffer */
} BlockdevOptions;

/* A new node with one reference, or NULL and *errp. */
BlockDriverState *bdrv_open_blockdev(const BlockdevOptions *options,
                                     Error **errp);
void bdrv_ref(BlockDriverState *bs);
void bdrv_unref(BlockDriverState *bs);
const char *bdrv_get_format_name(BlockDriverState *bs);
/* Bytes, or a negative errno. */
int64_t bdrv_getlength(BlockDriverState *bs);

int coroutine_fn bdrv_co_preadv(BlockDriverState *bs, int64_t offset,
                                int64_t bytes, QEMUIOVector *qiov,
                                BdrvRequestFlags flags);
int coroutine_fn bdrv_co_pwritev(BlockDriverState *bs, int64_t offset,
                                 int64_t bytes, QEMUIOVector *qiov,
                                 BdrvRequestFlags flags);
int coroutine_fn bdrv_co_flush(BlockDriverState *bs);
/* The range is not needed any more; what is read there later is not defined. */
int coroutine_fn bdrv_co_pdiscard(BlockDriverState *bs, int64_t offset,
                                  int64_t bytes);
/* The range reads as zeroes from now on. */
int coroutine_fn bdrv_co_pwrite_zeroes(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, BdrvRequestFlags flags);

/*
 * Cancels a request, if it can still be, and waits until its callback has been
 * called: with -ECANCELED, or with the result that it had after all.
 */
void bdrv_aio_cancel(BlockAIOCB *acb);
/* Only asks for it; the callback comes later, as ever. */
void bdrv_aio_cancel_async(BlockAIOCB *acb);

/* Requests that have begun and not ended count; any thread. */
void bdrv_inc_in_flight(BlockDriverState *bs);
void bdrv_dec_in_flight(BlockDriverState *bs);

#endif
