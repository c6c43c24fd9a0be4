/* SPDX-License-Identifier: MIT */
/*
 * The host: everything that an event loop cannot compute by itself.
 *
 * Time, readiness, completions, the order in which threads get locks, random
 * numbers and bytes from outside enter through the table below, and nowhere
 * else.  Three hosts fill it in:
 *
 *   live    threads, eventfds and io_uring of the kernel   (eventloop/live)
 *   sim     virtual threads on one OS thread, virtual time (sim)
 *   replay  the machine of sim, with answers from a log    (replay)
 *
 * and the recorder (replay) wraps any of them.  A test checks with nm that the
 * rest of eventloop/ and block/ import no clock, thread, random or I/O symbol,
 * so what is not in this file cannot make two runs differ.
 *
 * On the live host without a recorder an operation costs what it does: the
 * hot ones test host_mode, one predicted branch, and go on inline.
 */
#ifndef EVENTLOOP_HOST_H
#define EVENTLOOP_HOST_H

#include "aiolab/probe.h"
#include "qemu/aio.h"
#include "qemu/coroutine_int.h"
#include "qemu/notify.h"
#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "raw-atomic.h"
#include "stack.h"

/* ---- What the event loop keeps for each thread ---- */

typedef struct HostDeferred HostDeferred; /* defer-call.c */

enum { HOST_COROUTINE_BATCH = 128 };

/* Coroutines that wait in a pool; see coroutine-pool.c. */
typedef struct HostCoroutineBatch {
    Coroutine *first;
    unsigned n;
} HostCoroutineBatch;

/* Bits of HostFast.trap. */
enum {
    TRAP_UNATTACHED = 1,
    TRAP_NO_CONTEXT = 2, /* the BQL may lend it the main thread's */
    TRAP_TRACED = 4,     /* somebody listens to probes */
    TRAP_DIGESTED = 8,   /* nobody does, and they are in the digest */
};

/*
 * What a coroutine switch looks at.  It stands in thread-local memory itself,
 * which saves going through a pointer: coroutine-switch.c.
 */
typedef struct HostFast {
    uintptr_t trap;     /* why entering a coroutine takes the long way, or 0 */
    AioContext *ctx;    /* the context that the thread polls */
    Coroutine *current; /* who runs */
} HostFast;

/* What a thread may find when it looks at a word of the loop's. */
typedef enum HostSight {
#define SIGHT(ID, name, help) HOST_SIGHT_##ID,
#include "sights.def"
#undef SIGHT
    HOST_SIGHT_MAX
} HostSight;

/* By what a thread enters GLib's own code. */
typedef enum HostGlibCall {
#define GLIB_CALL(ID, name) HOST_GLIB_##ID,
#include "glib-calls.def"
#undef GLIB_CALL
    HOST_GLIB_MAX
} HostGlibCall;
extern const char *const host_glib_call_names[HOST_GLIB_MAX];

typedef struct HostGlibPrivate {
    GPrivate *key;
    gpointer value;
    struct HostGlibPrivate *next;
} HostGlibPrivate;

/* Where GLib would know threads, and there may be virtual ones only. */
typedef struct HostGlib {
    unsigned depth;   /* sections that it is in: glib-section.c */
    int64_t now_ns;   /* HOST_GLIB: the time in there */
    void *running;    /* the context whose loop polls for it */
    int wakeup_fd;    /* GLib's, of what it polls next, or -1 */
    GSource *source;  /* that it dispatches, or NULL */
    int dispatches;   /* within each other */
    GSList *defaults; /* its thread-default contexts, the last one first */
    void *thread;     /* its GThread, or NULL */
    void *own_thread; /* to be freed at its end: that, if GLib did not make it */
    HostGlibPrivate *privates; /* what its GPrivates hold */
} HostGlib;

/*
 * The rest of the thread-local state hangs off one pointer, so that the
 * simulated machine can swap it when it switches virtual threads.
 */
