/* SPDX-License-Identifier: MIT */
/* Loops, and which context is a thread's own: in front of GLib's. */
#include "glib-front.h"

/* ---- Iterations ---- */

gboolean g_main_context_iteration(GMainContext *context, gboolean may_block)
{
    gboolean dispatched = false;
    GlibContext *c;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_iteration)(context, may_block);
    }
    host_glib_enter(HOST_GLIB_ITERATION);
    c = glib_context(context);
    if (may_block ? glib_context_wait_to_own(c, NULL) : glib_context_own(c)) {
        GlibContext *before = glib_context_begin(c);

        dispatched = FRONT_REAL(g_main_context_iteration)(context, may_block);
        glib_context_end(before);
        glib_context_disown(c);
    }
    host_glib_leave();
    return dispatched;
}

gboolean g_main_context_pending(GMainContext *context)
{
    gboolean pending = false;
    GlibContext *c;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_pending)(context);
    }
    host_glib_enter(HOST_GLIB_ITERATION);
    c = glib_context(context);
    if (glib_context_own(c)) {
        GlibContext *before = glib_context_begin(c);

        pending = FRONT_REAL(g_main_context_pending)(context);
        glib_context_end(before);
        glib_context_disown(c);
    }
    host_glib_leave();
    return pending;
}

void g_main_loop_run(GMainLoop *loop)
{
    GlibContext *c;

    if (!glib_is_ours()) {
        FRONT_REAL(g_main_loop_run)(loop);
        return;
    }
    host_glib_enter(HOST_GLIB_RUN);
    c = glib_context(g_main_loop_get_context(loop));
    if (glib_context_wait_to_own(c, loop)) {
        GlibContext *before = glib_context_begin(c);

        FRONT_REAL(g_main_loop_run)(loop);
        glib_context_end(before);
        glib_context_disown(c);
    }
    host_glib_leave();
}

/*
 * A loop that begins after it was told to quit runs.  So who wants it to end,
 * or waits for it to begin, tells or asks it again and again, whoever owns its
 * context: others must get there meanwhile.
 */
static void let_others_run_it(void)
{
    host_point(HOST_POINT_GLIB, 0);
}

void g_main_loop_quit(GMainLoop *loop)
{
    GMainContext *context;

    if (!glib_is_ours()) {
        FRONT_REAL(g_main_loop_quit)(loop);
        return;
    }
    host_glib_enter(HOST_GLIB_QUIT);
    context = g_main_loop_get_context(loop);
    FRONT_REAL(g_main_loop_quit)(loop);
    glib_context_quit(glib_context(context), loop);
    host_glib_leave();
    glib_context_changed(context);
    let_others_run_it();
}

gboolean g_main_loop_is_running(GMainLoop *loop)
{
    gboolean is_running;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_loop_is_running)(loop);
    }
    host_glib_enter(HOST_GLIB_IS_RUNNING);
    is_running = FRONT_REAL(g_main_loop_is_running)(loop);
    host_glib_leave();
    let_others_run_it();
    return is_running;
}

/* ---- A thread's default context; the list has NULL for GLib's default ---- */

void g_main_context_push_thread_default(GMainContext *context)
{
    HostGlib *glib;

    if (!glib_is_ours()) {
        FRONT_REAL(g_main_context_push_thread_default)(context);
        return;
    }
    if (!g_main_context_acquire(context)) {
        g_critical("another thread owns the GMainContext that is to be this "
                   "thread's default");
        return;
    }
    glib = &host_self()->glib;
    if (context == g_main_context_default()) {
        context = NULL;
    }
    glib->defaults = g_slist_prepend(
        glib->defaults, context ? g_main_context_ref(context) : NULL);
}

void g_main_context_pop_thread_default(GMainContext *context)
{
    HostGlib *glib;

    if (!glib_is_ours()) {
        FRONT_REAL(g_main_context_pop_thread_default)(context);
        return;
    }
    glib = &host_self()->glib;
    if (context == g_main_context_default()) {
        context = NULL;
    }
    g_return_if_fail(glib->defaults && glib->defaults->data == context);
    glib->defaults = g_slist_delete_link(glib->defaults, glib->defaults);
    g_main_context_release(context);
    if (context) {
        g_main_context_unref(context);
    }
}

GMainContext *g_main_context_get_thread_default(void)
{
    const HostGlib *glib;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_get_thread_default)();
    }
    glib = &host_self()->glib;
    return glib->defaults ? glib->defaults->data : NULL;
}

GMainContext *g_main_context_ref_thread_default(void)
{
    GMainContext *context;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_ref_thread_default)();
    }
    context = g_main_context_get_thread_default();
    return g_main_context_ref(context ? context : g_main_context_default());
}

/* ---- Invoking: here, if the context is or can be ours; else as an idle ---- */

static void call_until_false(GSourceFunc fn, gpointer data,
                             GDestroyNotify destroy)
{
    while (fn(data)) {
    }
    if (destroy) {
        destroy(data);
    }
}

static void attach_idle(GMainContext *context, gint priority, GSourceFunc fn,
                        gpointer data, GDestroyNotify destroy)
{
    GSource *idle = g_idle_source_new();

    g_source_set_priority(idle, priority);
    g_source_set_callback(idle, fn, data, destroy);
    g_source_attach(idle, context);
    g_source_unref(idle);
}

/* What a thread without a default context could run is GLib's default. */
static bool is_own_default(GMainContext *context)
{
    GMainContext *own = g_main_context_get_thread_default();

    return context == (own ? own : g_main_context_default());
}

void g_main_context_invoke_full(GMainContext *context, gint priority,
                                GSourceFunc fn, gpointer data,
                                GDestroyNotify destroy)
{
    if (!glib_is_ours()) {
        FRONT_REAL(g_main_context_invoke_full)(context, priority, fn, data,
                                              destroy);
        return;
    }
    if (!context) {
        context = g_main_context_default();
    }
    if (g_main_context_is_owner(context)) {
        call_until_false(fn, data, destroy);
    } else if (is_own_default(context) && g_main_context_acquire(context)) {
        call_until_false(fn, data, NULL);
        g_main_context_release(context);
        if (destroy) {
            destroy(data);
        }
    } else {
        attach_idle(context, priority, fn, data, destroy);
    }
}

void g_main_context_invoke(GMainContext *context, GSourceFunc fn, gpointer data)
{
    g_main_context_invoke_full(context, G_PRIORITY_DEFAULT, fn, data, NULL);
}
