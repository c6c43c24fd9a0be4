/* SPDX-License-Identifier: MIT */
/*
 * Atomic accesses that no recording hears of.
 *
 * The loop's own words are accessed too often to note each time, and need not
 * be: what a thread publishes is noted by whoever finds it.  So stores, and
 * changes whose result nobody uses, are raw; a load that decides something
 * goes through host_observe(); and where a whole list is taken, the host is
 * told what was on it.  A raw load that decides anything by itself is a bug:
 * its replay would decide otherwise.
 */
#ifndef EVENTLOOP_RAW_ATOMIC_H
#define EVENTLOOP_RAW_ATOMIC_H

#define raw_read(ptr) __atomic_load_n(ptr, __ATOMIC_RELAXED)
#define raw_load_acquire(ptr) __atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define raw_set(ptr, i) __atomic_store_n(ptr, i, __ATOMIC_RELAXED)
#define raw_store_release(ptr, i) __atomic_store_n(ptr, i, __ATOMIC_RELEASE)

/* Sequentially consistent. */
#define raw_xchg(ptr, i) __atomic_exchange_n(ptr, i, __ATOMIC_SEQ_CST)
#define raw_cmpxchg(ptr, old, new) qatomic_cmpxchg__nocheck(ptr, old, new)
#define raw_fetch_or(ptr, n) __atomic_fetch_or(ptr, n, __ATOMIC_SEQ_CST)
#define raw_fetch_and(ptr, n) __atomic_fetch_and(ptr, n, __ATOMIC_SEQ_CST)
#define raw_fetch_dec(ptr) __atomic_fetch_sub(ptr, 1, __ATOMIC_SEQ_CST)
#define raw_inc(ptr) ((void)__atomic_fetch_add(ptr, 1, __ATOMIC_SEQ_CST))
#define raw_dec(ptr) ((void)__atomic_fetch_sub(ptr, 1, __ATOMIC_SEQ_CST))

#endif
