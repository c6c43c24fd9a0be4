/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations under QEMU's names, on top of the compiler's builtins.
 *
 *   qatomic_read, qatomic_set    relaxed: one access, no order
 *   ..._load_acquire, ..._store_release, ..._rcu_read, ..._rcu_set
 *                                publish a structure, and read it
 *   everything that reads, changes and writes
 *                                sequentially consistent
 *
 * They take pointers to anything that fits into a register: numbers, bools,
 * enums and pointers, const or volatile.
 *
 * A relaxed access before or after a read-modify-write needs a barrier to be
 * ordered against it by every thread: smp_mb__before_rmw(), smp_mb__after_rmw(),
 * which cost nothing on x86.
 */
#ifndef QEMU_ATOMIC_H
#define QEMU_ATOMIC_H

#include "qemu/compiler.h"
#include "qemu/processor.h"

#include <stddef.h>
#include <stdint.h>

/* ---- Barriers ---- */

/* For the compiler only. */
#define barrier() __asm__ volatile("" ::: "memory")
#define signal_barrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* The fence alone would let the compiler move plain accesses over it. */
#define SMP_FENCE_(order)             \
    ({                                \
        barrier();                    \
        __atomic_thread_fence(order); \
    })
#define smp_mb_release() SMP_FENCE_(__ATOMIC_RELEASE)
#define smp_mb_acquire() SMP_FENCE_(__ATOMIC_ACQUIRE)
#define smp_wmb() smp_mb_release()
#define smp_rmb() smp_mb_acquire()
#define smp_read_barrier_depends() barrier()

#if defined(__i386__) || defined(__x86_64__) || defined(__s390x__)
#define smp_mb__before_rmw() signal_barrier()
#define smp_mb__after_rmw() signal_barrier()
#else
#define smp_mb__before_rmw() smp_mb()
#define smp_mb__after_rmw() smp_mb()
#endif

/* ---- Loads and stores ---- */

#if defined(__x86_64__) || defined(__sparc__) || defined(__mips64)
#define ATOMIC_REG_SIZE 8
#else
#define ATOMIC_REG_SIZE sizeof(void *)
#endif

/* Larger ones may take a lock of the library's, or tear. */
#define QATOMIC_CHECK_(ptr)                               \
    _Static_assert(sizeof(*(ptr)) <= ATOMIC_REG_SIZE,     \
                   "too large for an atomic access")

#define qatomic_read__nocheck(ptr) __atomic_load_n(ptr, __ATOMIC_RELAXED)
#define qatomic_set__nocheck(ptr, i) \
    __atomic_store_n(ptr, i, __ATOMIC_RELAXED)

/*
 * While a live run is recorded, or a live recording replayed, the host hears
 * of every access: words that threads share are an input like any other.  It
 * does nothing else; qatomic_begin_() and qatomic_end_() stand in
 * eventloop/shared-word.c.  What the host itself consists of, and is not
 * replayed, is compiled with AIOLAB_UNSEEN_ATOMICS.
 */
#ifdef AIOLAB_UNSEEN_ATOMICS
#define QATOMIC_SEEN_() 0
#else
extern int qatomic_seen;
#define QATOMIC_SEEN_() unlikely(qatomic_seen)
#endif
void qatomic_begin_(const volatile void *word, unsigned how);
void qatomic_end_(const volatile void *word, uint64_t value);

/* All that the thread has stored is seen by everybody from now on. */
void qatomic_fence_(void);
#define smp_mb()                         \
    ({                                   \
        if (QATOMIC_SEEN_()) {           \
            qatomic_fence_();            \
        }                                \
        SMP_FENCE_(__ATOMIC_SEQ_CST);    \
    })

/* @how: the size of the word, and what is done to it. */
enum {
    QATOMIC_SIZE_ = 15, QATOMIC_LOADS_ = 16, QATOMIC_STORES_ = 32,
    QATOMIC_CHANGES_ = QATOMIC_LOADS_ | QATOMIC_STORES_,
};

