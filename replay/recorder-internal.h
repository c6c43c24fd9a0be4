/* SPDX-License-Identifier: MIT */
/* The recorder's state, shared by its files. */
#ifndef REPLAY_RECORDER_INTERNAL_H
#define REPLAY_RECORDER_INTERNAL_H

#include "aio-internal.h"
#include "fd-table.h"
#include "pending.h"
#include "recorder.h"
#include "ring.h"

#include <pthread.h>

enum {
    CLUSTER = 65536, /* pre-images are kept in pieces of this size */
    RUN_MIN = 16, RUN_MAX = 64, /* own inputs: tickets taken in advance */
    RECORDED_AHEAD = 16, /* slots, of which two have a cache line */
};

typedef struct RecordedFile RecordedFile; /* recorder-data.c */

typedef struct Recorder {
    const HostOps *base;
    uint64_t *last_ticket; /* in the box */
    RingSet *rings;
    BlackBox *box, *own_box;
    Log *log;
    DataPolicy policy;
    bool simulated;
    pthread_mutex_t creating; /* held until a new thread is noted */
    pthread_mutex_t glib; /* held in GLib's own code */
    FdTable fds; /* what GLib polls for us */
} Recorder;

extern Recorder rec __attribute__((visibility("hidden")));
extern __thread Ring *rec_ring; /* the calling thread's */
extern __thread bool rec_muted; /* it looks, and what it finds will be noted */

/*
 * The slot that follows in a while will be written: the writer thread had its
 * cache line last, and whoever waits for it waits at the next locked
 * instruction, with all stores before that.
 */
static inline void rec_prefetch(Ring *ring, uint64_t at)
{
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(*ring_slot(ring, at)));
#endif
}

static inline void rec_store(Ring *ring, uint64_t ticket, InputKind kind,
                             uint64_t obj, uint64_t a, uint64_t b)
{
    uint64_t at = ring->head;
    Slot *slot = ring_slot(ring, at);

    if (input_is_checked(kind)) {
        uint64_t digest = probe_mix(replay_input_digest(kind, obj, a, b));

        obj |= (uint64_t)input_check(digest) << 56;
    }
    slot->head = ticket << 24 | (uint64_t)host_self_->id << 8 | kind;
    slot->obj = obj;
    slot->a = a;
    slot->b = b;
    qatomic_store_release(&ring->head, at + 1);
    rec_prefetch(ring, at + RECORDED_AHEAD);
}

/* Writes what @ring has taken in advance, and will not need, as "unused". */
void rec_give_back_tickets(Ring *ring);

/*
 * Takes @n tickets, and returns the first.  A ticket costs exclusive access to
 * a word that all recorded threads want, so inputs that belong to one operation
 * take theirs together.
 */
static inline uint64_t rec_take_tickets(unsigned n)
{
    return __atomic_fetch_add(rec.last_ticket, n, __ATOMIC_ACQ_REL) + 1;
}

/* The same, where some may have been taken in advance. */
static inline uint64_t rec_tickets(Ring *ring, unsigned n)
{
    if (unlikely(ring->n_kept)) {
        rec_give_back_tickets(ring);
    }
    return rec_take_tickets(n);
}

/* Notes an input of the calling thread, whose ticket was taken. */
static inline void rec_put_ticket(Ring *ring, uint64_t ticket, InputKind kind,
                                  uint64_t obj, uint64_t a, uint64_t b)
{
    ring_wait(ring, 1);
    rec_store(ring, ticket, kind, obj, a, b);
}

/* Notes an input of the calling thread, whatever has to be done before. */
void rec_put_slowly(InputKind kind, uint64_t obj, uint64_t a, uint64_t b);

/* Notes an input of the calling thread. */
static inline void rec_put(InputKind kind, uint64_t obj, uint64_t a, uint64_t b)
{
    Ring *ring = rec_ring;

    if (unlikely(!ring_has_room(ring, 1) || ring->n_kept)) {
        rec_put_slowly(kind, obj, a, b);
    } else {
        rec_store(ring, rec_take_tickets(1), kind, obj, a, b);
    }
}

void rec_put_own_slowly(InputKind kind, uint64_t obj, uint64_t a);

/*
 * The same of an input that does not depend on what other threads did: a time,
 * or what the thread itself does.  Its place is anywhere behind the thread's
 * last input, so its ticket may be taken in advance: with a slice of bottom
 * halves, for as many as the slice before it could have used; and if such
 * inputs come one after the other.
 */
