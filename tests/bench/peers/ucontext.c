/* SPDX-License-Identifier: MIT */
/*
 * Coroutines on ucontext and sigsetjmp, the portable design: a new stack is
 * entered once by makecontext() and swapcontext(), which save the signal mask
 * with a system call; every later switch is sigsetjmp(buf, 0) and siglongjmp(),
 * which do not.  A coroutine that ends goes to a pool, stack and all.
 *
 * It does what an event loop needs of its coroutines, as ours does: they may
 * move between threads, so thread-local state is looked up by functions that
 * are not inlined; they know their context; entering one that was scheduled
 * aborts; and those that a coroutine wakes are entered after it, by a queue.
 */
#include "peer.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK_BYTES = 1024 * 1024, POOL_MAX = 128 };

typedef enum Action { ENTERED = 1, YIELDED, TERMINATED } Action;

typedef struct Co Co;

typedef struct CoList {
    Co *first, **last;
} CoList;

struct Co {
    void (*entry)(void *opaque);
    void *opaque;
    Co *caller;
    void *ctx;
    const char *scheduled; /* by whom, or NULL */
    CoList woken;          /* to be entered when this one leaves */
    Co *next;              /* in a list, or in the pool */
    void *stack;
    sigjmp_buf env;
};

/* ---- Of the thread ---- */

static __thread Co leader;
static __thread Co *current;
static __thread Co *pool;
static __thread unsigned pool_size;

static __attribute__((noinline)) Co *co_self(void)
{
    if (!current) {
        current = &leader;
    }
    return current;
}

static __attribute__((noinline)) void set_current(Co *co)
{
    current = co;
}

static __attribute__((noinline)) Co *pool_get(void)
{
    Co *co = pool;

    if (co) {
        pool = co->next;
        pool_size--;
    }
    return co;
}

static __attribute__((noinline)) bool pool_put(Co *co)
{
    if (pool_size == POOL_MAX) {
        return false;
    }
    co->next = pool;
    pool = co;
    pool_size++;
    return true;
}

/* ---- Lists ---- */

static void list_init(CoList *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void list_append(CoList *list, Co *co)
{
    co->next = NULL;
    *list->last = co;
    list->last = &co->next;
}

static Co *list_pop(CoList *list)
{
    Co *co = list->first;

    list->first = co->next;
    if (!list->first) {
        list->last = &list->first;
    }
    return co;
}

/* Puts @front, which it empties, before what @list holds. */
static void list_prepend(CoList *list, CoList *front)
{
    if (front->first) {
        *front->last = list->first;
        if (!list->first) {
            list->last = front->last;
        }
        list->first = front->first;
        list_init(front);
    }
}

/* ---- Switching ---- */

static __attribute__((noinline)) Action co_switch(Co *from, Co *to,
                                                  Action action)
{
    int ret;

    set_current(to);
    ret = sigsetjmp(from->env, 0);
    if (ret == 0) {
        siglongjmp(to->env, action);
    }
    return ret;
}

/* makecontext() passes ints: a pointer travels in two of them. */
static void trampoline(unsigned low, unsigned high)
{
    Co *self = (Co *)((uintptr_t)low | (uintptr_t)high << 16 << 16);
    sigjmp_buf *creator = self->opaque;

    if (!sigsetjmp(self->env, 0)) {
        siglongjmp(*creator, 1);
    }
    for (;;) {
        self->entry(self->opaque);
        co_switch(self, self->caller, TERMINATED);
    }
}

static Co *co_new(void)
{
    Co *co = calloc(1, sizeof(*co));
    ucontext_t old, uc;
    sigjmp_buf here;

    peer_check(co != NULL, "calloc");
    co->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    peer_check(co->stack != MAP_FAILED, "mmap");
    peer_check(getcontext(&uc) == 0, "getcontext");
    uc.uc_link = &old;
    uc.uc_stack.ss_sp = co->stack;
    uc.uc_stack.ss_size = STACK_BYTES;
    co->opaque = &here;
    makecontext(&uc, (void (*)(void))trampoline, 2, (unsigned)(uintptr_t)co,
                (unsigned)((uintptr_t)co >> 16 >> 16));
    if (!sigsetjmp(here, 0)) {
        swapcontext(&old, &uc);
    }
    return co;
}

static Co *co_create(void (*entry)(void *opaque), void *opaque)
{
    Co *co = pool_get();

    if (!co) {
        co = co_new();
    }
    co->entry = entry;
    co->opaque = opaque;
    list_init(&co->woken);
    return co;
}

static void co_free(Co *co)
{
    munmap(co->stack, STACK_BYTES);
    free(co);
}

static void co_enter(void *ctx, Co *co)
{
    Co *self = co_self();
    CoList pending;

    list_init(&pending);
    list_append(&pending, co);
    while (pending.first) {
        Co *to = list_pop(&pending);
        Action action;

        if (__atomic_load_n(&to->scheduled, __ATOMIC_RELAXED) || to->caller) {
            abort();
        }
        to->caller = self;
        to->ctx = ctx;
        __atomic_thread_fence(__ATOMIC_RELEASE); /* before it is seen */
        action = co_switch(self, to, ENTERED);
        list_prepend(&pending, &to->woken);
        if (action == TERMINATED) {
            to->caller = NULL;
            if (!pool_put(to)) {
                co_free(to);
            }
        }
    }
}

static void co_yield(void)
{
    Co *self = co_self(), *to = self->caller;

    if (!to) {
        abort(); /* there is nobody to yield to */
    }
    self->caller = NULL;
    co_switch(self, to, YIELDED);
}

/* ---- The benchmarks ---- */

static void nothing(void *opaque)
{
}

static void lifecycle(uint64_t n)
{
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        co_enter(NULL, co_create(nothing, NULL));
    }
    peer_end();
}

static void yield_until_told(void *opaque)
{
    bool *over = opaque;

    while (!*over) {
        co_yield();
    }
}

static void yield(uint64_t n)
{
    bool over = false;
    Co *co = co_create(yield_until_told, &over);

    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        co_enter(NULL, co);
    }
    peer_end();
    over = true;
    co_enter(NULL, co);
}

int main(int argc, char **argv)
{
    static const Peer peers[] = {
        {"lifecycle", lifecycle}, {"yield", yield}, {NULL, NULL}};

    return peer_main(argc, argv, peers);
}
