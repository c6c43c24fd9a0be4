/* SPDX-License-Identifier: MIT */
/*
 * Threads and their locks, after QEMU's qemu/thread.h.
 *
 * A mutex, a condition and a thread have an id and a pointer to what the host
 * keeps for them: a pthread object on the live host, a queue of virtual
 * threads in the simulated machine.  Every operation is one call of the host,
 * which is how it can be recorded, replayed and scheduled.  Everything else
 * here is built from these and from atomic words, and costs no call of the
 * host while nobody has to wait.
 *
 * Any thread may call any function, unless it says otherwise.  Misuse (a lock
 * that was not initialised, an unlock by another thread) is a bug and aborts.
 */
#ifndef QEMU_THREAD_H
#define QEMU_THREAD_H

#include "aiolab/lock-site.h"
#include "qemu/atomic.h"
#include "qemu/clang-tsa.h"
#include "qemu/futex.h"
#include "qemu/osdep.h"
#include "qemu/processor.h"

/* ---- Mutexes ---- */

struct QemuMutex {
    void *host;
    uint64_t id;
    uint32_t holder; /* a thread's number, while somebody listens to probes */
    bool initialized;
};

void qemu_mutex_init(QemuMutex *mutex);
void qemu_mutex_destroy(QemuMutex *mutex);
void qemu_mutex_lock(QemuMutex *mutex);
/* Returns 0 if the mutex was taken, else -EBUSY. */
int qemu_mutex_trylock(QemuMutex *mutex);
void qemu_mutex_unlock(QemuMutex *mutex);

