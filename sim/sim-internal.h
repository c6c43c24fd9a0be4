/* SPDX-License-Identifier: MIT */
/* Shared by the files of this room: the machine's clock and its waiting. */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "device.h"
#include "machine.h"
#include "sim.h"

enum { SIM_TICK_NS = 50 }; /* what a host operation takes */

typedef struct Sim {
    SimConfig config;
    int64_t now;
    uint64_t rng;
    uint64_t steps;
    bool abandoned;
    bool rests; /* the main thread, in sim_rest() */
    SimOutcome outcome;
    int exit_status, exit_signal;
    QTAILQ_HEAD(, HostMonitor) monitors;
    int next_monitor;
    uint64_t next_ready; /* numbers notifiers as they become readable */
    QLIST_HEAD(, SimPoller) pollers;
    QTAILQ_HEAD(, HostLaio) laios;
    GPtrArray *notifiers; /* of SimNotifier, by virtual descriptor */
    GPtrArray *files;     /* of SimFile, by virtual descriptor */
} Sim;

extern Sim sim;

static inline void sim_access(const volatile void *object, SimAccess how)
{
    if (unlikely(sim.config.tracer && sim.config.tracer->access)) {
        sim.config.tracer->access(object, how);
    }
}

/* What SimConfig.still takes no time. */
static inline void sim_tick(void)
{
    if (!sim.config.still) {
        sim.now += SIM_TICK_NS;
    }
}

/* splitmix64: the machine's only source of chance. */
uint64_t sim_random(uint64_t *state);
unsigned sim_choose(ChoiceKind kind, uint64_t object, const uint64_t *options,
                    unsigned n);
/*
 * How many of the @n completions that are due a look returns.  @or_none: it has
 * something else to return, so it may be none; they came a moment later.
 */
unsigned sim_choose_batch(uint64_t object, unsigned n, bool or_none);

/* schedule.c: HostOps.exits */
void sim_exits(int status, int signum);
/* Another thread may go first. */
void sim_point(void);
/* Waits until sim_wake() or @deadline (-1: none); true if woken. */
bool sim_block(int64_t deadline);
/* The only thread of a plain run: it waits for its own monitor, or for time. */
bool sim_is_alone(void);
void sim_wake(VThread *thread);

/* monitor.c */
HostMonitor *sim_monitor_new(uint64_t ctx, Error **errp);
const FDMonOps *sim_monitor_ops(HostMonitor *monitor);
void sim_monitor_free(HostMonitor *monitor);
HostWatch *sim_watch_add(HostMonitor *monitor, int fd, short events,
                         bool drained, uint64_t id, void *opaque);
void sim_watch_remove(HostMonitor *monitor, HostWatch *watch);
void sim_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                 CqeHandler *handler);
bool sim_monitor_busy(HostMonitor *monitor);
void sim_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                      HostBatch *batch);
int sim_monitor_fd(HostMonitor *monitor);
void sim_monitor_submit(HostMonitor *monitor);
bool sim_monitor_pending(HostMonitor *monitor);
void sim_busy_poll(HostMonitor *monitor, int64_t max_ns, HostBusyPoll *poll);
bool sim_monitor_has_events(HostMonitor *monitor);
/* The current step depends on what it has. */
void sim_monitor_touch(HostMonitor *monitor);
/* @fd becomes readable: before or after others that the same monitor watches. */
void sim_monitor_touch_order(int fd);
/* Time goes from @before to @now: a step that all monitors depend on of which
 * a request is done meanwhile. */
void sim_monitor_touch_due(int64_t before, int64_t now);
/* When its next request is due, or -1. */
int64_t sim_monitor_due(HostMonitor *monitor);
/* The monitor behind a virtual descriptor, or NULL. */
HostMonitor *sim_monitor_by_fd(int fd);
/* How long the device takes for a request; a part of that is chance. */
int64_t sim_latency(const struct io_uring_sqe *sqe);
/* The soonest completion of any monitor behind @after, or -1; schedule.c. */
int64_t sim_monitor_next_event(int64_t after);
/* Wakes the threads whose monitor has something to return. */
void sim_monitor_wake_ready(void);

/* poll.c: GLib's loops */
int sim_poll(GPollFD *fds, unsigned n, int64_t timeout_ns);
/* Wakes the threads that poll something that is ready. */
void sim_poll_wake_ready(void);
/* The soonest completion that somebody polls for, or -1. */
int64_t sim_poll_next_event(void);

/* notifier.c: descriptors from SIM_FD_NOTIFIER on */
enum {
    SIM_FD_NOTIFIER = 1 << 20, SIM_FD_FILE = 1 << 21, SIM_FD_MONITOR = 1 << 22,
};
int sim_notifier_init(EventNotifier *e, bool active);
void sim_notifier_cleanup(EventNotifier *e);
void sim_notifier_set(EventNotifier *e);
bool sim_notifier_clear(EventNotifier *e);
bool sim_fd_readable(int fd);
/* When it was set last, in an order of all notifiers. */
uint64_t sim_fd_readable_since(int fd);
uint64_t sim_fd_sets(int fd);
void sim_fd_touch(int fd); /* somebody looks at it */
void sim_fd_set(int fd); /* by the device: no scheduling point */

/* file.c */
int sim_file_open(const char *path, bool writable, bool direct);
void sim_file_close(int fd);
int64_t sim_file_size(int fd);
/* Performs a request on a virtual file; returns its result. */
int32_t sim_file_perform(const struct io_uring_sqe *sqe);
/*
 * Likewise, but it may fail by choice, see fault.c; @fault is whether it did,
 * and whether the one before did.
 */
int32_t sim_perform(uint64_t object, bool *fault, const struct io_uring_sqe *sqe);
/* The same, when the device has taken its time for it. */
int32_t sim_file_wait_and_perform(const struct io_uring_sqe *sqe);
void sim_files_finish(void);
/* The device that it is on, or NULL: that of the machine's configuration. */
SimModel *sim_file_model(int fd);

/* linux-aio.c */
int sim_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                   HostLaio **laio);
void sim_laio_destroy(HostLaio *laio);
int sim_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n);
unsigned sim_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n);
bool sim_laio_pending(HostLaio *laio);
/* When the device is done with the next request, or -1. */
int64_t sim_laio_next_event(void);
/* Completes what is due, and sets the notifiers. */
void sim_laio_complete_due(void);

/* word.c: what qatomic_*() do */
void sim_word_begin(const volatile void *word, unsigned how);
void sim_word_end(const volatile void *word, uint64_t value);
void sim_fence(void);
/* Lets those go on that wait for a word which has changed unseen. */
bool sim_words_recheck(void);

/* lock.c */
void sim_mutex_init(QemuMutex *mutex);
void sim_mutex_destroy(QemuMutex *mutex);
void sim_mutex_lock(QemuMutex *mutex);
bool sim_mutex_trylock(QemuMutex *mutex);
void sim_mutex_unlock(QemuMutex *mutex);
void sim_cond_init(QemuCond *cond);
void sim_cond_destroy(QemuCond *cond);
bool sim_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns);
void sim_cond_wake(QemuCond *cond, bool all);
void sim_thread_create(QemuThread *thread, const char *name,
                       void *(*start)(void *), void *arg);
void *sim_thread_join(QemuThread *thread);
void sim_thread_ended(VThread *thread);

#endif
