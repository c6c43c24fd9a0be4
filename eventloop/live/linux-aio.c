/* SPDX-License-Identifier: MIT */
/*
 * linux-aio of the kernel.
 *
 * An io_context_t is the address at which the kernel has mapped its ring of
 * completions.  They are taken from there: no system call.  Only the home
 * thread of the queue's context takes.
 */
#include "live.h"

#include <libaio.h>

enum { AIO_RING_MAGIC = 0xa10a10a1u };

/* The kernel's (fs/aio.c); its layout is known to every user of libaio. */
typedef struct AioRing {
    unsigned id;
    unsigned nr; /* number of events, head and tail go from 0 to nr - 1 */
    unsigned head;
    unsigned tail;
    unsigned magic;
    unsigned compat_features;
    unsigned incompat_features;
    unsigned header_length;
    struct io_event events[];
} AioRing;

struct HostLaio {
    io_context_t ctx;
    int event_fd;
};

G_STATIC_ASSERT(sizeof(struct iocb) <= sizeof(((HostLaioRequest *)0)->kernel));

static AioRing *ring_of(HostLaio *laio)
{
    return (AioRing *)laio->ctx;
}

int live_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                    HostLaio **laio)
{
    HostLaio *new_laio = g_new0(HostLaio, 1);
    int ret = io_setup(max_events, &new_laio->ctx);

    if (ret == 0 && ring_of(new_laio)->magic != AIO_RING_MAGIC) {
        io_destroy(new_laio->ctx); /* not the kernel that we know */
        ret = -ENOSYS;
    }
    if (ret < 0) {
        g_free(new_laio);
        return ret;
    }
    new_laio->event_fd = event_notifier_get_wfd(e);
    *laio = new_laio;
    return 0;
}

void live_laio_destroy(HostLaio *laio)
{
    io_destroy(laio->ctx);
    g_free(laio);
}

static struct iocb *prep(HostLaio *laio, HostLaioRequest *req)
{
    struct io_uring_sqe *sqe = &req->sqe;
    struct iocb *iocb = (struct iocb *)req->kernel;
    struct iovec *iov = (void *)(uintptr_t)sqe->addr;

    switch (sqe->opcode) {
    case IORING_OP_READV:
        io_prep_preadv2(iocb, sqe->fd, iov, sqe->len, sqe->off, sqe->rw_flags);
        break;
    case IORING_OP_WRITEV:
        io_prep_pwritev2(iocb, sqe->fd, iov, sqe->len, sqe->off, sqe->rw_flags);
        break;
    default:
        io_prep_fdsync(iocb, sqe->fd);
        break;
    }
    io_set_eventfd(iocb, laio->event_fd);
    iocb->data = req;
    return iocb;
}

int live_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    struct iocb **iocbs = g_newa(struct iocb *, n);

    for (unsigned i = 0; i < n; i++) {
        iocbs[i] = prep(laio, requests[i]);
    }
    return io_submit(laio->ctx, n, iocbs);
}

unsigned live_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n)
{
    AioRing *ring = ring_of(laio);
    unsigned head = ring->head, taken = 0;
    /* Pairs with the kernel's barrier between an event and the tail. */
    unsigned tail = qatomic_load_acquire(&ring->tail);

    while (head != tail && taken < n) {
        struct io_event *event = &ring->events[head];
        HostLaioRequest *req = event->data;

        req->handler.cqe.res = (int32_t)event->res;
        req->handler.cqe.flags = 0;
        done[taken++] = req;
        head = head + 1 == ring->nr ? 0 : head + 1;
    }
    if (taken) {
        /* The kernel may use those slots again, now that they were read. */
        qatomic_store_release(&ring->head, head);
    }
    return taken;
}

bool live_laio_pending(HostLaio *laio)
{
    AioRing *ring = ring_of(laio);

    return ring->head != qatomic_load_acquire(&ring->tail);
}
