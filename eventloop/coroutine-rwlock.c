/* SPDX-License-Identifier: MIT */
/*
 * CoRwlock: readers and writers take tickets and are served in order, so that
 * neither can starve the other (util/qemu-coroutine-lock.c, 050de36b13).
 */
#include "coroutine-internal.h"

struct CoRwTicket {
    bool read;
    Coroutine *co;
    QSIMPLEQ_ENTRY(CoRwTicket) next;
};

void qemu_co_rwlock_init(CoRwlock *lock)
{
    qemu_co_mutex_init(&lock->mutex);
    lock->id = lock->mutex.id;
    lock->mutex.id = 0; /* held for a few instructions: no events */
    lock->owners = 0;
    QSIMPLEQ_INIT(&lock->tickets);
}

/*
 * Lets the first ticket in, if it may.  It wakes the next one in turn, so a
 * row of readers enters one after the other.  Gives the inner mutex up.
 */
static void coroutine_fn maybe_wake_one(CoRwlock *lock)
{
    CoRwTicket *ticket = QSIMPLEQ_FIRST(&lock->tickets);
    Coroutine *co = NULL;

    if (ticket && ticket->read && lock->owners >= 0) {
        lock->owners++;
        co = ticket->co;
    } else if (ticket && !ticket->read && lock->owners == 0) {
        lock->owners = -1;
        co = ticket->co;
    }
    if (co) {
        QSIMPLEQ_REMOVE_HEAD(&lock->tickets, next);
    }
    qemu_co_mutex_unlock(&lock->mutex);
    if (co) {
        aio_co_wake(co);
    }
}

/* Waits in line, with the inner mutex given up. */
static void coroutine_fn wait_for_turn(CoRwlock *lock, bool read,
                                       const LockSite *at)
{
    Coroutine *self = qemu_coroutine_self();
    CoRwTicket ticket = {.read = read, .co = self};

    QSIMPLEQ_INSERT_TAIL(&lock->tickets, &ticket, next);
    coroutine_tell_wait(self, read ? "CoRwlock(read)" : "CoRwlock(write)",
                        lock->id, at);
    qemu_co_mutex_unlock(&lock->mutex);
    qemu_coroutine_yield();
    PROBE(CO_WOKEN, self->id, 0, 0, 0);
}

static void check_owners(bool right, const char *what, const char *relation)
{
    if (unlikely(!right)) {
        coroutine_misuse_other(what, relation, NULL);
    }
}

void coroutine_fn qemu_co_rwlock_rdlock_at(CoRwlock *lock, const LockSite *at)
{
    Coroutine *self = qemu_coroutine_self();

    qemu_co_mutex_lock(&lock->mutex);
    if (lock->owners == 0 ||
        (lock->owners > 0 && QSIMPLEQ_EMPTY(&lock->tickets))) {
        lock->owners++;
        qemu_co_mutex_unlock(&lock->mutex);
    } else {
        wait_for_turn(lock, true, at);
        /* Another reader may stand behind us. */
        qemu_co_mutex_lock(&lock->mutex);
        maybe_wake_one(lock);
    }
    self->locks_held++;
    coroutine_tell_locked(self, lock->id, true, at);
}

void coroutine_fn qemu_co_rwlock_wrlock_at(CoRwlock *lock, const LockSite *at)
{
    Coroutine *self = qemu_coroutine_self();

    qemu_co_mutex_lock(&lock->mutex);
    if (lock->owners == 0) {
        lock->owners = -1;
        qemu_co_mutex_unlock(&lock->mutex);
    } else {
        wait_for_turn(lock, false, at);
    }
    self->locks_held++;
    coroutine_tell_locked(self, lock->id, false, at);
}

/* Whoever takes the address of one of these has no place of its own. */
void coroutine_fn (qemu_co_rwlock_rdlock)(CoRwlock *lock)
{
    qemu_co_rwlock_rdlock_at(lock, LOCK_SITE_(NULL));
}

void coroutine_fn (qemu_co_rwlock_wrlock)(CoRwlock *lock)
{
    qemu_co_rwlock_wrlock_at(lock, LOCK_SITE_(NULL));
}

void coroutine_fn qemu_co_rwlock_unlock(CoRwlock *lock)
{
    Coroutine *self = qemu_coroutine_self();

    coroutine_check_inside(self, "CoRwlock unlocked");
    qemu_co_mutex_lock(&lock->mutex);
    check_owners(lock->owners, "CoRwlock unlocked", "holds it");
    coroutine_tell_unlocked(self, lock->id);
    self->locks_held--;
    lock->owners = lock->owners > 0 ? lock->owners - 1 : 0;
    maybe_wake_one(lock);
}

void coroutine_fn qemu_co_rwlock_downgrade(CoRwlock *lock)
{
    qemu_co_mutex_lock(&lock->mutex);
    check_owners(lock->owners == -1, "CoRwlock downgraded",
                 "holds it for writing");
    lock->owners = 1;
    coroutine_tell_locked(qemu_coroutine_self(), lock->id, true,
                          LOCK_SITE_(NULL));
    maybe_wake_one(lock);
}

void coroutine_fn qemu_co_rwlock_upgrade(CoRwlock *lock)
{
    qemu_co_mutex_lock(&lock->mutex);
    check_owners(lock->owners > 0, "CoRwlock upgraded",
                 "holds it for reading");
    if (lock->owners == 1 && QSIMPLEQ_EMPTY(&lock->tickets)) {
        lock->owners = -1;
        qemu_co_mutex_unlock(&lock->mutex);
        coroutine_tell_locked(qemu_coroutine_self(), lock->id, false,
                              LOCK_SITE_(NULL));
        return;
    }
    /* The share is given up before we stand in line: somebody else may be let
     * in by that, and then it is not our turn yet. */
    lock->owners--;
    {
        CoRwTicket ticket = {.read = false, .co = qemu_coroutine_self()};

        QSIMPLEQ_INSERT_TAIL(&lock->tickets, &ticket, next);
        coroutine_tell_unlocked(ticket.co, lock->id);
        coroutine_tell_wait(ticket.co, "CoRwlock(write)", lock->id,
                            LOCK_SITE_(NULL));
        maybe_wake_one(lock);
        qemu_coroutine_yield();
        PROBE(CO_WOKEN, ticket.co->id, 0, 0, 0);
        coroutine_tell_locked(ticket.co, lock->id, false, LOCK_SITE_(NULL));
    }
}
