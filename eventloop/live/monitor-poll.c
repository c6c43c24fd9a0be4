/* SPDX-License-Identifier: MIT */
/*
 * The monitors without a ring: poll() and epoll.
 *
 * They are two tables over one structure, because a monitor changes from one
 * to the other: poll() is cheap for a few descriptors, and from 64 on epoll
 * takes over, as in QEMU (EPOLL_ENABLE_THRESHOLD).  If epoll refuses one, a
 * regular file for example, or to let one go, it goes back to poll() and stays
 * there.
 *
 * Handlers that are ready at once run in the order in which they were added
 * under poll(), and in reverse order of their events under epoll, as in QEMU:
 * what is delivered later is put in front.
 */
#include "../tsan.h"
#include "live.h"
#include "qapi/error.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_EVENTS = 128, EPOLL_ENABLE_THRESHOLD = 64 };

typedef struct PollWatch {
    HostWatch base;
    bool removed;
    QTAILQ_ENTRY(PollWatch) node;
    QSLIST_ENTRY(PollWatch) next_dead; /* may still stand on a batch */
} PollWatch;

typedef struct PollMonitor {
    HostMonitor base;
    pthread_mutex_t lock; /* watches, n_watches, dead, epoll_fd */
    QTAILQ_HEAD(, PollWatch) watches; /* newest first */
    unsigned n_watches;
    QSLIST_HEAD(, PollWatch) dead; /* removed; freed by the home thread */
    int epoll_fd;                  /* -1: not in use */
    bool epoll_refused;
    GArray *pfds;                  /* home thread: of struct pollfd */
    GPtrArray *polled;             /* of PollWatch, for pfds behind the first */
    JobList jobs;
} PollMonitor;

static PollMonitor *poll_monitor(HostMonitor *monitor)
{
    return container_of(monitor, PollMonitor, base);
}

/* ---- epoll, and back ---- */

static bool epoll_control(PollMonitor *m, int op, PollWatch *watch)
{
    struct epoll_event event = {
        /* EPOLLIN and POLLIN, EPOLLOUT and POLLOUT are the same numbers. */
        .events = watch->base.events, .data.ptr = watch,
    };

    tsan_release(m); /* who waits gets the watch from the kernel */
    return epoll_ctl(m->epoll_fd, op, watch->base.fd, &event) == 0;
}

/* Home thread, under the lock. */
static void epoll_disable(PollMonitor *m)
{
    if (m->epoll_fd >= 0) {
        close(m->epoll_fd);
        m->epoll_fd = -1;
    }
    m->epoll_refused = true;
    qatomic_set(&m->base.ops, &fdmon_poll_ops);
}

/* Under the lock: a watch must not slip in between (e62da98527). */
static void epoll_enable(PollMonitor *m)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    PollWatch *watch;

    m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (m->epoll_fd < 0 ||
        epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, m->jobs.done_fd, &event) < 0) {
        epoll_disable(m);
        return;
    }
    QTAILQ_FOREACH(watch, &m->watches, node) {
        if (!epoll_control(m, EPOLL_CTL_ADD, watch)) {
            epoll_disable(m);
            return;
        }
    }
    qatomic_set(&m->base.ops, &fdmon_epoll_ops);
}

/* Home thread, before it waits. */
static void change_monitor(PollMonitor *m)
{
    if (m->epoll_fd < 0 ? qatomic_read(&m->n_watches) >= EPOLL_ENABLE_THRESHOLD
                              && !m->epoll_refused
                        : qatomic_read(&m->epoll_refused)) {
        pthread_mutex_lock(&m->lock);
        if (m->epoll_fd < 0) {
            epoll_enable(m);
        } else {
            epoll_disable(m);
        }
        pthread_mutex_unlock(&m->lock);
    }
}

/* ---- Descriptors ---- */

