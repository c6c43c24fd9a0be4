/* SPDX-License-Identifier: MIT */
/*
 * The recorder: calls the host below, and notes what it answered.
 *
 * Each thread has a ring of its own.  Tickets, counted by all threads together,
 * put what they note into one order; recorder-threads.c says why it is the
 * right one.  Here is what concerns one thread and its loop.
 */
#include "recorder-internal.h"

#include "aio-internal.h"
#include "sim.h"

#include <unistd.h>

Recorder rec = {
    .creating = PTHREAD_MUTEX_INITIALIZER, .glib = PTHREAD_MUTEX_INITIALIZER,
};
__thread Ring *rec_ring = &ring_of_nobody;
__thread bool rec_muted;

/* ---- Time, chance, points ---- */

static int64_t rec_clock_ns(QEMUClockType clock)
{
    int64_t now = rec.base->clock_ns(clock);

    if (!rec_muted) {
        rec_put_own(INPUT_CLOCK, clock, now);
    }
    return now;
}

static uint64_t rec_random64(void)
{
    uint64_t value = rec.base->random64();

    rec_put(INPUT_RANDOM, 0, value, 0);
    return value;
}

static void rec_point(HostPoint point, uint64_t object)
{
    if (likely(!rec.simulated)) {
        /* The live host has no points of its own. */
        if (host_point_is_replay(point)) {
            rec_put_own(INPUT_REPLAY_BH, object, 0);
        }
        return;
    }
    rec.base->point(point, object);
    if (host_point_is_replay(point)) {
        rec_put(INPUT_REPLAY_BH, object, 0, 0);
    } else {
        rec_put(INPUT_POINT, object, point, 0);
    }
}

static void rec_turn(uint64_t ctx)
{
    rec.base->turn(ctx);
    rec_put(INPUT_TURN, ctx, probe_digest(), 0);
}

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

static void rec_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                        CqeHandler *handler)
{
    PrepCall call = {&recorded(monitor)->pending, prep, opaque, handler};

    rec.base->add_sqe(base_of(monitor), rec_prep, &call, handler);
}

static bool rec_monitor_busy(HostMonitor *monitor)
{
    bool busy = rec.base->monitor_busy(base_of(monitor));

    if (busy) {
        rec_put(INPUT_BUSY, 0, 0, 0);
    }
    return busy;
}

static void rec_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
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

static bool rec_notifier_clear(EventNotifier *e)
{
    bool was_set = rec.base->notifier_clear(e);

    rec_put(INPUT_NOTIFIER, e->id, was_set, 0);
    return was_set;
}

/* ---- What the machine tells ---- */

static void rec_chosen(const Choice *choice, unsigned taken)
{
    rec_put(INPUT_CHOICE, choice->object,
        (uint64_t)choice->kind << 16 | choice->n << 8 | taken,
        choice_detail(choice));
}

static void rec_stuck(uint32_t thread)
{
    rec_put(INPUT_STUCK, thread, 0, 0);
}

static const SimObserver recorder_observer = {
    .chosen = rec_chosen, .stuck = rec_stuck,
};

/* ---- Operations that need no note: the base's own ---- */

static HostMonitor *rec_monitor_new(uint64_t ctx, Error **errp)
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

static void rec_monitor_free(HostMonitor *monitor)
{
    rec.base->monitor_free(base_of(monitor));
    pending_finish(&recorded(monitor)->pending);
    g_free(monitor);
}

static const FDMonOps *rec_monitor_ops(HostMonitor *monitor)
{
    const FDMonOps *ops = rec.base->monitor_ops(base_of(monitor));

    rec_put(INPUT_FDMON, 0, ops == &fdmon_io_uring_ops ? 2
                            : ops == &fdmon_epoll_ops ? 1 : 0, 0);
    return ops;
}

static HostWatch *rec_watch_add(HostMonitor *monitor, int fd, short events,
                                bool drained, uint64_t id, void *opaque)
{
    fd_table_add(&rec.fds, fd, id);
    return rec.base->watch_add(base_of(monitor), fd, events, drained, id,
                               opaque);
}

static void rec_watch_remove(HostMonitor *monitor, HostWatch *watch)
{
    fd_table_forget(&rec.fds, watch->fd, watch->id);
    rec.base->watch_remove(base_of(monitor), watch);
}

/* ---- GLib's loops, and busy polling ---- */

static int rec_monitor_fd(HostMonitor *monitor)
{
    int fd = rec.base->monitor_fd(base_of(monitor));

    fd_table_add(&rec.fds, fd, recorded(monitor)->ctx);
    return fd;
}

static void rec_monitor_submit(HostMonitor *monitor)
{
    rec.base->monitor_submit(base_of(monitor));
}

static bool rec_monitor_pending(HostMonitor *monitor)
{
    bool pending = rec.base->monitor_pending(base_of(monitor));

    rec_put(INPUT_PENDING, 0, pending, 0);
    return pending;
}

