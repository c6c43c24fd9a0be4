/* SPDX-License-Identifier: MIT */
/*
 * The header that every C file includes first, as in QEMU.
 *
 * It brings in the C library's and POSIX's headers that QEMU code takes for
 * granted, says what this host has (CONFIG_...), and has the handful of helper
 * macros that are used everywhere.
 */
#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

/* ---- The host: Linux ---- */

#ifndef CONFIG_LINUX
#define CONFIG_LINUX 1
#endif
#ifndef CONFIG_POSIX
#define CONFIG_POSIX 1
#endif
/* Coroutines' stacks are used again. */
#ifndef CONFIG_COROUTINE_POOL
#define CONFIG_COROUTINE_POOL 1
#endif
#define CONFIG_EPOLL 1
#define CONFIG_EPOLL_CREATE1 1
#define CONFIG_EVENTFD 1
#define CONFIG_IOVEC 1
#define CONFIG_PPOLL 1
#ifndef CONFIG_LINUX_AIO
#define CONFIG_LINUX_AIO 1
#endif
#ifndef CONFIG_LINUX_IO_URING
#define CONFIG_LINUX_IO_URING 1
#endif

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "glib-compat.h"
#include "qemu/compiler.h"

/* Assertions are part of what is promised: misuse is to be heard of. */
#ifdef NDEBUG
#error building with NDEBUG is not supported
#endif
#ifdef G_DISABLE_ASSERT
#error building with G_DISABLE_ASSERT is not supported
#endif

/* ---- Numbers ---- */

/* GLib's own evaluate an argument twice. */
#define MIN_MAX_(op, a, b, x, y)                  \
    ({                                            \
        __typeof__(1 ? (a) : (b)) x = (a), y = (b); \
        x op y ? x : y;                           \
    })
#undef MIN
#define MIN(a, b) \
    MIN_MAX_(<, a, b, MAKE_IDENTIFIER(min_a_), MAKE_IDENTIFIER(min_b_))
#undef MAX
#define MAX(a, b) \
    MIN_MAX_(>, a, b, MAKE_IDENTIFIER(max_a_), MAKE_IDENTIFIER(max_b_))
/* For constants, such as the size of an array. */
#define MIN_CONST(a, b) ((a) < (b) ? (a) : (b))
#define MAX_CONST(a, b) ((a) > (b) ? (a) : (b))
/* The smaller one, where 0 means that there is no limit. */
#define MIN_NON_ZERO_(a, b, x, y)                   \
    ({                                              \
        __typeof__(1 ? (a) : (b)) x = (a), y = (b); \
        (x == 0 || (y != 0 && y < x)) ? y : x;      \
    })
#define MIN_NON_ZERO(a, b) \
    MIN_NON_ZERO_(a, b, MAKE_IDENTIFIER(nz_a_), MAKE_IDENTIFIER(nz_b_))

/* Of an array, and of nothing else: a pointer does not compile. */
#define QEMU_IS_ARRAY(x) \
    (!__builtin_types_compatible_p(__typeof__(x), __typeof__(&(x)[0])))
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x) \
    (sizeof(x) / sizeof((x)[0]) + QEMU_BUILD_BUG_ON_ZERO(!QEMU_IS_ARRAY(x)))
#endif

/* Of an integer type. */
#define TYPE_SIGNED(t) ((t)-1 < (t)1)
#define TYPE_WIDTH(t) (sizeof(t) * CHAR_BIT)
#define TYPE_MAXIMUM(t)                                             \
    ((t)(TYPE_SIGNED(t) ? (((t)1 << (TYPE_WIDTH(t) - 2)) - 1) * 2 + 1 \
                        : (t)-1))
#ifndef TIME_MAX
#define TIME_MAX TYPE_MAXIMUM(time_t)
#endif
#if UINTPTR_MAX == UINT64_MAX
#define HOST_LONG_BITS 64
#else
#define HOST_LONG_BITS 32
#endif

#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#endif
/* Any multiple. */
#define QEMU_ALIGN_DOWN(n, m) ((n) / (m) * (m))
#define QEMU_ALIGN_UP(n, m) QEMU_ALIGN_DOWN((n) + (m) - 1, (m))
#define QEMU_IS_ALIGNED(n, m) (((n) % (m)) == 0)
#define QEMU_ALIGN_PTR_DOWN(p, n) \
    ((__typeof__(p))QEMU_ALIGN_DOWN((uintptr_t)(p), (n)))
#define QEMU_ALIGN_PTR_UP(p, n) \
    ((__typeof__(p))QEMU_ALIGN_UP((uintptr_t)(p), (n)))
#define QEMU_PTR_IS_ALIGNED(p, n) QEMU_IS_ALIGNED((uintptr_t)(p), (n))
/* Powers of two. */
#ifndef ROUND_DOWN
#define ROUND_DOWN(n, d) ((n) & -(0 ? (n) : (d)))
#endif
#ifndef ROUND_UP
#define ROUND_UP(n, d) ROUND_DOWN((n) + (d) - 1, (d))
#endif

static inline bool is_power_of_2(uint64_t value)
{
    return value && !(value & (value - 1));
}

/* Unsigned minimum, so that -1 ("no timeout") is the largest value. */
static inline int64_t qemu_soonest_timeout(int64_t timeout1, int64_t timeout2)
{
    return (uint64_t)timeout1 < (uint64_t)timeout2 ? timeout1 : timeout2;
}

/* ---- Functions that may, must and must not run in a coroutine ---- */

#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn

/* ---- The system ---- */

/* Calls again while a signal comes between. */
#define RETRY_ON_EINTR_(expr, result)           \
    ({                                          \
        __typeof__(expr) result;                \
        do {                                    \
            result = (expr);                    \
        } while (result == -1 && errno == EINTR); \
        result;                                 \
    })
#define RETRY_ON_EINTR(expr) RETRY_ON_EINTR_(expr, MAKE_IDENTIFIER(retry_))
#define TFR(expr) ((void)RETRY_ON_EINTR(expr))

/* Live only, like every system call. */
static inline uintptr_t qemu_real_host_page_size(void)
{
    return sysconf(_SC_PAGESIZE);
}

static inline intptr_t qemu_real_host_page_mask(void)
{
    return -(intptr_t)qemu_real_host_page_size();
}

#define qemu_timersub timersub

#include "qemu/typedefs.h"

/* The kernel's number of the calling thread; live only. */
int qemu_get_thread_id(void);
int qemu_close(int fd);
void qemu_set_cloexec(int fd);
/* False, with errno and *@errp set, if @fd cannot be changed. */
bool qemu_set_blocking(int fd, bool block, Error **errp);
/* All of it, or what was written before the error in errno. */
ssize_t qemu_write_full(int fd, const void *buf, size_t count)
    QEMU_WARN_UNUSED_RESULT;

#endif
