/* SPDX-License-Identifier: MIT */
/*
 * One io_uring for each context, which both watches descriptors and carries
 * I/O, so that a turn with work costs one io_uring_enter: it submits what the
 * last turn queued, waits, and the completions are read from shared memory.
 *
 * Descriptors are watched by POLL_ADD.  One-shot polls are armed again in the
 * same io_uring_enter; a descriptor whose reader empties it (`drained`) is
 * watched by a multishot poll, which is edge-triggered and stays armed.
 *
 * A context is made on one thread and polled on another, the main context by
 * whoever has the BQL, and a GLib loop waits for the ring with poll().  That
 * rules the kernel's cheapest mode out: DEFER_TASKRUN wants one submitter, and
 * does not tell poll() of what it defers.  COOP_TASKRUN does, and saves the
 * interrupts all the same.  Other threads only put their changes on a list; the
 * home thread makes SQEs of them.
 */
#include "live.h"
#include "qapi/error.h"

#include <poll.h>
#include <pthread.h>

enum {
    RING_ENTRIES = 256,
    WATCH_TAG = 1, /* in user_data: a watch, not a CqeHandler */
};

typedef struct UringWatch {
    HostWatch base;
    bool armed;      /* home thread: the kernel knows it */
    bool removed;    /* set under lock */
    bool on_changes; /* under lock */
    QSIMPLEQ_ENTRY(UringWatch) next;
    QLIST_ENTRY(UringWatch) removing;
} UringWatch;

typedef struct UringMonitor {
    HostMonitor base;
    struct io_uring ring;
    bool changed;         /* changes is not empty; read without the lock */
    pthread_mutex_t lock; /* changes */
    QSIMPLEQ_HEAD(, UringWatch) changes;
    QLIST_HEAD(, UringWatch) removing; /* wait for their last CQE */
} UringMonitor;

static UringMonitor *uring(HostMonitor *monitor)
{
    return container_of(monitor, UringMonitor, base);
}

/* ---- The ring's life ---- */

static int ring_init(struct io_uring *ring)
{
    int ret = io_uring_queue_init(RING_ENTRIES, ring, IORING_SETUP_COOP_TASKRUN |
                                  IORING_SETUP_TASKRUN_FLAG);

    if (ret == -EINVAL) {
        ret = io_uring_queue_init(RING_ENTRIES, ring, 0); /* before Linux 5.19 */
    }
    return ret;
}

static void ring_failure(int err, Error **errp)
{
    const char *why = err == -EPERM ? "not permitted here (a container's "
                                      "seccomp filter or kernel.io_uring_disabled)"
                    : err == -ENOSYS ? "not in this kernel"
                    : err == -ENOMEM ? "not enough locked memory (ulimit -l)"
                                     : g_strerror(-err);

    error_setg(errp, "io_uring is not available: %s", why);
}

int live_probe_io_uring(char **reason)
{
    struct io_uring ring;
    int ret = ring_init(&ring);

    *reason = NULL;
    if (ret < 0) {
        Error *err = NULL;

        ring_failure(ret, &err);
        *reason = g_strdup(error_get_pretty(err));
        error_free(err);
        return ret;
    }
    *reason = g_strdup(ring.flags & IORING_SETUP_COOP_TASKRUN
                       ? "io_uring works, without interrupts for task work"
                       : "io_uring works");
    io_uring_queue_exit(&ring);
    return 0;
}

static void uring_free(HostMonitor *monitor)
{
    UringMonitor *m = uring(monitor);
    UringWatch *watch;

    io_uring_queue_exit(&m->ring);
    while ((watch = QSIMPLEQ_FIRST(&m->changes))) {
        QSIMPLEQ_REMOVE_HEAD(&m->changes, next);
        g_free(watch);
    }
    while ((watch = QLIST_FIRST(&m->removing))) {
        QLIST_REMOVE(watch, removing);
        g_free(watch);
    }
    pthread_mutex_destroy(&m->lock);
    g_free(m);
}

