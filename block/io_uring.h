/* SPDX-License-Identifier: MIT */
/* Requests on the current context's ring, for drivers (block/io_uring.c). */
#ifndef BLOCK_IO_URING_H
#define BLOCK_IO_URING_H

#include "block/block.h"

typedef enum LuringType {
    LURING_READ,
    LURING_WRITE,
    LURING_FLUSH,
} LuringType;

/*
 * Reads or writes all of @qiov (which may be NULL for a flush), resubmitting
 * what a short transfer left.  A read beyond the end of the file is zeroes.
 * Returns 0 or a negative errno.
 */
int coroutine_fn luring_co_submit(int fd, uint64_t offset, QEMUIOVector *qiov,
                                  LuringType type);

#endif
