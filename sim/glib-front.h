/* SPDX-License-Identifier: MIT */
/*
 * GLib's loops under every host; shared by the glib-*.c of this room.
 *
 * These files define functions of GLib's under their own names, in front of
 * GLib's.  On the live host alone each calls GLib's, and no more.  Where runs
 * are recorded, replayed or simulated, GLib's code runs in sections
 * (glib-section.c), sources are told apart from what is GLib's (glib-source.c),
 * and what GLib keeps for each OS thread is kept for each virtual one
 * (glib-context.c).
 */
#ifndef SIM_GLIB_FRONT_H
#define SIM_GLIB_FRONT_H

#include "front.h"
#include "host.h"

/* A thread that is the host's calls, and the host wants to know. */
static inline bool glib_is_ours(void)
{
    return host_glib_is_ordered() && (host_self_ || host_mode & HOST_GLIB);
}

/* ---- glib-context.c: all in a section ---- */

typedef struct GlibContext GlibContext;

/* NULL: the default one.  Valid until the run ends. */
GlibContext *glib_context(GMainContext *context);
/* The calling thread owns it once more; false: another one does. */
bool glib_context_own(GlibContext *context);
/* The same, but waits; false: @loop, if there is one, was told to quit. */
bool glib_context_wait_to_own(GlibContext *context, GMainLoop *loop);
void glib_context_disown(GlibContext *context);
bool glib_context_is_owner(GlibContext *context);
/* Those who wait to own its context, to run it, need not any more. */
void glib_context_quit(GlibContext *context, GMainLoop *loop);
/*
 * It was changed.  If another thread owns it, that one is woken; GLib does so
 * itself where it knows more than one thread.
 */
void glib_context_changed(GMainContext *context);
/*
 * The owner runs its loop from begin to end: returns what was run before.
 * Meanwhile GLib polls by the context's function, in no section.
 */
GlibContext *glib_context_begin(GlibContext *context);
void glib_context_end(GlibContext *before);

/* ---- glib-source.c ---- */

/* From now on its functions are called in no section, but for GLib's own. */
void glib_source_shadow(GSource *source);
/* What it has instead of @funcs: for looking it up. */
const GSourceFuncs *glib_source_shadow_of(const GSourceFuncs *funcs);

#endif