static struct io_uring_sqe *get_sqe(UringMonitor *m)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&m->ring);

    while (unlikely(!sqe)) {
        io_uring_submit(&m->ring);
        sqe = io_uring_get_sqe(&m->ring);
    }
    return sqe;
}

/* ---- Descriptors ---- */

static void push_change(UringMonitor *m, UringWatch *watch)
{
    if (!watch->on_changes) {
        watch->on_changes = true;
        qatomic_set(&m->changed, true);
        QSIMPLEQ_INSERT_TAIL(&m->changes, watch, next);
    }
}

static HostWatch *uring_watch_add(HostMonitor *monitor, int fd, short events,
                                  bool drained, uint64_t id, void *opaque)
{
    UringMonitor *m = uring(monitor);
    UringWatch *watch = g_new0(UringWatch, 1);

    watch->base = (HostWatch){
        .fd = fd, .events = events, .drained = drained, .id = id,
        .opaque = opaque,
    };
    pthread_mutex_lock(&m->lock);
    push_change(m, watch);
    pthread_mutex_unlock(&m->lock);
    return &watch->base;
}

static void uring_watch_remove(HostMonitor *monitor, HostWatch *base)
{
    UringMonitor *m = uring(monitor);
    UringWatch *watch = container_of(base, UringWatch, base);

    pthread_mutex_lock(&m->lock);
    qatomic_set(&watch->removed, true);
    push_change(m, watch);
    pthread_mutex_unlock(&m->lock);
}

static void arm(UringMonitor *m, UringWatch *watch)
{
    struct io_uring_sqe *sqe = get_sqe(m);

    if (watch->base.drained) {
        io_uring_prep_poll_multishot(sqe, watch->base.fd, watch->base.events);
    } else {
        io_uring_prep_poll_add(sqe, watch->base.fd, watch->base.events);
    }
    sqe->user_data = (uintptr_t)watch | WATCH_TAG;
    watch->armed = true;
}

/* Makes SQEs of what was changed since the last wait, by any thread. */
static void apply_changes(UringMonitor *m)
{
    UringWatch *watch;

    if (likely(!qatomic_read(&m->changed))) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    qatomic_set(&m->changed, false);
    while ((watch = QSIMPLEQ_FIRST(&m->changes))) {
        QSIMPLEQ_REMOVE_HEAD(&m->changes, next);
        watch->on_changes = false;
        if (!watch->removed) {
            arm(m, watch);
        } else if (watch->armed) {
            struct io_uring_sqe *sqe = get_sqe(m);

            io_uring_prep_poll_remove(sqe, (uintptr_t)watch | WATCH_TAG);
            sqe->user_data = 0;
            QLIST_INSERT_HEAD(&m->removing, watch, removing);
        } else {
            g_free(watch);
        }
    }
    pthread_mutex_unlock(&m->lock);
}

/* The poll is over: arm it again with the next submit, or forget it. */
static void poll_ended(UringMonitor *m, UringWatch *watch, bool failed)
{
    pthread_mutex_lock(&m->lock);
    watch->armed = false;
    if (!watch->removed) {
        /* An error would come again at once: the handler is told, once. */
        if (!failed) {
            push_change(m, watch);
        }
    } else if (!watch->on_changes) {
        QLIST_REMOVE(watch, removing);
        g_free(watch);
    }
    pthread_mutex_unlock(&m->lock);
}

static void poll_completed(UringMonitor *m, UringWatch *watch,
                           const struct io_uring_cqe *cqe, HostBatch *batch)
{
    short revents = cqe->res > 0 ? cqe->res : POLLERR;

    if (!qatomic_read(&watch->removed)) {
        host_batch_watch(batch, &watch->base, revents);
    }
    if (!(cqe->flags & IORING_CQE_F_MORE)) {
        poll_ended(m, watch, cqe->res <= 0);
    }
}

/* ---- Requests ---- */

