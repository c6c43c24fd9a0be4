/* SPDX-License-Identifier: MIT */
/*
 * The simulated ring: requests go to the device when the loop waits, come back
 * when their time has come, and are delivered in the order of that time.
 */
#include "sim-internal.h"

#include <poll.h>

/* A request: queued, then at the device, then complete. */
typedef struct SimRequest {
    struct io_uring_sqe sqe;
    CqeHandler *handler;
    int64_t due;
    QTAILQ_ENTRY(SimRequest) next;
} SimRequest;

typedef QTAILQ_HEAD(SimRequestList, SimRequest) SimRequestList;

typedef struct SimWatch {
    HostWatch base;
    uint64_t seen; /* drained: how many sets it has reported */
    QTAILQ_ENTRY(SimWatch) next;
} SimWatch;

struct HostMonitor {
    uint64_t ctx;
    int fd; /* for GLib's loops */
    SimRequestList queued;  /* not submitted yet */
    SimRequestList pending; /* at the device, by due time */
    SimRequestList spare;   /* for the next ones */
    QTAILQ_HEAD(, SimWatch) watches;
    VThread *waiter;
    bool fault; /* the last request failed, see fault.c */
    QTAILQ_ENTRY(HostMonitor) next;
};

HostMonitor *sim_monitor_new(uint64_t ctx, Error **errp)
{
    HostMonitor *m = g_new0(HostMonitor, 1);

    m->ctx = ctx;
    m->fd = SIM_FD_MONITOR + sim.next_monitor++;
    QTAILQ_INIT(&m->queued);
    QTAILQ_INIT(&m->pending);
    QTAILQ_INIT(&m->spare);
    QTAILQ_INIT(&m->watches);
    QTAILQ_INSERT_TAIL(&sim.monitors, m, next);
    return m;
}

const FDMonOps *sim_monitor_ops(HostMonitor *m)
{
    return sim.config.fdmon;
}

static void drop_requests(SimRequestList *list)
{
    SimRequest *req, *next;

    QTAILQ_FOREACH_SAFE(req, list, next, next) {
        g_free(req);
    }
}

void sim_monitor_free(HostMonitor *m)
{
    drop_requests(&m->queued);
    drop_requests(&m->pending);
    drop_requests(&m->spare);
    QTAILQ_REMOVE(&sim.monitors, m, next);
    g_free(m);
}

/* ---- Descriptors ---- */

HostWatch *sim_watch_add(HostMonitor *m, int fd, short events, bool drained,
                         uint64_t id, void *opaque)
{
    SimWatch *watch = g_new0(SimWatch, 1);

    if (fd < SIM_FD_NOTIFIER) {
        fprintf(stderr, "aiolab: descriptor %d is the kernel's, and the "
                "simulated machine serves event notifiers only; run this "
                "scenario with --host live\n", fd);
        abort();
    }
    watch->base = (HostWatch){
        .fd = fd, .events = events, .drained = drained, .id = id,
        .opaque = opaque,
    };
    sim_access(m, SIM_WRITE);
    QTAILQ_INSERT_TAIL(&m->watches, watch, next);
    return &watch->base;
}

void sim_watch_remove(HostMonitor *m, HostWatch *base)
{
    SimWatch *watch = container_of(base, SimWatch, base);

    sim_access(m, SIM_WRITE);
    QTAILQ_REMOVE(&m->watches, watch, next);
    g_free(watch);
}

/* ---- Requests ---- */

static SimRequest *new_request(HostMonitor *m)
{
    SimRequest *req = QTAILQ_FIRST(&m->spare);

    if (!req) {
        return g_new0(SimRequest, 1);
    }
    QTAILQ_REMOVE(&m->spare, req, next);
    req->sqe = (struct io_uring_sqe){0};
    return req;
}

void sim_add_sqe(HostMonitor *m, HostPrepSqe *prep, void *opaque,
                 CqeHandler *handler)
{
    SimRequest *req = new_request(m);

    prep(&req->sqe, opaque);
    req->handler = handler;
    sim_access(m, SIM_WRITE);
    QTAILQ_INSERT_TAIL(&m->queued, req, next);
}

/* Is it nearer to the first of them than to the last? */
static bool is_early(const HostMonitor *m, const SimRequest *req)
{
    const SimRequest *first = QTAILQ_FIRST(&m->pending);

    return first && req->due - first->due < QTAILQ_LAST(&m->pending)->due -
                                                req->due;
}

/* Keeps pending sorted; equal times stay in the order of submission. */
static void insert_pending(HostMonitor *m, SimRequest *req)
{
    SimRequest *other;

    if (is_early(m, req)) { /* so that there is a later one */
        for (other = QTAILQ_FIRST(&m->pending); other->due <= req->due;) {
            other = QTAILQ_NEXT(other, next);
        }
        QTAILQ_INSERT_BEFORE(other, req, next);
        return;
    }
    QTAILQ_FOREACH_REVERSE(other, &m->pending, next) {
        if (other->due <= req->due) {
            QTAILQ_INSERT_AFTER(&m->pending, other, req, next);
            return;
        }
    }
    QTAILQ_INSERT_HEAD(&m->pending, req, next);
}

