/* SPDX-License-Identifier: MIT */
/* A thread that runs one AioContext, after QEMU's system/iothread.h. */
#ifndef SYSTEM_IOTHREAD_H
#define SYSTEM_IOTHREAD_H

#include "qemu/aio.h"

IOThread *iothread_create(const char *id, Error **errp);
/* Stops the thread, joins it and frees the context; home: the main thread. */
void iothread_destroy(IOThread *iothread);
void iothread_stop(IOThread *iothread);
AioContext *iothread_get_aio_context(IOThread *iothread);
const char *iothread_get_id(IOThread *iothread);

#endif
