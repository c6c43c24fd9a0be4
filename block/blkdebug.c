/* SPDX-License-Identifier: MIT */
/* Requests that fail because somebody wants them to; see blkdebug.h. */
#include "blkdebug.h"

#include "block/block_int.h"
#include "qemu/lockable.h"
#include "qemu/thread.h"

typedef struct BlkdebugRule {
    int64_t offset;
    int error;
    QSIMPLEQ_ENTRY(BlkdebugRule) next;
} BlkdebugRule;

typedef struct BDRVBlkdebugState {
    BlockDriverState *child;
    QemuMutex lock; /* rules */
    QSIMPLEQ_HEAD(, BlkdebugRule) rules;
} BDRVBlkdebugState;

void blkdebug_inject_error(BlockDriverState *bs, int64_t offset, int error)
{
    BDRVBlkdebugState *s = bs->opaque;
    BlkdebugRule *rule = g_new0(BlkdebugRule, 1);

    rule->offset = offset;
    rule->error = error;
    QEMU_LOCK_GUARD(&s->lock);
    QSIMPLEQ_INSERT_TAIL(&s->rules, rule, next);
}

/* The error that a rule has for these bytes, which ends the rule; or 0. */
static int rule_check(BDRVBlkdebugState *s, int64_t offset, int64_t bytes)
{
    BlkdebugRule *rule;
    int error = 0;

    QEMU_LOCK_GUARD(&s->lock);
    QSIMPLEQ_FOREACH(rule, &s->rules, next) {
        if (rule->offset == -1 ||
            (rule->offset >= offset && rule->offset < offset + bytes)) {
            error = rule->error;
            QSIMPLEQ_REMOVE(&s->rules, rule, BlkdebugRule, next);
            g_free(rule);
            break;
        }
    }
    return -error;
}

static int64_t blkdebug_getlength(BlockDriverState *bs)
{
    BDRVBlkdebugState *s = bs->opaque;

    return bdrv_getlength(s->child);
}

static void blkdebug_close(BlockDriverState *bs)
{
    BDRVBlkdebugState *s = bs->opaque;
    BlkdebugRule *rule;

    while ((rule = QSIMPLEQ_FIRST(&s->rules))) {
        QSIMPLEQ_REMOVE_HEAD(&s->rules, next);
        g_free(rule);
    }
    qemu_mutex_destroy(&s->lock);
    bdrv_unref(s->child);
}

static int coroutine_fn blkdebug_co_preadv(BlockDriverState *bs, int64_t offset,
                                           int64_t bytes, QEMUIOVector *qiov,
                                           BdrvRequestFlags flags)
{
    BDRVBlkdebugState *s = bs->opaque;
    int ret = rule_check(s, offset, bytes);

    return ret ? ret : bdrv_co_preadv(s->child, offset, bytes, qiov, flags);
}

static int coroutine_fn blkdebug_co_pwritev(BlockDriverState *bs,
                                            int64_t offset, int64_t bytes,
                                            QEMUIOVector *qiov,
                                            BdrvRequestFlags flags)
{
    BDRVBlkdebugState *s = bs->opaque;
    int ret = rule_check(s, offset, bytes);

    return ret ? ret : bdrv_co_pwritev(s->child, offset, bytes, qiov, flags);
}

static int coroutine_fn blkdebug_co_flush(BlockDriverState *bs)
{
    BDRVBlkdebugState *s = bs->opaque;
    int ret = rule_check(s, 0, 0);

    return ret ? ret : bdrv_co_flush(s->child);
}

static int coroutine_fn blkdebug_co_pdiscard(BlockDriverState *bs,
                                             int64_t offset, int64_t bytes)
{
    BDRVBlkdebugState *s = bs->opaque;
    int ret = rule_check(s, offset, bytes);

    return ret ? ret : bdrv_co_pdiscard(s->child, offset, bytes);
}

static int coroutine_fn blkdebug_co_pwrite_zeroes(BlockDriverState *bs,
                                                  int64_t offset, int64_t bytes,
                                                  BdrvRequestFlags flags)
{
    BDRVBlkdebugState *s = bs->opaque;
    int ret = rule_check(s, offset, bytes);

    return ret ? ret
               : bdrv_co_pwrite_zeroes(s->child, offset, bytes, flags);
}

static const BlockDriver bdrv_blkdebug = {
    .format_name = "blkdebug",
    .instance_size = sizeof(BDRVBlkdebugState),
    .bdrv_close = blkdebug_close,
    .bdrv_getlength = blkdebug_getlength,
    .bdrv_co_preadv = blkdebug_co_preadv,
    .bdrv_co_pwritev = blkdebug_co_pwritev,
    .bdrv_co_flush = blkdebug_co_flush,
    .bdrv_co_pdiscard = blkdebug_co_pdiscard,
    .bdrv_co_pwrite_zeroes = blkdebug_co_pwrite_zeroes,
};

BlockDriverState *blkdebug_new(BlockDriverState *child)
{
    BlockDriverState *bs = g_new0(BlockDriverState, 1);
    BDRVBlkdebugState *s = g_malloc0(bdrv_blkdebug.instance_size);

    bs->drv = &bdrv_blkdebug;
    bs->opaque = s;
    bs->refcnt = 1;
    bs->read_only = child->read_only;
    bdrv_ref(child);
    s->child = child;
    qemu_mutex_init(&s->lock);
    QSIMPLEQ_INIT(&s->rules);
    return bs;
}
