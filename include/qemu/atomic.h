/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations under QEMU's names, on top of the compiler's builtins.
 *
 * qatomic_read() and qatomic_set() are relaxed; the read-modify-write
 * operations are sequentially consistent, as in QEMU.
 */
#ifndef QEMU_ATOMIC_H
#define QEMU_ATOMIC_H

#define barrier() __asm__ volatile("" ::: "memory")
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_read_barrier_depends() barrier()

#if defined(__x86_64__) || defined(__i386__)
#define cpu_relax() __asm__ volatile("pause" ::: "memory")
#elif defined(__aarch64__)
#define cpu_relax() __asm__ volatile("yield" ::: "memory")
#else
#define cpu_relax() barrier()
#endif

#define qatomic_read(ptr) __atomic_load_n(ptr, __ATOMIC_RELAXED)
#define qatomic_set(ptr, value) __atomic_store_n(ptr, value, __ATOMIC_RELAXED)
#define qatomic_load_acquire(ptr) __atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define qatomic_store_release(ptr, value) \
    __atomic_store_n(ptr, value, __ATOMIC_RELEASE)

#define qatomic_xchg(ptr, value) \
    __atomic_exchange_n(ptr, value, __ATOMIC_SEQ_CST)
#define qatomic_cmpxchg(ptr, old, new)                                     \
    ({                                                                     \
        __typeof__(*(ptr)) expected_ = (old);                              \
        __atomic_compare_exchange_n(ptr, &expected_, new, false,           \
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
        expected_;                                                         \
    })

#define qatomic_fetch_add(ptr, n) __atomic_fetch_add(ptr, n, __ATOMIC_SEQ_CST)
#define qatomic_fetch_sub(ptr, n) __atomic_fetch_sub(ptr, n, __ATOMIC_SEQ_CST)
#define qatomic_fetch_or(ptr, n) __atomic_fetch_or(ptr, n, __ATOMIC_SEQ_CST)
#define qatomic_fetch_and(ptr, n) __atomic_fetch_and(ptr, n, __ATOMIC_SEQ_CST)
#define qatomic_fetch_inc(ptr) qatomic_fetch_add(ptr, 1)
#define qatomic_fetch_dec(ptr) qatomic_fetch_sub(ptr, 1)
#define qatomic_inc(ptr) ((void)qatomic_fetch_add(ptr, 1))
#define qatomic_dec(ptr) ((void)qatomic_fetch_sub(ptr, 1))

#endif
