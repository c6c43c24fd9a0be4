/* SPDX-License-Identifier: MIT */
/*
 * Threads and locks: the host's, with names; and what is built from them.
 * QEMU: util/qemu-thread-posix.c.
 *
 * The event of a lock comes when it was taken, and that of an unlock before it
 * is given up: so each holder's events stand between the two, on every host.
 */
#include "host.h"

/* None of these is in the digest: that a lock was taken is an input. */

static void tell_locked(QemuMutex *mutex, bool tried, const ProbeSite *site,
                        const char *name)
{
    if (unlikely(probe_on & PROBE_SINK)) {
        mutex->holder = host_self()->id;
        probe_show(PROBE_LOCK, site, mutex->id, tried, 0, 0, name);
    }
}

/* @cond: the condition that is waited for meanwhile, or 0. */
static void tell_unlocked(QemuMutex *mutex, uint64_t cond, int64_t timeout_ns,
                          const LockSite *at)
{
    if (unlikely(probe_on & PROBE_SINK)) {
        mutex->holder = 0;
        probe_show(PROBE_UNLOCK, &at->site, mutex->id, cond, timeout_ns, 0,
                   at->lock);
    }
}

/* Who listens runs all threads on one, so the holder stays who it is. */
static void tell_if_held(const QemuMutex *mutex, const LockSite *at)
{
    if (unlikely(probe_on & PROBE_SINK) && mutex->holder) {
        probe_show(PROBE_LOCK_WAIT, &at->site, mutex->id, mutex->holder, 0, 0,
                   at->lock);
    }
}

/* For the report of a deadlock. */
static void set_waiting(uint64_t mutex, uint64_t cond, const ProbeSite *at)
{
    if (unlikely(probe_on)) {
        HostThread *self = host_self();

        self->waits_mutex = mutex;
        self->waits_cond = cond;
        self->waits_at = at;
    }
}

void qemu_mutex_init(QemuMutex *mutex)
{
    *mutex = (QemuMutex){.id = host_new_id(), .initialized = true};
    host->mutex_init(mutex);
}

void qemu_mutex_destroy(QemuMutex *mutex)
{
    assert(mutex->initialized);
    mutex->initialized = false;
    host->mutex_destroy(mutex);
}

void qemu_mutex_lock_at(QemuMutex *mutex, const LockSite *at)
{
    assert(mutex->initialized);
    tell_if_held(mutex, at);
    set_waiting(mutex->id, 0, &at->site);
    host->mutex_lock(mutex);
    set_waiting(0, 0, NULL);
    tell_locked(mutex, false, &at->site, at->lock);
}

int qemu_mutex_trylock_at(QemuMutex *mutex, const LockSite *at)
{
    assert(mutex->initialized);
    if (!host->mutex_trylock(mutex)) {
        return -EBUSY;
    }
    tell_locked(mutex, true, &at->site, at->lock);
    return 0;
}

/* Afterwards the mutex is another thread's, which may destroy it. */
void qemu_mutex_unlock_at(QemuMutex *mutex, const LockSite *at)
{
    assert(mutex->initialized);
    tell_unlocked(mutex, 0, 0, at);
    host->mutex_unlock(mutex);
}

/* Whoever takes the address of one of these has no place of its own. */
void (qemu_mutex_lock)(QemuMutex *mutex)
{
    qemu_mutex_lock_at(mutex, LOCK_SITE_(NULL));
}

int (qemu_mutex_trylock)(QemuMutex *mutex)
{
    return qemu_mutex_trylock_at(mutex, LOCK_SITE_(NULL));
}

void (qemu_mutex_unlock)(QemuMutex *mutex)
{
    qemu_mutex_unlock_at(mutex, LOCK_SITE_(NULL));
}

/* ---- Recursive mutexes ---- */

void qemu_rec_mutex_init(QemuRecMutex *mutex)
{
    qemu_mutex_init(&mutex->mutex);
    mutex->owner = 0;
    mutex->depth = 0;
}

void qemu_rec_mutex_destroy(QemuRecMutex *mutex)
{
    assert(!mutex->depth);
    qemu_mutex_destroy(&mutex->mutex);
}

