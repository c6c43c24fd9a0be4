/* SPDX-License-Identifier: MIT */
/*
 * Where a thread is in GLib's own code.
 *
 * GLib's contexts have locks of their own, which no host sees.  What a loop
 * finds there depends on which of its calls came first: whether a source was
 * attached before it looked, or destroyed before it was dispatched.  So while
 * threads race and somebody wants to know (HOST_GLIB), GLib's code runs in
 * sections: one thread at a time, in an order that the host knows.  A thread
 * steps out of its section for whatever is not GLib's: for poll(), and for
 * the functions of sources.  Those may wait for other threads, and take locks.
 *
 * Sections of one thread stand within each other; the outermost counts.
 */
#include "host.h"

const char *const host_glib_call_names[HOST_GLIB_MAX] = {
#define GLIB_CALL(ID, name) name,
#include "glib-calls.def"
#undef GLIB_CALL
};

void host_glib_enter_slowly(HostGlibCall call)
{
    /* A stranger is the host's to deal with. */
    int64_t now = host_mode & HOST_GLIB && (!host_self_ ||
                                            !host_self_->glib.depth)
                      ? host->glib_enter(call) : 0;
    HostGlib *glib = &host_self()->glib;

    if (!glib->depth++) {
        glib->now_ns = now;
    }
}

void host_glib_leave_slowly(void)
{
    if (!--host_self()->glib.depth && host_mode & HOST_GLIB) {
        host->glib_leave();
    }
}

unsigned host_glib_step_out(void)
{
    HostGlib *glib = &host_self()->glib;
    unsigned depth = glib->depth;

    glib->depth = 0;
    if (depth && host_mode & HOST_GLIB) {
        host->glib_leave();
    }
    return depth;
}

void host_glib_step_in(HostGlibCall call, unsigned depth)
{
    if (depth) {
        host_glib_enter_slowly(call);
        host_self()->glib.depth = depth;
    }
}

/* The functions of a GPrivate may set others, or itself. */
void host_glib_finish_privates(HostGlib *glib)
{
    while (glib->privates) {
        HostGlibPrivate *p = glib->privates;

        glib->privates = p->next;
        if (p->value && p->key->notify) {
            p->key->notify(p->value);
        }
        g_free(p);
    }
}

void host_glib_finish(HostGlib *glib)
{
    host_glib_finish_privates(glib);
    g_slist_free(glib->defaults);
    g_free(glib->own_thread);
    glib->defaults = NULL;
    glib->own_thread = NULL;
}
