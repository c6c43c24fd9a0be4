/* SPDX-License-Identifier: MIT */
/*
 * linux-aio: requests queue up, go to the kernel in batches, and come back in
 * batches (block/linux-aio.c).
 *
 * Out: a request is appended to "pending" and ioq_submit() is deferred to the
 * end of the section (qemu/defer-call.h), or called at once when a batch is
 * full.  When the kernel takes no more (EAGAIN), the queue is blocked until a
 * completion makes room.
 *
 * Back: the kernel sets an eventfd.  The handler, the poll handler and
 * completion_bh do the same thing: take a batch, and resume one request after
 * the other.  What is resumed may run the loop until another request of the
 * same batch is done.  That one is known only to us, and the eventfd is clear:
 * so the batch and our place in it are in the state, not on our stack, and
 * completion_bh is scheduled, so that the inner loop comes here and goes on
 * where we are (2cdff7f620).
 */
#include "linux-aio.h"

#include "aio-internal.h"
#include "qapi/error.h"
#include "qemu/defer-call.h"

enum {
    MAX_EVENTS = 1024,       /* in flight, and in one batch */
    DEFAULT_MAX_BATCH = 32,
    MAX_SUBMIT_DEPTH = 8,    /* see complete_early() */
};

typedef struct LaioRequest {
    HostLaioRequest host;
    Coroutine *co;
    LinuxAioState *s;
    QEMUIOVector *qiov; /* NULL for a flush */
    bool is_read;
    int ret;            /* -EINPROGRESS until it is done */
    QSIMPLEQ_ENTRY(LaioRequest) next;
} LaioRequest;

struct LinuxAioState {
    AioContext *ctx;
    HostLaio *host;
    uint64_t id;
    EventNotifier e;

    QSIMPLEQ_HEAD(, LaioRequest) pending;
    unsigned in_queue;  /* on pending */
    unsigned in_flight; /* the kernel has them */
    bool blocked;
    unsigned submit_depth;

    QEMUBH *completion_bh;
    bool bh_scheduled;
    unsigned event_idx, event_max;
    HostLaioRequest *events[MAX_EVENTS];
};

static void ioq_submit(LinuxAioState *s);

/* ---- Back ---- */

/* What the result means: all of it, an error, or the end of the file. */
static int request_ret(LaioRequest *req, int32_t res)
{
    size_t size = req->qiov ? req->qiov->size : 0;

    if (res < 0 || (size_t)res == size) {
        return MIN(res, 0);
    }
    if (!req->is_read) {
        return -ENOSPC;
    }
    qemu_iovec_memset(req->qiov, res, 0, size - res);
    return 0;
}

static void complete(LaioRequest *req, int32_t res)
{
    uint64_t id = req->host.handler.cqe.user_data, ctx = req->s->ctx->id;

    PROBE(LAIO_BEGIN, id, ctx, (int64_t)res, 0);
    req->ret = request_ret(req, res);
    /*
     * A coroutine that is entered is in ioq_submit(), below us, and will look
     * at ret before it yields.  The others end with their request.
     */
    if (!qemu_coroutine_entered(req->co)) {
        aio_co_wake(req->co);
    }
    PROBE(LAIO_END, id, ctx, 0, 0);
}

static void fetch_events(LinuxAioState *s)
{
    s->event_idx = 0;
    s->event_max = host->laio_getevents(s->host, s->events, MAX_EVENTS);
    if (unlikely(probe_on & PROBE_SINK)) {
        for (unsigned i = 0; i < s->event_max; i++) {
            struct io_uring_cqe *cqe = &s->events[i]->handler.cqe;

            PROBE_SHOW(LAIO_EVENT, cqe->user_data, s->ctx->id,
                       (int64_t)cqe->res, i);
        }
    }
}

static void schedule_bh(LinuxAioState *s)
{
    if (!s->bh_scheduled) {
        s->bh_scheduled = true;
        qemu_bh_schedule(s->completion_bh);
    }
}

/* Nothing will come back that could make us submit what waits. */
static bool is_starved(LinuxAioState *s)
{
    return s->in_queue && !s->in_flight;
}

