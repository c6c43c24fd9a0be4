/* SPDX-License-Identifier: MIT */
/*
 * Spin locks.  On the simulated machine the thread that holds one goes on only
 * when those that spin let it: each round is a scheduling point.
 */
#include "host.h"

void qemu_spin_init(QemuSpin *spin)
{
    qatomic_set(&spin->value, 0);
}

void qemu_spin_destroy(QemuSpin *spin)
{
    assert(!qatomic_read(&spin->value));
}

void qemu_spin_lock(QemuSpin *spin)
{
    host_point(HOST_POINT_WORD, 0);
    while (unlikely(qatomic_xchg(&spin->value, 1))) {
        while (qatomic_read(&spin->value)) {
            cpu_relax();
            host_point(HOST_POINT_SPIN, 0);
        }
    }
}

bool qemu_spin_trylock(QemuSpin *spin)
{
    host_point(HOST_POINT_WORD, 0);
    return qatomic_xchg(&spin->value, 1);
}

bool qemu_spin_locked(QemuSpin *spin)
{
    return qatomic_read(&spin->value);
}

void qemu_spin_unlock(QemuSpin *spin)
{
    qatomic_store_release(&spin->value, 0);
}
