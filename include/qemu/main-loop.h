/* SPDX-License-Identifier: MIT */
/* The main thread's context, after QEMU's qemu/main-loop.h. */
#ifndef QEMU_MAIN_LOOP_H
#define QEMU_MAIN_LOOP_H

#include "qemu/aio.h"

/* Makes the main context and the calling thread its home.  0 or -errno. */
int qemu_init_main_loop(Error **errp);
/* Ours: undoes it, so that tests can start again. */
void qemu_finish_main_loop(void);
AioContext *qemu_get_aio_context(void);

#define qemu_bh_new(cb, opaque) \
    aio_bh_new(qemu_get_aio_context(), cb, opaque)

#endif