static void rec_busy_poll(HostMonitor *monitor, int64_t max_ns,
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

static int rec_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
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

static int rec_notifier_init(EventNotifier *e, bool active)
{
    return rec.base->notifier_init(e, active);
}

static void rec_notifier_cleanup(EventNotifier *e)
{
    rec.base->notifier_cleanup(e);
}

static void rec_notifier_set(EventNotifier *e)
{
    rec.base->notifier_set(e);
    if (rec.simulated) {
        rec_put(INPUT_POINT, e->id, HOST_POINT_NOTIFY, 0);
    }
}

static void rec_mutex_init(QemuMutex *mutex)
{
    rec.base->mutex_init(mutex);
}

static void rec_mutex_destroy(QemuMutex *mutex)
{
    rec.base->mutex_destroy(mutex);
}

static void rec_mutex_unlock(QemuMutex *mutex)
{
    rec.base->mutex_unlock(mutex);
}

static void rec_cond_init(QemuCond *cond)
{
    rec.base->cond_init(cond);
}

static void rec_cond_destroy(QemuCond *cond)
{
    rec.base->cond_destroy(cond);
}

static void rec_cond_wake(QemuCond *cond, bool all)
{
    rec.base->cond_wake(cond, all);
}

const HostOps recorder_host = {
    .name = "recorder",
    .clock_ns = rec_clock_ns,
    .random64 = rec_random64,
    .point = rec_point,
    .turn = rec_turn,
    .monitor_new = rec_monitor_new,
    .monitor_free = rec_monitor_free,
    .monitor_ops = rec_monitor_ops,
    .watch_add = rec_watch_add,
    .watch_remove = rec_watch_remove,
    .add_sqe = rec_add_sqe,
    .monitor_busy = rec_monitor_busy,
    .monitor_wait = rec_monitor_wait,
    .monitor_fd = rec_monitor_fd,
    .monitor_submit = rec_monitor_submit,
    .monitor_pending = rec_monitor_pending,
    .poll = rec_poll,
    .busy_poll = rec_busy_poll,
    .bh_detached = rec_bh_detached,
    .co_detached = rec_co_detached,
    .observe = rec_observe,
    .word_begin = rec_word_begin,
    .word_end = rec_word_end,
    .rec_assert = rec_assert,
    .notifier_init = rec_notifier_init,
    .notifier_cleanup = rec_notifier_cleanup,
    .notifier_set = rec_notifier_set,
    .notifier_clear = rec_notifier_clear,
    .mutex_init = rec_mutex_init,
    .mutex_destroy = rec_mutex_destroy,
    .mutex_lock = rec_mutex_lock,
    .mutex_trylock = rec_mutex_trylock,
    .mutex_unlock = rec_mutex_unlock,
    .cond_init = rec_cond_init,
    .cond_destroy = rec_cond_destroy,
    .cond_wait = rec_cond_wait,
    .cond_wake = rec_cond_wake,
    .thread_create = rec_thread_create,
    .thread_begins = rec_thread_begins,
    .thread_ends = rec_thread_ends,
    .thread_join = rec_thread_join,
    .thread_attach = rec_thread_attach,
    .file_open = rec_file_open,
    .file_close = rec_file_close,
    .file_size = rec_file_size,
    .file_perform = rec_file_perform,
    .laio_setup = rec_laio_setup,
    .laio_destroy = rec_laio_destroy,
    .laio_submit = rec_laio_submit,
    .laio_getevents = rec_laio_getevents,
    .laio_pending = rec_laio_pending,
    .thread_exit = rec_thread_exit,
    .glib_enter = rec_glib_enter,
    .glib_leave = rec_glib_leave,
    .refuse = rec_refuse,
    .exits = rec_exits,
};

/* ---- Begin and end ---- */

void rec_stop(const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    blackbox_stop(rec.box, reason);
    abort(); /* it has ended the process */
}

bool recorder_start(const HostOps *base, Log *log, BlackBox *box,
                    DataPolicy policy, Error **errp)
{
    rec.own_box = box ? NULL : blackbox_new(log_path(log), errp);
    box = box ? box : rec.own_box;
    if (!box) {
        return false;
    }
    rec.rings = ringset_new(log, box);
    rec.base = base;
    rec.box = ringset_box(rec.rings);
    rec.last_ticket = &rec.box->last_ticket;
    rec.log = log;
    rec.policy = policy;
    rec.simulated = base == &sim_host;
    fd_table_init(&rec.fds);
    rec_files_init();
    ring_nobody = rec_no_ring;
    rec_ring = ringset_attach(rec.rings);
    if (rec.simulated) {
        sim_observer = &recorder_observer;
    }
    probe_start(NULL, NULL);
    return true;
}

void recorder_end(void)
{
    rec_put(INPUT_END, 0, probe_digest(), 0);
}

void recorder_stop_writing(void)
{
    ringset_stop_writer(rec.rings);
}

void recorder_stop(void)
{
    uint64_t inputs, stalls;

    probe_stop();
    sim_observer = NULL;
    rec_ring = &ring_of_nobody;
    stalls = ringset_finish(rec.rings, &inputs);
    blackbox_free(rec.own_box);
    log_set_meta_int(rec.log, "inputs", inputs);
    log_set_meta_int(rec.log, "stalls", stalls);
    rec_files_finish();
    fd_table_finish(&rec.fds);
}