static void submit(HostMonitor *m)
{
    SimRequest *req, *next;

    QTAILQ_FOREACH_SAFE(req, &m->queued, next, next) {
        QTAILQ_REMOVE(&m->queued, req, next);
        req->due = sim.now + sim_latency(&req->sqe);
        insert_pending(m, req);
    }
}

/* A ring may always have something; other monitors have requests at most. */
bool sim_monitor_busy(HostMonitor *m)
{
    return sim.config.fdmon->visible || !QTAILQ_EMPTY(&m->queued) ||
           !QTAILQ_EMPTY(&m->pending);
}

/* ---- Waiting ---- */

static bool any_due(const HostMonitor *m)
{
    const SimRequest *first = QTAILQ_FIRST(&m->pending);

    return first && first->due <= sim.now;
}

static unsigned count_due(HostMonitor *m)
{
    SimRequest *req;
    unsigned n = 0;

    QTAILQ_FOREACH(req, &m->pending, next) {
        if (req->due > sim.now) {
            break;
        }
        n++;
    }
    return n;
}

static bool is_ready(SimWatch *watch)
{
    if (watch->base.drained && sim.config.fdmon->edges) {
        return watch->seen < sim_fd_sets(watch->base.fd);
    }
    return watch->base.events & POLLIN && sim_fd_readable(watch->base.fd);
}

static bool any_watch_ready(HostMonitor *m)
{
    SimWatch *watch;

    QTAILQ_FOREACH(watch, &m->watches, next) {
        if (is_ready(watch)) {
            return true;
        }
    }
    return false;
}

int64_t sim_monitor_due(HostMonitor *m)
{
    SimRequest *req = QTAILQ_FIRST(&m->pending);

    return req ? req->due : -1;
}

int64_t sim_monitor_next_event(int64_t after)
{
    int64_t soonest = -1;
    HostMonitor *m;
    SimRequest *req;

    QTAILQ_FOREACH(m, &sim.monitors, next) {
        if (!m->waiter && after < 0) {
            continue; /* it wakes nobody */
        }
        QTAILQ_FOREACH(req, &m->pending, next) {
            if (req->due > after) {
                soonest = qemu_soonest_timeout(soonest, req->due);
                break;
            }
        }
    }
    return soonest;
}

void sim_monitor_wake_ready(void)
{
    HostMonitor *m;

    QTAILQ_FOREACH(m, &sim.monitors, next) {
        if (m->waiter && (any_due(m) || any_watch_ready(m))) {
            sim_wake(m->waiter);
        }
    }
}

/*
 * The order of QEMU's monitors: poll() looks at the newest first, epoll and
 * io_uring report events as they came.  (The loop puts each in front.)
 */
static void deliver_watches(HostMonitor *m, HostBatch *batch)
{
    bool by_age = sim.config.fdmon->each;
    SimWatch *watch, *next;

    do {
        next = NULL;
        QTAILQ_FOREACH(watch, &m->watches, next) {
            if (!is_ready(watch) || watch->base.ready) {
                continue;
            }
            if (!next || by_age ||
                sim_fd_readable_since(watch->base.fd) <
                    sim_fd_readable_since(next->base.fd)) {
                next = watch;
            }
        }
        if (next) {
            next->seen = sim_fd_sets(next->base.fd);
            host_batch_watch(batch, &next->base, POLLIN);
        }
    } while (next);
}

enum { MAX_REQUEST_OPTIONS = 64 };

/* The next request to deliver; the first has been done for some time. */
static SimRequest *next_request(HostMonitor *m)
{
    SimRequest *first = QTAILQ_FIRST(&m->pending), *req;
    SimRequest *requests[MAX_REQUEST_OPTIONS];
    uint64_t ids[MAX_REQUEST_OPTIONS];
    unsigned n = 0, taken;

    if (!sim.config.fine) {
        return first;
    }
    QTAILQ_FOREACH(req, &m->pending, next) {
        if (n < MAX_REQUEST_OPTIONS) {
            requests[n] = req;
            ids[n++] = req->handler->cqe.user_data;
        }
    }
    if (n < 2) {
        return first;
    }
    taken = sim_choose(CHOICE_REQUEST, m->ctx, ids, n);
    if (taken) { /* the two took each other's time */
        first->due = requests[taken]->due;
        QTAILQ_REMOVE(&m->pending, first, next);
        insert_pending(m, first);
    }
    return requests[taken];
}

