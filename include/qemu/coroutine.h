/* SPDX-License-Identifier: MIT */
/*
 * Coroutines, after QEMU's qemu/coroutine.h.
 *
 * A coroutine is a function with a stack of its own, which it can leave with
 * qemu_coroutine_yield() and come back to when somebody enters it again.
 * There is no preemption: between two yields a coroutine runs like any other
 * function of the thread that entered it.
 *
 * Functions marked coroutine_fn must be called from a coroutine.
 */
#ifndef QEMU_COROUTINE_H
#define QEMU_COROUTINE_H

#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

typedef void coroutine_fn CoroutineEntry(void *opaque);

/* Does not run anything yet: see qemu_coroutine_enter(). */
#define qemu_coroutine_create(entry, opaque) \
    qemu_coroutine_create_named(entry, opaque, #entry)
Coroutine *qemu_coroutine_create_named(CoroutineEntry *entry, void *opaque,
                                       const char *name);

/*
 * Runs @co in the calling thread until it yields or ends, in the AioContext of
 * the caller.  Aborts if it already runs, or was scheduled elsewhere.
 */
void qemu_coroutine_enter(Coroutine *co);
void qemu_coroutine_enter_if_inactive(Coroutine *co);
void qemu_aio_coroutine_enter(AioContext *ctx, Coroutine *co);

/* Goes back to whoever entered the running coroutine. */
void coroutine_fn qemu_coroutine_yield(void);

Coroutine *qemu_coroutine_self(void);
bool qemu_in_coroutine(void);
/* True from enter to the next yield. */
bool qemu_coroutine_entered(Coroutine *co);
/* The context in which @co ran last. */
AioContext *qemu_coroutine_get_aio_context(Coroutine *co);

/* Yields for @ns nanoseconds of @type; a timer of the current context. */
void coroutine_fn qemu_co_sleep_ns(QEMUClockType type, int64_t ns);

/* A sleep that somebody can end early. */
typedef struct QemuCoSleep {
    Coroutine *to_wake; /* who sleeps, or NULL */
} QemuCoSleep;

void coroutine_fn qemu_co_sleep_ns_wakeable(QemuCoSleep *w, QEMUClockType type,
                                            int64_t ns);
/* Yields until qemu_co_sleep_wake(). */
void coroutine_fn qemu_co_sleep(QemuCoSleep *w);
/* Does nothing if nobody sleeps; in the sleeper's context. */
void qemu_co_sleep_wake(QemuCoSleep *w);

/* ---- A mutex that yields: for coroutines of any thread, in order ---- */

typedef struct CoWaitRecord CoWaitRecord;

struct CoMutex {
    unsigned locked; /* the holder and those that wait for it, counted */
    unsigned guard;  /* a spin lock for waiters */
    QSIMPLEQ_HEAD(, CoWaitRecord) waiters;
    AioContext *ctx; /* where the holder runs */
    Coroutine *holder;
};

void qemu_co_mutex_init(CoMutex *mutex);
/* Spins for a moment if a coroutine of another thread has it; then yields. */
void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex);
/* The holder only; hands the mutex to whoever waited longest. */
void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex);
static inline void qemu_co_mutex_assert_locked(CoMutex *mutex)
{
    assert(mutex->locked && mutex->holder == qemu_coroutine_self());
}

/* ---- A queue of coroutines that wait for something, in order ---- */

struct CoQueue {
    QSIMPLEQ_HEAD(, Coroutine) entries;
};

typedef enum {
    CO_QUEUE_WAIT_FRONT = 0x1, /* before those that wait already */
} CoQueueWaitFlags;

void qemu_co_queue_init(CoQueue *queue);
/*
 * Gives up @lock (a QemuMutex *, a CoMutex *, or NULL), yields until woken,
 * and takes it again.  The lock protects the queue.
 */
#define qemu_co_queue_wait(queue, lock)     qemu_co_queue_wait_impl(queue, QEMU_MAKE_LOCKABLE(lock), 0)
#define qemu_co_queue_wait_flags(queue, lock, flags)     qemu_co_queue_wait_impl(queue, QEMU_MAKE_LOCKABLE(lock), (flags))
void coroutine_fn qemu_co_queue_wait_impl(CoQueue *queue, QemuLockable *lock,
                                          CoQueueWaitFlags flags);
/* In a coroutine: the first, or all, run when it yields. */
bool qemu_co_queue_next(CoQueue *queue);
void qemu_co_queue_restart_all(CoQueue *queue);
/* Outside: wakes at once, with @lock given up meanwhile. */
#define qemu_co_enter_next(queue, lock)     qemu_co_enter_next_impl(queue, QEMU_MAKE_LOCKABLE(lock))
bool qemu_co_enter_next_impl(CoQueue *queue, QemuLockable *lock);
#define qemu_co_enter_all(queue, lock)     qemu_co_enter_all_impl(queue, QEMU_MAKE_LOCKABLE(lock))
void qemu_co_enter_all_impl(CoQueue *queue, QemuLockable *lock);
bool qemu_co_queue_empty(CoQueue *queue);

/* ---- Readers and one writer, fair: first come, first served ---- */

typedef struct CoRwTicket CoRwTicket;

struct CoRwlock {
    CoMutex mutex;
    int owners; /* readers, or -1 for a writer */
    QSIMPLEQ_HEAD(, CoRwTicket) tickets;
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

#include "qemu/lockable.h"

#endif
