/* SPDX-License-Identifier: MIT */
/*
 * Functions of GLib's that look at contexts and sources or change them, in
 * front of GLib's: glib-fronts.def.
 */
#include "glib-front.h"

#include <glib-unix.h>

static GMainContext *or_default(GMainContext *context)
{
    return context ? context : g_main_context_default();
}

/* GLib has no function that would say it of one that is destroyed. */
static GMainContext *context_of(const GSource *source)
{
    return source->context;
}

#define CALL_VOID(name, parameters, arguments, section, changed) \
    void name parameters \
    { \
        GMainContext *context_; \
        \
        if (!glib_is_ours()) { \
            FRONT_REAL(name) arguments; \
            return; \
        } \
        host_glib_enter(HOST_GLIB_##section); \
        context_ = changed; \
        FRONT_REAL(name) arguments; \
        host_glib_leave(); \
        glib_context_changed(context_); \
    }

#define CALL(type, name, parameters, arguments, section, changed) \
    type name parameters \
    { \
        GMainContext *context_; \
        type result_; \
        \
        if (!glib_is_ours()) { \
            return FRONT_REAL(name) arguments; \
        } \
        host_glib_enter(HOST_GLIB_##section); \
        context_ = changed; \
        result_ = FRONT_REAL(name) arguments; \
        host_glib_leave(); \
        glib_context_changed(context_); \
        return result_; \
    }

#include "glib-fronts.def"

#undef CALL
#undef CALL_VOID

/* ---- By their functions, which are not what the caller knows ---- */

GSource *g_main_context_find_source_by_funcs_user_data(GMainContext *context,
                                                       GSourceFuncs *funcs,
                                                       gpointer data)
{
    const GSourceFuncs *wanted = funcs;
    GSource *source;

    if (glib_is_ours()) {
        host_glib_enter(HOST_GLIB_CONTEXT);
        wanted = glib_source_shadow_of(funcs);
    }
    source = FRONT_REAL(g_main_context_find_source_by_funcs_user_data)(
        context, (GSourceFuncs *)wanted, data);
    if (glib_is_ours()) {
        host_glib_leave();
    }
    return source;
}

gboolean g_source_remove_by_funcs_user_data(GSourceFuncs *funcs, gpointer data)
{
    const GSourceFuncs *wanted = funcs;
    gboolean removed;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_source_remove_by_funcs_user_data)(funcs, data);
    }
    host_glib_enter(HOST_GLIB_REMOVE);
    wanted = glib_source_shadow_of(funcs);
    removed = FRONT_REAL(g_source_remove_by_funcs_user_data)(
        (GSourceFuncs *)wanted, data);
    host_glib_leave();
    glib_context_changed(g_main_context_default());
    return removed;
}

gboolean g_idle_remove_by_data(gpointer data)
{
    return g_source_remove_by_funcs_user_data(&g_idle_funcs, data);
}

/* ---- What no log could tell ---- */

/* Another thread of GLib's own hears of signals, children that end among them. */
#define REFUSED(type, name, parameters, arguments) \
    type name parameters \
    { \
        if (glib_is_ours()) { \
            host->refuse(#name); \
        } \
        return FRONT_REAL(name) arguments; \
    }

REFUSED(GSource *, g_child_watch_source_new, (GPid pid), (pid))
REFUSED(guint, g_child_watch_add,
        (GPid pid, GChildWatchFunc fn, gpointer data), (pid, fn, data))
REFUSED(guint, g_child_watch_add_full,
        (gint priority, GPid pid, GChildWatchFunc fn, gpointer data,
         GDestroyNotify destroy), (priority, pid, fn, data, destroy))
REFUSED(GSource *, g_unix_signal_source_new, (gint signum), (signum))
REFUSED(guint, g_unix_signal_add, (gint signum, GSourceFunc fn, gpointer data),
        (signum, fn, data))
REFUSED(guint, g_unix_signal_add_full,
        (gint priority, gint signum, GSourceFunc fn, gpointer data,
         GDestroyNotify destroy), (priority, signum, fn, data, destroy))

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
REFUSED(gboolean, g_main_context_wait,
        (GMainContext *context, GCond *cond, GMutex *mutex),
        (context, cond, mutex))
G_GNUC_END_IGNORE_DEPRECATIONS