static HostWatch *poll_watch_add(HostMonitor *monitor, int fd, short events,
                                 bool drained, uint64_t id, void *opaque)
{
    PollMonitor *m = poll_monitor(monitor);
    PollWatch *watch = g_new0(PollWatch, 1);

    watch->base = (HostWatch){
        .fd = fd, .events = events, .id = id, .opaque = opaque,
    };
    pthread_mutex_lock(&m->lock);
    QTAILQ_INSERT_HEAD(&m->watches, watch, node);
    qatomic_set(&m->n_watches, m->n_watches + 1);
    if (m->epoll_fd >= 0 && !epoll_control(m, EPOLL_CTL_ADD, watch)) {
        /* The home thread may be using it; it will see this. */
        qatomic_set(&m->epoll_refused, true);
    }
    pthread_mutex_unlock(&m->lock);
    return &watch->base;
}

static void poll_watch_remove(HostMonitor *monitor, HostWatch *base)
{
    PollMonitor *m = poll_monitor(monitor);
    PollWatch *watch = container_of(base, PollWatch, base);

    pthread_mutex_lock(&m->lock);
    if (m->epoll_fd >= 0 && !epoll_control(m, EPOLL_CTL_DEL, watch)) {
        /* It was closed before.  If it has a duplicate, epoll goes on to
         * report it, and there is no way to make it stop. */
        qatomic_set(&m->epoll_refused, true);
    }
    QTAILQ_REMOVE(&m->watches, watch, node);
    qatomic_set(&m->n_watches, m->n_watches - 1);
    qatomic_set(&watch->removed, true);
    /* The home thread looks without the lock: is there any? */
    QSLIST_INSERT_HEAD_ATOMIC(&m->dead, watch, next_dead);
    pthread_mutex_unlock(&m->lock);
}

/* Nobody holds a batch when the home thread begins a wait. */
static void free_dead(PollMonitor *m)
{
    PollWatch *watch;

    if (!qatomic_read(&m->dead.slh_first)) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    while ((watch = QSLIST_FIRST(&m->dead))) {
        QSLIST_REMOVE_HEAD(&m->dead, next_dead);
        g_free(watch);
    }
    pthread_mutex_unlock(&m->lock);
}

/* ---- Waiting ---- */

/* Of descriptors only the kernel knows; see aio_poll_disabled(). */
static bool poll_busy(HostMonitor *monitor)
{
    return job_list_busy(&poll_monitor(monitor)->jobs);
}

static bool poll_pending(HostMonitor *monitor)
{
    return false;
}

static void poll_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                         CqeHandler *handler)
{
    job_list_add(&poll_monitor(monitor)->jobs, prep, opaque, handler);
}

static void fill_pfds(PollMonitor *m)
{
    struct pollfd pfd = {.fd = m->jobs.done_fd, .events = POLLIN};
    PollWatch *watch;

    g_array_set_size(m->pfds, 0);
    g_ptr_array_set_size(m->polled, 0);
    g_array_append_val(m->pfds, pfd);
    pthread_mutex_lock(&m->lock);
    QTAILQ_FOREACH(watch, &m->watches, node) {
        pfd = (struct pollfd){
            .fd = watch->base.fd, .events = watch->base.events,
        };
        g_array_append_val(m->pfds, pfd);
        g_ptr_array_add(m->polled, watch);
    }
    pthread_mutex_unlock(&m->lock);
}

/* It may have been removed while we slept; only the home thread frees it. */
static void take_event(HostBatch *batch, PollWatch *watch, short revents)
{
    if (!qatomic_read(&watch->removed)) {
        host_batch_watch(batch, &watch->base, revents);
    }
}

static void take_revents(PollMonitor *m, HostBatch *batch)
{
    const struct pollfd *pfds = (struct pollfd *)m->pfds->data;

    if (pfds[0].revents) {
        job_list_take_done(&m->jobs, batch);
    }
    for (unsigned i = 0; i < m->polled->len; i++) {
        if (pfds[i + 1].revents) {
            take_event(batch, g_ptr_array_index(m->polled, i),
                       pfds[i + 1].revents);
        }
    }
}

/* epoll counts milliseconds before Linux 5.11; poll() on it, nanoseconds. */
static int epoll_wait_old(PollMonitor *m, struct epoll_event *events,
                          int64_t timeout_ns)
{
    GPollFD pfd = {.fd = m->epoll_fd, .events = POLLIN};

    live_poll(&pfd, 1, timeout_ns);
    return epoll_wait(m->epoll_fd, events, MAX_EVENTS, 0);
}

