/* SPDX-License-Identifier: MIT */
/*
 * Mutexes, conditions and threads of the simulated machine.
 *
 * Taking a lock is a scheduling point; giving it back is not, because whoever
 * waits for it reaches a point of its own.
 */
#include "sim-internal.h"

typedef struct Waiter {
    VThread *thread;
    QSIMPLEQ_ENTRY(Waiter) next;
} Waiter;

typedef QSIMPLEQ_HEAD(, Waiter) WaiterList;

typedef struct SimMutex {
    VThread *owner;
    WaiterList waiters;
} SimMutex;

typedef struct SimCond {
    WaiterList waiters;
} SimCond;

/*
 * Wakes the first in line; false if nobody waits.  Who has waited long enough
 * already, and only had no time to leave the line, does not count.
 */
static bool wake_first(WaiterList *waiters)
{
    Waiter *waiter;
    bool woken = false;

    while (!woken && (waiter = QSIMPLEQ_FIRST(waiters))) {
        QSIMPLEQ_REMOVE_HEAD(waiters, next);
        woken = waiter->thread->state == VTHREAD_BLOCKED;
        sim_wake(waiter->thread);
    }
    return woken;
}

static void remove_waiter(WaiterList *waiters, Waiter *gone)
{
    WaiterList rest = QSIMPLEQ_HEAD_INITIALIZER(rest);
    Waiter *waiter;

    while ((waiter = QSIMPLEQ_FIRST(waiters))) {
        QSIMPLEQ_REMOVE_HEAD(waiters, next);
        if (waiter != gone) {
            QSIMPLEQ_INSERT_TAIL(&rest, waiter, next);
        }
    }
    QSIMPLEQ_CONCAT(waiters, &rest);
}

void sim_mutex_init(QemuMutex *mutex)
{
    SimMutex *m = g_new0(SimMutex, 1);

    QSIMPLEQ_INIT(&m->waiters);
    mutex->host = m;
}

void sim_mutex_destroy(QemuMutex *mutex)
{
    SimMutex *m = mutex->host;

    assert(!m->owner);
    g_free(m);
}

static void acquire(SimMutex *m)
{
    sim_fence();
    sim_access(m, SIM_WRITE);
    while (m->owner) {
        Waiter waiter = {.thread = machine_current()};

        QSIMPLEQ_INSERT_TAIL(&m->waiters, &waiter, next);
        sim_block(-1);
        sim_access(m, SIM_WRITE);
    }
    m->owner = machine_current();
}

void sim_mutex_lock(QemuMutex *mutex)
{
    sim_point();
    acquire(mutex->host);
}

bool sim_mutex_trylock(QemuMutex *mutex)
{
    SimMutex *m = mutex->host;

    sim_point();
    sim_fence();
    sim_access(m, SIM_WRITE);
    if (m->owner) {
        return false;
    }
    m->owner = machine_current();
    return true;
}

void sim_mutex_unlock(QemuMutex *mutex)
{
    SimMutex *m = mutex->host;

    assert(m->owner == machine_current());
    sim_fence();
    sim_access(m, SIM_WRITE);
    m->owner = NULL;
    wake_first(&m->waiters);
}

void sim_cond_init(QemuCond *cond)
{
    SimCond *c = g_new0(SimCond, 1);

    QSIMPLEQ_INIT(&c->waiters);
    cond->host = c;
}

void sim_cond_destroy(QemuCond *cond)
{
    g_free(cond->host);
}

/* By choice, and not twice in a row, so that it comes to an end. */
static bool wakes_by_itself(VThread *self)
{
    static const uint64_t options[] = {0, 1};

    self->woke_by_itself =
        unlikely(sim.config.extras & SIM_SPURIOUS) && !self->woke_by_itself &&
        sim_choose(CHOICE_WAKE, self->self.id, options, ARRAY_SIZE(options));
    return self->woke_by_itself;
}

bool sim_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns)
{
    SimCond *c = cond->host;
    Waiter waiter = {.thread = machine_current()};
    bool woken;

    sim_access(c, SIM_WRITE);
    if (wakes_by_itself(machine_current())) {
        sim_mutex_unlock(mutex);
        sim_mutex_lock(mutex);
        return true;
    }
    QSIMPLEQ_INSERT_TAIL(&c->waiters, &waiter, next);
    sim_mutex_unlock(mutex);
    woken = sim_block(timeout_ns < 0 ? -1 : sim.now + timeout_ns);
    sim_access(c, SIM_WRITE);
    if (!woken) {
        remove_waiter(&c->waiters, &waiter);
    }
    acquire(mutex->host);
    return woken;
}

void sim_cond_wake(QemuCond *cond, bool all)
{
    SimCond *c = cond->host;

    sim_access(c, SIM_WRITE);
    while (wake_first(&c->waiters) && all) {
    }
}

typedef struct SimThread {
    VThread *thread;
    VThread *joiner;
    bool detached;
} SimThread;

void sim_thread_create(QemuThread *qemu_thread, const char *name,
                       void *(*start)(void *), void *arg)
{
    SimThread *t = g_new0(SimThread, 1);

    sim_point();
    sim_fence();
    sim_access(&machine.last_id, SIM_OWN_WRITE);
    t->thread = machine_thread_new(name, start, arg);
    t->thread->self.host = t;
    t->detached = qemu_thread->detached;
    qemu_thread->host = t;
    qemu_thread->number = t->thread->self.id;
    if (sim.config.tracer) {
        sim.config.tracer->wake(t->thread->self.id); /* to begin */
    }
}

void sim_thread_ended(VThread *thread)
{
    SimThread *t = thread->self.id == 1 ? NULL : thread->self.host;

    sim_fence();
    sim_access(thread, SIM_WRITE);
    if (t && t->joiner) {
        sim_wake(t->joiner);
    }
    if (t && t->detached) {
        g_free(t);
    }
}

void *sim_thread_join(QemuThread *qemu_thread)
{
    SimThread *t = qemu_thread->host;
    void *ret;

    sim_point();
    sim_fence();
    sim_access(t->thread, SIM_WRITE);
    t->joiner = machine_current();
    while (t->thread->state != VTHREAD_DONE) {
        sim_block(-1);
    }
    ret = t->thread->ret;
    g_free(t);
    qemu_thread->host = NULL;
    return ret;
}
