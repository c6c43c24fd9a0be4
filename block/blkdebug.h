/* SPDX-License-Identifier: MIT */
/*
 * A filter that makes requests fail, after the inject-error rules of QEMU's
 * blkdebug: what is not named by a rule goes to the node below it.
 */
#ifndef BLOCK_BLKDEBUG_H
#define BLOCK_BLKDEBUG_H

#include "block/block.h"

/* A new node above @child, of which it takes a reference. */
BlockDriverState *blkdebug_new(BlockDriverState *child);
/*
 * The next request that touches @offset (-1: any, or a flush) fails with
 * @error, a positive errno, without reaching the node below; once.  Any thread.
 */
void blkdebug_inject_error(BlockDriverState *bs, int64_t offset, int error);

#endif
