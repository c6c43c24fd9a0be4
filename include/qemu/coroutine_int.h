/* SPDX-License-Identifier: MIT */
/* What coroutine implementations see of a coroutine. */
#ifndef QEMU_COROUTINE_INT_H
#define QEMU_COROUTINE_INT_H

#include "qemu/coroutine.h"
#include "qemu/queue.h"

#define COROUTINE_STACK_SIZE (1 << 20) /* bytes; only touched pages cost */

typedef enum {
    COROUTINE_YIELD = 1,
    COROUTINE_TERMINATE = 2,
    COROUTINE_ENTER = 3,
} CoroutineAction;

/* Ordered so that a switch touches one or two cache lines. */
struct Coroutine {
    Coroutine *caller; /* who entered us; NULL while we do not run */
    const char *scheduled; /* who has scheduled us, or NULL */
    AioContext *ctx; /* where we ran last; stable once we have yielded */
    uintptr_t slow; /* ours: leaving us is more than a switch */
    QSIMPLEQ_HEAD(, Coroutine) co_queue_wakeup; /* entered when we yield */
    CoroutineEntry *entry; /* NULL once it has returned */
    void *entry_arg;
    size_t locks_held;

    QSLIST_ENTRY(Coroutine) pool_next;
    QSIMPLEQ_ENTRY(Coroutine) co_queue_next;
    QSLIST_ENTRY(Coroutine) co_scheduled_next;

    uint64_t id; /* ours: the object id, a new one for each life */
    const char *name;
};

Coroutine *qemu_coroutine_new(void);
void qemu_coroutine_delete(Coroutine *co);
/*
 * Suspends @from and goes on in @to; returns when somebody switches back, and
 * says what for.  Does not touch @caller.
 */
CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to,
                                      CoroutineAction action);

#endif
