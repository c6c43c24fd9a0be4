/* SPDX-License-Identifier: MIT */
/*
 * What ThreadSanitizer cannot see: an order that GLib's atomics make, or the
 * kernel.  What came before tsan_release(p) in one thread comes before what
 * follows tsan_acquire(p) in another.  Nothing in other builds.
 */
#ifndef EVENTLOOP_TSAN_H
#define EVENTLOOP_TSAN_H

#include "stack.h"

#ifdef STACK_TSAN
#include <sanitizer/tsan_interface.h>
#define tsan_acquire(p) __tsan_acquire(p)
#define tsan_release(p) __tsan_release(p)
#else
#define tsan_acquire(p) ((void)(p))
#define tsan_release(p) ((void)(p))
#endif

#endif