typedef struct HostThread {
    HostFast fast;        /* while another virtual thread runs */
    HostCoroutineBatch pool, spare; /* spare: empty, or full */

    uint32_t id;          /* in creation order; the main thread is 1 */
    uint32_t next_object; /* ordinals of the objects it creates */
    uint64_t digest;      /* probe_digest(), while another thread runs */
    int64_t now_ns;       /* the last time it read */
    uint32_t unseen[HOST_SIGHT_MAX]; /* looks that found nothing, so far */
    uint64_t last_seen[HOST_SIGHT_MAX]; /* host_observe_change() */
    const char *name;

    bool bql_locked;      /* it holds the big QEMU lock */
    bool in_iothread;
    bool in_main_loop_wait; /* it asks GLib what to wait for */
    unsigned next_iothread; /* ordinals of nameless IOThreads */
    int64_t glib_timeout_ns; /* from a GSource's prepare to the next poll */
    HostGlib glib;
    StackedCoroutine leader; /* stands for the thread's own stack */

    unsigned defer_depth; /* defer_call sections that are open */
    HostDeferred *deferred; /* their calls, or NULL */
    HostDeferred *deferred_running; /* those of sections that end */

    QSLIST_HEAD(, QEMUBH) free_bhs; /* for its next bottom halves */
    unsigned n_free_bhs;

    /* While probes are on: the lock that it waits for, 0: none. */
    uint64_t waits_mutex, waits_cond;
    const ProbeSite *waits_at;

    void *host;           /* the host's own */
    NotifierList atexit;  /* called when it ends by itself */
} HostThread;

static inline uintptr_t host_probe_trap(void)
{
    return probe_on & PROBE_SINK ? TRAP_TRACED : probe_on ? TRAP_DIGESTED : 0;
}

/* For functions that are never inlined into coroutine code; or NULL. */
extern __thread HostThread *host_self_;
HostThread *host_self_slowly(void);

/*
 * The running thread; one that another library has started gets its state
 * with the first call.  Never cache the result across a coroutine switch: a
 * coroutine may go on in another thread.  A compiler may keep the address of a
 * thread-local variable across one; the instructions here find it anew.
 */
static inline HostThread *host_self(void)
{
#if defined(__x86_64__) && defined(__ELF__)
    HostThread *self;

    __asm__ volatile("movq host_self_@gottpoff(%%rip), %0\n\t"
                     "movq %%fs:(%0), %0"
                     : "=r"(self));
    if (likely(self)) {
        return self;
    }
#endif
    return host_self_slowly();
}

/* Likewise; host_fast() makes sure that the thread has its state. */
HostFast *host_fast(void);
extern __thread HostFast host_fast_;
/* Another virtual thread runs from now on, or none (NULL). */
void host_set_self(HostThread *self);
/* Makes self->fast what it is: for whoever looks at all threads. */
void host_save_fast(void);
void host_thread_init(HostThread *thread, uint32_t id, const char *name);
/* Its first event; on the thread itself. */
void host_thread_started(HostThread *thread);
/* Calls its qemu_thread_atexit_add() notifiers, once; on the thread itself. */
void host_thread_run_atexit(void);
void host_thread_finish(HostThread *thread);

/* coroutine-pool.c: when a thread, and when the run ends. */
void coroutine_pool_thread_finish(HostThread *self);
void coroutine_pool_finish(void);
/* bottom-half.c */
void bottom_half_thread_finish(HostThread *self);
/* defer-call.c */
void defer_call_thread_finish(HostThread *self);

/* A name for a new object: its creator and an ordinal, the same every run. */
static inline uint64_t host_new_id(void)
{
    HostThread *self = host_self();

    return (uint64_t)self->id << 32 | ++self->next_object;
}

/* ---- Readiness and completions ---- */

typedef struct HostMonitor HostMonitor; /* one per AioContext */
typedef struct HostWatch HostWatch;
typedef struct HostBatch HostBatch;
typedef void HostPrepSqe(struct io_uring_sqe *sqe, void *opaque);

/*
 * A file descriptor monitor: poll, epoll or io_uring.  The functions are those
 * of the table below, and the live host's only; the other hosts refer to a
 * monitor of it to say which one they imitate.
 */
struct FDMonOps {
    const char *name;
    bool visible; /* what is ready can be seen without a system call */
    bool edges;   /* a `drained` watch reports each set, not the state */
    bool each;    /* a GLib loop has to poll every descriptor */

    void (*free)(HostMonitor *monitor);
    HostWatch *(*watch_add)(HostMonitor *monitor, int fd, short events,
                            bool drained, uint64_t id, void *opaque);
    void (*watch_remove)(HostMonitor *monitor, HostWatch *watch);
    void (*add_sqe)(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                    CqeHandler *handler);
    bool (*busy)(HostMonitor *monitor);
    void (*wait)(HostMonitor *monitor, int64_t timeout_ns, HostBatch *batch);
    int (*fd)(HostMonitor *monitor);
    void (*submit)(HostMonitor *monitor);
    bool (*pending)(HostMonitor *monitor);
};

