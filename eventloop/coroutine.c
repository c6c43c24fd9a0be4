/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: create, enter, yield, end.
 *
 * Models util/qemu-coroutine.c.  The running coroutine belongs to the thread.
 * Entering is a call and yielding is a return, but for what the coroutine has
 * woken meanwhile: that is entered after it, by whoever had entered it.
 *
 * There are two ways to enter.  Where the machine allows it,
 * qemu_coroutine_enter() is a few instructions of assembler that remember
 * nothing (coroutine-switch.c): if there is something left to do when the
 * coroutine leaves, the coroutine arranges for it.  The loop below is the
 * other way, for everything else; it says so in its coroutine's "loops", and
 * looks itself.
 *
 * While a run is recorded, both ways emit the same events in the same order.
 */
#include "coroutine-internal.h"

typedef QSIMPLEQ_HEAD(CoroutineQueue, Coroutine) CoroutineQueue;

StackedCoroutineList coroutine_list = QLIST_HEAD_INITIALIZER(coroutine_list);

static bool *loops(Coroutine *co)
{
    return &container_of(co, StackedCoroutine, base)->loops;
}

/* ---- Being entered ---- */

static void enter_pending(AioContext *ctx, CoroutineQueue *pending);

/*
 * @left has yielded or ended.  What it woke goes first: depth first, as in
 * QEMU since c40a254570.
 */
static void settle(Coroutine *left, CoroutineQueue *pending)
{
    QSIMPLEQ_CONCAT(&left->co_queue_wakeup, pending);
    QSIMPLEQ_CONCAT(pending, &left->co_queue_wakeup);
    left->slow = false;
    if (left->entry) {
        return;
    }
    /* Its enterer goes on, and it has not yielded. */
    PROBE_SHOW(CO_END, left->id, 0, 0, 0);
    if (left->locks_held) {
        coroutine_misuse_locks(left);
    }
    if (left->scheduled) {
        coroutine_misuse_scheduled("end of a coroutine", left, left->scheduled);
    }
    coroutine_pool_put(host_self(), left);
}

#ifdef COROUTINE_SWITCH_BY_HAND
/* Runs in place of qemu_coroutine_enter()'s end; see coroutine-switch.c. */
static void settle_and_go_on(Coroutine *left)
{
    CoroutineQueue pending = QSIMPLEQ_HEAD_INITIALIZER(pending);
    AioContext *ctx = left->ctx;

    settle(left, &pending);
    enter_pending(ctx, &pending);
}
#endif

/* Goes back from @co to @to, which had entered it. */
static void coroutine_leave(Coroutine *co, Coroutine *to)
{
    host_fast()->current = to;
#ifdef COROUTINE_SWITCH_BY_HAND
    if (!*loops(to)) {
        coroutine_switch_and_call(co, to, settle_and_go_on);
        return;
    }
#endif
    stack_switch(coroutine_stack(co), coroutine_stack(to));
}

void coroutine_yield_slowly(void)
{
    Coroutine *co = qemu_coroutine_self(), *to = co->caller;

    if (!to) {
        coroutine_misuse_yield();
    }
    PROBE(CO_YIELD, co->id, to->id, 0, 0);
    co->caller = NULL;
    coroutine_leave(co, to);
}

/*
 * The running coroutine's function has returned.  If it leaves nothing to do
 * it goes into the pool itself: nobody takes it before the stack is switched.
 */
static __attribute__((noinline)) void end(void)
{
    Coroutine *co = host_fast_.current, *to = co->caller;

    co->entry = NULL;
#ifdef COROUTINE_SWITCH_BY_HAND
    if (likely(!((uintptr_t)QSIMPLEQ_FIRST(&co->co_queue_wakeup) |
                 (uintptr_t)co->scheduled | co->locks_held | *loops(to)) &&
               coroutine_pool_has_room(host_self_))) {
        PROBE_SHOW(CO_END, co->id, 0, 0, 0);
        coroutine_pool_put(host_self_, co);
        host_fast_.current = to;
        coroutine_switch_for_good(co, to);
    }
#endif
    coroutine_leave(co, to);
}

void coroutine_trampoline(void)
{
    Coroutine *co = host_fast_.current;

    stack_entered(coroutine_stack(co));
    for (;;) {
        co->entry(co->entry_arg);
        end();
        /* Taken from the pool, and entered again. */
    }
}

/* ---- Entering ---- */

CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to,
                                      CoroutineAction action)
{
    host_fast()->current = to;
    stack_switch(coroutine_stack(from), coroutine_stack(to));
    /* Whom we had entered has come back; or somebody has entered us. */
    return action != COROUTINE_ENTER ? COROUTINE_ENTER
           : to->entry ? COROUTINE_YIELD : COROUTINE_TERMINATE;
}

