/* SPDX-License-Identifier: MIT */
/*
 * Sleeping on a word of memory, after QEMU's qemu/futex.h: the kernel's calls.
 *
 * Live only.  A simulated machine does not know of them and a recorder does
 * not see them; code that is to run there uses QemuEvent or QemuCond.
 */
#ifndef QEMU_FUTEX_H
#define QEMU_FUTEX_H

#include "qemu/osdep.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define HAVE_FUTEX 1

#define qemu_futex(...) syscall(__NR_futex, __VA_ARGS__)

/* Wakes at most @n of those that wait on @f. */
static inline void qemu_futex_wake(void *f, int n)
{
    qemu_futex(f, FUTEX_WAKE, n, NULL, NULL, 0);
}

static inline void qemu_futex_wake_all(void *f)
{
    qemu_futex_wake(f, INT_MAX);
}

static inline void qemu_futex_wake_single(void *f)
{
    qemu_futex_wake(f, 1);
}

/*
 * Sleeps until woken, if the 32 bits at @f are still @val.  May return for no
 * reason: the caller looks at the word again.
 */
static inline void qemu_futex_wait(void *f, unsigned val)
{
    while (qemu_futex(f, FUTEX_WAIT, (int)val, NULL, NULL, 0)) {
        if (errno == EWOULDBLOCK) {
            return; /* it has changed already */
        }
        if (errno != EINTR) {
            abort();
        }
    }
}

#endif