/* A watched descriptor; made and freed by the host. */
struct HostWatch {
    int fd;
    short events;  /* POLLIN, POLLOUT */
    short revents; /* of the last wait */
    bool drained;  /* the context's own notifier: an edge is enough */
    bool ready;    /* is on the batch */
    uint64_t id;   /* of the AioHandler */
    void *opaque;  /* the AioHandler */
    QSIMPLEQ_ENTRY(HostWatch) next;
};

/* What one wait found, in the order in which it found it. */
struct HostBatch {
    QSIMPLEQ_HEAD(, HostWatch) watches;
    CqeHandlerSimpleQ cqes;
    unsigned n_watches;
    unsigned n_cqes;
    int64_t now_ns; /* when it returned; 0 if nobody asks for times */
};

/*
 * Busy polling: @look calls the handlers' io_poll once and says how many were
 * ready; @found names them (their ids, in order).  A replay does not look; it
 * is told, and hands the ids to @take.
 */
typedef struct HostBusyPoll HostBusyPoll;
struct HostBusyPoll {
    bool (*look)(HostBusyPoll *poll);
    void (*take)(HostBusyPoll *poll, uint64_t handler);
    uint64_t *found;
    unsigned n_found;
    bool notified; /* the context's own flag ended it */
    int64_t start_ns; /* when it began; 0: it ended before a look at the clock */
};

/* ---- linux-aio ---- */

typedef struct HostLaio HostLaio; /* one queue of the kernel's */

/*
 * One request, described like one of a ring: a vectored read or write, or a
 * flush.  The submitter keeps it until it is done, and has filled in sqe and
 * the id in handler.cqe.user_data; the result comes in handler.cqe.res.
 */
typedef struct HostLaioRequest {
    CqeHandler handler;
    struct io_uring_sqe sqe;
    uint64_t kernel[8]; /* the host's: what the kernel wants to see */
} HostLaioRequest;

/* ---- Scheduling points ---- */

/* Where another thread could have run: told to the simulated machine. */
typedef enum HostPoint {
    HOST_POINT_BH_PUBLISH, /* object: the bottom half */
    HOST_POINT_CO_PUBLISH, /* object: the coroutine */
    HOST_POINT_NOTIFY,     /* object: the context */
    HOST_POINT_WAITERS,    /* object: 0, the global AioWait */
    HOST_POINT_REPLAY_BH,  /* object: the bottom half of a replay_*() call */
    HOST_POINT_USER,       /* object: the scenario's own number */
    HOST_POINT_SPIN,       /* object: 0; it waits for another thread */
    HOST_POINT_WORD,       /* object: of a lock or an event that is a word */
    HOST_POINT_REPLAY_ONESHOT, /* object: the context of a replay_*() call */
    HOST_POINT_GLIB,       /* object: 0; another thread's loop concerns it */
    HOST_POINT_SLEEP,      /* object: for so many nanoseconds */
} HostPoint;

/* A call of system/replay.h. */
static inline bool host_point_is_replay(HostPoint point)
{
    return point == HOST_POINT_REPLAY_BH || point == HOST_POINT_REPLAY_ONESHOT;
}

/* ---- The table ---- */

