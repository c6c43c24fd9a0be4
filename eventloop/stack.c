/* SPDX-License-Identifier: MIT */
/* Memory for stacks, and the switch; see stack.h for the idea. */
#include "stack.h"

#include <sys/mman.h>
#include <unistd.h>

#ifdef AIOLAB_VALGRIND
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif
#ifdef STACK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef STACK_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/*
 * stack_switch_asm(void **save_sp, void *load_sp)
 *
 * A suspended stack looks like this, lowest address first:
 *
 *   x86-64    r15 r14 r13 r12 rbx rbp  return address
 *   aarch64   x19..x28  x29 x30  d8..d15
 *
 * The x87 and SSE control words are not switched: nothing here changes them.
 */
#ifndef STACK_UCONTEXT
void stack_switch_asm(void **save_sp, void *load_sp);
#endif

#if defined(STACK_UCONTEXT)
#elif defined(__x86_64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden stack_switch_asm\n"
        ".globl stack_switch_asm\n"
        ".type stack_switch_asm, @function\n"
        "stack_switch_asm:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size stack_switch_asm, . - stack_switch_asm\n");

enum { SAVED_WORDS = 7, SAVED_FP = 5, SAVED_PC = 6 };

#elif defined(__aarch64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden stack_switch_asm\n"
        ".globl stack_switch_asm\n"
        ".type stack_switch_asm, %function\n"
        "stack_switch_asm:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size stack_switch_asm, . - stack_switch_asm\n");

enum { SAVED_WORDS = 20, SAVED_FP = 10, SAVED_PC = 11 };
#endif

static void stack_prepare(Stack *stack)
{
#ifdef STACK_UCONTEXT
    getcontext(&stack->uc);
    stack->uc.uc_stack.ss_sp = stack->limit;
    stack->uc.uc_stack.ss_size = stack->size;
    stack->uc.uc_link = NULL;
    makecontext(&stack->uc, stack->entry, 0);
#else
    /*
     * Two zero words on top end every walk along frame pointers; with them
     * the entry function finds the alignment that a call would leave.
     */
    uintptr_t *top = (uintptr_t *)((char *)stack->limit + stack->size);
    uintptr_t *sp = top - 2 - SAVED_WORDS - (SAVED_WORDS == 7 ? 1 : 0);

    memset(sp, 0, (char *)top - (char *)sp);
    sp[SAVED_PC] = (uintptr_t)stack->entry;
    stack->sp = stack->start = sp;
#endif
}

const StackSource *stack_source;

/* Address space for a stack, a guard page lowest. */
static char *take_memory(size_t guard)
{
    char *memory = stack_source
                       ? stack_source->take(STACK_SIZE + guard)
                       : mmap(NULL, STACK_SIZE + guard, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                              0);

    if (memory == MAP_FAILED ||
        (!stack_source && mprotect(memory, guard, PROT_NONE) < 0)) {
        fprintf(stderr, "aiolab: no memory for a coroutine's stack: %s\n",
                g_strerror(errno));
        abort();
    }
    return memory;
}

static void give_memory(char *memory, size_t size)
{
    if (stack_source) {
        stack_source->give(memory);
    } else {
        munmap(memory, size);
    }
}

void stack_init(Stack *stack, StackEntry *entry)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = take_memory(guard);

    *stack = (Stack){
        .limit = memory + guard, .size = STACK_SIZE, .entry = entry,
    };
    stack->valgrind_id =
        VALGRIND_STACK_REGISTER(stack->limit, memory + guard + STACK_SIZE);
    stack_prepare(stack);
#ifdef STACK_TSAN
    stack->fiber = __tsan_create_fiber(0);
#endif
}

void stack_finish(Stack *stack)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);

    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#ifdef STACK_TSAN
    __tsan_destroy_fiber(stack->fiber);
#endif
#ifdef STACK_ASAN
    ASAN_UNPOISON_MEMORY_REGION(stack->limit, stack->size);
#endif
    give_memory((char *)stack->limit - guard, stack->size + guard);
    stack->limit = NULL;
}

#ifdef STACK_ASAN
/* Who left last: the arriving side learns an OS thread's bounds from ASan. */
static __thread Stack *asan_left;

void stack_entered(Stack *stack)
{
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(stack->fake_stack, &bottom, &size);
    if (asan_left) {
        asan_left->bottom = bottom;
        asan_left->bottom_size = size;
    }
}
#endif

OUTSIDE_OF_STEPS void stack_switch(Stack *from, Stack *to)
{
#ifdef STACK_ASAN
    asan_left = from;
    __sanitizer_start_switch_fiber(&from->fake_stack,
                                   to->limit ? to->limit : to->bottom,
                                   to->limit ? to->size : to->bottom_size);
#endif
#ifdef STACK_TSAN
    if (!from->fiber) {
        from->fiber = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
#ifdef STACK_UCONTEXT
    swapcontext(&from->uc, &to->uc);
#else
    stack_switch_asm(&from->sp, to->sp);
#endif
    stack_entered(from);
}

bool stack_frame(const Stack *stack, uintptr_t *pc, uintptr_t *frame_pointer)
{
#ifdef STACK_UCONTEXT
    return false;
#else
    const uintptr_t *saved = stack->sp;

    if (!saved) {
        return false;
    }
    *pc = saved[SAVED_PC];
    *frame_pointer = saved[SAVED_FP];
    return true;
#endif
}
