/* SPDX-License-Identifier: MIT */
/* A replay in GLib's loops; recorder-glib.c is the other half. */
#include "replay-internal.h"

int64_t replay_glib_enter(HostGlibCall call)
{
    Input in = replay_take(INPUT_GLIB, call);

    if (rp.in_glib) {
        replay_diverge_at_last("a thread in GLib's code, where another one is",
                               NULL);
    }
    rp.in_glib = machine_current();
    return in.a;
}

void replay_glib_leave(void)
{
    rp.in_glib = NULL;
}
