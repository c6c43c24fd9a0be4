/* SPDX-License-Identifier: MIT */
/*
 * linux-aio, for drivers (after the laio_*() functions of QEMU's
 * block/raw-aio.h).  aio_setup_linux_aio() and aio_get_linux_aio() of
 * qemu/aio.h are here, too.
 */
#ifndef BLOCK_LINUX_AIO_H
#define BLOCK_LINUX_AIO_H

#include "raw-aio.h"

typedef struct LinuxAioState LinuxAioState;

/* A queue of the kernel's that belongs to no context yet; NULL and *errp. */
LinuxAioState *laio_init(Error **errp);
/* Nothing may be in flight, and no context attached. */
void laio_cleanup(LinuxAioState *s);

/* True if the kernel flushes @fd by linux-aio. */
bool laio_has_fdsync(int fd);
/* True: a write with BDRV_REQ_FUA is one request. */
bool laio_has_fua(void);

/*
 * One request by the current context's queue, which must have been set up:
 * QEMU_AIO_READ and QEMU_AIO_WRITE of all of @qiov, or QEMU_AIO_FLUSH.  A
 * short read is the end of the file, and zeroes from there.  No more than
 * @dev_max_batch requests (0: the context's number) wait to be submitted
 * together.  Returns 0 or a negative errno.
 */
int coroutine_fn laio_co_submit(int fd, uint64_t offset, QEMUIOVector *qiov,
                                int type, BdrvRequestFlags flags,
                                uint64_t dev_max_batch);

/* Completions arrive in @new_context from now on; its home thread. */
void laio_attach_aio_context(LinuxAioState *s, AioContext *new_context);
void laio_detach_aio_context(LinuxAioState *s, AioContext *old_context);

#endif
