/* SPDX-License-Identifier: MIT */
/* Monitors of a replay: what was found is in the log; nobody waits. */
#include "replay-internal.h"

struct HostMonitor {
    uint64_t ctx;
    int fd;
    GHashTable *watches; /* handler's id -> HostWatch */
};

/* ---- Monitors ---- */

HostMonitor *replay_monitor_new(uint64_t ctx, Error **errp)
{
    HostMonitor *m = g_new0(HostMonitor, 1);

    m->ctx = ctx;
    m->fd = REPLAY_FD_MONITOR + rp.next_monitor++;
    fd_table_add(&rp.fds, m->fd, ctx);
    m->watches = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                       g_free);
    return m;
}

void replay_monitor_free(HostMonitor *m)
{
    g_hash_table_destroy(m->watches);
    g_free(m);
}

const FDMonOps *replay_monitor_ops(HostMonitor *m)
{
    static const FDMonOps *const known[] = {
        &fdmon_poll_ops, &fdmon_epoll_ops, &fdmon_io_uring_ops,
    };
    uint64_t which = replay_take(INPUT_FDMON, 0).a;

    if (which >= ARRAY_SIZE(known)) {
        replay_diverge_at_last("a monitor", "the log's is none that we know");
    }
    return known[which];
}

HostWatch *replay_watch_add(HostMonitor *m, int fd, short events, bool drained,
                            uint64_t id, void *opaque)
{
    HostWatch *watch = g_new0(HostWatch, 1);

    *watch = (HostWatch){
        .fd = fd, .events = events, .id = id, .opaque = opaque,
    };
    /* Not insert: the key of one that was removed goes with it. */
    g_hash_table_replace(m->watches, &watch->id, watch);
    fd_table_add(&rp.fds, fd, id);
    return watch;
}

/*
 * Another thread removes it early; the home thread may be found to see it
 * ready until it frees the handler.
 */
void replay_watch_remove(HostMonitor *m, HostWatch *watch)
{
    fd_table_forget(&rp.fds, watch->fd, watch->id);
    if (rp.simulated) {
        g_hash_table_remove(m->watches, &watch->id);
    }
}

void replay_watch_freed(HostMonitor *m, uint64_t id)
{
    g_hash_table_remove(m->watches, &id);
}

void replay_add_sqe(HostMonitor *m, HostPrepSqe *prep, void *opaque,
                    CqeHandler *handler)
{
    struct io_uring_sqe sqe = {.opcode = 0};

    prep(&sqe, opaque);
    pending_add(&rp.pending, handler, &sqe);
}

bool replay_monitor_busy(HostMonitor *m)
{
    return replay_take_if(INPUT_BUSY);
}

static void take_ready(HostMonitor *m, HostBatch *batch)
{
    const Input *in = replay_next_input("ready");
    HostWatch *watch = in->kind == INPUT_READY
                           ? g_hash_table_lookup(m->watches, &in->obj)
                           : NULL;

    if (!watch) {
        replay_diverge("a wait that finds a descriptor ready",
                "no such descriptor is watched here");
    }
    replay_accept();
    host_batch_watch(batch, watch, in->a);
}

bool replay_brings_data(const Pending *pending, const Input *in)
{
    return pending_is_read(pending) && (int32_t)in->a > 0;
}

void replay_bring_data(const Input *in, const Pending *pending, bool named)
{
    unsigned ordinal = pending->fd - REPLAY_FD_FILE;
    bool range = pending_is_range(pending); /* its result is 0 */
    Error *err = NULL;

    if ((int32_t)in->a < (range ? 0 : 1) || ordinal >= FILES_MAX) {
        return;
    }
    if (pending_is_write(pending)) {
        replay_files_write(rp.files, ordinal, pending,
                           range ? pending_bytes(pending) : in->a);
    } else if (replay_brings_data(pending, in) &&
               !replay_files_read(rp.files, ordinal, pending, in->a, in->b,
                                  named, &err)) {
        replay_stop_bad_log(err);
    }
}

CqeHandler *replay_take_cqe(const HostLaio *laio)
{
    const Input *in = replay_next_input("cqe");
    bool with_data = in->kind == INPUT_CQE_DATA || in->kind == INPUT_CQE_HASH;
    Pending *pending = with_data || in->kind == INPUT_CQE
                           ? pending_find(&rp.pending, in->obj)
                           : NULL;
    CqeHandler *handler;

    if (!pending || pending->laio != laio ||
        with_data != replay_brings_data(pending, in)) {
        replay_diverge("a wait that takes a completion",
                "no such request is on the ring");
    }
    replay_accept();
    replay_bring_data(in, pending, in->kind == INPUT_CQE_DATA);
    handler = pending->handler;
    handler->cqe.res = in->a;
    handler->cqe.flags = 0;
    pending_remove(&rp.pending, in->obj);
    return handler;
}

void replay_monitor_wait(HostMonitor *m, int64_t timeout_ns, HostBatch *batch)
{
    Input in = replay_take(INPUT_WAIT, 0);

    for (unsigned n = in.a >> 16 & 0xffffff; n > 0; n--) {
        take_ready(m, batch);
    }
    for (unsigned n = in.a & 0xffff; n > 0; n--) {
        CqeHandler *handler = replay_take_cqe(NULL);

        host_batch_cqe(batch, handler, handler->cqe.res, 0);
    }
    batch->now_ns = in.b;
}

/* ---- GLib's loops, and busy polling ---- */

int replay_monitor_fd(HostMonitor *m)
{
    return m->fd;
}

void replay_monitor_submit(HostMonitor *m)
{
}

bool replay_monitor_pending(HostMonitor *m)
{
    return replay_take(INPUT_PENDING, 0).a;
}

/* Nobody looks: the log says what was seen. */
void replay_busy_poll(HostMonitor *m, int64_t max_ns, HostBusyPoll *poll)
{
    Input in = replay_take(INPUT_BUSY_POLL, 0);

    for (uint64_t i = in.a & 0xffff; i > 0; i--) {
        const Input *found = replay_next_input("found");
        unsigned before = poll->n_found;

        if (found->kind == INPUT_FOUND) {
            poll->take(poll, found->obj);
        }
        if (poll->n_found == before) {
            replay_diverge("busy polling that finds a handler",
                           "no such handler is polled here");
        }
        replay_accept();
    }
    poll->notified = in.a >> 16;
    poll->start_ns = in.b;
}

static void take_poll_fd(GPollFD *fds, unsigned n)
{
    const Input *in = replay_next_input("poll.fd");

    for (unsigned i = 0; in->kind == INPUT_POLL_FD && i < n; i++) {
        if (fd_table_find(&rp.fds, fds[i].fd) == in->obj &&
            fd_table_ordinal(&rp.fds, fds, i) == in->b) {
            fds[i].revents = in->a;
            replay_accept();
            return;
        }
    }
    replay_diverge("a poll that finds a descriptor ready",
                   "no such descriptor is polled here");
}

int replay_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    Input in = replay_take(INPUT_POLL, 0);

    for (unsigned i = 0; i < n; i++) {
        fds[i].revents = 0;
    }
    for (uint64_t i = 0; i < in.a; i++) {
        take_poll_fd(fds, n);
    }
    return in.a;
}
