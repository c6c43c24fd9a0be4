/* SPDX-License-Identifier: MIT */
/* Nodes: which driver, and how long they live (block.c). */
#include "block/block_int.h"
#include "qapi/error.h"

static const BlockDriver *const drivers[] = {
    &bdrv_file, &bdrv_null_aio, &bdrv_null_co,
};

static const BlockDriver *find_driver(const char *name, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (g_str_equal(drivers[i]->format_name, name)) {
            return drivers[i];
        }
    }
    error_setg(errp, "unknown block driver '%s'; there are file, null-aio and "
               "null-co", name);
    return NULL;
}

BlockDriverState *bdrv_open_blockdev(const BlockdevOptions *options,
                                     Error **errp)
{
    const BlockDriver *drv = find_driver(options->driver, errp);
    BlockDriverState *bs;

    if (!drv) {
        return NULL;
    }
    bs = g_new0(BlockDriverState, 1);
    bs->drv = drv;
    bs->refcnt = 1;
    bs->read_only = options->read_only;
    bs->opaque = g_malloc0(drv->instance_size);
    if (drv->bdrv_open(bs, options, errp) < 0) {
        g_free(bs->opaque);
        g_free(bs);
        return NULL;
    }
    return bs;
}

void bdrv_ref(BlockDriverState *bs)
{
    bs->refcnt++;
}

void bdrv_unref(BlockDriverState *bs)
{
    if (!bs || --bs->refcnt) {
        return;
    }
    assert(!bs->in_flight);
    if (bs->drv->bdrv_close) {
        bs->drv->bdrv_close(bs);
    }
    g_free(bs->opaque);
    g_free(bs);
}

const char *bdrv_get_format_name(BlockDriverState *bs)
{
    return bs->drv->format_name;
}

int64_t bdrv_getlength(BlockDriverState *bs)
{
    return bs->drv->bdrv_getlength(bs);
}
