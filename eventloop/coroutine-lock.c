/* SPDX-License-Identifier: MIT */
/*
 * CoQueue and CoMutex (util/qemu-coroutine-lock.c): waiting by yielding.
 *
 * A CoMutex counts: its holder, and each coroutine that wants it.  Whoever
 * raises the count from 0 has the mutex; whoever lowers it to 0 has freed it;
 * neither needs a lock.  In between, an unlock hands the mutex to the first
 * waiter.  A waiter is counted and queued under the guard, so an unlock that
 * sees a count sees the queue as soon as it has the guard.
 *
 * QEMU 2.9's algorithm (480cff6322) is lock-free in every case and hands over
 * in rounds; with a guard held for a few instructions the order is the same,
 * first come, first served.
 */
#include "coroutine-internal.h"

#include "qemu/lockable.h"

enum { SPIN_ITERATIONS = 1000 };

struct CoWaitRecord {
    Coroutine *co;
    QSIMPLEQ_ENTRY(CoWaitRecord) next;
};

/* ---- CoQueue ---- */

void qemu_co_queue_init(CoQueue *queue)
{
    QSIMPLEQ_INIT(&queue->entries);
}

void coroutine_fn qemu_co_queue_wait_impl(CoQueue *queue, QemuLockable *lock,
                                          CoQueueWaitFlags flags)
{
    Coroutine *self = qemu_coroutine_self();

    coroutine_check_inside(self, "CoQueue waited on");
    if (flags & CO_QUEUE_WAIT_FRONT) {
        QSIMPLEQ_INSERT_HEAD(&queue->entries, self, co_queue_next);
    } else {
        QSIMPLEQ_INSERT_TAIL(&queue->entries, self, co_queue_next);
    }
    PROBE_TEXT(CO_WAIT, self->id, 0, 0, 0, "CoQueue");
    if (lock) {
        qemu_lockable_unlock(lock);
    }
    /*
     * A waker in another thread may schedule us before we yield; its bottom
     * half runs in our thread, so only after it.
     */
    qemu_coroutine_yield();
    PROBE(CO_WOKEN, self->id, 0, 0, 0);
    if (lock) {
        qemu_lockable_lock(lock);
    }
}

static Coroutine *queue_pop(CoQueue *queue)
{
    Coroutine *co = QSIMPLEQ_FIRST(&queue->entries);

    if (co) {
        QSIMPLEQ_REMOVE_HEAD(&queue->entries, co_queue_next);
    }
    return co;
}

bool qemu_co_enter_next_impl(CoQueue *queue, QemuLockable *lock)
{
    Coroutine *next = queue_pop(queue);

    if (!next) {
        return false;
    }
    if (lock) {
        qemu_lockable_unlock(lock);
    }
    aio_co_wake(next);
    if (lock) {
        qemu_lockable_lock(lock);
    }
    return true;
}

void qemu_co_enter_all_impl(CoQueue *queue, QemuLockable *lock)
{
    while (qemu_co_enter_next_impl(queue, lock)) {
    }
}

bool qemu_co_queue_next(CoQueue *queue)
{
    /* In a coroutine no lock need be given up: nobody runs before we yield. */
    return qemu_co_enter_next_impl(queue, NULL);
}

void qemu_co_queue_restart_all(CoQueue *queue)
{
    while (qemu_co_queue_next(queue)) {
    }
}

bool qemu_co_queue_empty(CoQueue *queue)
{
    return QSIMPLEQ_EMPTY(&queue->entries);
}

/* ---- CoMutex ---- */

void qemu_co_mutex_init(CoMutex *mutex)
{
    *mutex = (CoMutex){.locked = 0};
    QSIMPLEQ_INIT(&mutex->waiters);
}

static void guard_lock(CoMutex *mutex)
{
    while (qatomic_xchg(&mutex->guard, 1)) {
        host_point(HOST_POINT_SPIN, 0);
        cpu_relax();
    }
}

static void guard_unlock(CoMutex *mutex)
{
    qatomic_store_release(&mutex->guard, 0);
}

/*
 * One holder, in another thread, and nobody else waits: it is likely to be
 * done before we could have yielded.  True if the mutex became ours.
 */
static bool spin(CoMutex *mutex, AioContext *ctx)
{
    for (unsigned i = 0; i < SPIN_ITERATIONS; i++) {
        unsigned locked = qatomic_read(&mutex->locked);

        if (locked == 0 && qatomic_cmpxchg(&mutex->locked, 0, 1) == 0) {
            return true;
        }
        if (locked > 1 || qatomic_read(&mutex->ctx) == ctx) {
            return false;
        }
        host_point(HOST_POINT_SPIN, 0);
        cpu_relax();
    }
    return false;
}

/* True if the mutex was freed meanwhile, and is ours without waiting. */
static bool enqueue(CoMutex *mutex, CoWaitRecord *record)
{
    bool ours;

    guard_lock(mutex);
    ours = qatomic_fetch_inc(&mutex->locked) == 0;
    if (!ours) {
        QSIMPLEQ_INSERT_TAIL(&mutex->waiters, record, next);
    }
    guard_unlock(mutex);
    return ours;
}

static void coroutine_fn lock_slowly(CoMutex *mutex, Coroutine *self)
{
    CoWaitRecord record = {.co = self};

    if (spin(mutex, self->ctx) || enqueue(mutex, &record)) {
        return;
    }
    PROBE_TEXT(CO_WAIT, self->id, 0, 0, 0, "CoMutex");
    qemu_coroutine_yield();
    PROBE(CO_WOKEN, self->id, 0, 0, 0);
}

void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex)
{
    Coroutine *self = qemu_coroutine_self();

    coroutine_check_inside(self, "CoMutex locked");
    host_point(HOST_POINT_CO_PUBLISH, 0);
    if (qatomic_cmpxchg(&mutex->locked, 0, 1) != 0) {
        lock_slowly(mutex, self);
    }
    mutex->holder = self;
    qatomic_set(&mutex->ctx, self->ctx);
    self->locks_held++;
}

void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex)
{
    Coroutine *self = qemu_coroutine_self();
    CoWaitRecord *next;
    Coroutine *co;

    coroutine_check_inside(self, "CoMutex unlocked");
    if (unlikely(mutex->holder != self)) {
        coroutine_misuse_other("CoMutex unlocked by one that does not hold it",
                               "is its holder", mutex->holder);
    }
    mutex->holder = NULL;
    qatomic_set(&mutex->ctx, NULL);
    self->locks_held--;
    host_point(HOST_POINT_CO_PUBLISH, 0);
    if (qatomic_fetch_dec(&mutex->locked) == 1) {
        return;
    }
    guard_lock(mutex);
    next = QSIMPLEQ_FIRST(&mutex->waiters);
    QSIMPLEQ_REMOVE_HEAD(&mutex->waiters, next);
    co = next->co; /* the record is on its stack */
    guard_unlock(mutex);
    aio_co_wake(co);
}
