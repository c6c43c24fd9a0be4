/* SPDX-License-Identifier: MIT */
/* A layer over the live host that notices when nothing can go on. */
#include "watch-live.h"

#include "live/live.h"
#include "watch-threads.h"

#include <pthread.h>

static struct {
    uint64_t begun, taken; /* requests; added and taken by any thread */
    unsigned descriptors[WATCH_DESCRIPTORS]; /* how often each is watched */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
    unsigned helpers;
    WatchStuck *stuck;
    void *opaque;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};

enum { LOOK_MS = 300 };

/* ---- What threads do in the host ---- */

static void mutex_lock(QemuMutex *mutex)
{
    if (!live_host.mutex_trylock(mutex)) {
        WatchedThread *self = watch_begin(false, NULL, 0);

        live_host.mutex_lock(mutex);
        watch_end(self);
    }
}

static bool cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns)
{
    WatchedThread *self = watch_begin(timeout_ns >= 0, NULL, 0);
    bool woken = live_host.cond_wait(cond, mutex, timeout_ns);

    watch_end(self);
    return woken;
}

static void *thread_join(QemuThread *thread)
{
    WatchedThread *self = watch_begin(false, NULL, 0);
    void *ret = live_host.thread_join(thread);

    watch_end(self);
    return ret;
}

static int poll_descriptors(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    WatchedThread *self = watch_begin(timeout_ns >= 0, fds, n);
    int ready = live_host.poll(fds, n, timeout_ns);

    watch_end(self);
    return ready;
}

static void monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                         HostBatch *batch)
{
    if (timeout_ns == 0) {
        live_host.monitor_wait(monitor, timeout_ns, batch);
    } else {
        WatchedThread *self = watch_begin(timeout_ns > 0, NULL, 0);

        live_host.monitor_wait(monitor, timeout_ns, batch);
        watch_end(self);
    }
    if (batch->n_cqes) {
        qatomic_add(&watch.taken, batch->n_cqes);
    }
}

static void add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                    CqeHandler *handler)
{
    qatomic_inc(&watch.begun);
    live_host.add_sqe(monitor, prep, opaque, handler);
}

static int laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    int ret;

    qatomic_add(&watch.begun, n);
    ret = live_host.laio_submit(laio, requests, n);
    qatomic_add(&watch.taken, n - MAX(ret, 0));
    return ret;
}

static unsigned laio_getevents(HostLaio *laio, HostLaioRequest **done,
                               unsigned n)
{
    unsigned taken = live_host.laio_getevents(laio, done, n);

    qatomic_add(&watch.taken, taken);
    return taken;
}

static void count_descriptor(int fd, int change)
{
    if (fd >= 0 && fd < WATCH_DESCRIPTORS) {
        qatomic_add(&watch.descriptors[fd], change);
    }
}

static HostWatch *watch_add(HostMonitor *monitor, int fd, short events,
                            bool drained, uint64_t id, void *opaque)
{
    count_descriptor(fd, 1);
    return live_host.watch_add(monitor, fd, events, drained, id, opaque);
}

static void watch_remove(HostMonitor *monitor, HostWatch *w)
{
    count_descriptor(w->fd, -1);
    live_host.watch_remove(monitor, w);
}

const HostOps *watch_live_host(void)
{
    static HostOps ops;

    ops = live_host;
    ops.mutex_lock = mutex_lock;
    ops.cond_wait = cond_wait;
    ops.thread_join = thread_join;
    ops.poll = poll_descriptors;
    ops.monitor_wait = monitor_wait;
    ops.add_sqe = add_sqe;
    ops.laio_submit = laio_submit;
    ops.laio_getevents = laio_getevents;
    ops.watch_add = watch_add;
    ops.watch_remove = watch_remove;
    return &ops;
}

/* ---- Looking ---- */

/* Nothing is on its way that could wake somebody. */
static bool nothing_in_flight(void)
{
    if (qatomic_read(&watch.begun) != qatomic_read(&watch.taken)) {
        return false;
    }
    for (int fd = 0; fd < WATCH_DESCRIPTORS; fd++) {
        if (qatomic_read(&watch.descriptors[fd]) && !watch_is_internal(fd)) {
            return false;
        }
    }
    return true;
}

/* False when it is time to stop. */
static bool sleep_a_while(void)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * SCALE_MS;
    until.tv_sec += until.tv_nsec / NANOSECONDS_PER_SECOND;
    until.tv_nsec %= NANOSECONDS_PER_SECOND;
    pthread_mutex_lock(&watch.lock);
    if (!watch.stopping) {
        pthread_cond_timedwait(&watch.stop, &watch.lock, &until);
    }
    stopping = watch.stopping;
    pthread_mutex_unlock(&watch.lock);
    return !stopping;
}

static void *look_now_and_then(void *opaque)
{
    uint64_t before = 0;
    unsigned agreed = 0;

    while (sleep_a_while()) {
        uint64_t epochs = 0;
        bool quiet = nothing_in_flight() &&
                     watch_all_sleep(watch.helpers + 1, &epochs);

        /* The first look has none before it, so it takes three. */
        agreed = quiet && epochs == before ? agreed + 1 : 0;
        before = quiet ? epochs : 0;
        if (agreed == 2) {
            uint32_t threads[WATCH_THREADS];
            unsigned n = watch_thread_numbers(threads);

            watch.stuck(threads, n, watch.opaque);
        }
    }
    return NULL;
}

void watch_live_start(unsigned helpers, WatchStuck *stuck, void *opaque)
{
    watch.begun = watch.taken = 0;
    memset(watch.descriptors, 0, sizeof(watch.descriptors));
    watch.stopping = false;
    watch.helpers = helpers;
    watch.stuck = stuck;
    watch.opaque = opaque;
    watch_threads_reset();
    if (live_pthread_create(&watch.thread, NULL, look_now_and_then, NULL)) {
        watch.stopping = true; /* then nobody looks */
    }
}

void watch_live_stop(void)
{
    bool started;

    pthread_mutex_lock(&watch.lock);
    started = !watch.stopping;
    watch.stopping = true;
    pthread_cond_signal(&watch.stop);
    pthread_mutex_unlock(&watch.lock);
    if (started) {
        pthread_join(watch.thread, NULL);
    }
}
