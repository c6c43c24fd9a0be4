/* SPDX-License-Identifier: MIT */
/*
 * Stacks, and the switch between them.
 *
 * Coroutines and the simulated machine's virtual threads stand on the same
 * thing: a piece of memory with a guard page below, and a saved stack pointer.
 * The switch pushes the registers that a callee must preserve, stores the
 * stack pointer and loads the other one; everything else is the compiler's
 * business, because a switch looks to it like any function call.
 *
 * AddressSanitizer, ThreadSanitizer and Valgrind each want to be told, or they
 * report the very thing that a coroutine does as an error.
 */
#ifndef EVENTLOOP_STACK_H
#define EVENTLOOP_STACK_H

#include "qemu/coroutine_int.h"

#if defined(AIOLAB_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define STACK_UCONTEXT 1
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define STACK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_ASAN 1
#endif
#endif
#if defined(AIOLAB_TRACED)
/* The compiler tells accesses to us, there is no ThreadSanitizer. */
#elif defined(__SANITIZE_THREAD__)
#define STACK_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STACK_TSAN 1
#endif
#endif

enum { STACK_SIZE = COROUTINE_STACK_SIZE };

typedef void StackEntry(void);

typedef struct Stack {
    void *sp;    /* while suspended: where the saved registers are */
    void *start; /* what that is before the first switch */
    void *limit; /* lowest usable address; NULL: an OS thread's own stack */
    size_t size;
    StackEntry *entry;
#ifdef STACK_UCONTEXT
    ucontext_t uc;
#endif
#ifdef STACK_ASAN
    void *fake_stack;
    const void *bottom; /* learned when an OS thread's stack is left */
    size_t bottom_size;
#endif
#ifdef STACK_TSAN
    void *fiber;
#endif
    unsigned valgrind_id;
} Stack;

typedef struct StackedCoroutine {
    Coroutine base;
    Stack stack;
    bool loops; /* it enters others from the loop of coroutine.c */
    QLIST_ENTRY(StackedCoroutine) node;
} StackedCoroutine;

/* All coroutines, those in pools included (id 0); with HOST_LISTS only. */
typedef QLIST_HEAD(StackedCoroutineList, StackedCoroutine) StackedCoroutineList;
extern StackedCoroutineList coroutine_list;

static inline Stack *coroutine_stack(Coroutine *co)
{
    return &container_of(co, StackedCoroutine, base)->stack;
}

/*
 * Where stacks come from, with their guard pages; NULL: the kernel.  For whoever
 * runs many schedules and keeps the memory.
 */
typedef struct StackSource {
    void *(*take)(size_t size);
    void (*give)(void *memory);
} StackSource;
extern const StackSource *stack_source;

/*
 * A new stack on which @entry will run at the first switch.  @entry must call
 * stack_entered() first, and never returns.
 */
void stack_init(Stack *stack, StackEntry *entry);
void stack_finish(Stack *stack);
#ifdef STACK_ASAN
void stack_entered(Stack *stack);
#else
static inline void stack_entered(Stack *stack)
{
}
#endif
/*
 * A switch is no step of either thread: what it touches tells an explorer's
 * memory hooks (aiolab-explorer) nothing.
 */
#define OUTSIDE_OF_STEPS __attribute__((no_sanitize_thread))

/* Suspends @from and goes on in @to; returns when somebody switches back. */
void stack_switch(Stack *from, Stack *to);
/* Where a suspended stack will go on; false if that cannot be known. */
bool stack_frame(const Stack *stack, uintptr_t *pc, uintptr_t *frame_pointer);

#endif
