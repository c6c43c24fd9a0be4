/* SPDX-License-Identifier: MIT */
/*
 * The big QEMU lock: whoever holds it acts for the main thread.
 *
 * The main loop gives it up while it waits, so vCPU threads get in.  A program
 * that never takes it has none, as QEMU's tools.
 */
#include "aio-internal.h"
#include "qemu/main-loop.h"

static QemuMutex bql;
static unsigned unlock_blocked; /* under the BQL */

void bql_init(void)
{
    qemu_mutex_init(&bql);
}

void bql_finish(void)
{
    qemu_mutex_destroy(&bql);
}

bool bql_locked(void)
{
    return host_self()->bql_locked;
}

void bql_lock_at(const LockSite *at)
{
    assert(!bql_locked());
    qemu_mutex_lock_at(&bql, at);
    host_self()->bql_locked = true;
}

/* Whoever calls it by this name has no place that stays valid. */
void bql_lock_impl(const char *file, int line)
{
    bql_lock();
}

void bql_block_unlock(bool increase)
{
    assert(bql_locked());
    assert(increase || unlock_blocked);
    unlock_blocked += increase ? 1 : -1;
}

void bql_unlock(void)
{
    assert(bql_locked());
    assert(!unlock_blocked);
    host_self()->bql_locked = false;
    qemu_mutex_unlock(&bql);
}

void qemu_cond_wait_bql(QemuCond *cond)
{
    assert(bql_locked());
    host_self()->bql_locked = false;
    qemu_cond_wait(cond, &bql);
    host_self()->bql_locked = true;
}

void qemu_cond_timedwait_bql(QemuCond *cond, int ms)
{
    assert(bql_locked());
    host_self()->bql_locked = false;
    qemu_cond_timedwait(cond, &bql, ms);
    host_self()->bql_locked = true;
}
