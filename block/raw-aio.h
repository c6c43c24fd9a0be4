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
};

/*
 * One request by a thread of the current context's pool, with plain system
 * calls.  Reads or writes all of @qiov (NULL for a flush); a read beyond the
 * end of the file is zeroes.  Returns 0 or a negative errno.
 */
int coroutine_fn raw_thread_pool_submit(int fd, uint64_t offset,
                                        QEMUIOVector *qiov, int type,
                                        BdrvRequestFlags flags);

#endif