static void uring_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                          CqeHandler *handler)
{
    struct io_uring_sqe *sqe = get_sqe(uring(monitor));

    prep(sqe, opaque);
    sqe->user_data = (uintptr_t)handler;
}

static bool uring_pending(HostMonitor *monitor)
{
    UringMonitor *m = uring(monitor);

    return io_uring_cq_ready(&m->ring) ||
           IO_URING_READ_ONCE(*m->ring.sq.kflags) &
               (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

static bool has_submissions(UringMonitor *m)
{
    return io_uring_sq_ready(&m->ring) || qatomic_read(&m->changed);
}

static bool uring_busy(HostMonitor *monitor)
{
    return uring_pending(monitor) || has_submissions(uring(monitor));
}

static void submit_and_wait(UringMonitor *m, int64_t timeout_ns)
{
    int ret;

    do {
        if (timeout_ns == 0) {
            ret = io_uring_submit_and_get_events(&m->ring);
        } else if (timeout_ns < 0) {
            ret = io_uring_submit_and_wait(&m->ring, 1);
        } else {
            struct __kernel_timespec ts = {
                .tv_sec = timeout_ns / NANOSECONDS_PER_SECOND,
                .tv_nsec = timeout_ns % NANOSECONDS_PER_SECOND,
            };
            struct io_uring_cqe *cqe;

            ret = io_uring_submit_and_wait_timeout(&m->ring, &cqe, 1, &ts,
                                                   NULL);
        }
        /* Once a signal has come, only the loop knows how long is left. */
    } while (ret == -EINTR && timeout_ns < 0 && !io_uring_cq_ready(&m->ring));
    /* EAGAIN, EBUSY: the kernel wants us to reap first. */
    if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN &&
        ret != -EBUSY) {
        fprintf(stderr, "aiolab: io_uring_enter: %s\n", g_strerror(-ret));
        abort();
    }
}

static void reap(UringMonitor *m, HostBatch *batch)
{
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&m->ring, head, cqe) {
        uint64_t data = cqe->user_data;

        n++;
        if (data & WATCH_TAG) {
            poll_completed(m, (UringWatch *)(uintptr_t)(data & ~WATCH_TAG),
                           cqe, batch);
        } else if (data) {
            host_batch_cqe(batch, (CqeHandler *)(uintptr_t)data, cqe->res,
                           cqe->flags);
        }
    }
    io_uring_cq_advance(&m->ring, n);
}

static void uring_wait(HostMonitor *monitor, int64_t timeout_ns,
                       HostBatch *batch)
{
    UringMonitor *m = uring(monitor);

    apply_changes(m);
    submit_and_wait(m, io_uring_cq_ready(&m->ring) ? 0 : timeout_ns);
    reap(m, batch);
}

/* ---- For a GLib loop ---- */

static int uring_fd(HostMonitor *monitor)
{
    return uring(monitor)->ring.ring_fd;
}

static void uring_submit(HostMonitor *monitor)
{
    UringMonitor *m = uring(monitor);

    if (has_submissions(m)) {
        apply_changes(m);
        io_uring_submit(&m->ring);
    }
}

const FDMonOps fdmon_io_uring_ops = {
    .name = "io_uring",
    .visible = true,
    .edges = true,
    .free = uring_free,
    .watch_add = uring_watch_add,
    .watch_remove = uring_watch_remove,
    .add_sqe = uring_add_sqe,
    .busy = uring_busy,
    .wait = uring_wait,
    .fd = uring_fd,
    .submit = uring_submit,
    .pending = uring_pending,
};

HostMonitor *uring_monitor_new(Error **errp)
{
    UringMonitor *m = g_new0(UringMonitor, 1);
    int ret = ring_init(&m->ring);

    if (ret < 0) {
        ring_failure(ret, errp);
        g_free(m);
        return NULL;
    }
    m->base.ops = &fdmon_io_uring_ops;
    pthread_mutex_init(&m->lock, NULL);
    QSIMPLEQ_INIT(&m->changes);
    QLIST_INIT(&m->removing);
    return &m->base;
}
