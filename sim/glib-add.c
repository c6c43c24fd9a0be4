/* SPDX-License-Identifier: MIT */
/*
 * A source in one call, in front of GLib's: which would call its own
 * g_source_attach() inside, and not ours.
 */
#include "glib-front.h"

#include <glib-unix.h>

static guint add(GSource *source, gint priority, GSourceFunc fn, gpointer data,
                 GDestroyNotify destroy)
{
    guint id;

    if (priority != G_PRIORITY_DEFAULT) {
        g_source_set_priority(source, priority);
    }
    g_source_set_callback(source, fn, data, destroy);
    id = g_source_attach(source, NULL);
    g_source_unref(source);
    return id;
}

/* ---- Called once ---- */

typedef struct Once {
    GSourceOnceFunc fn;
    gpointer data;
} Once;

static gboolean call_once(gpointer opaque)
{
    const Once *once = opaque;

    once->fn(once->data);
    return G_SOURCE_REMOVE;
}

static guint add_once(GSource *source, gint priority, GSourceOnceFunc fn,
                      gpointer data)
{
    Once *once = g_new(Once, 1);

    *once = (Once){fn, data};
    return add(source, priority, call_once, once, g_free);
}

/* ---- Idle ---- */

guint g_idle_add_full(gint priority, GSourceFunc fn, gpointer data,
                      GDestroyNotify destroy)
{
    return add(g_idle_source_new(), priority, fn, data, destroy);
}

guint g_idle_add(GSourceFunc fn, gpointer data)
{
    return g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, fn, data, NULL);
}

guint g_idle_add_once(GSourceOnceFunc fn, gpointer data)
{
    return add_once(g_idle_source_new(), G_PRIORITY_DEFAULT_IDLE, fn, data);
}

/* ---- Timeouts ---- */

/*
 * GLib moves those that count seconds within one, by a hash of the session's
 * or the machine's name, so that a machine wakes up once for all.  In another
 * place the run would be another one.
 */
GSource *g_timeout_source_new_seconds(guint seconds)
{
    return glib_is_ours() ? g_timeout_source_new(seconds * 1000)
                          : FRONT_REAL(g_timeout_source_new_seconds)(seconds);
}

guint g_timeout_add_full(gint priority, guint interval_ms, GSourceFunc fn,
                         gpointer data, GDestroyNotify destroy)
{
    return add(g_timeout_source_new(interval_ms), priority, fn, data, destroy);
}

guint g_timeout_add(guint interval_ms, GSourceFunc fn, gpointer data)
{
    return g_timeout_add_full(G_PRIORITY_DEFAULT, interval_ms, fn, data, NULL);
}

guint g_timeout_add_once(guint interval_ms, GSourceOnceFunc fn, gpointer data)
{
    return add_once(g_timeout_source_new(interval_ms), G_PRIORITY_DEFAULT, fn,
                    data);
}

guint g_timeout_add_seconds_full(gint priority, guint seconds, GSourceFunc fn,
                                 gpointer data, GDestroyNotify destroy)
{
    return add(g_timeout_source_new_seconds(seconds), priority, fn, data,
               destroy);
}

guint g_timeout_add_seconds(guint seconds, GSourceFunc fn, gpointer data)
{
    return g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, seconds, fn, data,
                                      NULL);
}

/* Since GLib 2.78; its headers may not have it here. */
guint g_timeout_add_seconds_once(guint seconds, GSourceOnceFunc fn,
                                 gpointer data);
guint g_timeout_add_seconds_once(guint seconds, GSourceOnceFunc fn,
                                 gpointer data)
{
    return add_once(g_timeout_source_new_seconds(seconds), G_PRIORITY_DEFAULT,
                    fn, data);
}

/* ---- Descriptors ---- */

guint g_unix_fd_add_full(gint priority, gint fd, GIOCondition events,
                         GUnixFDSourceFunc fn, gpointer data,
                         GDestroyNotify destroy)
{
    return add(g_unix_fd_source_new(fd, events), priority, G_SOURCE_FUNC(fn),
               data, destroy);
}

guint g_unix_fd_add(gint fd, GIOCondition events, GUnixFDSourceFunc fn,
                    gpointer data)
{
    return g_unix_fd_add_full(G_PRIORITY_DEFAULT, fd, events, fn, data, NULL);
}

guint g_io_add_watch_full(GIOChannel *channel, gint priority,
                          GIOCondition events, GIOFunc fn, gpointer data,
                          GDestroyNotify destroy)
{
    return add(g_io_create_watch(channel, events), priority, G_SOURCE_FUNC(fn),
               data, destroy);
}

guint g_io_add_watch(GIOChannel *channel, GIOCondition events, GIOFunc fn,
                     gpointer data)
{
    return g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, events, fn, data,
                               NULL);
}