void sim_monitor_requests(const HostMonitor *m, unsigned *done, unsigned *all)
{
    SimRequest *req;

    *done = *all = 0;
    QTAILQ_FOREACH(req, &m->pending, next) {
        *done += req->due <= sim.now;
        ++*all;
    }
}

/* What a look at the monitor depends on. */
void sim_monitor_touch(HostMonitor *m)
{
    SimWatch *watch;

    if (likely(!sim.config.tracer)) {
        return;
    }
    sim_access(m, SIM_WRITE);
    QTAILQ_FOREACH(watch, &m->watches, next) {
        sim_fd_touch(watch->base.fd);
    }
}

void sim_monitor_touch_order(int fd)
{
    HostMonitor *m;
    SimWatch *watch;

    if (likely(!sim.config.tracer) || sim.config.fdmon->each) {
        return;
    }
    QTAILQ_FOREACH(m, &sim.monitors, next) {
        QTAILQ_FOREACH(watch, &m->watches, next) {
            if (watch->base.fd == fd) {
                sim_access(&m->watches, SIM_OWN_WRITE);
            }
        }
    }
}

void sim_monitor_touch_due(int64_t before, int64_t now)
{
    HostMonitor *m;
    SimRequest *req;

    if (likely(!sim.config.tracer)) {
        return;
    }
    QTAILQ_FOREACH(m, &sim.monitors, next) {
        QTAILQ_FOREACH(req, &m->pending, next) {
            if (req->due > before && req->due <= now) {
                sim_access(m, SIM_WRITE);
                break;
            }
        }
    }
}

static void deliver(HostMonitor *m, HostBatch *batch)
{
    unsigned n = count_due(m);

    n = n ? sim_choose_batch(m->ctx, n, any_watch_ready(m)) : 0;
    for (; n > 0; n--) {
        SimRequest *req = next_request(m);
        int32_t res = sim_perform(m->ctx, &m->fault, &req->sqe);

        QTAILQ_REMOVE(&m->pending, req, next);
        host_batch_cqe(batch, req->handler, res, 0);
        QTAILQ_INSERT_HEAD(&m->spare, req, next);
    }
    deliver_watches(m, batch);
    batch->now_ns = sim.now;
}

/*
 * What sim_block() comes to when there is nobody else, and nothing but a
 * request or the deadline can happen: the clock goes there.
 */
static bool sleep_alone(HostMonitor *m, int64_t deadline)
{
    int64_t event = qemu_soonest_timeout(sim_monitor_due(m), deadline);

    if (event < 0 || !sim_is_alone()) {
        return false;
    }
    sim.now = MAX(sim.now, event);
    return true;
}

static void sleep_until_ready(HostMonitor *m, int64_t deadline)
{
    bool woken = true;

    while (woken && !any_due(m) && !any_watch_ready(m)) {
        if (sleep_alone(m, deadline)) {
            return;
        }
        m->waiter = machine_current();
        woken = sim_block(deadline);
        m->waiter = NULL;
        sim_monitor_touch(m);
    }
}

void sim_monitor_wait(HostMonitor *m, int64_t timeout_ns, HostBatch *batch)
{
    if (sim.config.fine) {
        submit(m); /* so that time may pass before it looks */
    }
    sim_point();
    sim_fence();
    sim_monitor_touch(m);
    submit(m);
    if (timeout_ns) {
        sleep_until_ready(m, timeout_ns < 0 ? -1 : sim.now + timeout_ns);
    }
    deliver(m, batch);
}

/* ---- Busy polling ---- */

bool sim_monitor_pending(HostMonitor *m)
{
    return sim.config.fdmon->visible && (any_due(m) || any_watch_ready(m));
}

void sim_busy_poll(HostMonitor *m, int64_t max_ns, HostBusyPoll *poll)
{
    int64_t deadline = sim.now + max_ns;
    bool found;

    poll->start_ns = max_ns ? sim.now : 0;
    do {
        /* Its completions wake us too, if looking shows them. */
        m->waiter = sim.config.fdmon->visible ? machine_current() : NULL;
        machine_current()->looking = true;
        sim_monitor_touch(m);
        found = poll->look(poll) || sim_monitor_pending(m);
        machine_current()->looking = false;
    } while (!found && max_ns && sim_spin(deadline));
    m->waiter = NULL;
}

/* ---- For a GLib loop ---- */

int sim_monitor_fd(HostMonitor *m)
{
    return m->fd;
}

void sim_monitor_submit(HostMonitor *m)
{
    submit(m);
}

HostMonitor *sim_monitor_by_fd(int fd)
{
    HostMonitor *m;

    QTAILQ_FOREACH(m, &sim.monitors, next) {
        if (m->fd == fd) {
            return m;
        }
    }
    return NULL;
}

bool sim_monitor_has_events(HostMonitor *m)
{
    return any_due(m) || any_watch_ready(m);
}