static inline void rec_put_own(InputKind kind, uint64_t obj, uint64_t a)
{
    Ring *ring = rec_ring;

    if (unlikely(!ring_has_room(ring, 1) || !ring->n_kept)) {
        rec_put_own_slowly(kind, obj, a);
    } else {
        ring->n_used++;
        ring->n_kept--;
        rec_store(ring, ring->kept++, kind, obj, a, 0);
    }
}

/*
 * The thread may wait now, for long.  Where all but the log is lost (a restart
 * of the machine), that ends at the first ticket that is missing; so none waits.
 */
static inline void rec_may_wait(void)
{
    Ring *ring = rec_ring;

    if (unlikely(ring && ring->n_kept)) {
        rec_give_back_tickets(ring);
    }
}

/*
 * Mistakes that a test's own build makes on purpose, to see them noticed: see
 * tests/replay/test-planted.c.  @what is the one that is asked for.
 */
#ifdef AIOLAB_PLANT
bool rec_planted(const char *what);
#else
#define rec_planted(what) false
#endif

/* It cannot go on: what there is, is kept, and @format says why it ended. */
void QEMU_NORETURN G_GNUC_PRINTF(1, 2) rec_stop(const char *format, ...);

/* recorder-data.c */
void rec_files_init(void);
void rec_files_finish(void);
/*
 * Before a request goes out.  Where the data is not in the log, this marks
 * requests whose order the kernel decides, so that no replay can, and keeps
 * what a write is about to overwrite, once for each cluster.
 */
void rec_request_begins(Pending *pending);
/* It did not go out, or has come back. */
void rec_request_is_over(PendingTable *table, uint64_t id);
/* Notes a completion, with the data that it brought. */
void rec_put_cqe(PendingTable *table, CqeHandler *handler);
int rec_file_open(const char *path, bool writable, bool direct);
void rec_file_close(int fd);
int64_t rec_file_size(int fd);
int32_t rec_file_perform(const struct io_uring_sqe *sqe);

/* recorder-laio.c */
int rec_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                   HostLaio **laio);
void rec_laio_destroy(HostLaio *laio);
int rec_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n);
unsigned rec_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n);
bool rec_laio_pending(HostLaio *laio);

/* recorder-monitor.c */
void rec_add_sqe(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                 CqeHandler *handler);
bool rec_monitor_busy(HostMonitor *monitor);
void rec_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                      HostBatch *batch);
HostMonitor *rec_monitor_new(uint64_t ctx, Error **errp);
void rec_monitor_free(HostMonitor *monitor);
const FDMonOps *rec_monitor_ops(HostMonitor *monitor);
HostWatch *rec_watch_add(HostMonitor *monitor, int fd, short events,
                         bool drained, uint64_t id, void *opaque);
void rec_watch_remove(HostMonitor *monitor, HostWatch *watch);
int rec_monitor_fd(HostMonitor *monitor);
void rec_monitor_submit(HostMonitor *monitor);
bool rec_monitor_pending(HostMonitor *monitor);
void rec_busy_poll(HostMonitor *monitor, int64_t max_ns, HostBusyPoll *poll);
int rec_poll(GPollFD *fds, unsigned n, int64_t timeout_ns);

/* recorder-glib.c */
int64_t rec_glib_enter(HostGlibCall call);
void rec_glib_leave(void);
void rec_refuse(const char *function);
void rec_exits(int status, int signum);

/* recorder-threads.c */
void rec_bh_detached(uint64_t ctx, BHList *slice, BHList *left);
void rec_co_detached(uint64_t ctx, CoroutineList *taken, CoroutineList *left);
uint64_t rec_observe(HostSight what, uint64_t value);
void rec_word_begin(const volatile void *word, unsigned how);
void rec_word_end(const volatile void *word, uint64_t value);
void rec_assert(uint64_t value, const ProbeSite *site);
void rec_mutex_lock(QemuMutex *mutex);
bool rec_mutex_trylock(QemuMutex *mutex);
bool rec_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns);
void rec_thread_create(QemuThread *thread, const char *name,
                       void *(*start)(void *), void *arg);
void rec_thread_begins(void);
void rec_thread_ends(void);
void *rec_thread_join(QemuThread *thread);
void rec_thread_exit(void *ret);
HostThread *rec_thread_attach(void);
/* The calling thread does what a replay could not have it do. */
void QEMU_NORETURN rec_no_ring(void);
void QEMU_NORETURN rec_too_many_threads(void);

#endif
