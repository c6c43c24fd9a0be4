/* SPDX-License-Identifier: MIT */
/*
 * aio=threads: a request is work for the thread pool, and a worker goes on
 * until all of it is transferred (handle_aiocb_rw() in block/file-posix.c).
 *
 * The system call is the host's, described as an SQE, so that a worker of the
 * simulated machine sleeps for as long as its disk takes.
 */
#include "raw-aio.h"

#include "block/thread-pool.h"
#include "host.h"

#include <linux/falloc.h>

typedef struct RawWork {
    int fd;
    int type;
    uint64_t offset;
    uint64_t bytes; /* of a range without data */
    QEMUIOVector *qiov;
    BdrvRequestFlags flags;
} RawWork;

static int perform_flush(RawWork *work)
{
    struct io_uring_sqe sqe;

    io_uring_prep_fsync(&sqe, work->fd, IORING_FSYNC_DATASYNC);
    return host->file_perform(&sqe);
}

/* Zeroes that may give space back are a hole first, which reads as zeroes. */
static int range_mode(const RawWork *work)
{
    bool hole = work->type == QEMU_AIO_DISCARD ||
                work->flags & BDRV_REQ_MAY_UNMAP;

    return FALLOC_FL_KEEP_SIZE | (hole ? FALLOC_FL_PUNCH_HOLE
                                       : FALLOC_FL_ZERO_RANGE);
}

static int perform_range(RawWork *work)
{
    struct io_uring_sqe sqe;
    int ret;

    io_uring_prep_fallocate(&sqe, work->fd, range_mode(work), work->offset,
                            work->bytes);
    ret = host->file_perform(&sqe);
    return ret == -EOPNOTSUPP ? -ENOTSUP : ret;
}

/* What is left of the request, from @qiov's begin on. */
static int32_t perform_once(RawWork *work, QEMUIOVector *qiov, uint64_t offset)
{
    struct io_uring_sqe sqe;

    if (work->type == QEMU_AIO_READ) {
        io_uring_prep_readv(&sqe, work->fd, qiov->iov, qiov->niov, offset);
    } else {
        io_uring_prep_writev(&sqe, work->fd, qiov->iov, qiov->niov, offset);
    }
    return host->file_perform(&sqe);
}

/* The end of the file: there is nothing to read, and no room to write. */
static int end_of_file(RawWork *work, size_t done)
{
    if (work->type == QEMU_AIO_WRITE) {
        return -ENOSPC;
    }
    qemu_iovec_memset(work->qiov, done, 0, work->qiov->size - done);
    return 0;
}

static int perform_rest(RawWork *work, QEMUIOVector *rest, size_t done)
{
    QEMUIOVector *qiov = work->qiov;

    while (done < qiov->size) {
        int32_t ret;

        qemu_iovec_reset(rest);
        qemu_iovec_concat(rest, qiov, done, qiov->size - done);
        ret = perform_once(work, rest, work->offset + done);
        if (ret < 0) {
            return ret;
        }
        if (ret == 0) {
            return end_of_file(work, done);
        }
        done += ret;
    }
    return 0;
}

static int perform_rw(RawWork *work)
{
    QEMUIOVector rest;
    int32_t ret = perform_once(work, work->qiov, work->offset);

    if (ret < 0 || (size_t)ret == work->qiov->size) {
        return MIN(ret, 0);
    }
    if (ret == 0) {
        return end_of_file(work, 0);
    }
    qemu_iovec_init(&rest, work->qiov->niov);
    ret = perform_rest(work, &rest, ret);
    qemu_iovec_destroy(&rest);
    return ret;
}

static int perform(void *opaque)
{
    RawWork *work = opaque;
    bool range = work->type == QEMU_AIO_DISCARD ||
                 work->type == QEMU_AIO_WRITE_ZEROES;
    int ret;

    if (work->type == QEMU_AIO_FLUSH) {
        return perform_flush(work);
    }
    ret = range ? perform_range(work) : perform_rw(work);
    if (ret == 0 && work->type != QEMU_AIO_READ && work->flags & BDRV_REQ_FUA) {
        ret = perform_flush(work);
    }
    return ret;
}

int coroutine_fn raw_thread_pool_submit(int fd, uint64_t offset,
                                        QEMUIOVector *qiov, int type,
                                        BdrvRequestFlags flags)
{
    RawWork work = {
        .fd = fd, .type = type, .offset = offset, .qiov = qiov, .flags = flags,
    };

    return thread_pool_submit_co(perform, &work);
}

int coroutine_fn raw_thread_pool_submit_range(int fd, uint64_t offset,
                                              uint64_t bytes, int type,
                                              BdrvRequestFlags flags)
{
    RawWork work = {
        .fd = fd, .type = type, .offset = offset, .bytes = bytes,
        .flags = flags,
    };

    return thread_pool_submit_co(perform, &work);
}
