/* SPDX-License-Identifier: MIT */
/* The live host's table: clocks, eventfds, and which monitor a context gets. */
#include "../tsan.h"
#include "live.h"
#include "qapi/error.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static LiveMonitorKind wanted_kind;
static bool fell_back;     /* no context has a ring */
static bool by_default;    /* nobody has called live_start() */
static bool need_io_uring; /* every context has one */
static const char *unknown_kind; /* what AIOLAB_FDMON says; to be complained of */
static HostThread main_thread;

static int64_t live_clock_ns(QEMUClockType clock)
{
    struct timespec ts;

    clock_gettime(clock == QEMU_CLOCK_HOST ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                  &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static uint64_t live_random64(void)
{
    uint64_t value = 0;

    while (getrandom(&value, sizeof(value), 0) != sizeof(value)) {
    }
    return value;
}

static void live_point(HostPoint point, uint64_t object)
{
    /* The kernel decides; there is nothing to tell it. */
}

static void live_turn(uint64_t ctx)
{
}

static void live_bh_detached(uint64_t ctx, BHList *slice, BHList *left)
{
}

/* ---- Monitors ---- */

static const struct {
    const char *name;
    LiveMonitorKind kind;
} monitor_kinds[] = {
    {"auto", LIVE_MONITOR_AUTO},
    {"io_uring", LIVE_MONITOR_IO_URING},
    {"epoll", LIVE_MONITOR_EPOLL},
    {"poll", LIVE_MONITOR_POLL},
};

bool live_monitor_kind(const char *name, LiveMonitorKind *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(monitor_kinds); i++) {
        if (g_str_equal(name, monitor_kinds[i].name)) {
            *kind = monitor_kinds[i].kind;
            return true;
        }
    }
    return false;
}

/*
 * Once a context has a ring, all others must: aio_add_sqe() works in every
 * thread or in none.  Without one, they begin with poll().
 */
static HostMonitor *live_monitor_new(uint64_t ctx, Error **errp)
{
    HostMonitor *monitor;
    Error *err = NULL;

    if (unlikely(unknown_kind)) {
        fprintf(stderr, "aiolab: AIOLAB_FDMON: '%s' is not poll, epoll, "
                "io_uring or auto; using auto\n", unknown_kind);
        unknown_kind = NULL;
    }
    if (wanted_kind == LIVE_MONITOR_EPOLL || wanted_kind == LIVE_MONITOR_POLL ||
        fell_back) {
        return poll_monitor_new(wanted_kind == LIVE_MONITOR_EPOLL, errp);
    }
    monitor = uring_monitor_new(&err);
    if (monitor || wanted_kind == LIVE_MONITOR_IO_URING || need_io_uring) {
        need_io_uring = true;
        error_propagate(errp, err);
        return monitor;
    }
    /* A program that has not asked for anything is not told, as in QEMU. */
    if (!by_default) {
        fprintf(stderr, "aiolab: %s; using poll(), epoll and threads instead\n",
                error_get_pretty(err));
    }
    error_free(err);
    fell_back = true;
    return poll_monitor_new(false, errp);
}

static void live_monitor_free(HostMonitor *monitor)
{
    monitor->ops->free(monitor);
}

static const FDMonOps *live_monitor_ops(HostMonitor *monitor)
{
    return monitor->ops;
}

static HostWatch *live_watch_add(HostMonitor *monitor, int fd, short events,
                                 bool drained, uint64_t id, void *opaque)
{
    /* Any thread; the home thread may be changing it. */
    return qatomic_read(&monitor->ops)->watch_add(monitor, fd, events, drained,
                                                  id, opaque);
}

static void live_watch_remove(HostMonitor *monitor, HostWatch *watch)
{
    qatomic_read(&monitor->ops)->watch_remove(monitor, watch);
}

static void live_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                         CqeHandler *handler)
{
    monitor->ops->add_sqe(monitor, prep, opaque, handler);
}

static bool live_monitor_busy(HostMonitor *monitor)
{
    return monitor->ops->busy(monitor);
}

static void live_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                              HostBatch *batch)
{
    monitor->ops->wait(monitor, timeout_ns, batch);
    if (unlikely(host_mode & HOST_TIMES)) {
        batch->now_ns = live_clock_ns(QEMU_CLOCK_REALTIME);
    }
}

static int live_monitor_fd(HostMonitor *monitor)
{
    return monitor->ops->fd(monitor);
}

static void live_monitor_submit(HostMonitor *monitor)
{
    monitor->ops->submit(monitor);
}

static bool live_monitor_pending(HostMonitor *monitor)
{
    return monitor->ops->pending(monitor);
}

/* Looking at the clock takes longer than looking at memory. */
enum { LOOKS_PER_CLOCK = 8 };

static void live_busy_poll(HostMonitor *monitor, int64_t max_ns,
                           HostBusyPoll *poll)
{
    for (unsigned looks = 1;; looks++) {
        if (poll->look(poll) || !max_ns || monitor->ops->pending(monitor)) {
            return;
        }
        if (looks % LOOKS_PER_CLOCK == 0) {
            int64_t now = live_clock_ns(QEMU_CLOCK_REALTIME);

            if (!poll->start_ns) {
                poll->start_ns = now;
            } else if (now - poll->start_ns >= max_ns) {
                return;
            }
        }
        cpu_relax();
    }
}

