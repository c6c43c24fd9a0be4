/* SPDX-License-Identifier: MIT */
/* Memory at an aligned address, after QEMU's qemu/memalign.h. */
#ifndef QEMU_MEMALIGN_H
#define QEMU_MEMALIGN_H

#include "qemu/osdep.h"

/*
 * @alignment is a power of two.  Freed with qemu_vfree(); never NULL for
 * @size 0.  The first returns NULL if there is no memory, the second aborts.
 */
void *qemu_try_memalign(size_t alignment, size_t size);
void *qemu_memalign(size_t alignment, size_t size);
/* @ptr may be NULL. */
void qemu_vfree(void *ptr);

static inline void qemu_cleanup_auto_vfree(void *p)
{
    qemu_vfree(*(void **)p);
}

/* QEMU_AUTO_VFREE char *buf = qemu_memalign(...): freed with its scope. */
#define QEMU_AUTO_VFREE __attribute__((cleanup(qemu_cleanup_auto_vfree)))

#endif