typedef struct HostOps {
    const char *name;

    /* Nanoseconds of @clock. */
    int64_t (*clock_ns)(QEMUClockType clock);
    uint64_t (*random64)(void);
    /* Another thread may run now.  Returns in the same thread. */
    void (*point)(HostPoint point, uint64_t object);
    /* A loop turn of @ctx ends; probe_digest() covers it.  May be NULL. */
    void (*turn)(uint64_t ctx);

    /* Home thread, but for watch_add/remove: any thread. */
    HostMonitor *(*monitor_new)(uint64_t ctx, Error **errp);
    /* Which of QEMU's monitors it is, or imitates; may change in a wait. */
    const FDMonOps *(*monitor_ops)(HostMonitor *monitor);
    void (*monitor_free)(HostMonitor *monitor);
    HostWatch *(*watch_add)(HostMonitor *monitor, int fd, short events,
                            bool drained, uint64_t id, void *opaque);
    void (*watch_remove)(HostMonitor *monitor, HostWatch *watch);
    /* HOST_REPLAYS: the home thread has freed the handler of that watch. */
    void (*watch_freed)(HostMonitor *monitor, uint64_t id);
    void (*add_sqe)(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                    CqeHandler *handler);
    /*
     * True if a wait with timeout 0 could find or submit something; of
     * descriptors only a monitor knows that FDMonOps calls visible.
     */
    bool (*monitor_busy)(HostMonitor *monitor);
    /*
     * Submits, waits at most @timeout_ns (-1: for ever) and takes what is
     * there.  The caller has initialised @batch.
     */
    void (*monitor_wait)(HostMonitor *monitor, int64_t timeout_ns,
                         HostBatch *batch);
    /*
     * For a GLib loop, which waits by itself.  monitor_fd: what is readable
     * when a wait would find something (FDMonOps.each: but for descriptors).
     * monitor_submit: hands over what a wait would have submitted.
     * monitor_pending: true if a wait would find something, without asking
     * the kernel.
     */
    int (*monitor_fd)(HostMonitor *monitor);
    void (*monitor_submit)(HostMonitor *monitor);
    bool (*monitor_pending)(HostMonitor *monitor);
    /* poll() to the nanosecond, for GLib's loops; -1: for ever. */
    int (*poll)(GPollFD *fds, unsigned n, int64_t timeout_ns);
    /*
     * Looks until something was found, the monitor has something, or @max_ns
     * have passed.
     */
    void (*busy_poll)(HostMonitor *monitor, int64_t max_ns, HostBusyPoll *poll);
    /*
     * The list of bottom halves that a turn has just taken; may reorder it.
     * A replay puts those that were not taken then back onto @left.
     */
    void (*bh_detached)(uint64_t ctx, BHList *slice, BHList *left);
    /* Likewise of the coroutines that were scheduled. */
    void (*co_detached)(uint64_t ctx, CoroutineList *taken,
                        CoroutineList *left);
    /* HOST_SIGHTS: the thread has found @value; what is it to go on with? */
    uint64_t (*observe)(HostSight what, uint64_t value);
    /*
     * Around each access to a word by qatomic_*(), and what it saw; @how: see
     * qatomic_begin_().
     */
    void (*word_begin)(const volatile void *word, unsigned how);
    void (*word_end)(const volatile void *word, uint64_t value);
    /* smp_mb(); may be NULL. */
    void (*fence)(void);
    /* AIO_REC_ASSERT(): @value must be what it was. */
    void (*rec_assert)(uint64_t value, const ProbeSite *site);

    int (*notifier_init)(EventNotifier *e, bool active);
    void (*notifier_cleanup)(EventNotifier *e);
    void (*notifier_set)(EventNotifier *e);
    bool (*notifier_clear)(EventNotifier *e);

    void (*mutex_init)(QemuMutex *mutex);
    void (*mutex_destroy)(QemuMutex *mutex);
    void (*mutex_lock)(QemuMutex *mutex);
    bool (*mutex_trylock)(QemuMutex *mutex);
    void (*mutex_unlock)(QemuMutex *mutex);
    void (*cond_init)(QemuCond *cond);
    void (*cond_destroy)(QemuCond *cond);
    /* @timeout_ns -1: for ever.  False on time-out. */
    bool (*cond_wait)(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns);
    void (*cond_wake)(QemuCond *cond, bool all);
    /* Sets @thread->host and ->number; looks at ->detached. */
    void (*thread_create)(QemuThread *thread, const char *name,
                          void *(*start)(void *), void *arg);
    /*
     * On the new thread, before its function and after its last; for hosts
     * that stand above another one.  May be NULL.
     */
    void (*thread_begins)(void);
    void (*thread_ends)(void);
    void *(*thread_join)(QemuThread *thread);
    /* The state of a thread that was started by somebody else. */
    HostThread *(*thread_attach)(void);

    /* Files by name.  Return a descriptor for SQEs, or -errno. */
    int (*file_open)(const char *path, bool writable, bool direct);
    void (*file_close)(int fd);
    int64_t (*file_size)(int fd);
    /*
     * One request on a file: the calling thread waits for it.  Returns what
     * its completion would hold.  Any thread.
     */
    int32_t (*file_perform)(const struct io_uring_sqe *sqe);

    /*
     * linux-aio.  A queue with room for @max_events; @e is set when something
     * is complete.  0 or -errno.  Destroying it waits for what is in flight.
     */
    int (*laio_setup)(uint64_t id, unsigned max_events, EventNotifier *e,
                      HostLaio **laio);
    void (*laio_destroy)(HostLaio *laio);
    /* How many of @n were taken, from the first on, or -errno. */
    int (*laio_submit)(HostLaio *laio, HostLaioRequest **requests, unsigned n);
    /* Takes what is complete, at most @n, with its results; does not wait. */
    unsigned (*laio_getevents)(HostLaio *laio, HostLaioRequest **done,
                               unsigned n);
    /* True if it would take anything; for io_poll callbacks, see busy_poll. */
    bool (*laio_pending)(HostLaio *laio);

    /* The calling thread ends here, returning @ret to who joins it. */
    void (*thread_exit)(void *ret);

    /*
     * HOST_GLIB: GLib's own code runs in one thread at a time from
     * glib_enter() to glib_leave(); returns the time (REALTIME) that it finds.
     */
    int64_t (*glib_enter)(HostGlibCall call);
    void (*glib_leave)(void);
    /* The program calls @function, which this host cannot do; ends it. */
    void (*refuse)(const char *function);
    /*
     * HOST_LISTS: a virtual thread ends the process, with @status or by a
     * signal.  Does not return.
     */
    void (*exits)(int status, int signum);
} HostOps;