static void enter_one(AioContext *ctx, Coroutine *from, Coroutine *to)
{
    const char *scheduled = raw_read(&to->scheduled);

    if (unlikely(scheduled)) {
        coroutine_misuse_scheduled("qemu_aio_coroutine_enter", to, scheduled);
    }
    if (unlikely(to->caller || to == from)) {
        coroutine_misuse_enter(to);
    }
    to->caller = from;
    to->ctx = ctx;
    to->slow = probe_on != 0;
    /* Whoever finds us later must see ctx: pairs with aio_co_wake(). */
    smp_wmb();
    if (unlikely(probe_on)) {
        /* The context is the thread's. */
        probe_mix(probe_event_digest(PROBE_CO_ENTER, to->id, 0, from->id, 0));
        PROBE_SHOW(CO_ENTER, to->id, aio_context_id(ctx), from->id, 0);
    }
    *loops(from) = true;
    qemu_coroutine_switch(from, to, COROUTINE_ENTER);
    *loops(from) = false;
}

/*
 * A list instead of recursion, so that two coroutines that wake each other for
 * ever need no stack.
 */
static void enter_pending(AioContext *ctx, CoroutineQueue *pending)
{
    Coroutine *from = qemu_coroutine_self();
    Coroutine *to;

    while ((to = QSIMPLEQ_FIRST(pending))) {
        QSIMPLEQ_REMOVE_HEAD(pending, co_queue_next);
        enter_one(ctx, from, to);
        settle(to, pending);
    }
}

static void enter_in_loop(AioContext *ctx, Coroutine *co)
{
    CoroutineQueue pending = QSIMPLEQ_HEAD_INITIALIZER(pending);

    QSIMPLEQ_INSERT_TAIL(&pending, co, co_queue_next);
    enter_pending(ctx, &pending);
}

void coroutine_enter_slowly(Coroutine *co)
{
    enter_in_loop(qemu_get_current_aio_context(), co);
}

void qemu_aio_coroutine_enter(AioContext *ctx, Coroutine *co)
{
    if (ctx == host_fast()->ctx) {
        qemu_coroutine_enter(co);
    } else {
        enter_in_loop(ctx, co);
    }
}

#ifndef COROUTINE_SWITCH_BY_HAND
void qemu_coroutine_enter(Coroutine *co)
{
    coroutine_enter_slowly(co);
}

void coroutine_fn qemu_coroutine_yield(void)
{
    coroutine_yield_slowly();
}
#endif

void qemu_coroutine_enter_if_inactive(Coroutine *co)
{
    if (!qemu_coroutine_entered(co)) {
        qemu_coroutine_enter(co);
    }
}

/* ---- Life ---- */

Coroutine *qemu_coroutine_new(void)
{
    StackedCoroutine *co = g_new0(StackedCoroutine, 1);

    stack_init(&co->stack, coroutine_trampoline);
    if (host_mode & HOST_LISTS) {
        QLIST_INSERT_HEAD(&coroutine_list, co, node);
    }
    return &co->base;
}

void qemu_coroutine_delete(Coroutine *base)
{
    StackedCoroutine *co = container_of(base, StackedCoroutine, base);

    QLIST_SAFE_REMOVE(co, node);
    stack_finish(&co->stack);
    g_free(co);
}

/* Its number tells later events that it was created: that is in no digest. */
static inline Coroutine *begin_life(HostThread *self, Coroutine *co,
                                    CoroutineEntry *entry, void *opaque,
                                    const char *name)
{
    co->caller = NULL;
    co->slow = false;
    co->entry = entry;
    co->entry_arg = opaque;
    co->name = name;
    co->id = (uint64_t)self->id << 32 | ++self->next_object;
    QSIMPLEQ_INIT(&co->co_queue_wakeup);
    return co;
}

static __attribute__((noinline, cold))
Coroutine *create_slowly(CoroutineEntry *entry, void *opaque, const char *name)
{
    HostThread *self = host_self();
    Coroutine *co = coroutine_pool_get(self);

    begin_life(self, co, entry, opaque, name);
    PROBE_SHOW_TEXT(CO_CREATE, co->id, 0, 0, 0, name);
    return co;
}

Coroutine *qemu_coroutine_create_named(CoroutineEntry *entry, void *opaque,
                                       const char *name)
{
    HostThread *self = host_self_;

    Coroutine *co;

    if (unlikely(!self || !self->pool.first)) {
        return create_slowly(entry, opaque, name);
    }
    co = begin_life(self, coroutine_pool_get(self), entry, opaque, name);
    PROBE_SHOW_TEXT(CO_CREATE, co->id, 0, 0, 0, name);
    return co;
}

#undef qemu_coroutine_create
Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque)
{
    return qemu_coroutine_create_named(entry, opaque, "coroutine");
}

/* ---- Questions ---- */

Coroutine *qemu_coroutine_self(void)
{
    return host_fast()->current;
}

bool qemu_in_coroutine(void)
{
    return host_fast()->current->caller != NULL;
}

bool qemu_coroutine_entered(Coroutine *co)
{
    return co->caller && co->caller != &coroutine_nobody;
}

AioContext *qemu_coroutine_get_aio_context(Coroutine *co)
{
    return co->ctx;
}