/* A number as it is; of a pointer only whether it is one. */
#define QATOMIC_VALUE_(v)                                        \
    __builtin_choose_expr(__builtin_classify_type(v) == 5,       \
                          (uint64_t)((v) != 0), (uint64_t)(v))

/* The access, and what it saw; its arguments have been evaluated before. */
#define QATOMIC_ACCESS_(ptr, how, access)                          \
    ({                                                             \
        int qatomic_told_ = QATOMIC_SEEN_();                       \
        QATOMIC_CHECK_(ptr);                                       \
        if (qatomic_told_) {                                       \
            qatomic_begin_(ptr, sizeof(*(ptr)) | (how));           \
        }                                                          \
        typeof_strip_qual(*(ptr)) qatomic_saw_ = (access);         \
        if (qatomic_told_) {                                       \
            qatomic_end_(ptr, QATOMIC_VALUE_(qatomic_saw_));       \
        }                                                          \
        qatomic_saw_;                                              \
    })

#define QATOMIC_LOAD_(ptr, order)                                        \
    ({                                                                   \
        __auto_type qatomic_ptr_ = (ptr);                                \
        QATOMIC_ACCESS_(qatomic_ptr_, QATOMIC_LOADS_,                    \
                        __atomic_load_n(qatomic_ptr_, order));           \
    })
#define QATOMIC_STORE_(ptr, i, order)                                    \
    ({                                                                   \
        __auto_type qatomic_ptr_ = (ptr);                                \
        typeof_strip_qual(*qatomic_ptr_) qatomic_new_ = (i);             \
        (void)QATOMIC_ACCESS_(                                           \
            qatomic_ptr_, QATOMIC_STORES_,                               \
            (__atomic_store_n(qatomic_ptr_, qatomic_new_, order),        \
             qatomic_new_));                                             \
    })

#define qatomic_read(ptr) QATOMIC_LOAD_(ptr, __ATOMIC_RELAXED)
#define qatomic_set(ptr, i) QATOMIC_STORE_(ptr, i, __ATOMIC_RELAXED)
#define qatomic_load_acquire(ptr) QATOMIC_LOAD_(ptr, __ATOMIC_ACQUIRE)
#define qatomic_store_release(ptr, i) QATOMIC_STORE_(ptr, i, __ATOMIC_RELEASE)

/* A pointer that is followed: what it points at was written before it. */
#define qatomic_rcu_read__nocheck(ptr, valptr)         \
    ({                                                 \
        __atomic_load(ptr, valptr, __ATOMIC_CONSUME);  \
        smp_read_barrier_depends();                    \
    })
#define qatomic_rcu_read(ptr) QATOMIC_LOAD_(ptr, __ATOMIC_CONSUME)
#define qatomic_rcu_set(ptr, i) QATOMIC_STORE_(ptr, i, __ATOMIC_RELEASE)

/* A store that later loads cannot overtake. */
#if defined(__i386__) || defined(__x86_64__) || defined(__s390x__)
#define qatomic_set_mb(ptr, i) ((void)qatomic_xchg(ptr, i))
#else
#define qatomic_set_mb(ptr, i) \
    ({                         \
        qatomic_set(ptr, i);   \
        smp_mb();              \
    })
#endif

/* ---- Read, change, write ---- */

#define QATOMIC_RMW_(builtin, ptr, n)                                    \
    ({                                                                   \
        __auto_type qatomic_ptr_ = (ptr);                                \
        __auto_type qatomic_n_ = (n);                                    \
        QATOMIC_ACCESS_(qatomic_ptr_, QATOMIC_CHANGES_,                  \
                        builtin(qatomic_ptr_, qatomic_n_,                \
                                __ATOMIC_SEQ_CST));                      \
    })

#define qatomic_xchg__nocheck(ptr, i) \
    __atomic_exchange_n(ptr, i, __ATOMIC_SEQ_CST)
#define qatomic_xchg(ptr, i) QATOMIC_RMW_(__atomic_exchange_n, ptr, i)

