/* SPDX-License-Identifier: MIT */
/* Disks, buffers and requests for tests of the block layer. */
#ifndef TESTS_BLOCK_UTIL_H
#define TESTS_BLOCK_UTIL_H

#include "harness.h"

/* A BlockBackend of the main context; ends with blk_unref(). */
BlockBackend *new_blk(const BlockdevOptions *options);
/* Over a file of @size bytes (simulated: of the machine's file size). */
BlockBackend *new_file_blk(int64_t size, bool read_only);

/* @n bytes, none of them 0, other ones for each @seed. */
uint8_t *pattern(size_t n, unsigned seed);
/* Initialises @qiov with consecutive pieces of @buf. */
void cut_buffer(QEMUIOVector *qiov, uint8_t *buf, const size_t *sizes,
                unsigned n);

/* In a coroutine, to its end. */
int run_request(BlockBackend *blk, bool write, int64_t offset,
                QEMUIOVector *qiov);
/* Below the BlockBackend, which would check the range. */
int run_node_read(BlockDriverState *bs, int64_t offset, QEMUIOVector *qiov);

#endif
