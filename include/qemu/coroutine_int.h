/* SPDX-License-Identifier: MIT */
/* What coroutine implementations see of a coroutine. */
#ifndef QEMU_COROUTINE_INT_H
#define QEMU_COROUTINE_INT_H

#include "qemu/coroutine.h"
#include "qemu/queue.h"

typedef enum {
    COROUTINE_YIELD = 1,
    COROUTINE_TERMINATE = 2,
    COROUTINE_ENTER = 3,
} CoroutineAction;

struct Coroutine {
    CoroutineEntry *entry;
    void *entry_arg;
    Coroutine *caller; /* who entered us; NULL while we do not run */
    QSLIST_ENTRY(Coroutine) pool_next;
    size_t locks_held;

    AioContext *ctx; /* where we ran last; stable once we have yielded */
    const char *scheduled; /* who has scheduled us, or NULL */

    QSIMPLEQ_ENTRY(Coroutine) co_queue_next;
    QSIMPLEQ_HEAD(, Coroutine) co_queue_wakeup; /* entered when we yield */
    QSLIST_ENTRY(Coroutine) co_scheduled_next;

    uint64_t id; /* ours: the object id, a new one for each life */
    const char *name;
};

Coroutine *qemu_coroutine_new(void);
void qemu_coroutine_delete(Coroutine *co);
CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to,
                                      CoroutineAction action);

#endif