/* Returns what was there: @old if the exchange was made. */
#define qatomic_cmpxchg__nocheck(ptr, old, new)                             \
    ({                                                                      \
        typeof_strip_qual(*(ptr)) qatomic_was_ = (old);                     \
        (void)__atomic_compare_exchange_n(ptr, &qatomic_was_, new, 0,       \
                                          __ATOMIC_SEQ_CST,                 \
                                          __ATOMIC_SEQ_CST);                \
        qatomic_was_;                                                       \
    })
#define qatomic_cmpxchg(ptr, old, new)                                      \
    ({                                                                      \
        __auto_type qatomic_ptr_ = (ptr);                                   \
        typeof_strip_qual(*qatomic_ptr_) qatomic_old_ = (old);              \
        typeof_strip_qual(*qatomic_ptr_) qatomic_new_ = (new);              \
        QATOMIC_ACCESS_(qatomic_ptr_, QATOMIC_CHANGES_,                     \
                        qatomic_cmpxchg__nocheck(qatomic_ptr_, qatomic_old_, \
                                                 qatomic_new_));            \
    })

/* These return the value before ... */
#define qatomic_fetch_add(ptr, n) QATOMIC_RMW_(__atomic_fetch_add, ptr, n)
#define qatomic_fetch_sub(ptr, n) QATOMIC_RMW_(__atomic_fetch_sub, ptr, n)
#define qatomic_fetch_and(ptr, n) QATOMIC_RMW_(__atomic_fetch_and, ptr, n)
#define qatomic_fetch_or(ptr, n) QATOMIC_RMW_(__atomic_fetch_or, ptr, n)
#define qatomic_fetch_xor(ptr, n) QATOMIC_RMW_(__atomic_fetch_xor, ptr, n)
#define qatomic_fetch_inc(ptr) qatomic_fetch_add(ptr, 1)
#define qatomic_fetch_dec(ptr) qatomic_fetch_sub(ptr, 1)

/* ... these the value after ... */
#define qatomic_add_fetch(ptr, n) QATOMIC_RMW_(__atomic_add_fetch, ptr, n)
#define qatomic_sub_fetch(ptr, n) QATOMIC_RMW_(__atomic_sub_fetch, ptr, n)
#define qatomic_and_fetch(ptr, n) QATOMIC_RMW_(__atomic_and_fetch, ptr, n)
#define qatomic_or_fetch(ptr, n) QATOMIC_RMW_(__atomic_or_fetch, ptr, n)
#define qatomic_xor_fetch(ptr, n) QATOMIC_RMW_(__atomic_xor_fetch, ptr, n)
#define qatomic_inc_fetch(ptr) qatomic_add_fetch(ptr, 1)
#define qatomic_dec_fetch(ptr) qatomic_sub_fetch(ptr, 1)

/* ... and these nothing. */
#define qatomic_add(ptr, n) ((void)qatomic_fetch_add(ptr, n))
#define qatomic_sub(ptr, n) ((void)qatomic_fetch_sub(ptr, n))
#define qatomic_and(ptr, n) ((void)qatomic_fetch_and(ptr, n))
#define qatomic_or(ptr, n) ((void)qatomic_fetch_or(ptr, n))
#define qatomic_xor(ptr, n) ((void)qatomic_fetch_xor(ptr, n))
#define qatomic_inc(ptr) ((void)qatomic_fetch_inc(ptr))
#define qatomic_dec(ptr) ((void)qatomic_fetch_dec(ptr))

/* ---- 64 bits, whatever a register holds ---- */

typedef int64_t aligned_int64_t __attribute__((aligned(8)));
typedef uint64_t aligned_uint64_t __attribute__((aligned(8)));

#define CONFIG_ATOMIC64 1

static inline int64_t qatomic_read_i64(const int64_t *ptr)
{
    return qatomic_read(ptr);
}

static inline uint64_t qatomic_read_u64(const uint64_t *ptr)
{
    return qatomic_read(ptr);
}

static inline void qatomic_set_i64(int64_t *ptr, int64_t value)
{
    qatomic_set(ptr, value);
}

static inline void qatomic_set_u64(uint64_t *ptr, uint64_t value)
{
    qatomic_set(ptr, value);
}

static inline void qatomic64_init(void)
{
}

#endif
