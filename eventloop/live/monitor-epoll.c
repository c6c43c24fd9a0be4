/* SPDX-License-Identifier: MIT */
/*
 * Where there is no io_uring: epoll watches descriptors, and a few threads
 * perform requests with plain system calls.  The loop above sees a ring all
 * the same.
 */
#include "live.h"
#include "qapi/error.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_EVENTS = 128, MAX_WORKERS = 8 };

typedef struct EpollMonitor EpollMonitor;

typedef struct Job {
    EpollMonitor *monitor;
    struct io_uring_sqe sqe;
    CqeHandler *handler;
    int32_t res;
    QSIMPLEQ_ENTRY(Job) next;
} Job;

typedef QSIMPLEQ_HEAD(, Job) JobQueue;

/* Its own link: a removed watch may still stand on the home thread's batch. */
typedef struct EpollWatch {
    HostWatch base;
    QSLIST_ENTRY(EpollWatch) next_dead;
} EpollWatch;

struct EpollMonitor {
    HostMonitor base;
    int epoll_fd;
    int done_fd;          /* eventfd: a worker has finished a job */
    pthread_mutex_t lock; /* done, dead */
    JobQueue done;
    QSLIST_HEAD(, EpollWatch) dead; /* removed; freed by the home thread */
    JobQueue queued;      /* home thread: SQEs not submitted yet */
};

/* The workers serve all monitors. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    JobQueue jobs;
    unsigned threads, idle;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static EpollMonitor *epoll_monitor(HostMonitor *monitor)
{
    return container_of(monitor, EpollMonitor, base);
}

/* ---- Workers ---- */

static void job_done(Job *job)
{
    static const uint64_t one = 1;
    EpollMonitor *m = job->monitor;

    pthread_mutex_lock(&m->lock);
    QSIMPLEQ_INSERT_TAIL(&m->done, job, next);
    if (write(m->done_fd, &one, sizeof(one)) < 0) {
        abort(); /* an eventfd cannot fail so */
    }
    pthread_mutex_unlock(&m->lock);
}

static void *worker(void *opaque)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        Job *job;

        while (!(job = QSIMPLEQ_FIRST(&pool.jobs))) {
            pool.idle++;
            pthread_cond_wait(&pool.work, &pool.lock);
            pool.idle--;
        }
        QSIMPLEQ_REMOVE_HEAD(&pool.jobs, next);
        pthread_mutex_unlock(&pool.lock);
        job->res = live_perform_sqe(&job->sqe);
        job_done(job);
        pthread_mutex_lock(&pool.lock);
    }
    return NULL;
}

static void submit_jobs(EpollMonitor *m)
{
    Job *job;

    if (QSIMPLEQ_EMPTY(&m->queued)) {
        return;
    }
    pthread_mutex_lock(&pool.lock);
    if (!pool.threads) {
        QSIMPLEQ_INIT(&pool.jobs);
    }
    while ((job = QSIMPLEQ_FIRST(&m->queued))) {
        QSIMPLEQ_REMOVE_HEAD(&m->queued, next);
        QSIMPLEQ_INSERT_TAIL(&pool.jobs, job, next);
        if (!pool.idle && pool.threads < MAX_WORKERS) {
            pthread_t thread;

            if (pthread_create(&thread, NULL, worker, NULL) == 0) {
                pthread_detach(thread);
                pool.threads++;
            }
        }
    }
    assert(pool.threads);
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

static void epoll_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                          CqeHandler *handler)
{
    Job *job = g_new0(Job, 1);

    job->monitor = epoll_monitor(monitor);
    job->handler = handler;
    prep(&job->sqe, opaque);
    QSIMPLEQ_INSERT_TAIL(&job->monitor->queued, job, next);
}

/* ---- Descriptors ---- */

static HostWatch *epoll_watch_add(HostMonitor *monitor, int fd, short events,
                                  bool drained, uint64_t id, void *opaque)
{
    EpollWatch *watch = g_new0(EpollWatch, 1);
    struct epoll_event event = {
        /* EPOLLIN and POLLIN, EPOLLOUT and POLLOUT are the same numbers. */
        .events = events, .data.ptr = &watch->base,
    };

    watch->base = (HostWatch){
        .fd = fd, .events = events, .id = id, .opaque = opaque,
    };
    if (epoll_ctl(epoll_monitor(monitor)->epoll_fd, EPOLL_CTL_ADD, fd,
                  &event) < 0) {
        fprintf(stderr, "aiolab: epoll cannot watch descriptor %d: %s\n", fd,
                g_strerror(errno));
        abort();
    }
    return &watch->base;
}