/* Only we write our own number there, so no other value can be mistaken. */
static bool rec_mutex_is_ours(QemuRecMutex *mutex)
{
    return raw_read(&mutex->owner) == host_self()->id;
}

void qemu_rec_mutex_lock_at(QemuRecMutex *mutex, const LockSite *at)
{
    if (!rec_mutex_is_ours(mutex)) {
        qemu_mutex_lock_at(&mutex->mutex, at);
        raw_set(&mutex->owner, host_self()->id);
    }
    mutex->depth++;
}

int qemu_rec_mutex_trylock_at(QemuRecMutex *mutex, const LockSite *at)
{
    if (!rec_mutex_is_ours(mutex)) {
        int ret = qemu_mutex_trylock_at(&mutex->mutex, at);

        if (ret) {
            return ret;
        }
        raw_set(&mutex->owner, host_self()->id);
    }
    mutex->depth++;
    return 0;
}

void qemu_rec_mutex_unlock(QemuRecMutex *mutex)
{
    assert(rec_mutex_is_ours(mutex) && mutex->depth);
    if (--mutex->depth == 0) {
        raw_set(&mutex->owner, 0);
        qemu_mutex_unlock(&mutex->mutex);
    }
}

void (qemu_rec_mutex_lock)(QemuRecMutex *mutex)
{
    qemu_rec_mutex_lock_at(mutex, LOCK_SITE_(NULL));
}

int (qemu_rec_mutex_trylock)(QemuRecMutex *mutex)
{
    return qemu_rec_mutex_trylock_at(mutex, LOCK_SITE_(NULL));
}

/* ---- Conditions ---- */

void qemu_cond_init(QemuCond *cond)
{
    *cond = (QemuCond){.id = host_new_id(), .initialized = true};
    host->cond_init(cond);
}

void qemu_cond_destroy(QemuCond *cond)
{
    assert(cond->initialized);
    cond->initialized = false;
    host->cond_destroy(cond);
}

/* The mutex is given up, and taken again in any case. */
static bool cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns,
                      const LockSite *at)
{
    bool woken;

    assert(cond->initialized);
    tell_unlocked(mutex, cond->id, timeout_ns, at);
    set_waiting(mutex->id, cond->id, &at->site);
    woken = host->cond_wait(cond, mutex, timeout_ns);
    set_waiting(0, 0, NULL);
    tell_locked(mutex, false, &at->site, NULL); /* it is the condition's name */
    return woken;
}

void qemu_cond_wait_at(QemuCond *cond, QemuMutex *mutex, const LockSite *at)
{
    cond_wait(cond, mutex, -1, at);
}

bool qemu_cond_timedwait_at(QemuCond *cond, QemuMutex *mutex, int ms,
                            const LockSite *at)
{
    return cond_wait(cond, mutex, (int64_t)MAX(ms, 0) * SCALE_MS, at);
}

void (qemu_cond_wait)(QemuCond *cond, QemuMutex *mutex)
{
    qemu_cond_wait_at(cond, mutex, LOCK_SITE_(NULL));
}

bool (qemu_cond_timedwait)(QemuCond *cond, QemuMutex *mutex, int ms)
{
    return qemu_cond_timedwait_at(cond, mutex, ms, LOCK_SITE_(NULL));
}

void qemu_cond_signal(QemuCond *cond)
{
    assert(cond->initialized);
    PROBE_SHOW(COND_WAKE, cond->id, 0, 0, 0);
    host->cond_wake(cond, false);
}

void qemu_cond_broadcast(QemuCond *cond)
{
    assert(cond->initialized);
    PROBE_SHOW(COND_WAKE, cond->id, 1, 0, 0);
    host->cond_wake(cond, true);
}

/* ---- Semaphores ---- */

void qemu_sem_init(QemuSemaphore *sem, int init)
{
    qemu_mutex_init(&sem->mutex);
    qemu_cond_init(&sem->cond);
    sem->count = init;
}

void qemu_sem_destroy(QemuSemaphore *sem)
{
    qemu_cond_destroy(&sem->cond);
    qemu_mutex_destroy(&sem->mutex);
}

void qemu_sem_post(QemuSemaphore *sem)
{
    qemu_mutex_lock(&sem->mutex);
    sem->count++;
    qemu_cond_signal(&sem->cond);
    qemu_mutex_unlock(&sem->mutex);
}

