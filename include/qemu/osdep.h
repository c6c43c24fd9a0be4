/* SPDX-License-Identifier: MIT */
/*
 * The header that every C file includes first, as in QEMU.
 *
 * It brings in the parts of the C library that the API's own types need, and
 * the handful of helper macros that QEMU code takes for granted.
 */
#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <glib.h>

#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr) - offsetof(type, member)))

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#define MIN_NON_ZERO(a, b) ((a) == 0 ? (b) : (b) == 0 ? (a) : MIN(a, b))
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ROUND_UP(n, d) (DIV_ROUND_UP(n, d) * (d))
#define ROUND_DOWN(n, d) ((n) / (d) * (d))

/* Names of the values that this thread is expected to have, see coroutine.h */
#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn

#define QEMU_BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define QEMU_NORETURN __attribute__((noreturn))
#define G_GNUC_PRINTF_(f, a) __attribute__((format(printf, f, a)))

/* Unsigned minimum, so that -1 ("no timeout") is the largest value. */
static inline int64_t qemu_soonest_timeout(int64_t timeout1, int64_t timeout2)
{
    return (uint64_t)timeout1 < (uint64_t)timeout2 ? timeout1 : timeout2;
}

#include "qemu/typedefs.h"

#endif