/* The bare system calls: glibc's are cancellation points, which costs. */
static int epoll_wait_ns(PollMonitor *m, struct epoll_event *events,
                         int64_t timeout_ns)
{
    struct __kernel_timespec ts = {
        .tv_sec = timeout_ns / NANOSECONDS_PER_SECOND,
        .tv_nsec = timeout_ns % NANOSECONDS_PER_SECOND,
    };
    int n;

    /* As live_poll(), it returns with nothing for a signal. */
    n = timeout_ns > 0
            ? syscall(SYS_epoll_pwait2, m->epoll_fd, events, MAX_EVENTS, &ts,
                      NULL, 0)
            : syscall(SYS_epoll_pwait, m->epoll_fd, events, MAX_EVENTS,
                      (int)timeout_ns, NULL, 0);
    return n < 0 && errno == ENOSYS ? epoll_wait_old(m, events, timeout_ns) : n;
}

static void epoll_wait_for(PollMonitor *m, int64_t timeout_ns,
                           HostBatch *batch)
{
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait_ns(m, events, timeout_ns);

    tsan_acquire(m);
    for (int i = 0; i < n; i++) {
        PollWatch *watch = events[i].data.ptr;

        if (watch) {
            take_event(batch, watch, events[i].events);
        } else {
            job_list_take_done(&m->jobs, batch);
        }
    }
}

static void poll_wait(HostMonitor *monitor, int64_t timeout_ns,
                      HostBatch *batch)
{
    PollMonitor *m = poll_monitor(monitor);

    free_dead(m);
    job_list_submit(&m->jobs);
    change_monitor(m);
    if (m->epoll_fd >= 0) {
        epoll_wait_for(m, timeout_ns, batch);
        return;
    }
    fill_pfds(m);
    if (live_poll((GPollFD *)m->pfds->data, m->pfds->len, timeout_ns) > 0) {
        take_revents(m, batch);
    }
}

/* ---- For a GLib loop ---- */

static void poll_submit(HostMonitor *monitor)
{
    PollMonitor *m = poll_monitor(monitor);

    job_list_submit(&m->jobs);
    change_monitor(m);
}

static int epoll_fd(HostMonitor *monitor)
{
    return poll_monitor(monitor)->epoll_fd;
}

static int done_fd(HostMonitor *monitor)
{
    return poll_monitor(monitor)->jobs.done_fd;
}

/* ---- Life ---- */

static void poll_free(HostMonitor *monitor)
{
    PollMonitor *m = poll_monitor(monitor);

    free_dead(m);
    if (m->epoll_fd >= 0) {
        close(m->epoll_fd);
    }
    job_list_finish(&m->jobs);
    g_array_free(m->pfds, true);
    g_ptr_array_free(m->polled, true);
    pthread_mutex_destroy(&m->lock);
    g_free(m);
}

#define POLL_MONITOR_FUNCTIONS                                              \
    .free = poll_free, .watch_add = poll_watch_add,                         \
    .watch_remove = poll_watch_remove, .add_sqe = poll_add_sqe,             \
    .busy = poll_busy, .wait = poll_wait, .submit = poll_submit,            \
    .pending = poll_pending

const FDMonOps fdmon_poll_ops = {
    .name = "poll", .each = true, .fd = done_fd, POLL_MONITOR_FUNCTIONS,
};

const FDMonOps fdmon_epoll_ops = {
    .name = "epoll", .fd = epoll_fd, POLL_MONITOR_FUNCTIONS,
};

HostMonitor *poll_monitor_new(bool use_epoll, Error **errp)
{
    PollMonitor *m = g_new0(PollMonitor, 1);
    int ret = job_list_init(&m->jobs);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot make an eventfd");
        g_free(m);
        return NULL;
    }
    m->base.ops = &fdmon_poll_ops;
    m->epoll_fd = -1;
    pthread_mutex_init(&m->lock, NULL);
    QTAILQ_INIT(&m->watches);
    QSLIST_INIT(&m->dead);
    m->pfds = g_array_new(false, false, sizeof(struct pollfd));
    m->polled = g_ptr_array_new();
    if (use_epoll) {
        epoll_enable(m);
    }
    return &m->base;
}
