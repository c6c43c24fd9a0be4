/* SPDX-License-Identifier: MIT */
/*
 * One request on the ring: submit, yield, look at the result, and go on where
 * a short transfer stopped (block/io_uring.c, luring_cqe_handler).
 */
#include "io_uring.h"

#include "aiolab/probe.h"

typedef struct LuringRequest {
    Coroutine *co;
    QEMUIOVector *qiov;
    uint64_t offset;
    size_t done;            /* bytes transferred by earlier submissions */
    QEMUIOVector rest;      /* after a short transfer: what is left */
    LuringType type;
    int fd;
    int ret;
    CqeHandler cqe_handler;
} LuringRequest;

static void luring_prep_sqe(struct io_uring_sqe *sqe, void *opaque)
{
    LuringRequest *req = opaque;
    QEMUIOVector *qiov = req->done ? &req->rest : req->qiov;
    uint64_t offset = req->offset + req->done;

    switch (req->type) {
    case LURING_READ:
        if (qiov->niov == 1) {
            io_uring_prep_read(sqe, req->fd, qiov->iov->iov_base,
                               qiov->iov->iov_len, offset);
        } else {
            io_uring_prep_readv(sqe, req->fd, qiov->iov, qiov->niov, offset);
        }
        break;
    case LURING_WRITE:
        if (qiov->niov == 1) {
            io_uring_prep_write(sqe, req->fd, qiov->iov->iov_base,
                                qiov->iov->iov_len, offset);
        } else {
            io_uring_prep_writev(sqe, req->fd, qiov->iov, qiov->niov, offset);
        }
        break;
    case LURING_FLUSH:
        io_uring_prep_fsync(sqe, req->fd, IORING_FSYNC_DATASYNC);
        break;
    }
}

static void luring_submit(LuringRequest *req)
{
    aio_add_sqe(luring_prep_sqe, req, &req->cqe_handler);
}

static void luring_resubmit_rest(LuringRequest *req)
{
    if (!req->rest.iov) {
        qemu_iovec_init(&req->rest, req->qiov->niov);
    } else {
        qemu_iovec_reset(&req->rest);
    }
    qemu_iovec_concat(&req->rest, req->qiov, req->done,
                      req->qiov->size - req->done);
    PROBE(REQ_RESUBMIT, req->cqe_handler.cqe.user_data, req->done, 0, 0);
    luring_submit(req);
}

/* True if the request is over, with req->ret set. */
static bool luring_finished(LuringRequest *req, int res)
{
    if (res == -EINTR || res == -EAGAIN) {
        luring_submit(req);
        return false;
    }
    if (res < 0 || !req->qiov) {
        req->ret = res;
        return true;
    }
    req->done += res;
    if (req->done == req->qiov->size) {
        req->ret = 0;
        return true;
    }
    if (res > 0) {
        luring_resubmit_rest(req);
        return false;
    }
    if (req->type == LURING_READ) { /* the end of the file */
        qemu_iovec_memset(req->qiov, req->done, 0,
                          req->qiov->size - req->done);
        req->ret = 0;
    } else {
        req->ret = -ENOSPC;
    }
    return true;
}

static void luring_cqe_handler(CqeHandler *cqe_handler)
{
    LuringRequest *req = container_of(cqe_handler, LuringRequest, cqe_handler);

    if (luring_finished(req, cqe_handler->cqe.res)) {
        aio_co_wake(req->co);
    }
}

int coroutine_fn luring_co_submit(int fd, uint64_t offset, QEMUIOVector *qiov,
                                  LuringType type)
{
    LuringRequest req;

    /* Not the whole struct: its iovec is only for short transfers. */
    req.co = qemu_coroutine_self();
    req.qiov = qiov;
    req.offset = offset;
    req.done = 0;
    req.rest.iov = NULL;
    req.type = type;
    req.fd = fd;
    req.cqe_handler.cb = luring_cqe_handler;
    luring_submit(&req);
    qemu_coroutine_yield();
    if (unlikely(req.rest.iov)) {
        qemu_iovec_destroy(&req.rest);
    }
    return req.ret;
}
