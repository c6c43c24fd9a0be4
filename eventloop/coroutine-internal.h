/* SPDX-License-Identifier: MIT */
/*
 * Between the files that make up coroutines.
 *
 *   coroutine.c         what entering, yielding and ending mean
 *   coroutine-switch.c  the two of them that are hot, by hand
 *   coroutine-pool.c    stacks that are kept for the next coroutine
 *   coroutine-misuse.c  the sentences that a wrong program ends with
 */
#ifndef EVENTLOOP_COROUTINE_INTERNAL_H
#define EVENTLOOP_COROUTINE_INTERNAL_H

#include "aio-internal.h"

#if defined(__x86_64__) && !defined(STACK_ASAN) && !defined(STACK_TSAN) && \
    !defined(STACK_UCONTEXT)
#define COROUTINE_SWITCH_BY_HAND 1
#endif

/*
 * What the code by hand knows of the structures; checked in coroutine-switch.c.
 */
#define CO_CALLER 0
#define CO_SCHEDULED 8
#define CO_CTX 16
#define CO_SLOW 24
#define CO_ID 96
#define CO_SP 112
#define CO_START 120
#define FAST_TRAP 0
#define FAST_CTX 8
#define FAST_CURRENT 16
#define TRAP_IS_DIGESTED 8
/* In Coroutine.slow, else 0 or 1: its yielding is to be in the digest. */
#define CO_DIGESTED 2

/* Where a coroutine's stack begins. */
void coroutine_trampoline(void) __attribute__((visibility("hidden")));
/* Those functions where they have more to do than to switch. */
void coroutine_enter_slowly(Coroutine *co)
    __attribute__((visibility("hidden")));
void coroutine_yield_slowly(void) __attribute__((visibility("hidden")));

#ifdef COROUTINE_SWITCH_BY_HAND
extern const uint64_t coroutine_enter_event
    __attribute__((visibility("hidden")));
extern const uint64_t coroutine_yield_event
    __attribute__((visibility("hidden")));
/*
 * Suspends @from, which enters or has entered nobody any more, and goes on
 * where @to called qemu_coroutine_enter(), as if it called @fn(@from) there.
 */
void coroutine_switch_and_call(Coroutine *from, Coroutine *to,
                               void (*fn)(Coroutine *left))
    __attribute__((visibility("hidden")));
/* Goes on in @to; whoever enters @from again finds a stack as good as new. */
void QEMU_NORETURN coroutine_switch_for_good(Coroutine *from, Coroutine *to)
    __attribute__((visibility("hidden")));
#endif

/* ---- The pool ---- */

/* The @caller of a coroutine that has ended: nobody can enter it. */
extern Coroutine coroutine_nobody __attribute__((visibility("hidden")));

/* When the thread's own pool is empty, or full. */
Coroutine *coroutine_pool_refill(HostThread *self);
void coroutine_pool_spill(HostThread *self, Coroutine *co);

static inline Coroutine *coroutine_pool_get(HostThread *self)
{
    Coroutine *co = self->pool.first;

    if (unlikely(!co)) {
        return coroutine_pool_refill(self);
    }
    self->pool.first = co->pool_next.sle_next;
    self->pool.n--;
    return co;
}

static inline bool coroutine_pool_has_room(const HostThread *self)
{
    return self->pool.n < HOST_COROUTINE_BATCH;
}

static inline void coroutine_pool_put(HostThread *self, Coroutine *co)
{
    co->caller = &coroutine_nobody;
    co->id = 0;
    if (unlikely(!coroutine_pool_has_room(self))) {
        coroutine_pool_spill(self, co);
        return;
    }
    co->pool_next.sle_next = self->pool.first;
    self->pool.first = co;
    self->pool.n++;
}

/* ---- Events of waits and locks; @name is the source's, or NULL ---- */

/* @kind: "CoMutex"; @what: its object id. */
void coroutine_tell_wait(const Coroutine *co, const char *kind, uint64_t what,
                         const LockSite *at);
void coroutine_tell_locked(const Coroutine *co, uint64_t lock, bool shared,
                           const LockSite *at);
void coroutine_tell_unlocked(const Coroutine *co, uint64_t lock);

/* ---- Misuse: each prints one sentence and aborts ---- */

void QEMU_NORETURN coroutine_misuse_enter(const Coroutine *co);
void QEMU_NORETURN coroutine_misuse_scheduled(const char *function,
                                              const Coroutine *co,
                                              const char *scheduled);
void QEMU_NORETURN coroutine_misuse_yield(void);
void QEMU_NORETURN coroutine_misuse_locks(const Coroutine *co);
/* @what happened outside a coroutine, or to @other in a wrong way. */
void QEMU_NORETURN coroutine_misuse_outside(const char *what);
void QEMU_NORETURN coroutine_misuse_other(const char *what,
                                          const char *relation,
                                          const Coroutine *other);

/* Only coroutines may do @what; @self runs. */
static inline void coroutine_check_inside(const Coroutine *self,
                                          const char *what)
{
    if (unlikely(!self->caller)) {
        coroutine_misuse_outside(what);
    }
}

#endif
