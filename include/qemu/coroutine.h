/* SPDX-License-Identifier: MIT */
/*
 * What coroutines wait with: sleeps and time-outs, mutexes, queues, reader and
 * writer locks, sockets.
 *
 * All of it waits by yielding, so the thread goes on with other work.  Whoever
 * is woken goes on in the AioContext in which it yielded.
 */
#ifndef QEMU_COROUTINE_H
#define QEMU_COROUTINE_H

#include "aiolab/lock-site.h"
#include "qemu/coroutine-core.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

/* ---- Time ---- */

/* A sleep that somebody can end early. */
typedef struct QemuCoSleep {
    Coroutine *to_wake; /* who sleeps, or NULL */
} QemuCoSleep;

/* Yields for @ns nanoseconds of @type; a timer of the current context. */
void coroutine_fn qemu_co_sleep_ns_wakeable(QemuCoSleep *w, QEMUClockType type,
                                            int64_t ns);
/* Yields until qemu_co_sleep_wake(). */
void coroutine_fn qemu_co_sleep(QemuCoSleep *w);
/* Does nothing if nobody sleeps; in the sleeper's context. */
void qemu_co_sleep_wake(QemuCoSleep *w);

static inline void coroutine_fn qemu_co_sleep_ns(QEMUClockType type, int64_t ns)
{
    QemuCoSleep w = {NULL};

    qemu_co_sleep_ns_wakeable(&w, type, ns);
}

typedef void CleanupFunc(void *opaque);

/*
 * Runs @entry(@opaque) in a coroutine of its own and waits for its end, but at
 * most @timeout_ns nanoseconds of real time (0: as long as it takes, without
 * another coroutine).  Returns 0, or -ETIMEDOUT.
 *
 * After a time-out @entry goes on running, so @opaque must live on: @clean,
 * if not NULL, is called with it when @entry ends at last.
 */
int coroutine_fn qemu_co_timeout(CoroutineEntry *entry, void *opaque,
                                 uint64_t timeout_ns, CleanupFunc clean);

/* ---- A mutex that yields: for coroutines of any thread, in order ---- */

typedef struct CoWaitRecord CoWaitRecord;

struct CoMutex {
    unsigned locked; /* the holder and those that wait for it, counted */
    unsigned guard;  /* a spin lock for waiters */
    QSIMPLEQ_HEAD(, CoWaitRecord) waiters;
    AioContext *ctx; /* where the holder runs */
    Coroutine *holder;
    uint64_t id;
};

void qemu_co_mutex_init(CoMutex *mutex);
/* Spins for a moment if a coroutine of another thread has it; then yields. */
void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex);
/* The holder only; hands the mutex to whoever waited longest. */
void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex);
static inline void coroutine_fn qemu_co_mutex_assert_locked(CoMutex *mutex)
{
    assert(mutex->locked && mutex->holder == qemu_coroutine_self());
}

/* ---- A queue of coroutines that wait for something, in order ---- */

struct CoQueue {
    QSIMPLEQ_HEAD(, Coroutine) entries;
    uint64_t id;
};

typedef enum {
    CO_QUEUE_WAIT_FRONT = 0x1, /* before those that wait already */
} CoQueueWaitFlags;

void qemu_co_queue_init(CoQueue *queue);
/*
 * Gives up @lock (anything lockable, or NULL), yields until woken, and takes
 * it again.  The lock protects the queue.
 */
#define qemu_co_queue_wait(queue, lock) \
    qemu_co_queue_wait_flags(queue, lock, 0)