/* As macros they say where they were called, which events and reports show. */
void qemu_mutex_lock_at(QemuMutex *mutex, const LockSite *at);
int qemu_mutex_trylock_at(QemuMutex *mutex, const LockSite *at);
void qemu_mutex_unlock_at(QemuMutex *mutex, const LockSite *at);
#define qemu_mutex_lock(mutex) qemu_mutex_lock_at(mutex, LOCK_SITE_(#mutex))
#define qemu_mutex_trylock(mutex) \
    qemu_mutex_trylock_at(mutex, LOCK_SITE_(#mutex))
#define qemu_mutex_unlock(mutex) qemu_mutex_unlock_at(mutex, LOCK_SITE_(#mutex))

/* There is no lock profiler to go around. */
#define qemu_mutex_lock__raw(mutex) qemu_mutex_lock(mutex)
#define qemu_mutex_trylock__raw(mutex) qemu_mutex_trylock(mutex)

/* Its holder may take it again, and gives it back as many times. */
struct QemuRecMutex {
    QemuMutex mutex;
    uint32_t owner; /* the number of the thread that holds it, or 0 */
    unsigned depth;
};

void qemu_rec_mutex_init(QemuRecMutex *mutex);
void qemu_rec_mutex_destroy(QemuRecMutex *mutex);
void qemu_rec_mutex_lock(QemuRecMutex *mutex);
/* Returns 0 if the mutex was taken, else -EBUSY. */
int qemu_rec_mutex_trylock(QemuRecMutex *mutex);
void qemu_rec_mutex_unlock(QemuRecMutex *mutex);

void qemu_rec_mutex_lock_at(QemuRecMutex *mutex, const LockSite *at);
int qemu_rec_mutex_trylock_at(QemuRecMutex *mutex, const LockSite *at);
#define qemu_rec_mutex_lock(mutex) \
    qemu_rec_mutex_lock_at(mutex, LOCK_SITE_(#mutex))
#define qemu_rec_mutex_trylock(mutex) \
    qemu_rec_mutex_trylock_at(mutex, LOCK_SITE_(#mutex))

/* ---- Conditions ---- */

struct QemuCond {
    void *host;
    uint64_t id;
    bool initialized;
};

void qemu_cond_init(QemuCond *cond);
void qemu_cond_destroy(QemuCond *cond);
/* May wake spuriously: the caller tests its condition again. */
void qemu_cond_wait(QemuCond *cond, QemuMutex *mutex);
/* Returns false if @ms milliseconds passed first. */
bool qemu_cond_timedwait(QemuCond *cond, QemuMutex *mutex, int ms);
void qemu_cond_wait_at(QemuCond *cond, QemuMutex *mutex, const LockSite *at);
bool qemu_cond_timedwait_at(QemuCond *cond, QemuMutex *mutex, int ms,
                            const LockSite *at);
#define qemu_cond_wait(cond, mutex) \
    qemu_cond_wait_at(cond, mutex, LOCK_SITE_(#cond))
#define qemu_cond_timedwait(cond, mutex, ms) \
    qemu_cond_timedwait_at(cond, mutex, ms, LOCK_SITE_(#cond))
/* With the waiters' mutex held, as in QEMU. */
void qemu_cond_signal(QemuCond *cond);
void qemu_cond_broadcast(QemuCond *cond);

/* ---- Semaphores ---- */

struct QemuSemaphore {
    QemuMutex mutex;
    QemuCond cond;
    unsigned count;
};

void qemu_sem_init(QemuSemaphore *sem, int init);
void qemu_sem_destroy(QemuSemaphore *sem);
void qemu_sem_post(QemuSemaphore *sem);
void qemu_sem_wait(QemuSemaphore *sem);
/* Returns 0, or -1 if @ms milliseconds passed first. */
int qemu_sem_timedwait(QemuSemaphore *sem, int ms);
void qemu_sem_wait_at(QemuSemaphore *sem, const LockSite *at);
int qemu_sem_timedwait_at(QemuSemaphore *sem, int ms, const LockSite *at);
#define qemu_sem_wait(sem) qemu_sem_wait_at(sem, LOCK_SITE_(#sem))
#define qemu_sem_timedwait(sem, ms) \
    qemu_sem_timedwait_at(sem, ms, LOCK_SITE_(#sem))

/* ---- Events ---- */

/*
 * A flag to wait for.  Setting it when it is set, and waiting for it then,
 * look at one word.  A waiter may destroy the event as soon as its wait has
 * returned, even if the thread that set it is still in qemu_event_set().
 */
struct QemuEvent {
    struct ParkingPlace *parking; /* where waiters sleep */
    unsigned value;
    bool initialized;
};

void qemu_event_init(QemuEvent *ev, bool init);
void qemu_event_destroy(QemuEvent *ev);
void qemu_event_set(QemuEvent *ev);
/*
 * What the caller tests after it, to find out whether it has to wait, is read
 * after the reset: reset, test, wait loses no qemu_event_set().
 */
void qemu_event_reset(QemuEvent *ev);
void qemu_event_wait(QemuEvent *ev);
void qemu_event_wait_at(QemuEvent *ev, const LockSite *at);
#define qemu_event_wait(ev) qemu_event_wait_at(ev, LOCK_SITE_(#ev))

/* ---- Threads ---- */

struct QemuThread {
    void *host;
    uint64_t id;
    uint32_t number; /* of the thread: 1 is the main thread */
    bool detached;
};

#define QEMU_THREAD_JOINABLE 0
#define QEMU_THREAD_DETACHED 1

/*
 * @name is shown in reports, and may be NULL; threads are numbered in creation
 * order.  A detached thread frees what it has when it ends; @thread may go out
 * of scope at once.
 */
void qemu_thread_create(QemuThread *thread, const char *name,
                        void *(*start_routine)(void *), void *arg, int mode);
/* Returns what the thread did.  Once, and not for a detached thread. */
void *qemu_thread_join(QemuThread *thread);
void *qemu_thread_join_at(QemuThread *thread, const LockSite *at);
#define qemu_thread_join(thread) qemu_thread_join_at(thread, LOCK_SITE_(NULL))
void qemu_thread_get_self(QemuThread *thread);
bool qemu_thread_is_self(QemuThread *thread);
/* Ends the calling thread, as if its start routine had returned @retval. */
void QEMU_NORETURN qemu_thread_exit(void *retval);
/* Whether threads tell the kernel their names; yes, unless told otherwise. */
void qemu_thread_naming(bool enable);

/*
 * Calls @notifier, with NULL, when the calling thread ends by itself.  The
 * last one added is called first.
 */
void qemu_thread_atexit_add(struct Notifier *notifier);
/* It must be on the calling thread's list. */
void qemu_thread_atexit_remove(struct Notifier *notifier);

/* ---- Spin locks ---- */

/* For a few instructions: who waits for it does not sleep. */
struct QemuSpin {
    int value;
};

void qemu_spin_init(QemuSpin *spin);
void qemu_spin_destroy(QemuSpin *spin);
void qemu_spin_lock(QemuSpin *spin);
/* As QEMU's: returns true if it was *not* taken, because somebody has it. */
bool qemu_spin_trylock(QemuSpin *spin);
bool qemu_spin_locked(QemuSpin *spin);
void qemu_spin_unlock(QemuSpin *spin);

#endif
