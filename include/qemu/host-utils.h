/* SPDX-License-Identifier: MIT */
/* Of QEMU's qemu/host-utils.h, counting bits and rounding to powers of 2. */
#ifndef QEMU_HOST_UTILS_H
#define QEMU_HOST_UTILS_H

#include "qemu/bitops.h"

/* Zeroes at the top, at the bottom; all bits for 0. */
static inline int clz32(uint32_t val)
{
    return val ? __builtin_clz(val) : 32;
}

static inline int clz64(uint64_t val)
{
    return val ? __builtin_clzll(val) : 64;
}

static inline int ctz32(uint32_t val)
{
    return val ? __builtin_ctz(val) : 32;
}

static inline int ctz64(uint64_t val)
{
    return val ? __builtin_ctzll(val) : 64;
}

/* Ones at the top, at the bottom, and all of them. */
static inline int clo32(uint32_t val)
{
    return clz32(~val);
}

static inline int clo64(uint64_t val)
{
    return clz64(~val);
}

static inline int cto32(uint32_t val)
{
    return ctz32(~val);
}

static inline int cto64(uint64_t val)
{
    return ctz64(~val);
}

static inline int ctpop32(uint32_t val)
{
    return __builtin_popcount(val);
}

static inline int ctpop64(uint64_t val)
{
    return __builtin_popcountll(val);
}

/* @a * @b / @c, with 128 bits between. */
static inline uint64_t muldiv64(uint64_t a, uint32_t b, uint32_t c)
{
    return (uint64_t)((unsigned __int128)a * b / c);
}

/* The power of 2 that is not larger; 0 for 0. */
static inline uint64_t pow2floor(uint64_t value)
{
    return value ? 0x8000000000000000ULL >> clz64(value) : 0;
}

/* The power of 2 that is not smaller; 1 for 0, and 0 if there is none. */
static inline uint64_t pow2ceil(uint64_t value)
{
    int bits = value > 1 ? 64 - clz64(value - 1) : 0;

    return bits == 64 ? 0 : 1ULL << bits;
}

static inline uint32_t pow2roundup32(uint32_t x)
{
    return (uint32_t)pow2ceil(x);
}

#endif