/* ---- GLib's loops ---- */

int live_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    struct timespec ts = {
        .tv_sec = timeout_ns / NANOSECONDS_PER_SECOND,
        .tv_nsec = timeout_ns % NANOSECONDS_PER_SECOND,
    };
    int ret;

    QEMU_BUILD_BUG_ON(sizeof(GPollFD) != sizeof(struct pollfd));
    ret = ppoll((struct pollfd *)fds, n, timeout_ns < 0 ? NULL : &ts, NULL);
    /*
     * A signal: some of the time has passed, and the caller knows how much.
     * Its handler may have changed what the caller of the loop waits for, so
     * the loop returns, as QEMU's.
     */
    return ret < 0 && errno == EINTR ? 0 : ret;
}

/* ---- Notifiers ---- */

static int live_notifier_init(EventNotifier *e, bool active)
{
    int fd = eventfd(active, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    e->rfd = e->wfd = fd;
    return 0;
}

static void live_notifier_cleanup(EventNotifier *e)
{
    close(e->rfd);
    e->rfd = e->wfd = -1;
}

/* As bare system calls: glibc's are cancellation points, which costs. */
static void live_notifier_set(EventNotifier *e)
{
    static const uint64_t one = 1;
    ssize_t ret;

    tsan_release(e);
    do {
        ret = syscall(SYS_write, e->wfd, &one, sizeof(one));
    } while (ret < 0 && errno == EINTR);
    /* EAGAIN: the counter is at its limit, so it is set. */
    assert(ret == sizeof(one) || errno == EAGAIN);
}

static bool live_notifier_clear(EventNotifier *e)
{
    uint64_t count;
    ssize_t ret;

    do {
        ret = syscall(SYS_read, e->rfd, &count, sizeof(count));
    } while (ret < 0 && errno == EINTR);
    tsan_acquire(e);
    return ret == sizeof(count);
}

const HostOps live_host = {
    .name = "live",
    .clock_ns = live_clock_ns,
    .random64 = live_random64,
    .point = live_point,
    .turn = live_turn,
    .monitor_new = live_monitor_new,
    .monitor_free = live_monitor_free,
    .monitor_ops = live_monitor_ops,
    .watch_add = live_watch_add,
    .watch_remove = live_watch_remove,
    .add_sqe = live_add_sqe,
    .monitor_busy = live_monitor_busy,
    .monitor_wait = live_monitor_wait,
    .monitor_fd = live_monitor_fd,
    .monitor_submit = live_monitor_submit,
    .monitor_pending = live_monitor_pending,
    .poll = live_poll,
    .busy_poll = live_busy_poll,
    .bh_detached = live_bh_detached,
    .notifier_init = live_notifier_init,
    .notifier_cleanup = live_notifier_cleanup,
    .notifier_set = live_notifier_set,
    .notifier_clear = live_notifier_clear,
    .mutex_init = live_mutex_init,
    .mutex_destroy = live_mutex_destroy,
    .mutex_lock = live_mutex_lock,
    .mutex_trylock = live_mutex_trylock,
    .mutex_unlock = live_mutex_unlock,
    .cond_init = live_cond_init,
    .cond_destroy = live_cond_destroy,
    .cond_wait = live_cond_wait,
    .cond_wake = live_cond_wake,
    .thread_create = live_thread_create,
    .thread_join = live_thread_join,
    .thread_attach = live_thread_attach,
    .file_open = live_file_open,
    .file_close = live_file_close,
    .file_size = live_file_size,
    .file_perform = live_perform_sqe,
    .laio_setup = live_laio_setup,
    .laio_destroy = live_laio_destroy,
    .laio_submit = live_laio_submit,
    .laio_getevents = live_laio_getevents,
    .laio_pending = live_laio_pending,
    .thread_exit = live_thread_exit,
};

/*
 * Waits end when they should.  Linux lets a thread sleep up to 50 us longer
 * than it asks for; threads inherit what the main thread says here, as they do
 * in QEMU (init_clocks()).
 */
static void wake_on_time(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static void start(LiveMonitorKind kind, int mode)
{
    wake_on_time();
    wanted_kind = kind;
    fell_back = need_io_uring = false;
    live_thread_reset();
    host_thread_init(&main_thread, live_thread_number(), "main");
    host_set_self(&main_thread);
    host_set(&live_host, mode);
}

/*
 * A program that only links against the library, as QEMU's unit tests do, has
 * the live host before main().
 */
static __attribute__((constructor)) void start_by_default(void)
{
    const char *name = getenv("AIOLAB_FDMON");
    LiveMonitorKind kind = LIVE_MONITOR_AUTO;

    if (name && *name && !live_monitor_kind(name, &kind)) {
        unknown_kind = name;
    }
    by_default = true;
    start(kind, 0);
}

void live_start(LiveMonitorKind kind, int mode)
{
    live_stop();
    by_default = false;
    unknown_kind = NULL;
    start(kind, mode);
}

/* Back to what start_by_default() has set. */
void live_stop(void)
{
    live_thread_wait_detached(-1);
    host_thread_finish(&main_thread);
    start(LIVE_MONITOR_AUTO, 0);
}

bool live_uses_io_uring(void)
{
    return need_io_uring;
}
