/* SPDX-License-Identifier: MIT */
/*
 * Coroutines, after QEMU's qemu/coroutine.h.
 *
 * A coroutine is a function with a stack of its own, which it can leave with
 * qemu_coroutine_yield() and come back to when somebody enters it again.
 * There is no preemption: between two yields a coroutine runs like any other
 * function of the thread that entered it.
 *
 * Functions marked coroutine_fn must be called from a coroutine.
 */
#ifndef QEMU_COROUTINE_H
#define QEMU_COROUTINE_H

#include "qemu/osdep.h"
#include "qemu/timer.h"

typedef void coroutine_fn CoroutineEntry(void *opaque);

/* Does not run anything yet: see qemu_coroutine_enter(). */
#define qemu_coroutine_create(entry, opaque) \
    qemu_coroutine_create_named(entry, opaque, #entry)
Coroutine *qemu_coroutine_create_named(CoroutineEntry *entry, void *opaque,
                                       const char *name);

/*
 * Runs @co in the calling thread until it yields or ends, in the AioContext of
 * the caller.  Aborts if it already runs, or was scheduled elsewhere.
 */
void qemu_coroutine_enter(Coroutine *co);
void qemu_coroutine_enter_if_inactive(Coroutine *co);
void qemu_aio_coroutine_enter(AioContext *ctx, Coroutine *co);

/* Goes back to whoever entered the running coroutine. */
void coroutine_fn qemu_coroutine_yield(void);

Coroutine *qemu_coroutine_self(void);
bool qemu_in_coroutine(void);
/* True from enter to the next yield. */
bool qemu_coroutine_entered(Coroutine *co);
/* The context in which @co ran last. */
AioContext *qemu_coroutine_get_aio_context(Coroutine *co);

/* Yields for @ns nanoseconds of @type; a timer of the current context. */
void coroutine_fn qemu_co_sleep_ns(QEMUClockType type, int64_t ns);

#endif