static void process_completions(LinuxAioState *s)
{
    defer_call_begin(); /* what is resumed submits again: together */
    for (;;) {
        HostLaioRequest *done;

        if (s->event_idx == s->event_max) {
            fetch_events(s);
        }
        if (s->event_idx == s->event_max) {
            break;
        }
        done = s->events[s->event_idx++];
        s->in_flight--;
        /* Only we know of the others: an inner loop must come here. */
        if (s->event_idx < s->event_max) {
            schedule_bh(s);
        }
        complete(container_of(done, LaioRequest, host), done->handler.cqe.res);
    }
    /* Outer calls find an empty batch, too. */
    if (s->bh_scheduled && !is_starved(s)) {
        s->bh_scheduled = false;
        qemu_bh_cancel(s->completion_bh);
    }
    defer_call_end();
}

static void process_completions_and_submit(LinuxAioState *s)
{
    process_completions(s);
    if (!QSIMPLEQ_EMPTY(&s->pending)) {
        ioq_submit(s);
    }
}

static void completion_bh_cb(void *opaque)
{
    LinuxAioState *s = opaque;

    s->bh_scheduled = false;
    process_completions_and_submit(s);
}

static void completion_cb(EventNotifier *e)
{
    LinuxAioState *s = container_of(e, LinuxAioState, e);

    if (event_notifier_test_and_clear(e)) {
        process_completions_and_submit(s);
    }
}

static bool poll_cb(void *opaque)
{
    LinuxAioState *s = container_of((EventNotifier *)opaque, LinuxAioState, e);

    return s->event_idx < s->event_max || host->laio_pending(s->host);
}

static void poll_ready_cb(EventNotifier *e)
{
    process_completions_and_submit(container_of(e, LinuxAioState, e));
}

/* ---- Out ---- */

static LaioRequest *pop_pending(LinuxAioState *s)
{
    LaioRequest *req = QSIMPLEQ_FIRST(&s->pending);

    QSIMPLEQ_REMOVE_HEAD(&s->pending, next);
    s->in_queue--;
    return req;
}

/* Gives the kernel what it takes; false if it takes no more. */
static bool submit_batch(LinuxAioState *s)
{
    HostLaioRequest *batch[MAX_EVENTS];
    unsigned n = 0;
    LaioRequest *req;
    int ret;

    QSIMPLEQ_FOREACH(req, &s->pending, next) {
        if (s->in_flight + n == MAX_EVENTS) {
            break;
        }
        batch[n++] = &req->host;
    }
    if (!n) {
        return false;
    }
    ret = host->laio_submit(s->host, batch, n);
    PROBE(LAIO_SUBMIT, s->ctx->id, n, (int64_t)ret, 0);
    if (ret == -EAGAIN) {
        return false;
    }
    if (ret < 0) { /* the first is to blame; the others have another try */
        complete(pop_pending(s), ret);
        return true;
    }
    s->in_flight += ret;
    for (int i = 0; i < ret; i++) {
        pop_pending(s);
    }
    return (unsigned)ret == n;
}

/*
 * Where io_submit() completes requests before it returns, what is resumed here
 * may submit again, and be completed again, deeper and deeper on one stack.
 * Beyond a bound the loop has to do it (6864bec553).
 */
static void complete_early(LinuxAioState *s)
{
    if (s->submit_depth < MAX_SUBMIT_DEPTH) {
        process_completions(s);
    } else {
        schedule_bh(s);
    }
}

static void ioq_submit(LinuxAioState *s)
{
    s->submit_depth++;
    while (s->in_queue && submit_batch(s)) {
    }
    s->blocked = s->in_queue > 0;
    if (s->in_flight) {
        complete_early(s);
    }
    if (s->blocked && is_starved(s)) {
        schedule_bh(s); /* QEMU would wait for ever */
    }
    s->submit_depth--;
}

static void submit_deferred(void *opaque)
{
    LinuxAioState *s = opaque;

    if (!s->blocked && s->in_queue) {
        ioq_submit(s);
    }
}

static unsigned max_batch(LinuxAioState *s, uint64_t dev_max_batch)
{
    uint64_t batch = s->ctx->aio_max_batch ? s->ctx->aio_max_batch
                                           : DEFAULT_MAX_BATCH;

    batch = MIN_NON_ZERO(dev_max_batch, batch);
    return MIN_NON_ZERO(MAX_EVENTS - s->in_flight, batch);
}

static void prep(LaioRequest *req, int fd, uint64_t offset, int type,
                 BdrvRequestFlags flags)
{
    struct io_uring_sqe *sqe = &req->host.sqe;
    QEMUIOVector *qiov = req->qiov;

    switch (type) {
    case QEMU_AIO_READ:
        io_uring_prep_readv(sqe, fd, qiov->iov, qiov->niov, offset);
        break;
    case QEMU_AIO_WRITE:
        io_uring_prep_writev(sqe, fd, qiov->iov, qiov->niov, offset);
        sqe->rw_flags = flags & BDRV_REQ_FUA ? RWF_DSYNC : 0;
        break;
    case QEMU_AIO_FLUSH:
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        break;
    default:
        g_assert_not_reached();
    }
}

