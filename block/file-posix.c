/* SPDX-License-Identifier: MIT */
/*
 * A file as a block device, by one of three engines: the current context's
 * ring, its linux-aio queue, or its thread pool.
 */
#include "block/block_int.h"
#include "io_uring.h"
#include "linux-aio.h"
#include "qapi/error.h"
#include "raw-aio.h"

#include "host.h"

typedef enum RawEngine { RAW_IO_URING, RAW_NATIVE, RAW_THREADS } RawEngine;

typedef struct BDRVRawState {
    int fd;
    int64_t length;
    RawEngine engine;
    uint64_t aio_max_batch;
    bool laio_fdsync; /* flushes go to linux-aio, too */
} BDRVRawState;

static bool parse_engine(const BlockdevOptions *options, RawEngine *engine,
                         Error **errp)
{
    static const char *const names[] = {"io_uring", "native", "threads"};
    const char *name = options->aio ? options->aio : names[RAW_IO_URING];

    for (*engine = 0; *engine < ARRAY_SIZE(names); (*engine)++) {
        if (g_str_equal(name, names[*engine])) {
            return true;
        }
    }
    error_setg(errp, "aio='%s' is neither threads, native nor io_uring", name);
    return false;
}

/* What the options ask for, before anything is opened. */
static int set_engine(BDRVRawState *s, const BlockdevOptions *options,
                      Error **errp)
{
    if (!parse_engine(options, &s->engine, errp)) {
        return -EINVAL;
    }
    if (options->aio_max_batch < 0) {
        error_setg(errp, "aio-max-batch must not be negative");
        return -EINVAL;
    }
    s->aio_max_batch = options->aio_max_batch;
    if (s->engine != RAW_NATIVE) {
        return 0;
    }
    if (!options->cache_direct) {
        error_setg(errp, "%s: aio=native needs cache.direct=on (O_DIRECT), "
                   "which was not given", options->filename);
        return -EINVAL;
    }
    return aio_setup_linux_aio(qemu_get_current_aio_context(), errp) ? 0
                                                                     : -EINVAL;
}

static int raw_open(BlockDriverState *bs, const BlockdevOptions *options,
                    Error **errp)
{
    BDRVRawState *s = bs->opaque;
    int ret = set_engine(s, options, errp);

    if (ret < 0) {
        return ret;
    }
    s->fd = host->file_open(options->filename, !options->read_only,
                            options->cache_direct);
    if (s->fd < 0) {
        error_setg_errno(errp, -s->fd, "%s: cannot open the image",
                         options->filename);
        return s->fd;
    }
    s->length = host->file_size(s->fd);
    if (s->length < 0) {
        error_setg_errno(errp, -s->length, "%s: cannot get the size",
                         options->filename);
        host->file_close(s->fd);
        return s->length;
    }
    s->laio_fdsync = s->engine == RAW_NATIVE && laio_has_fdsync(s->fd);
    return 0;
}

static void raw_close(BlockDriverState *bs)
{
    BDRVRawState *s = bs->opaque;

    host->file_close(s->fd);
}

static int64_t raw_getlength(BlockDriverState *bs)
{
    BDRVRawState *s = bs->opaque;

    return s->length;
}

/* False where the kernel gives this context no queue: threads do it then. */
static bool can_use_linux_aio(void)
{
    return aio_setup_linux_aio(qemu_get_current_aio_context(), NULL);
}

static int coroutine_fn raw_co_ring(BDRVRawState *s, uint64_t offset,
                                    QEMUIOVector *qiov, LuringType type,
                                    BdrvRequestFlags flags)
{
    int ret = luring_co_submit(s->fd, offset, qiov, type);

    if (ret == 0 && type == LURING_WRITE && flags & BDRV_REQ_FUA) {
        ret = luring_co_submit(s->fd, 0, NULL, LURING_FLUSH);
    }
    return ret;
}

static int coroutine_fn raw_co_prw(BDRVRawState *s, uint64_t offset,
                                   QEMUIOVector *qiov, int type,
                                   BdrvRequestFlags flags)
{
    if (likely(s->engine == RAW_IO_URING)) {
        return raw_co_ring(s, offset, qiov, type == QEMU_AIO_READ
                                                ? LURING_READ : LURING_WRITE,
                           flags);
    }
    if (s->engine == RAW_NATIVE && can_use_linux_aio()) {
        return laio_co_submit(s->fd, offset, qiov, type, flags,
                              s->aio_max_batch);
    }
    return raw_thread_pool_submit(s->fd, offset, qiov, type, flags);
}

static int coroutine_fn raw_co_preadv(BlockDriverState *bs, int64_t offset,
                                      int64_t bytes, QEMUIOVector *qiov,
                                      BdrvRequestFlags flags)
{
    return raw_co_prw(bs->opaque, offset, qiov, QEMU_AIO_READ, flags);
}

static int coroutine_fn raw_co_pwritev(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, QEMUIOVector *qiov,
                                       BdrvRequestFlags flags)
{
    return raw_co_prw(bs->opaque, offset, qiov, QEMU_AIO_WRITE, flags);
}

static int coroutine_fn raw_co_flush(BlockDriverState *bs)
{
    BDRVRawState *s = bs->opaque;

    if (likely(s->engine == RAW_IO_URING)) {
        return luring_co_submit(s->fd, 0, NULL, LURING_FLUSH);
    }
    if (s->laio_fdsync && can_use_linux_aio()) {
        return laio_co_submit(s->fd, 0, NULL, QEMU_AIO_FLUSH, 0,
                              s->aio_max_batch);
    }
    return raw_thread_pool_submit(s->fd, 0, NULL, QEMU_AIO_FLUSH, 0);
}

/* By a thread of the pool, whatever the engine, as in QEMU. */
static int coroutine_fn raw_co_pdiscard(BlockDriverState *bs, int64_t offset,
                                        int64_t bytes)
{
    BDRVRawState *s = bs->opaque;

    return raw_thread_pool_submit_range(s->fd, offset, bytes, QEMU_AIO_DISCARD,
                                        0);
}

static int coroutine_fn raw_co_pwrite_zeroes(BlockDriverState *bs,
                                             int64_t offset, int64_t bytes,
                                             BdrvRequestFlags flags)
{
    BDRVRawState *s = bs->opaque;

    return raw_thread_pool_submit_range(s->fd, offset, bytes,
                                        QEMU_AIO_WRITE_ZEROES, flags);
}

const BlockDriver bdrv_file = {
    .format_name = "file",
    .instance_size = sizeof(BDRVRawState),
    .bdrv_open = raw_open,
    .bdrv_close = raw_close,
    .bdrv_getlength = raw_getlength,
    .bdrv_co_preadv = raw_co_preadv,
    .bdrv_co_pwritev = raw_co_pwritev,
    .bdrv_co_flush = raw_co_flush,
    .bdrv_co_pdiscard = raw_co_pdiscard,
    .bdrv_co_pwrite_zeroes = raw_co_pwrite_zeroes,
};
