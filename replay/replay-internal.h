/* SPDX-License-Identifier: MIT */
/* The replayer's state, and how its host takes inputs. */
#ifndef REPLAY_REPLAY_INTERNAL_H
#define REPLAY_REPLAY_INTERNAL_H

#include "aio-internal.h"
#include "fd-table.h"
#include "input-chain.h"
#include "machine.h"
#include "pending.h"
#include "replay-file.h"
#include "replayer.h"

enum { REPLAY_LAST_EVENTS = 256, REPLAY_CHAIN = 5, REPLAY_LOOKS_MAX = 1 << 20,
       REPLAY_SLEEPS_MAX = 1 << 14 };

/* Virtual descriptors. */
enum {
    REPLAY_FD_FILE = 1 << 21, REPLAY_FD_NOTIFIER = 1 << 20,
    REPLAY_FD_MONITOR = 1 << 22,
};

/* When a thread's digest was last found equal. */
typedef struct Agreed {
    uint64_t input, event;
    unsigned turns;
    unsigned sleeps;   /* since its last input ... */
    uint32_t slept_at; /* ... and before that one */
} Agreed;

typedef struct Replay {
    Log *log;
    Input *inputs;
    size_t n, at;        /* the next input */
    InputChains chains;
    VThread **threads;   /* by number */
    bool simulated;      /* the recorded host was */
    bool complete;       /* the log ends where the scenario does */
    bool main_ended;
    char *exit;          /* how a thread wants to end the process, or NULL */
    VThread *in_glib;    /* who is in GLib's own code */
    unsigned looks_beyond; /* of threads that have no more inputs */
    int next_notifier, next_monitor;
    FdTable fds; /* what GLib polls for us */
    PendingTable pending;
    ReplayFiles *files;
    Agreed *agreed; /* of each thread */
    GPtrArray *watched; /* the calls that took replay_watched_input, or NULL */
    ReplayResult result;

    ProbeSink *sink;
    void *sink_opaque;
    ProbeEvent last_events[REPLAY_LAST_EVENTS]; /* by number, for reports */
} Replay;

extern Replay rp;

/* The thread of that number, or NULL. */
static inline VThread *replay_thread(uint64_t number)
{
    return number < THREAD_NUMBERS ? rp.threads[number] : NULL;
}

extern const HostOps replay_host;

/* Ends the run; nobody returns from these. */
void replay_stop(ReplayOutcome outcome);
void replay_stop_bad_log(Error *err);
/*
 * Stops with a report.  @got says what this thread wants to do; @why adds a
 * sentence, or is NULL.
 */
void replay_diverge(const char *got, const char *why);

/* Lets threads run until the next input is the calling thread's. */
const Input *replay_next_input(const char *wanted);
/* The calling thread has it: replay_next_input()'s result is used up. */
void replay_accept(void);
/* The next input, which must be of this kind and object. */
Input replay_take(InputKind kind, uint64_t obj);
/*
 * The calling thread's own next input, without waiting for its turn; NULL if
 * it has none any more.  For what a recording notes only now and then.
 */
const Input *replay_own_input(void);
/* True, and taken, if the calling thread's next input is of this kind. */
bool replay_take_if(InputKind kind);
/* The input that was just taken is wrong: replay_diverge() at it. */
void replay_diverge_at_last(const char *got, const char *why);
/* The digest that the log has in @input, just taken, must be the thread's. */
void replay_compare_digest(uint64_t recorded, const char *where);
/* The input that was taken last is not taken. */
void replay_step_back(void);

/*
 * The next input, a completion; its handler has the result, and its data.
 * @laio: the queue that it comes from, or NULL for a ring.
 */
CqeHandler *replay_take_cqe(const HostLaio *laio);

/* replay-monitor.c */
HostMonitor *replay_monitor_new(uint64_t ctx, Error **errp);
void replay_monitor_free(HostMonitor *m);
const FDMonOps *replay_monitor_ops(HostMonitor *m);
HostWatch *replay_watch_add(HostMonitor *m, int fd, short events, bool drained,
                            uint64_t id, void *opaque);
void replay_watch_remove(HostMonitor *m, HostWatch *watch);
void replay_watch_freed(HostMonitor *m, uint64_t id);
void replay_add_sqe(HostMonitor *m, HostPrepSqe *prep, void *opaque,
                    CqeHandler *handler);
bool replay_monitor_busy(HostMonitor *m);
void replay_monitor_wait(HostMonitor *m, int64_t timeout_ns, HostBatch *batch);
int replay_monitor_fd(HostMonitor *m);
void replay_monitor_submit(HostMonitor *m);
bool replay_monitor_pending(HostMonitor *m);
void replay_busy_poll(HostMonitor *m, int64_t max_ns, HostBusyPoll *poll);
int replay_poll(GPollFD *fds, unsigned n, int64_t timeout_ns);
/* True if the input that tells this result must have the data with it. */
bool replay_brings_data(const Pending *pending, const Input *in);
/* Puts it where the request wants it; @named: the hash names a content. */
void replay_bring_data(const Input *in, const Pending *pending, bool named);

/* replay-laio.c */
int replay_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                      HostLaio **laio);
void replay_laio_destroy(HostLaio *laio);
int replay_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n);
unsigned replay_laio_getevents(HostLaio *laio, HostLaioRequest **done,
                               unsigned n);
bool replay_laio_pending(HostLaio *laio);

/* replay-glib.c */
int64_t replay_glib_enter(HostGlibCall call);
void replay_glib_leave(void);
/* The process ends here, once all others have come to the log's end. */
void replay_exits(int status, int signum);

/* replay-threads.c */
void replay_bh_detached(uint64_t ctx, BHList *slice, BHList *left);
void replay_co_detached(uint64_t ctx, CoroutineList *taken,
                        CoroutineList *left);
/* A thread has slept, maybe in a loop that ends when something has come. */
void replay_slept(void);
uint64_t replay_observe(HostSight what, uint64_t value);
void replay_word_begin(const volatile void *word, unsigned how);
void replay_word_end(const volatile void *word, uint64_t value);
void replay_rec_assert(uint64_t value, const ProbeSite *site);
void replay_lock_init(QemuMutex *mutex);
void replay_mutex_lock(QemuMutex *mutex);
bool replay_mutex_trylock(QemuMutex *mutex);
void replay_mutex_unlock(QemuMutex *mutex);
void replay_cond_nothing(QemuCond *cond);
bool replay_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns);
void replay_cond_wake(QemuCond *cond, bool all);
void replay_thread_create(QemuThread *thread, const char *name,
                          void *(*start)(void *), void *arg);
void *replay_thread_join(QemuThread *qemu_thread);
void replay_thread_ends(void);
/* A thread's first and last act. */
void replay_thread_started(VThread *thread);
void replay_thread_ended(VThread *thread);

#endif
