/* SPDX-License-Identifier: MIT */
/*
 * A request with a callback, which can be cancelled: after QEMU's
 * qemu/aiocb.h.
 *
 * Whoever takes such requests embeds a BlockAIOCB as the first member of a
 * struct of its own and gets it from qemu_aio_get(), with one reference, which
 * it drops behind the callback.  The submitter only borrows the pointer: it is
 * good until the callback has been called.
 */
#ifndef QEMU_AIOCB_H
#define QEMU_AIOCB_H

#include "qemu/osdep.h"

typedef struct BlockAIOCB BlockAIOCB;

/* @ret: 0 or more, or a negative errno; -ECANCELED if it was cancelled. */
typedef void BlockCompletionFunc(void *opaque, int ret);

/* What all requests of one kind have in common; static. */
typedef struct AIOCBInfo {
    /* Asks for an early end; NULL if requests of this kind have none. */
    void (*cancel_async)(BlockAIOCB *acb);
    size_t aiocb_size; /* of the struct that embeds the BlockAIOCB */
} AIOCBInfo;

struct BlockAIOCB {
    const AIOCBInfo *aiocb_info;
    BlockDriverState *bs;
    BlockCompletionFunc *cb;
    void *opaque;
    int refcnt; /* home thread of the request's context only */
};

/*
 * aiocb_size bytes, of which the BlockAIOCB is filled in and nothing else.
 * @bs may be NULL: it is the caller's own note.
 */
void *qemu_aio_get(const AIOCBInfo *aiocb_info, BlockDriverState *bs,
                   BlockCompletionFunc *cb, void *opaque);
void qemu_aio_ref(void *p);
/* The last reference frees it. */
void qemu_aio_unref(void *p);

#endif
