/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: create, enter, yield; what every header of the event loop needs.
 *
 * A coroutine is a function with a stack of its own, which it can leave with
 * qemu_coroutine_yield() and come back to when somebody enters it again.
 * There is no preemption: between two yields a coroutine runs like any other
 * function of the thread that entered it.
 *
 * Functions marked coroutine_fn must be called from a coroutine; those marked
 * coroutine_mixed_fn may be.  Names and semantics follow QEMU v11.1.
 */
#ifndef QEMU_COROUTINE_CORE_H
#define QEMU_COROUTINE_CORE_H

#include "qemu/osdep.h"

/* What a coroutine runs.  When it returns, the coroutine is gone. */
typedef void coroutine_fn CoroutineEntry(void *opaque);

/*
 * Makes a coroutine that will run @entry(@opaque); nothing runs before
 * qemu_coroutine_enter().  It belongs to whoever enters it, and frees itself
 * when @entry returns.  Any thread.
 *
 * The macro gives it the name of its function, for messages and reports; where
 * a pointer to a function is wanted, the function is what is found.
 */
Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
Coroutine *qemu_coroutine_create_named(CoroutineEntry *entry, void *opaque,
                                       const char *name);
#define qemu_coroutine_create(entry, ...) \
    qemu_coroutine_create_named(entry, __VA_ARGS__, #entry)

/*
 * Runs @co in the calling thread until it yields or ends, in the AioContext of
 * the caller.  Aborts if @co already runs, or was scheduled elsewhere.
 */
void qemu_coroutine_enter(Coroutine *co);
/* The same, unless @co already runs. */
void qemu_coroutine_enter_if_inactive(Coroutine *co);
/* The same, in @ctx. */
void qemu_aio_coroutine_enter(AioContext *ctx, Coroutine *co);

/* Goes back to whoever entered the running coroutine. */
void coroutine_fn qemu_coroutine_yield(void);

/* The context in which @co ran last. */
AioContext *qemu_coroutine_get_aio_context(Coroutine *co);
/* Who runs; outside coroutines, what stands for the thread's own stack. */
Coroutine *qemu_coroutine_self(void);
bool qemu_in_coroutine(void);
/* True from enter to the next yield, whoever else runs meanwhile. */
bool qemu_coroutine_entered(Coroutine *co);

/* See qemu/coroutine.h. */
void qemu_co_mutex_init(CoMutex *mutex);
void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex);
void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex);

#endif
