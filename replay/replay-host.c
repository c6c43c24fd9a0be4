/* SPDX-License-Identifier: MIT */
/* The host of a replay: each operation takes its answer from the log. */
#include "aio-internal.h"
#include "replay-internal.h"

enum {
    REPLAY_FD_FILE = 1 << 21, REPLAY_FD_NOTIFIER = 1 << 20,
    REPLAY_FD_MONITOR = 1 << 22,
};

struct HostMonitor {
    uint64_t ctx;
    int fd;
    GHashTable *watches; /* handler's id -> HostWatch */
};

/* ---- Time, chance, points ---- */

static int64_t replay_clock_ns(QEMUClockType clock)
{
    return replay_take(INPUT_CLOCK, clock).a;
}

static uint64_t replay_random64(void)
{
    return replay_take(INPUT_RANDOM, 0).a;
}

static void replay_point(HostPoint point, uint64_t object)
{
    if (host_point_is_replay(point)) {
        replay_take(INPUT_REPLAY_BH, object);
    } else if (point == HOST_POINT_SLEEP && !rp.simulated) {
        replay_slept();
    } else if (rp.simulated && replay_take(INPUT_POINT, object).a != point) {
        replay_diverge_at_last("another kind of scheduling point", NULL);
    }
}

static void replay_turn(uint64_t ctx)
{
    replay_compare_digest(replay_take(INPUT_TURN, ctx).a, "the end of a turn");
    rp.agreed[host_self()->id].turns++;
}

/* ---- Monitors ---- */

static HostMonitor *replay_monitor_new(uint64_t ctx, Error **errp)
{
    HostMonitor *m = g_new0(HostMonitor, 1);

    m->ctx = ctx;
    m->fd = REPLAY_FD_MONITOR + rp.next_monitor++;
    fd_table_add(&rp.fds, m->fd, ctx);
    m->watches = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                       g_free);
    return m;
}

static void replay_monitor_free(HostMonitor *m)
{
    g_hash_table_destroy(m->watches);
    g_free(m);
}

static const FDMonOps *replay_monitor_ops(HostMonitor *m)
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

static HostWatch *replay_watch_add(HostMonitor *m, int fd, short events,
                                   bool drained, uint64_t id, void *opaque)
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
static void replay_watch_remove(HostMonitor *m, HostWatch *watch)
{
    fd_table_forget(&rp.fds, watch->fd, watch->id);
    if (rp.simulated) {
        g_hash_table_remove(m->watches, &watch->id);
    }
}

static void replay_watch_freed(HostMonitor *m, uint64_t id)
{
    g_hash_table_remove(m->watches, &id);
}

static void replay_add_sqe(HostMonitor *m, HostPrepSqe *prep, void *opaque,
                           CqeHandler *handler)
{
    struct io_uring_sqe sqe = {.opcode = 0};

    prep(&sqe, opaque);
    pending_add(&rp.pending, handler, &sqe);
}

static bool replay_monitor_busy(HostMonitor *m)
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

/* True if the input that tells this result must have the data with it. */
static bool brings_data(const Pending *pending, const Input *in)
{
    return pending_is_read(pending) && (int32_t)in->a > 0;
}

/* @named: the hash names a content of the log's. */
static void bring_data(const Input *in, const Pending *pending, bool named)
{
    unsigned ordinal = pending->fd - REPLAY_FD_FILE;
    Error *err = NULL;

    if ((int32_t)in->a <= 0 || ordinal >= FILES_MAX) {
        return;
    }
    if (pending_is_write(pending)) {
        replay_files_write(rp.files, ordinal, pending, in->a);
    } else if (brings_data(pending, in) &&
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
        with_data != brings_data(pending, in)) {
        replay_diverge("a wait that takes a completion",
                "no such request is on the ring");
    }
    replay_accept();
    bring_data(in, pending, in->kind == INPUT_CQE_DATA);
    handler = pending->handler;
    handler->cqe.res = in->a;
    handler->cqe.flags = 0;
    pending_remove(&rp.pending, in->obj);
    return handler;
}

static void replay_monitor_wait(HostMonitor *m, int64_t timeout_ns,
                                HostBatch *batch)
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

static int replay_monitor_fd(HostMonitor *m)
{
    return m->fd;
}

static void replay_monitor_submit(HostMonitor *m)
{
}

static bool replay_monitor_pending(HostMonitor *m)
{
    return replay_take(INPUT_PENDING, 0).a;
}

/* Nobody looks: the log says what was seen. */
static void replay_busy_poll(HostMonitor *m, int64_t max_ns, HostBusyPoll *poll)
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

static int replay_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
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

/* ---- Notifiers ---- */

