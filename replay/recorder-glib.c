/* SPDX-License-Identifier: MIT */
/*
 * The recorder in GLib's loops.
 *
 * GLib's own code runs in one thread at a time (eventloop/glib-section.c), and
 * each section begins with an input; so what a loop finds there is what it finds
 * in a replay, where sections come in the same order.  The time goes with it,
 * because a replay must not go on in another thread in there: it would hold
 * GLib's own locks.
 */
#include "recorder-internal.h"

int64_t rec_glib_enter(HostGlibCall call)
{
    int64_t now;

    if (unlikely(rec_ring == &ring_of_nobody)) {
        rec_stop("a thread that another library has started, or that has "
                 "ended, calls GLib's loop (%s)", host_glib_call_names[call]);
    }
    rec_may_wait();
    pthread_mutex_lock(&rec.glib);
    now = rec.base->clock_ns(QEMU_CLOCK_REALTIME);
    rec_put(INPUT_GLIB, call, now, 0);
    return now;
}

void rec_glib_leave(void)
{
    pthread_mutex_unlock(&rec.glib);
}

void rec_refuse(const char *function)
{
    if (rec.simulated) {
        rec.base->refuse(function);
    }
    rec_stop("the scenario calls %s(), which cannot be recorded", function);
}

/* Of a simulated run; what a live one does about it is the kernel's. */
void rec_exits(int status, int signum)
{
    rec.base->exits(status, signum);
}
