/* SPDX-License-Identifier: MIT */
/*
 * qemu_coroutine_enter() and qemu_coroutine_yield() for x86-64, by hand.
 *
 * They are what a program with coroutines does most, and a compiler spends
 * more on saving registers twice, in the function and in the switch, than on
 * all the rest.  Each looks for a reason to go the long way (coroutine.c), then
 * pushes the six registers that a callee must preserve, swaps the stack
 * pointer, and pops what the other side has pushed: 50 instructions for the
 * pair.  A suspended stack looks as stack.c has it, so either side may be
 * suspended by one and resumed by the other.
 *
 * A run that is recorded has its switches in the thread's digest.  That is a
 * reason to go another way, which is by hand as well.
 *
 * Nothing is done after the switch, so nothing need be remembered across it.
 * A coroutine that leaves something to do (it has ended, or has woken others)
 * lets its enterer go on in a C function instead, which returns to where
 * qemu_coroutine_enter() would have returned: coroutine_switch_and_call().
 *
 * A switch goes back to another place than the last call came from, which the
 * processor's prediction of returns cannot know; a jump to the address on the
 * stack is predicted by where it last went, which is nearly always right.
 */
#include "coroutine-internal.h"

#ifdef COROUTINE_SWITCH_BY_HAND

static_assert(offsetof(Coroutine, caller) == CO_CALLER, "");
static_assert(offsetof(Coroutine, scheduled) == CO_SCHEDULED, "");
static_assert(offsetof(Coroutine, ctx) == CO_CTX, "");
static_assert(offsetof(Coroutine, slow) == CO_SLOW, "");
static_assert(offsetof(StackedCoroutine, stack.sp) == CO_SP, "");
static_assert(offsetof(StackedCoroutine, stack.start) == CO_START, "");
static_assert(offsetof(HostFast, trap) == FAST_TRAP, "");
static_assert(offsetof(HostFast, ctx) == FAST_CTX, "");
static_assert(offsetof(HostFast, current) == FAST_CURRENT, "");
static_assert(offsetof(Coroutine, id) == CO_ID, "");
static_assert(TRAP_DIGESTED == TRAP_IS_DIGESTED, "");

/* What their digests begin with. */
const uint64_t coroutine_enter_event = (uint64_t)PROBE_CO_ENTER *
                                       PROBE_DIGEST_KIND;
const uint64_t coroutine_yield_event = (uint64_t)PROBE_CO_YIELD *
                                       PROBE_DIGEST_KIND;

#define STR_(x) #x
#define STR(x) STR_(x)

#define PUSH_ALL         \
    "    pushq %rbp\n"   \
    "    pushq %rbx\n"   \
    "    pushq %r12\n"   \
    "    pushq %r13\n"   \
    "    pushq %r14\n"   \
    "    pushq %r15\n"
#define POP_ALL          \
    "    popq %r15\n"    \
    "    popq %r14\n"    \
    "    popq %r13\n"    \
    "    popq %r12\n"    \
    "    popq %rbx\n"    \
    "    popq %rbp\n"
/* From one coroutine's stack to another's. */
#define SWITCH(from, to)                           \
    PUSH_ALL                                       \
    "    movq %rsp, " STR(CO_SP) "(" from ")\n"    \
    "    movq " STR(CO_SP) "(" to "), %rsp\n"      \
    POP_ALL
#define RETURN           \
    "    popq %rcx\n"    \
    "    jmpq *%rcx\n"
/* Where host_fast_ is, from the beginning of the thread's own memory. */
#define FIND_FAST "    movq host_fast_@gottpoff(%rip), %rax\n"
#define FAST(field) "%fs:" STR(field) "(%rax)"
#define FUNCTION(name)                   \
    ".p2align 5\n"                       \
    ".globl " #name "\n"                 \
    ".type " #name ", @function\n"       \
    #name ":\n"
/* With a frame, so that a backtrace shows who called it. */
#define SLOWLY(function)                 \
    "2:  pushq %rbp\n"                   \
    "    movq %rsp, %rbp\n"              \
    "    call " #function "\n"           \
    "    popq %rbp\n"                    \
    "    ret\n"
/*
 * rax: host_fast_.  The stores stay in order: what smp_wmb() is for elsewhere.
 */