void qemu_sem_wait_at(QemuSemaphore *sem, const LockSite *at)
{
    qemu_mutex_lock(&sem->mutex);
    while (sem->count == 0) {
        qemu_cond_wait_at(&sem->cond, &sem->mutex, at);
    }
    sem->count--;
    qemu_mutex_unlock(&sem->mutex);
}

int qemu_sem_timedwait_at(QemuSemaphore *sem, int ms, const LockSite *at)
{
    int64_t left = (int64_t)MAX(ms, 0) * SCALE_MS, deadline = 0;
    bool taken;

    qemu_mutex_lock(&sem->mutex);
    if (sem->count == 0) {
        deadline = host_clock_ns(QEMU_CLOCK_REALTIME) + left;
    }
    while (sem->count == 0 && cond_wait(&sem->cond, &sem->mutex, left, at)) {
        /* Woken for a count that somebody else may have taken. */
        if (sem->count == 0) {
            left = MAX(deadline - host_clock_ns(QEMU_CLOCK_REALTIME), 0);
        }
    }
    taken = sem->count > 0;
    sem->count -= taken;
    qemu_mutex_unlock(&sem->mutex);
    return taken ? 0 : -1;
}

void (qemu_sem_wait)(QemuSemaphore *sem)
{
    qemu_sem_wait_at(sem, LOCK_SITE_(NULL));
}

int (qemu_sem_timedwait)(QemuSemaphore *sem, int ms)
{
    return qemu_sem_timedwait_at(sem, ms, LOCK_SITE_(NULL));
}

/* ---- Threads ---- */

typedef struct ThreadCall {
    void *(*start)(void *);
    void *arg;
} ThreadCall;

static void thread_ends(void)
{
    host_thread_run_atexit(); /* while it can still do everything */
    if (host->thread_ends) {
        host->thread_ends();
    }
}

static void *thread_main(void *opaque)
{
    ThreadCall call = *(ThreadCall *)opaque;
    void *ret;

    g_free(opaque);
    if (host->thread_begins) {
        host->thread_begins();
    }
    ret = call.start(call.arg);
    thread_ends();
    return ret;
}

void qemu_thread_create(QemuThread *thread, const char *name,
                        void *(*start_routine)(void *), void *arg, int mode)
{
    ThreadCall *call = g_new(ThreadCall, 1);

    assert(mode == QEMU_THREAD_JOINABLE || mode == QEMU_THREAD_DETACHED);
    *call = (ThreadCall){start_routine, arg};
    *thread = (QemuThread){
        .id = host_new_id(), .detached = mode == QEMU_THREAD_DETACHED,
    };
    host->thread_create(thread, name ? name : "thread", thread_main, call);
    PROBE_SHOW(THREAD_CREATE, thread->number, 0, 0, 0);
}

static void tell_join(ProbeKind kind, uint32_t thread, const LockSite *at)
{
    if (unlikely(probe_on & PROBE_SINK)) {
        probe_show(kind, &at->site, thread, 0, 0, 0, NULL);
    }
}

void *qemu_thread_join_at(QemuThread *thread, const LockSite *at)
{
    uint32_t number = thread->number;
    void *ret;

    assert(!thread->detached);
    tell_join(PROBE_JOIN_WAIT, number, at);
    ret = host->thread_join(thread);
    tell_join(PROBE_JOIN_END, number, at);
    return ret;
}

void *(qemu_thread_join)(QemuThread *thread)
{
    return qemu_thread_join_at(thread, LOCK_SITE_(NULL));
}

void qemu_thread_exit(void *retval)
{
    thread_ends();
    host->thread_exit(retval);
    abort(); /* a thread that has ended runs on */
}

void qemu_thread_get_self(QemuThread *thread)
{
    HostThread *self = host_self();

    *thread = (QemuThread){.host = self->host, .number = self->id};
}

bool qemu_thread_is_self(QemuThread *thread)
{
    return thread->number == host_self()->id;
}

void qemu_thread_atexit_add(struct Notifier *notifier)
{
    notifier_list_add(&host_self()->atexit, notifier);
}

void qemu_thread_atexit_remove(struct Notifier *notifier)
{
    notifier_remove(notifier);
}
