/* SPDX-License-Identifier: MIT */
/*
 * What code that is compiled with -fsanitize=thread calls; see trace-hooks.h.
 * The names are the compiler's.
 *
 * Atomic operations come as calls, too, and have to be performed here.  All
 * virtual threads are one thread, so their order is no matter.
 */
#include "trace-hooks.h"

bool trace_hooks_are_linked(void)
{
    return true;
}

#define HERE ((uintptr_t)__builtin_return_address(0))

static inline void plain(const void *p, size_t size, SimAccess how,
                         uintptr_t pc)
{
    if (unlikely(trace_access)) {
        trace_access((uintptr_t)p, size, how, false, pc);
    }
}

static inline void atomic(const volatile void *p, size_t size, SimAccess how,
                          uintptr_t pc)
{
    if (unlikely(trace_access)) {
        trace_access((uintptr_t)p, size, how, true, pc);
    }
}

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Watomic-alignment"
#endif

/* ---- Plain accesses ---- */

#define PLAIN(size)                                               \
    void __tsan_read##size(void *p)                               \
    {                                                             \
        plain(p, size, SIM_READ, HERE);                           \
    }                                                             \
    void __tsan_write##size(void *p)                              \
    {                                                             \
        plain(p, size, SIM_WRITE, HERE);                          \
    }                                                             \
    void __tsan_unaligned_read##size(void *p)                     \
    {                                                             \
        plain(p, size, SIM_READ, HERE);                           \
    }                                                             \
    void __tsan_unaligned_write##size(void *p)                    \
    {                                                             \
        plain(p, size, SIM_WRITE, HERE);                          \
    }                                                             \
    void __tsan_volatile_read##size(void *p)                      \
    {                                                             \
        plain(p, size, SIM_READ, HERE);                           \
    }                                                             \
    void __tsan_volatile_write##size(void *p)                     \
    {                                                             \
        plain(p, size, SIM_WRITE, HERE);                          \
    }                                                             \
    void __tsan_unaligned_volatile_read##size(void *p)            \
    {                                                             \
        plain(p, size, SIM_READ, HERE);                           \
    }                                                             \
    void __tsan_unaligned_volatile_write##size(void *p)           \
    {                                                             \
        plain(p, size, SIM_WRITE, HERE);                          \
    }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *p, size_t size)
{
    plain(p, size, SIM_READ, HERE);
}

void __tsan_write_range(void *p, size_t size)
{
    plain(p, size, SIM_WRITE, HERE);
}

void __tsan_vptr_update(void **p, void *value)
{
    plain(p, sizeof(*p), SIM_WRITE, HERE);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
}

void __tsan_func_exit(void)
{
}

/* ---- Atomic ones ---- */

void __tsan_atomic_thread_fence(int order)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int order)
{
}

#define CHANGE(bits, type, name, builtin)                                     \
    type __tsan_atomic##bits##_##name(volatile type *p, type value, int order) \
    {                                                                         \
        atomic(p, bits / 8, SIM_WRITE, HERE);                                 \
        return builtin(p, value, __ATOMIC_SEQ_CST);                           \
    }

#define COMPARE(bits, type, strength)                                         \
    int __tsan_atomic##bits##_compare_exchange_##strength(                    \
        volatile type *p, type *expected, type value, int order, int failure) \
    {                                                                         \
        atomic(p, bits / 8, SIM_WRITE, HERE);                                 \
        return __atomic_compare_exchange_n(p, expected, value, 0,             \
                                           __ATOMIC_SEQ_CST,                  \
                                           __ATOMIC_SEQ_CST);                 \
    }

#define ATOMIC(bits, type)                                                    \
    type __tsan_atomic##bits##_load(const volatile type *p, int order)        \
    {                                                                         \
        atomic(p, bits / 8, SIM_READ, HERE);                                  \
        return __atomic_load_n(p, __ATOMIC_SEQ_CST);                          \
    }                                                                         \
    void __tsan_atomic##bits##_store(volatile type *p, type value, int order) \
    {                                                                         \
        atomic(p, bits / 8, SIM_WRITE, HERE);                                 \
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                         \
    }                                                                         \
    CHANGE(bits, type, exchange, __atomic_exchange_n)                         \
    CHANGE(bits, type, fetch_add, __atomic_fetch_add)                         \
    CHANGE(bits, type, fetch_sub, __atomic_fetch_sub)                         \
    CHANGE(bits, type, fetch_and, __atomic_fetch_and)                         \
    CHANGE(bits, type, fetch_or, __atomic_fetch_or)                           \
    CHANGE(bits, type, fetch_xor, __atomic_fetch_xor)                         \
    CHANGE(bits, type, fetch_nand, __atomic_fetch_nand)                       \
    COMPARE(bits, type, strong)                                               \
    COMPARE(bits, type, weak)                                                 \
    type __tsan_atomic##bits##_compare_exchange_val(                          \
        volatile type *p, type expected, type value, int order, int failure)  \
    {                                                                         \
        atomic(p, bits / 8, SIM_WRITE, HERE);                                 \
        __atomic_compare_exchange_n(p, &expected, value, 0, __ATOMIC_SEQ_CST, \
                                    __ATOMIC_SEQ_CST);                        \
        return expected;                                                      \
    }

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