static int replay_notifier_init(EventNotifier *e, bool active)
{
    e->rfd = e->wfd = REPLAY_FD_NOTIFIER + rp.next_notifier++;
    return 0;
}

static void replay_notifier_cleanup(EventNotifier *e)
{
}

static void replay_notifier_set(EventNotifier *e)
{
    if (rp.simulated) {
        replay_take(INPUT_POINT, e->id);
    }
}

static bool replay_notifier_clear(EventNotifier *e)
{
    return replay_take(INPUT_NOTIFIER, e->id).a;
}

/* ---- Files ---- */

static int replay_file_open(const char *path, bool writable, bool direct)
{
    Input in = replay_take(INPUT_FILE_OPEN, 0);
    int result = (int)in.a;

    if (in.b != content_hash(path, strlen(path))) {
        replay_diverge_at_last("a file of another name", path);
    }
    if (result < 0) {
        return result;
    }
    if (result >= FILES_MAX) {
        replay_diverge_at_last("a file", "the log's number for it is impossible");
    }
    replay_files_open(rp.files, result, path);
    return REPLAY_FD_FILE + result;
}

static void replay_file_close(int fd)
{
}

static int64_t replay_file_size(int fd)
{
    int64_t size = replay_take(INPUT_FILE_SIZE, fd - REPLAY_FD_FILE).a;

    if (size > 1LL << 50) {
        replay_diverge_at_last("a file's size", "the log's is impossible");
    }
    return size;
}

static int32_t replay_file_perform(const struct io_uring_sqe *sqe)
{
    const Input *in = replay_next_input("file.io");
    bool with_data = in->kind == INPUT_FILE_IO_DATA ||
                     in->kind == INPUT_FILE_IO_HASH;
    Pending pending = pending_of(sqe);

    if ((!with_data && in->kind != INPUT_FILE_IO) ||
        in->obj != (uint64_t)(sqe->fd - REPLAY_FD_FILE) ||
        with_data != brings_data(&pending, in)) {
        replay_diverge("another request on a file", NULL);
    }
    replay_accept();
    bring_data(in, &pending, in->kind == INPUT_FILE_IO_DATA);
    return in->a;
}

const HostOps replay_host = {
    .name = "replay",
    .clock_ns = replay_clock_ns,
    .random64 = replay_random64,
    .point = replay_point,
    .turn = replay_turn,
    .monitor_new = replay_monitor_new,
    .monitor_free = replay_monitor_free,
    .monitor_ops = replay_monitor_ops,
    .watch_add = replay_watch_add,
    .watch_remove = replay_watch_remove,
    .watch_freed = replay_watch_freed,
    .add_sqe = replay_add_sqe,
    .monitor_busy = replay_monitor_busy,
    .monitor_wait = replay_monitor_wait,
    .monitor_fd = replay_monitor_fd,
    .monitor_submit = replay_monitor_submit,
    .monitor_pending = replay_monitor_pending,
    .poll = replay_poll,
    .busy_poll = replay_busy_poll,
    .bh_detached = replay_bh_detached,
    .co_detached = replay_co_detached,
    .observe = replay_observe,
    .word_begin = replay_word_begin,
    .word_end = replay_word_end,
    .rec_assert = replay_rec_assert,
    .notifier_init = replay_notifier_init,
    .notifier_cleanup = replay_notifier_cleanup,
    .notifier_set = replay_notifier_set,
    .notifier_clear = replay_notifier_clear,
    .mutex_init = replay_lock_init,
    .mutex_destroy = replay_lock_init,
    .mutex_lock = replay_mutex_lock,
    .mutex_trylock = replay_mutex_trylock,
    .mutex_unlock = replay_mutex_unlock,
    .cond_init = replay_cond_nothing,
    .cond_destroy = replay_cond_nothing,
    .cond_wait = replay_cond_wait,
    .cond_wake = replay_cond_wake,
    .thread_create = replay_thread_create,
    .thread_ends = replay_thread_ends,
    .thread_join = replay_thread_join,
    .thread_attach = machine_no_foreign_thread,
    .file_open = replay_file_open,
    .file_close = replay_file_close,
    .file_size = replay_file_size,
    .file_perform = replay_file_perform,
    .laio_setup = replay_laio_setup,
    .laio_destroy = replay_laio_destroy,
    .laio_submit = replay_laio_submit,
    .laio_getevents = replay_laio_getevents,
    .laio_pending = replay_laio_pending,
    .thread_exit = machine_thread_exit,
    .glib_enter = replay_glib_enter,
    .glib_leave = replay_glib_leave,
    .refuse = machine_refuse,
    .exits = replay_exits,
};
