/* SPDX-License-Identifier: MIT */
/*
 * QemuLockCnt: visitors and a lock in one word; QEMU: util/lockcnt.c.
 *
 * The two lowest bits are the lock's: it is held, and somebody sleeps until it
 * is not.  The rest counts visitors.
 */
#include "host.h"
#include "parking.h"
#include "qemu/lockcnt.h"

enum {
    LOCKED = 1 << 0,
    AWAITED = 1 << 1,
    STATE = LOCKED | AWAITED,
    VISITOR = 1 << 2,
};

void qemu_lockcnt_init(QemuLockCnt *lockcnt)
{
    *lockcnt = (QemuLockCnt){.parking = parking_new()};
}

void qemu_lockcnt_destroy(QemuLockCnt *lockcnt)
{
    assert(!(lockcnt->count & STATE));
    parking_unref(lockcnt->parking);
    lockcnt->parking = NULL;
}

/* Replaces @seen by @value, or updates @seen. */
static bool exchange(QemuLockCnt *lockcnt, unsigned *seen, unsigned value)
{
    unsigned found = qatomic_cmpxchg(&lockcnt->count, *seen, value);
    bool done = found == *seen;

    *seen = found;
    return done;
}

/* Sleeps until the lock is free, at least for a moment; returns the word. */
static unsigned wait_until_free(QemuLockCnt *lockcnt)
{
    ParkingPlace *place = lockcnt->parking;
    unsigned seen;

    qemu_mutex_lock(&place->mutex);
    seen = qatomic_read(&lockcnt->count);
    while (seen & LOCKED) {
        if (seen & AWAITED || exchange(lockcnt, &seen, seen | AWAITED)) {
            qemu_cond_wait(&place->cond, &place->mutex);
            seen = qatomic_read(&lockcnt->count);
        }
    }
    qemu_mutex_unlock(&place->mutex);
    return seen;
}

static void lock_point(QemuLockCnt *lockcnt)
{
    host_point(HOST_POINT_WORD, lockcnt->parking->mutex.id);
}

void qemu_lockcnt_inc(QemuLockCnt *lockcnt)
{
    unsigned seen = qatomic_read(&lockcnt->count);

    do {
        if (seen < VISITOR && seen & LOCKED) {
            seen = wait_until_free(lockcnt);
        }
    } while (!exchange(lockcnt, &seen, seen + VISITOR));
}

void qemu_lockcnt_dec(QemuLockCnt *lockcnt)
{
    unsigned seen = qatomic_fetch_sub(&lockcnt->count, VISITOR);

    assert(seen >= VISITOR);
}

bool qemu_lockcnt_dec_and_lock(QemuLockCnt *lockcnt)
{
    unsigned seen;

    lock_point(lockcnt);
    seen = qatomic_read(&lockcnt->count);
    for (;;) {
        assert(seen >= VISITOR);
        if (seen >= 2 * VISITOR) {
            if (exchange(lockcnt, &seen, seen - VISITOR)) {
                return false;
            }
        } else if (seen & LOCKED) {
            seen = wait_until_free(lockcnt);
        } else if (exchange(lockcnt, &seen, LOCKED)) {
            return true;
        }
    }
}

bool qemu_lockcnt_dec_if_lock(QemuLockCnt *lockcnt)
{
    unsigned seen = qatomic_read(&lockcnt->count);

    while (seen < 2 * VISITOR) {
        assert(seen >= VISITOR);
        if (seen & LOCKED) {
            seen = wait_until_free(lockcnt);
        } else if (exchange(lockcnt, &seen, LOCKED)) {
            return true;
        }
    }
    return false;
}

void qemu_lockcnt_lock(QemuLockCnt *lockcnt)
{
    unsigned seen;

    lock_point(lockcnt);
    seen = qatomic_read(&lockcnt->count);
    do {
        if (seen & LOCKED) {
            seen = wait_until_free(lockcnt);
        }
    } while (!exchange(lockcnt, &seen, seen | LOCKED));
}

/* Gives up the lock, counts @visitors in, and wakes who waits for it. */
static void release(QemuLockCnt *lockcnt, unsigned visitors)
{
    unsigned seen = qatomic_read(&lockcnt->count), before;
    ParkingPlace *place = NULL;

    do {
        assert(seen & LOCKED);
        before = seen;
        if (seen & AWAITED && !place) {
            place = parking_ref(lockcnt->parking);
        }
    } while (!exchange(lockcnt, &seen,
                       (seen & ~STATE) + visitors * VISITOR));
    /* From here on the lock may be gone. */
    if (before & AWAITED) {
        parking_wake_all(place);
    }
    if (place) {
        parking_unref(place);
    }
}

void qemu_lockcnt_unlock(QemuLockCnt *lockcnt)
{
    release(lockcnt, 0);
}

void qemu_lockcnt_inc_and_unlock(QemuLockCnt *lockcnt)
{
    release(lockcnt, 1);
}

unsigned qemu_lockcnt_count(QemuLockCnt *lockcnt)
{
    return qatomic_read(&lockcnt->count) / VISITOR;
}
