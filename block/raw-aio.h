/* SPDX-License-Identifier: MIT */
/*
 * Requests on a descriptor that do not need the context's ring, for drivers
 * (after QEMU's block/raw-aio.h).
 */
#ifndef BLOCK_RAW_AIO_H
#define BLOCK_RAW_AIO_H

#include "block/block.h"

enum {
    QEMU_AIO_READ = 0x0001,
    QEMU_AIO_WRITE = 0x0002,
    QEMU_AIO_FLUSH = 0x0008,
    QEMU_AIO_DISCARD = 0x0010,
    QEMU_AIO_WRITE_ZEROES = 0x0020,
};

/*
 * One request by a thread of the current context's pool, with plain system
 * calls.  Reads or writes all of @qiov (NULL for a flush); a read beyond the
 * end of the file is zeroes.  Returns 0 or a negative errno.
 */
int coroutine_fn raw_thread_pool_submit(int fd, uint64_t offset,
                                        QEMUIOVector *qiov, int type,
                                        BdrvRequestFlags flags);
/*
 * The same for QEMU_AIO_DISCARD and QEMU_AIO_WRITE_ZEROES of @bytes; -ENOTSUP
 * if what the file is on cannot do that.
 */
int coroutine_fn raw_thread_pool_submit_range(int fd, uint64_t offset,
                                              uint64_t bytes, int type,
                                              BdrvRequestFlags flags);

#endif
