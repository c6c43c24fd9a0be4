/* SPDX-License-Identifier: MIT */
/*
 * A thread that runs one AioContext, after QEMU's system/iothread.h.
 *
 * It polls adaptively for up to 32768 ns before it sleeps, as QEMU's does on
 * POSIX hosts; the parameters below have the names of QEMU's properties.
 */
#ifndef SYSTEM_IOTHREAD_H
#define SYSTEM_IOTHREAD_H

#include "qemu/aio.h"
#include "qemu/thread.h"

#define TYPE_IOTHREAD "iothread"
#define IOTHREAD_POLL_MAX_NS_DEFAULT 32768LL

/*
 * Any thread.  Returns when the thread runs.  NULL and *errp if there is one
 * of that name already, or no context could be made.
 */
IOThread *iothread_create(const char *id, Error **errp);
/* Stops the thread, joins it and frees the context; not from itself. */
void iothread_destroy(IOThread *iothread);
void iothread_stop(IOThread *iothread);

/*
 * "poll-max-ns", "poll-grow", "poll-shrink", "poll-weight", "aio-max-batch",
 * "thread-pool-min", "thread-pool-max"; takes effect in the thread's next
 * turn.  False and *errp for another name or an impossible value.
 */
bool iothread_set_parameter(IOThread *iothread, const char *name,
                            int64_t value, Error **errp);
/* The value, or -1 for another name. */
int64_t iothread_get_parameter(IOThread *iothread, const char *name);

IOThread *iothread_by_id(const char *id);
/* A copy, which the caller frees. */
char *iothread_get_id(IOThread *iothread);
AioContext *iothread_get_aio_context(IOThread *iothread);
/*
 * A GMainContext that the thread runs from now on, with the AioContext as one
 * of its sources.  Until somebody asks for it, the thread calls aio_poll().
 */
GMainContext *iothread_get_g_main_context(IOThread *iothread);
/* True in the thread of any IOThread. */
bool qemu_in_iothread(void);

#endif