extern const HostOps *host;

enum {
    HOST_POINTS = 1, /* the host wants to know of scheduling points */
    HOST_TIMES = 2,  /* waits report the time, for events and for people */
    HOST_OBSERVE = 4, /* it wants to know of turns and detached lists */
    HOST_LISTS = 8,  /* one OS thread: keep lists that debuggers walk */
    HOST_SIGHTS = 16, /* threads race, and it wants to know who saw what */
    HOST_REPLAYS = 32, /* a log says who sees what */
    HOST_COUNTS = 64, /* of what taught nothing it wants the number only */
    HOST_GLIB = 128, /* it puts threads in GLib's code into an order */
};
extern int host_mode;

/* How often the host was set: what is older belongs to another run. */
extern unsigned host_run;

/* Makes @ops the host; before any object exists. */
void host_set(const HostOps *ops, int mode);

static inline void host_point(HostPoint point, uint64_t object)
{
    if (unlikely(host_mode & HOST_POINTS)) {
        host->point(point, object);
    }
}

/*
 * The calling thread has looked at a word that others change, and found
 * @value; it goes on with what this returns.  Where threads race, a recording
 * notes it, unless it is zero; so zero must be the answer that nothing was
 * learned from.
 */
static inline uint64_t host_observe(HostSight what, uint64_t value)
{
    int mode = host_mode;

    if (likely(!(mode & HOST_SIGHTS))) {
        return value;
    }
    if (likely(!value && mode & HOST_COUNTS)) {
        host_self()->unseen[what]++;
        return 0;
    }
    return host->observe(what, value);
}

/* The same for a value of which only a change is news. */
static inline uint64_t host_observe_change(HostSight what, uint64_t value)
{
    int mode = host_mode;
    HostThread *self;

    if (likely(!(mode & HOST_SIGHTS))) {
        return value;
    }
    self = host_self();
    value ^= self->last_seen[what];
    if (likely(!value && mode & HOST_COUNTS)) {
        self->unseen[what]++;
    } else {
        self->last_seen[what] ^= host->observe(what, value);
    }
    return self->last_seen[what];
}

/* ---- Sections of GLib's own code; glib-section.c ---- */

void host_glib_enter_slowly(HostGlibCall call);
void host_glib_leave_slowly(void);
/*
 * Around whatever is not GLib's and is called by it: step_out() returns what
 * step_in() wants to have, 0 if the thread is in no section.
 */
unsigned host_glib_step_out(void);
void host_glib_step_in(HostGlibCall call, unsigned depth);

/* When a thread ends, on it: while it can do everything, and then. */
void host_glib_finish_privates(HostGlib *glib);
void host_glib_finish(HostGlib *glib);

/* True where GLib's calls are not simply GLib's. */
static inline bool host_glib_is_ordered(void)
{
    return unlikely(host_mode & (HOST_GLIB | HOST_LISTS));
}

static inline void host_glib_enter(HostGlibCall call)
{
    if (host_glib_is_ordered()) {
        host_glib_enter_slowly(call);
    }
}

static inline void host_glib_leave(void)
{
    if (host_glib_is_ordered()) {
        host_glib_leave_slowly();
    }
}

static inline int64_t host_clock_ns(QEMUClockType clock)
{
    int64_t now = host->clock_ns(clock);

    if (unlikely(host_mode & HOST_TIMES) && clock != QEMU_CLOCK_HOST) {
        host_self()->now_ns = now;
    }
    return now;
}

/* Gives a descriptor to its batch, once. */
static inline void host_batch_watch(HostBatch *batch, HostWatch *watch,
                                    short revents)
{
    watch->revents |= revents;
    if (!watch->ready) {
        watch->ready = true;
        QSIMPLEQ_INSERT_TAIL(&batch->watches, watch, next);
        batch->n_watches++;
    }
}

static inline void host_batch_cqe(HostBatch *batch, CqeHandler *handler,
                                  int32_t res, uint32_t flags)
{
    handler->cqe.res = res;
    handler->cqe.flags = flags;
    QSIMPLEQ_INSERT_TAIL(&batch->cqes, handler, next);
    batch->n_cqes++;
}

#endif
