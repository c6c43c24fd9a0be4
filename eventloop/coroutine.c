/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: create, enter, yield, end, and a pool of their stacks.
 *
 * Models util/qemu-coroutine.c.  The running coroutine and the pool belong to
 * the thread; a coroutine that ends goes into the pool of the thread in which
 * it ended.
 */
#include "aio-internal.h"

static void coroutine_trampoline(void)
{
    Coroutine *co = host_self()->current;

    stack_entered(coroutine_stack(co));
    for (;;) {
        co->entry(co->entry_arg);
        /* We may have moved: the thread is looked up again. */
        qemu_coroutine_switch(co, co->caller, COROUTINE_TERMINATE);
    }
}

StackedCoroutineList coroutine_list = QLIST_HEAD_INITIALIZER(coroutine_list);

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

/*
 * What the switch was for, told to whoever is switched to.  It travels in the
 * thread's state rather than through the switch, which then needs no argument.
 */
static __thread CoroutineAction switch_action;

static __attribute__((noinline)) void set_action(CoroutineAction action)
{
    switch_action = action;
}

static __attribute__((noinline)) CoroutineAction get_action(void)
{
    return switch_action;
}

CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to,
                                      CoroutineAction action)
{
    host_self()->current = to;
    set_action(action);
    stack_switch(coroutine_stack(from), coroutine_stack(to));
    return get_action();
}

static Coroutine *pool_get(HostThread *self)
{
    Coroutine *co = QSLIST_FIRST(&self->pool);

    if (!co) {
        return qemu_coroutine_new();
    }
    QSLIST_REMOVE_HEAD(&self->pool, pool_next);
    self->pool_size--;
    return co;
}

static void pool_put(HostThread *self, Coroutine *co)
{
    co->caller = NULL;
    co->id = 0;
    if (self->pool_size >= HOST_COROUTINE_POOL_MAX) {
        qemu_coroutine_delete(co);
        return;
    }
    QSLIST_INSERT_HEAD(&self->pool, co, pool_next);
    self->pool_size++;
}

Coroutine *qemu_coroutine_create_named(CoroutineEntry *entry, void *opaque,
                                       const char *name)
{
    Coroutine *co = pool_get(host_self());

    co->entry = entry;
    co->entry_arg = opaque;
    co->name = name;
    co->id = host_new_id();
    QSIMPLEQ_INIT(&co->co_queue_wakeup);
    PROBE_TEXT(CO_CREATE, co->id, 0, 0, 0, name);
    return co;
}

static void QEMU_NORETURN misuse(const char *what, Coroutine *co,
                                 Coroutine *self)
{
    fprintf(stderr, "%s: coroutine '%s' (%" PRIu64 "), by '%s' (%" PRIu64 ")\n",
            what, co->name, co->id & UINT32_MAX, self->name,
            self->id & UINT32_MAX);
    abort();
}

static void enter_one(AioContext *ctx, Coroutine *from, Coroutine *to)
{
    const char *scheduled = qatomic_read(&to->scheduled);

    if (scheduled) {
        fprintf(stderr,
                "qemu_aio_coroutine_enter: Co-routine '%s' was already "
                "scheduled in '%s'\n", to->name, scheduled);
        abort();
    }
    if (!to->id) {
        misuse("Co-routine is entered after its end", to, from);
    }
    if (to->caller) {
        misuse("Co-routine re-entered recursively", to, from);
    }
    to->caller = from;
    to->ctx = ctx;
    /* Whoever finds us later must see ctx: pairs with aio_co_wake(). */
    smp_wmb();
    PROBE(CO_ENTER, to->id, aio_context_id(ctx), from->id, 0);
}

/*
 * Enters @co, and after it those that it queued with aio_co_enter(), depth
 * first, as QEMU does since c40a254570: a local list instead of recursion, so
 * that two coroutines that wake each other need no stack.
 */
void qemu_aio_coroutine_enter(AioContext *ctx, Coroutine *co)
{
    QSIMPLEQ_HEAD(, Coroutine) pending = QSIMPLEQ_HEAD_INITIALIZER(pending);
    Coroutine *from = qemu_coroutine_self();

    QSIMPLEQ_INSERT_TAIL(&pending, co, co_queue_next);
    while (!QSIMPLEQ_EMPTY(&pending)) {
        Coroutine *to = QSIMPLEQ_FIRST(&pending);
        CoroutineAction action;

        QSIMPLEQ_REMOVE_HEAD(&pending, co_queue_next);
        enter_one(ctx, from, to);
        action = qemu_coroutine_switch(from, to, COROUTINE_ENTER);

        /* Those that @to woke go first: prepend its list to ours. */
        QSIMPLEQ_CONCAT(&to->co_queue_wakeup, &pending);
        QSIMPLEQ_CONCAT(&pending, &to->co_queue_wakeup);

        if (action == COROUTINE_TERMINATE) {
            PROBE(CO_END, to->id, 0, 0, 0);
            assert(!to->locks_held);
            pool_put(host_self(), to);
        }
    }
}

void qemu_coroutine_enter(Coroutine *co)
{
    qemu_aio_coroutine_enter(qemu_get_current_aio_context(), co);
}

void qemu_coroutine_enter_if_inactive(Coroutine *co)
{
    if (!qemu_coroutine_entered(co)) {
        qemu_coroutine_enter(co);
    }
}

void coroutine_fn qemu_coroutine_yield(void)
{
    Coroutine *self = qemu_coroutine_self();
    Coroutine *to = self->caller;

    if (!to) {
        fprintf(stderr, "Co-routine '%s' is yielding to no one\n", self->name);
        abort();
    }
    PROBE(CO_YIELD, self->id, to->id, 0, 0);
    self->caller = NULL;
    qemu_coroutine_switch(self, to, COROUTINE_YIELD);
}

Coroutine *qemu_coroutine_self(void)
{
    HostThread *self = host_self();

    if (unlikely(!self->current)) {
        self->current = &self->leader.base;
    }
    return self->current;
}

bool qemu_in_coroutine(void)
{
    HostThread *self = host_self();

    return self && self->current && self->current->caller;
}

bool qemu_coroutine_entered(Coroutine *co)
{
    return co->caller != NULL;
}

AioContext *qemu_coroutine_get_aio_context(Coroutine *co)
{
    return co->ctx;
}