#define qemu_co_queue_wait_flags(queue, lock, flags)                 \
    qemu_co_queue_wait_at(queue, QEMU_MAKE_LOCKABLE(lock), (flags),  \
                          LOCK_SITE_(#queue))
void coroutine_fn qemu_co_queue_wait_impl(CoQueue *queue, QemuLockable *lock,
                                          CoQueueWaitFlags flags);
void coroutine_fn qemu_co_queue_wait_at(CoQueue *queue, QemuLockable *lock,
                                        CoQueueWaitFlags flags,
                                        const LockSite *at);
/* In a coroutine: the first, or all, run when it yields. */
bool coroutine_fn qemu_co_queue_next(CoQueue *queue);
void coroutine_fn qemu_co_queue_restart_all(CoQueue *queue);
/* Outside: wakes at once, with @lock given up meanwhile. */
#define qemu_co_enter_next(queue, lock) \
    qemu_co_enter_next_impl(queue, QEMU_MAKE_LOCKABLE(lock))
bool qemu_co_enter_next_impl(CoQueue *queue, QemuLockable *lock);
#define qemu_co_enter_all(queue, lock) \
    qemu_co_enter_all_impl(queue, QEMU_MAKE_LOCKABLE(lock))
void qemu_co_enter_all_impl(CoQueue *queue, QemuLockable *lock);
bool qemu_co_queue_empty(CoQueue *queue);

/* ---- Readers and one writer, fair: first come, first served ---- */

typedef struct CoRwTicket CoRwTicket;

struct CoRwlock {
    CoMutex mutex;
    int owners; /* readers, or -1 for a writer */
    QSIMPLEQ_HEAD(, CoRwTicket) tickets;
    uint64_t id;
};

void qemu_co_rwlock_init(CoRwlock *lock);
void coroutine_fn qemu_co_rwlock_rdlock(CoRwlock *lock);
void coroutine_fn qemu_co_rwlock_wrlock(CoRwlock *lock);
void coroutine_fn qemu_co_rwlock_unlock(CoRwlock *lock);
/*
 * From reader to writer: at once if alone and nobody waits, else by giving the
 * share up and waiting in line, so what was read may have changed.
 */
void coroutine_fn qemu_co_rwlock_upgrade(CoRwlock *lock);
/* From writer to reader, without waiting. */
void coroutine_fn qemu_co_rwlock_downgrade(CoRwlock *lock);

/* ---- Descriptors ---- */

/* Replaces @fd's handlers in the current context, and removes its own. */
void coroutine_fn yield_until_fd_readable(int fd);

/*
 * Sends or receives @bytes bytes from byte @offset of @iov, over a socket that
 * does not block.  When it would block the coroutine yields; the caller's own
 * handler for @sockfd must enter it again.  Returns how many bytes went, which
 * is less than @bytes only at the end of the stream or after an error; or -1
 * with errno set if there was an error before the first byte.
 *
 * Only on the live host and unrecorded: a kernel's socket is not simulated.
 */
ssize_t coroutine_fn qemu_co_sendv_recvv(int sockfd, struct iovec *iov,
                                         unsigned iov_cnt, size_t offset,
                                         size_t bytes, bool do_send);
#define qemu_co_recvv(sockfd, iov, iov_cnt, offset, bytes) \
    qemu_co_sendv_recvv(sockfd, iov, iov_cnt, offset, bytes, false)
#define qemu_co_sendv(sockfd, iov, iov_cnt, offset, bytes) \
    qemu_co_sendv_recvv(sockfd, iov, iov_cnt, offset, bytes, true)

/* The same for one buffer. */
ssize_t coroutine_fn qemu_co_send_recv(int sockfd, void *buf, size_t bytes,
                                       bool do_send);
#define qemu_co_recv(sockfd, buf, bytes) \
    qemu_co_send_recv(sockfd, buf, bytes, false)
#define qemu_co_send(sockfd, buf, bytes) \
    qemu_co_send_recv(sockfd, buf, bytes, true)

/* ---- The pool of stacks that all threads share ---- */

/* How many coroutines it keeps ready, beyond those that threads keep. */
void qemu_coroutine_inc_pool_size(unsigned int additional_pool_size);
void qemu_coroutine_dec_pool_size(unsigned int additional_pool_size);

#include "qemu/lockable.h"

/* ---- As macros they say where they were called, as those of threads ---- */

void coroutine_fn qemu_co_mutex_lock_at(CoMutex *mutex, const LockSite *at);
void coroutine_fn qemu_co_rwlock_rdlock_at(CoRwlock *lock, const LockSite *at);
void coroutine_fn qemu_co_rwlock_wrlock_at(CoRwlock *lock, const LockSite *at);
#define qemu_co_mutex_lock(mutex) \
    qemu_co_mutex_lock_at(mutex, LOCK_SITE_(#mutex))
#define qemu_co_rwlock_rdlock(lock) \
    qemu_co_rwlock_rdlock_at(lock, LOCK_SITE_(#lock))
#define qemu_co_rwlock_wrlock(lock) \
    qemu_co_rwlock_wrlock_at(lock, LOCK_SITE_(#lock))

#endif
