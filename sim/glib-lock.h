/* SPDX-License-Identifier: MIT */
/* The host's lock and condition beside something of GLib's; any thread. */
#ifndef SIM_GLIB_LOCK_H
#define SIM_GLIB_LOCK_H

#include "glib-front.h"
#include "qemu/timer.h"

typedef struct GlibLock GlibLock;

/* That of what stands at @address, made if there is none; for this run. */
GlibLock *glib_lock(const void *address);
/* Nobody has it, and nobody will ask for it. */
void glib_lock_forget(const void *address);
void glib_lock_take(GlibLock *lock);
void glib_lock_give(GlibLock *lock);
/* @cond's condition, with @lock; -1: for ever.  False on time-out. */
bool glib_lock_wait(GlibLock *cond, GlibLock *lock, int64_t timeout_ns);
void glib_lock_wake(GlibLock *cond, bool all);
/* In nanoseconds, until g_get_monotonic_time() is @end_us. */
int64_t glib_time_left(int64_t end_us);

#endif
