/* SPDX-License-Identifier: MIT */
/*
 * A counter of visitors and a lock in one word, after QEMU's qemu/lockcnt.h.
 *
 * Threads that walk a list count themselves in and out; a thread that changes
 * the list takes the lock.  Elements are freed only with the lock held and no
 * visitor inside.  The lock does not keep visitors out while there are some
 * already; it does keep the *first* one out, so that with the lock held a
 * count of zero stays zero.
 *
 * While nobody holds the lock, each operation is one compare-and-exchange.
 */
#ifndef QEMU_LOCKCNT_H
#define QEMU_LOCKCNT_H

#include "qemu/thread.h"

struct QemuLockCnt {
    unsigned count;               /* visitors, shifted; and the lock's state */
    struct ParkingPlace *parking; /* where those sleep that want the lock */
};

/* No visitor, not locked. */
void qemu_lockcnt_init(QemuLockCnt *lockcnt);
void qemu_lockcnt_destroy(QemuLockCnt *lockcnt);

/* One more visitor; the first one waits for the lock to be free. */
void qemu_lockcnt_inc(QemuLockCnt *lockcnt);
void qemu_lockcnt_dec(QemuLockCnt *lockcnt);
/* One visitor less.  If that was the last: takes the lock, returns true. */
bool qemu_lockcnt_dec_and_lock(QemuLockCnt *lockcnt);
/*
 * If the caller is the only visitor: counts it out, takes the lock, and
 * returns true.  Else changes nothing.
 */
bool qemu_lockcnt_dec_if_lock(QemuLockCnt *lockcnt);

void qemu_lockcnt_lock(QemuLockCnt *lockcnt);
void qemu_lockcnt_unlock(QemuLockCnt *lockcnt);
/* Unlocks, and the caller is a visitor from then on, with no gap between. */
void qemu_lockcnt_inc_and_unlock(QemuLockCnt *lockcnt);

/* The visitors.  With the lock held, zero stays zero. */
unsigned qemu_lockcnt_count(QemuLockCnt *lockcnt);

#endif