int coroutine_fn laio_co_submit(int fd, uint64_t offset, QEMUIOVector *qiov,
                                int type, BdrvRequestFlags flags,
                                uint64_t dev_max_batch)
{
    LinuxAioState *s = aio_get_linux_aio(qemu_get_current_aio_context());
    LaioRequest req;

    /* Not the whole struct: most of it is the host's. */
    req.co = qemu_coroutine_self();
    req.s = s;
    req.qiov = qiov;
    req.is_read = type == QEMU_AIO_READ;
    req.ret = -EINPROGRESS;
    req.host.handler.cqe.user_data = host_new_id();
    prep(&req, fd, offset, type, flags);
    QSIMPLEQ_INSERT_TAIL(&s->pending, &req, next);
    s->in_queue++;
    PROBE(LAIO_ADD, req.host.handler.cqe.user_data, s->ctx->id, 0, 0);
    if (!s->blocked) {
        if (s->in_queue >= max_batch(s, dev_max_batch)) {
            ioq_submit(s);
        } else {
            defer_call(submit_deferred, s);
        }
    }
    if (req.ret == -EINPROGRESS) {
        qemu_coroutine_yield();
    }
    return req.ret;
}

/* ---- Life ---- */

void laio_attach_aio_context(LinuxAioState *s, AioContext *new_context)
{
    s->ctx = new_context;
    s->completion_bh = aio_bh_new(new_context, completion_bh_cb, s);
    aio_set_event_notifier(new_context, &s->e, completion_cb, poll_cb,
                           poll_ready_cb);
}

void laio_detach_aio_context(LinuxAioState *s, AioContext *old_context)
{
    aio_set_event_notifier(old_context, &s->e, NULL, NULL, NULL);
    qemu_bh_delete(s->completion_bh);
    s->ctx = NULL;
}

LinuxAioState *laio_init(Error **errp)
{
    LinuxAioState *s = g_new0(LinuxAioState, 1);
    int ret = event_notifier_init(&s->e, false);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot create an event notifier");
        g_free(s);
        return NULL;
    }
    s->id = host_new_id();
    ret = host->laio_setup(s->id, MAX_EVENTS, &s->e, &s->host);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot create a linux-aio queue");
        event_notifier_cleanup(&s->e);
        g_free(s);
        return NULL;
    }
    QSIMPLEQ_INIT(&s->pending);
    return s;
}

void laio_cleanup(LinuxAioState *s)
{
    assert(!s->in_flight && !s->in_queue);
    host->laio_destroy(s->host);
    event_notifier_cleanup(&s->e);
    g_free(s);
}

/* By trying; destroying the queue waits for the request. */
bool laio_has_fdsync(int fd)
{
    HostLaioRequest req, *batch = &req;
    EventNotifier e;
    HostLaio *queue;
    int ret = -EINVAL;

    if (event_notifier_init(&e, false) < 0) {
        return false;
    }
    if (host->laio_setup(host_new_id(), 1, &e, &queue) == 0) {
        req.handler.cqe.user_data = host_new_id();
        io_uring_prep_fsync(&req.sqe, fd, IORING_FSYNC_DATASYNC);
        ret = host->laio_submit(queue, &batch, 1);
        host->laio_destroy(queue);
    }
    event_notifier_cleanup(&e);
    return ret == 1;
}

bool laio_has_fua(void)
{
    return true; /* RWF_DSYNC is older than the rings that we need */
}

/* ---- What a context has ---- */

static void context_cleanup(AioContext *ctx)
{
    laio_detach_aio_context(ctx->linux_aio, ctx);
    laio_cleanup(ctx->linux_aio);
    ctx->linux_aio = NULL;
}

LinuxAioState *aio_setup_linux_aio(AioContext *ctx, Error **errp)
{
    if (!ctx->linux_aio) {
        ctx->linux_aio = laio_init(errp);
        if (ctx->linux_aio) {
            ctx->linux_aio_cleanup = context_cleanup;
            laio_attach_aio_context(ctx->linux_aio, ctx);
        }
    }
    return ctx->linux_aio;
}

LinuxAioState *aio_get_linux_aio(AioContext *ctx)
{
    assert(ctx->linux_aio);
    return ctx->linux_aio;
}