#define ENTER                                           \
    "    movq " FAST(FAST_CURRENT) ", %rsi\n"           \
    "    movq %rsi, " STR(CO_CALLER) "(%rdi)\n"         \
    "    movq " FAST(FAST_CTX) ", %rdx\n"               \
    "    movq %rdx, " STR(CO_CTX) "(%rdi)\n"            \
    "    movq %rdi, " FAST(FAST_CURRENT) "\n"           \
    SWITCH("%rsi", "%rdi")                              \
    RETURN
#define YIELD                                           \
    "    movq $0, " STR(CO_CALLER) "(%rdi)\n"           \
    "    movq %rsi, " FAST(FAST_CURRENT) "\n"           \
    SWITCH("%rdi", "%rsi")                              \
    RETURN
/*
 * An event of rdi's with rsi in the field that has this factor, as probe_mix()
 * and probe_event_digest() have it.  A recorded coroutine's switches cost this,
 * and no call.
 */
#define MIX(kind, field)                                                   \
    "    imulq $" STR(PROBE_DIGEST_OBJ) ", " STR(CO_ID) "(%rdi), %rdx\n"   \
    "    imulq $" field ", " STR(CO_ID) "(%rsi), %rcx\n"                   \
    "    movq probe_digest_@gottpoff(%rip), %r8\n"                         \
    "    addq " kind "(%rip), %rdx\n"                                      \
    "    addq %rcx, %rdx\n"                                                \
    "    imulq $" STR(PROBE_DIGEST_FACTOR) ", %fs:(%r8), %rcx\n"           \
    "    addq %rdx, %rcx\n"                                                \
    "    movq %rcx, %fs:(%r8)\n"
#define END(name) ".size " #name ", . - " #name "\n"

__asm__(".text\n"
        /* rdi: whom to enter */
        FUNCTION(qemu_coroutine_enter)
        FIND_FAST
        "    movq " FAST(FAST_TRAP) ", %rdx\n"
        "    orq " STR(CO_CALLER) "(%rdi), %rdx\n"
        "    orq " STR(CO_SCHEDULED) "(%rdi), %rdx\n"
        "    jne 1f\n"
        ENTER
        "1:  cmpq $" STR(TRAP_IS_DIGESTED) ", " FAST(FAST_TRAP) "\n"
        "    jne 2f\n"
        "    movq " STR(CO_CALLER) "(%rdi), %rdx\n"
        "    orq " STR(CO_SCHEDULED) "(%rdi), %rdx\n"
        "    jne 2f\n"
        "    movq " FAST(FAST_CURRENT) ", %rsi\n"
        "    movq $" STR(CO_DIGESTED) ", " STR(CO_SLOW) "(%rdi)\n"
        MIX("coroutine_enter_event", STR(PROBE_DIGEST_B))
        ENTER
        SLOWLY(coroutine_enter_slowly)
        END(qemu_coroutine_enter)

        FUNCTION(qemu_coroutine_yield)
        FIND_FAST
        "    movq " FAST(FAST_CURRENT) ", %rdi\n"
        "    cmpq $0, " STR(CO_SLOW) "(%rdi)\n"
        "    jne 1f\n"
        "    movq " STR(CO_CALLER) "(%rdi), %rsi\n"
        YIELD
        "1:  cmpq $" STR(CO_DIGESTED) ", " STR(CO_SLOW) "(%rdi)\n"
        "    jne 2f\n"
        "    movq " STR(CO_CALLER) "(%rdi), %rsi\n"
        MIX("coroutine_yield_event", STR(PROBE_DIGEST_A))
        YIELD
        SLOWLY(coroutine_yield_slowly)
        END(qemu_coroutine_yield)

        /* rdi: who leaves; rsi: who had entered it; rdx: what to call */
        ".hidden coroutine_switch_and_call\n"
        FUNCTION(coroutine_switch_and_call)
        SWITCH("%rdi", "%rsi")
        "    jmpq *%rdx\n"
        END(coroutine_switch_and_call)

        /*
         * rdi: who has ended; rsi: who had entered it.  What the first switch
         * found on the stack is put there again: no frame pointer, and where
         * to begin.
         */
        ".hidden coroutine_switch_for_good\n"
        FUNCTION(coroutine_switch_for_good)
        "    movq " STR(CO_START) "(%rdi), %rax\n"
        "    leaq coroutine_trampoline(%rip), %rcx\n"
        "    movq $0, 40(%rax)\n"
        "    movq %rcx, 48(%rax)\n"
        "    movq %rax, " STR(CO_SP) "(%rdi)\n"
        "    movq " STR(CO_SP) "(%rsi), %rsp\n"
        POP_ALL
        RETURN
        END(coroutine_switch_for_good));

#endif
