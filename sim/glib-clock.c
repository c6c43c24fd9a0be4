/* SPDX-License-Identifier: MIT */
/*
 * GLib's clocks are the host's.
 *
 * GLib calls its own g_get_monotonic_time(), which cannot be replaced, and that
 * one calls clock_gettime(), which can: in GLib's sections.
 */
#include "glib-front.h"

#include "qemu/timer.h"

#include <time.h>

static int64_t now_in_section(const HostGlib *glib)
{
    return host_mode & HOST_GLIB ? glib->now_ns
                                 : host_clock_ns(QEMU_CLOCK_REALTIME);
}

/* ThreadSanitizer calls it, too, before a thread is there and when it is gone. */
__attribute__((no_sanitize_thread))
int clock_gettime(clockid_t clock, struct timespec *ts)
{
    const HostThread *self = host_self_;
    int64_t now;

    if (likely(!self || !self->glib.depth) || clock != CLOCK_MONOTONIC ||
        !host_glib_is_ordered()) {
        return FRONT_REAL(clock_gettime)(clock, ts);
    }
    now = now_in_section(&self->glib);
    ts->tv_sec = now / NANOSECONDS_PER_SECOND;
    ts->tv_nsec = now % NANOSECONDS_PER_SECOND;
    return 0;
}

gint64 g_get_monotonic_time(void)
{
    return glib_is_ours() && host_self_
               ? host_clock_ns(QEMU_CLOCK_REALTIME) / SCALE_US
               : FRONT_REAL(g_get_monotonic_time)();
}

gint64 g_get_real_time(void)
{
    return glib_is_ours() && host_self_
               ? host_clock_ns(QEMU_CLOCK_HOST) / SCALE_US
               : FRONT_REAL(g_get_real_time)();
}
