/* SPDX-License-Identifier: MIT */
/* The life of a request with a callback; see qemu/aiocb.h. */
#include "qemu/aiocb.h"

void *qemu_aio_get(const AIOCBInfo *aiocb_info, BlockDriverState *bs,
                   BlockCompletionFunc *cb, void *opaque)
{
    BlockAIOCB *acb = g_malloc(aiocb_info->aiocb_size);

    *acb = (BlockAIOCB){
        .aiocb_info = aiocb_info, .bs = bs, .cb = cb, .opaque = opaque,
        .refcnt = 1,
    };
    return acb;
}

void qemu_aio_ref(void *p)
{
    BlockAIOCB *acb = p;

    acb->refcnt++;
}

void qemu_aio_unref(void *p)
{
    BlockAIOCB *acb = p;

    assert(acb->refcnt > 0);
    if (--acb->refcnt == 0) {
        g_free(acb);
    }
}
