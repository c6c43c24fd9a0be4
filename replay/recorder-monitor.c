/* SPDX-License-Identifier: MIT */
/* The recorder of monitors: what a loop waits for, and what it finds there. */
#include "recorder-internal.h"

/* ---- Monitors ---- */

/* A monitor of the host below, and the requests that are on it. */
typedef struct RecordedMonitor {
    HostMonitor *base;
    uint64_t ctx;
    PendingTable pending;
} RecordedMonitor;

/* What the event loop holds for a HostMonitor is one of ours. */
static RecordedMonitor *recorded(HostMonitor *monitor)
{
    return (RecordedMonitor *)monitor;
}

static HostMonitor *base_of(HostMonitor *monitor)
{
    return recorded(monitor)->base;
}

typedef struct PrepCall {
    PendingTable *table;
    HostPrepSqe *prep;
    void *opaque;
    CqeHandler *handler;
} PrepCall;

static void rec_prep(struct io_uring_sqe *sqe, void *opaque)
{
    PrepCall *call = opaque;

    call->prep(sqe, call->opaque);
    rec_request_begins(pending_add(call->table, call->handler, sqe));
}

void rec_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                 CqeHandler *handler)
{
    PrepCall call = {&recorded(monitor)->pending, prep, opaque, handler};

    rec.base->add_sqe(base_of(monitor), rec_prep, &call, handler);
}

bool rec_monitor_busy(HostMonitor *monitor)
{
    bool busy = rec.base->monitor_busy(base_of(monitor));

    if (busy) {
        rec_put(INPUT_BUSY, 0, 0, 0);
    }
    return busy;
}

void rec_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                      HostBatch *batch)
{
    HostWatch *watch;
    CqeHandler *handler;

    rec_may_wait();
    rec.base->monitor_wait(base_of(monitor), timeout_ns, batch);
    rec_put(INPUT_WAIT, 0, (uint64_t)batch->n_watches << 16 | batch->n_cqes,
        batch->now_ns);
    QSIMPLEQ_FOREACH(watch, &batch->watches, next) {
        rec_put(INPUT_READY, watch->id, watch->revents, 0);
    }
    QSIMPLEQ_FOREACH(handler, &batch->cqes, next) {
        rec_put_cqe(&recorded(monitor)->pending, handler);
    }
}

HostMonitor *rec_monitor_new(uint64_t ctx, Error **errp)
{
    HostMonitor *base = rec.base->monitor_new(ctx, errp);
    RecordedMonitor *monitor;

    if (!base) {
        return NULL;
    }
    monitor = g_new(RecordedMonitor, 1);
    monitor->base = base;
    monitor->ctx = ctx;
    pending_init(&monitor->pending);
    return (HostMonitor *)monitor;
}

void rec_monitor_free(HostMonitor *monitor)
{
    rec.base->monitor_free(base_of(monitor));
    pending_finish(&recorded(monitor)->pending);
    g_free(monitor);
}

const FDMonOps *rec_monitor_ops(HostMonitor *monitor)
{
    const FDMonOps *ops = rec.base->monitor_ops(base_of(monitor));

    rec_put(INPUT_FDMON, 0, ops == &fdmon_io_uring_ops ? 2
                            : ops == &fdmon_epoll_ops ? 1 : 0, 0);
    return ops;
}

HostWatch *rec_watch_add(HostMonitor *monitor, int fd, short events,
                         bool drained, uint64_t id, void *opaque)
{
    fd_table_add(&rec.fds, fd, id);
    return rec.base->watch_add(base_of(monitor), fd, events, drained, id,
                               opaque);
}

void rec_watch_remove(HostMonitor *monitor, HostWatch *watch)
{
    fd_table_forget(&rec.fds, watch->fd, watch->id);
    rec.base->watch_remove(base_of(monitor), watch);
}

/* ---- GLib's loops, and busy polling ---- */

int rec_monitor_fd(HostMonitor *monitor)
{
    int fd = rec.base->monitor_fd(base_of(monitor));

    fd_table_add(&rec.fds, fd, recorded(monitor)->ctx);
    return fd;
}

void rec_monitor_submit(HostMonitor *monitor)
{
    rec.base->monitor_submit(base_of(monitor));
}

bool rec_monitor_pending(HostMonitor *monitor)
{
    bool pending = rec.base->monitor_pending(base_of(monitor));

    rec_put(INPUT_PENDING, 0, pending, 0);
    return pending;
}

void rec_busy_poll(HostMonitor *monitor, int64_t max_ns,
                   HostBusyPoll *poll)
{
    HostThread *self = host_self();
    uint32_t unseen[HOST_SIGHT_MAX];

    /* It is noted as a whole, and how often it looked is not. */
    memcpy(unseen, self->unseen, sizeof(unseen));
    rec_muted = !rec.simulated;
    rec.base->busy_poll(base_of(monitor), max_ns, poll);
    rec_muted = false;
    memcpy(self->unseen, unseen, sizeof(unseen));
    rec_put(INPUT_BUSY_POLL, 0, poll->notified << 16 | poll->n_found,
            poll->start_ns);
    for (unsigned i = 0; i < poll->n_found; i++) {
        rec_put(INPUT_FOUND, poll->found[i], 0, 0);
    }
}

int rec_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    int ready;

    rec_may_wait();
    ready = rec.base->poll(fds, n, timeout_ns);
    rec_put(INPUT_POLL, 0, ready > 0 ? ready : 0, 0);
    for (unsigned i = 0; ready > 0 && i < n; i++) {
        if (fds[i].revents) {
            rec_put(INPUT_POLL_FD, fd_table_find(&rec.fds, fds[i].fd),
                    fds[i].revents, fd_table_ordinal(&rec.fds, fds, i));
        }
    }
    return ready;
}
