/* SPDX-License-Identifier: MIT */
/*
 * The plain event loop thread of QEMU's unit tests (tests/unit/iothread.h): no
 * name, no polling, no properties.
 */
#ifndef TEST_IOTHREAD_H
#define TEST_IOTHREAD_H

#include "qemu/aio.h"

/* Returns when the thread runs its context. */
IOThread *iothread_new(void);
/* Stops it and frees it; the context lives on if somebody has a reference. */
void iothread_join(IOThread *iothread);
AioContext *iothread_get_aio_context(IOThread *iothread);

#endif
