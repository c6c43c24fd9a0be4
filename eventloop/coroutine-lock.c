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

/* ---- Events ---- */

void coroutine_tell_wait(const Coroutine *co, const char *kind, uint64_t what,
                         const LockSite *at)
{
    g_autofree char *text = NULL;

    if (likely(!probe_on)) {
        return;
    }
    if (probe_on & PROBE_SINK) {
        text = g_strdup_printf("%s %s", kind, at->lock ? at->lock : "");
    }
    probe_emit(PROBE_CO_WAIT, &at->site, co->id, what, 0, 0, text);
}

/* Who has a lock is told by inputs, and by what follows. */
void coroutine_tell_locked(const Coroutine *co, uint64_t lock, bool shared,
                           const LockSite *at)
{
    if (unlikely(probe_on & PROBE_SINK) && lock) {
        probe_show(PROBE_CO_LOCK, &at->site, lock, co->id, shared, 0,
                   at->lock);
    }
}

void coroutine_tell_unlocked(const Coroutine *co, uint64_t lock)
{
    if (unlikely(probe_on & PROBE_SINK) && lock) {
        PROBE_SHOW(CO_UNLOCK, lock, co->id, 0, 0);
    }
}

/* ---- CoQueue ---- */

void qemu_co_queue_init(CoQueue *queue)
{
    *queue = (CoQueue){.id = host_new_id()};
    QSIMPLEQ_INIT(&queue->entries);
}

void coroutine_fn qemu_co_queue_wait_at(CoQueue *queue, QemuLockable *lock,
                                        CoQueueWaitFlags flags,
                                        const LockSite *at)
{
    Coroutine *self = qemu_coroutine_self();

    coroutine_check_inside(self, "CoQueue waited on");
    if (flags & CO_QUEUE_WAIT_FRONT) {
        QSIMPLEQ_INSERT_HEAD(&queue->entries, self, co_queue_next);
    } else {
        QSIMPLEQ_INSERT_TAIL(&queue->entries, self, co_queue_next);
    }
    coroutine_tell_wait(self, "CoQueue", queue->id, at);
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

void coroutine_fn qemu_co_queue_wait_impl(CoQueue *queue, QemuLockable *lock,
                                          CoQueueWaitFlags flags)
{
    qemu_co_queue_wait_at(queue, lock, flags, LOCK_SITE_(NULL));
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
    *mutex = (CoMutex){.id = host_new_id()};
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

static void coroutine_fn lock_slowly(CoMutex *mutex, Coroutine *self,
                                     const LockSite *at)
{
    CoWaitRecord record = {.co = self};

    if (spin(mutex, self->ctx) || enqueue(mutex, &record)) {
        return;
    }
    coroutine_tell_wait(self, "CoMutex", mutex->id, at);
    qemu_coroutine_yield();
    PROBE(CO_WOKEN, self->id, 0, 0, 0);
}

void coroutine_fn qemu_co_mutex_lock_at(CoMutex *mutex, const LockSite *at)
{
    Coroutine *self = qemu_coroutine_self();

    coroutine_check_inside(self, "CoMutex locked");
    host_point(HOST_POINT_CO_PUBLISH, 0);
    if (qatomic_cmpxchg(&mutex->locked, 0, 1) != 0) {
        lock_slowly(mutex, self, at);
    }
    mutex->holder = self;
    qatomic_set(&mutex->ctx, self->ctx);
    self->locks_held++;
    coroutine_tell_locked(self, mutex->id, false, at);
}

/* Whoever takes its address has no place of its own. */
void coroutine_fn (qemu_co_mutex_lock)(CoMutex *mutex)
{
    qemu_co_mutex_lock_at(mutex, LOCK_SITE_(NULL));
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
    coroutine_tell_unlocked(self, mutex->id);
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