static void epoll_watch_remove(HostMonitor *monitor, HostWatch *base)
{
    EpollMonitor *m = epoll_monitor(monitor);
    EpollWatch *watch = container_of(base, EpollWatch, base);

    /* Fails if the descriptor was closed before, which removed it too. */
    epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, base->fd, NULL);
    pthread_mutex_lock(&m->lock);
    QSLIST_INSERT_HEAD(&m->dead, watch, next_dead);
    pthread_mutex_unlock(&m->lock);
}

/* ---- Waiting ---- */

static bool epoll_busy(HostMonitor *monitor)
{
    return true; /* only the kernel knows */
}

static void take_done(EpollMonitor *m, HostBatch *batch)
{
    uint64_t count;
    Job *job;

    if (read(m->done_fd, &count, sizeof(count)) < 0) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    while ((job = QSIMPLEQ_FIRST(&m->done))) {
        QSIMPLEQ_REMOVE_HEAD(&m->done, next);
        host_batch_cqe(batch, job->handler, job->res, 0);
        g_free(job);
    }
    pthread_mutex_unlock(&m->lock);
}

static void free_dead(EpollMonitor *m)
{
    EpollWatch *watch;

    pthread_mutex_lock(&m->lock);
    while ((watch = QSLIST_FIRST(&m->dead))) {
        QSLIST_REMOVE_HEAD(&m->dead, next_dead);
        g_free(watch);
    }
    pthread_mutex_unlock(&m->lock);
}

/* epoll_wait() counts milliseconds; ppoll() on its descriptor, nanoseconds. */
static void wait_until_ready(EpollMonitor *m, int64_t timeout_ns)
{
    struct pollfd pfd = {.fd = m->epoll_fd, .events = POLLIN};
    struct timespec ts = {
        .tv_sec = timeout_ns / NANOSECONDS_PER_SECOND,
        .tv_nsec = timeout_ns % NANOSECONDS_PER_SECOND,
    };

    while (ppoll(&pfd, 1, timeout_ns < 0 ? NULL : &ts, NULL) < 0 &&
           errno == EINTR) {
    }
}

static void epoll_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                               HostBatch *batch)
{
    EpollMonitor *m = epoll_monitor(monitor);
    struct epoll_event events[MAX_EVENTS];
    int n;

    free_dead(m);
    submit_jobs(m);
    if (timeout_ns) {
        wait_until_ready(m, timeout_ns);
    }
    n = epoll_wait(m->epoll_fd, events, MAX_EVENTS, 0);
    for (int i = 0; i < n; i++) {
        HostWatch *watch = events[i].data.ptr;

        if (watch) {
            host_batch_watch(batch, watch, events[i].events);
        } else {
            take_done(m, batch);
        }
    }
}

static void epoll_free(HostMonitor *monitor)
{
    EpollMonitor *m = epoll_monitor(monitor);

    free_dead(m);
    close(m->done_fd);
    close(m->epoll_fd);
    pthread_mutex_destroy(&m->lock);
    g_free(m);
}

static const LiveMonitorOps epoll_ops = {
    .free = epoll_free,
    .watch_add = epoll_watch_add,
    .watch_remove = epoll_watch_remove,
    .add_sqe = epoll_add_sqe,
    .busy = epoll_busy,
    .wait = epoll_monitor_wait,
};

HostMonitor *epoll_monitor_new(Error **errp)
{
    EpollMonitor *m = g_new0(EpollMonitor, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    m->base.ops = &epoll_ops;
    m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    m->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->epoll_fd < 0 || m->done_fd < 0 ||
        epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, m->done_fd, &event) < 0) {
        error_setg_errno(errp, errno, "cannot set up epoll");
        close(m->epoll_fd);
        close(m->done_fd);
        g_free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    QSIMPLEQ_INIT(&m->done);
    QSLIST_INIT(&m->dead);
    QSIMPLEQ_INIT(&m->queued);
    return &m->base;
}
