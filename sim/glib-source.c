/* SPDX-License-Identifier: MIT */
/*
 * Sources, whose functions are not GLib's.
 *
 * A source that is attached gets a table of functions that step out of GLib's
 * section, call those that it had, and step in again.  Of GLib's own idle and
 * timeout sources only what they call back is not GLib's: what they do around
 * it changes the context.
 */
#include "glib-front.h"

#include <glib-unix.h>

typedef struct Shadow {
    GSourceFuncs funcs; /* what the source has now */
    const GSourceFuncs *real;
} Shadow;

/* In GLib's own table there is the real one. */
static const Shadow *shadow(const GSource *source)
{
    return container_of(source->source_funcs, Shadow, funcs);
}

/* ---- Outside ---- */

static gboolean prepare_outside(GSource *source, gint *timeout_ms)
{
    unsigned depth = host_glib_step_out();
    gboolean ready = shadow(source)->real->prepare(source, timeout_ms);

    host_glib_step_in(HOST_GLIB_RETURN, depth);
    return ready;
}

static gboolean check_outside(GSource *source)
{
    unsigned depth = host_glib_step_out();
    gboolean ready = shadow(source)->real->check(source);

    host_glib_step_in(HOST_GLIB_RETURN, depth);
    return ready;
}

static void finalize_outside(GSource *source)
{
    unsigned depth = host_glib_step_out();

    shadow(source)->real->finalize(source);
    host_glib_step_in(HOST_GLIB_RETURN, depth);
}

/* What a source is dispatched by: a call, and what g_main_depth() counts. */
typedef gboolean Dispatch(GSource *source, GSourceFunc callback, gpointer data);

static gboolean dispatch_as_current(GSource *source, GSourceFunc callback,
                                    gpointer data, Dispatch *dispatch)
{
    HostGlib *glib = &host_self()->glib;
    GSource *before = glib->source;
    gboolean goes_on;

    glib->source = source;
    glib->dispatches++;
    goes_on = dispatch(source, callback, data);
    glib = &host_self()->glib;
    glib->dispatches--;
    glib->source = before;
    return goes_on;
}

static gboolean call_real_dispatch(GSource *source, GSourceFunc callback,
                                   gpointer data)
{
    unsigned depth = host_glib_step_out();
    gboolean goes_on = shadow(source)->real->dispatch(source, callback, data);

    host_glib_step_in(HOST_GLIB_RETURN, depth);
    return goes_on;
}

static gboolean dispatch_outside(GSource *source, GSourceFunc callback,
                                 gpointer data)
{
    return dispatch_as_current(source, callback, data, call_real_dispatch);
}

typedef struct Callback {
    GSourceFunc fn;
    gpointer data;
} Callback;

static gboolean call_outside(gpointer opaque)
{
    const Callback *callback = opaque;
    unsigned depth = host_glib_step_out();
    gboolean goes_on = callback->fn(callback->data);

    host_glib_step_in(HOST_GLIB_RETURN, depth);
    return goes_on;
}

static gboolean call_glibs_dispatch(GSource *source, GSourceFunc fn,
                                    gpointer data)
{
    Callback callback = {fn, data};

    return shadow(source)->real->dispatch(source, fn ? call_outside : NULL,
                                          &callback);
}

static gboolean dispatch_glibs(GSource *source, GSourceFunc callback,
                               gpointer data)
{
    return dispatch_as_current(source, callback, data, call_glibs_dispatch);
}

/* ---- Shadows ---- */

static bool calls_back_only(const GSourceFuncs *funcs)
{
    return funcs == &g_idle_funcs || funcs == &g_timeout_funcs;
}

static Shadow *shadow_new(const GSourceFuncs *real)
{
    Shadow *new = g_new0(Shadow, 1);
    bool glibs = calls_back_only(real);

    new->real = real;
    new->funcs = *real;
    new->funcs.dispatch = glibs ? dispatch_glibs : dispatch_outside;
    if (!glibs) {
        new->funcs.prepare = real->prepare ? prepare_outside : NULL;
        new->funcs.check = real->check ? check_outside : NULL;
        new->funcs.finalize = real->finalize ? finalize_outside : NULL;
    }
    return new;
}

/* For as long as the program runs: a source may outlive its run. */
static GHashTable *shadows; /* by the real table; in a section */

const GSourceFuncs *glib_source_shadow_of(const GSourceFuncs *funcs)
{
    Shadow *found;

    if (!shadows) {
        shadows = g_hash_table_new(NULL, NULL);
    }
    found = g_hash_table_lookup(shadows, funcs);
    if (!found) {
        found = shadow_new(funcs);
        g_hash_table_insert(shadows, (gpointer)funcs, found);
    }
    return &found->funcs;
}

void glib_source_shadow(GSource *source)
{
    const GSourceFuncs *funcs = source->source_funcs;

    if (funcs->dispatch != dispatch_glibs &&
        funcs->dispatch != dispatch_outside) {
        source->source_funcs = glib_source_shadow_of(funcs);
    }
}

/* ---- Callbacks, whose destroy function is not GLib's ---- */

typedef struct Box {
    int refs;
    GSourceFunc fn;
    gpointer data;
    GDestroyNotify destroy;
} Box;

static void box_ref(gpointer opaque)
{
    Box *box = opaque;

    g_atomic_int_inc(&box->refs);
}

static void box_unref(gpointer opaque)
{
    Box *box = opaque;
    unsigned depth;

    if (!g_atomic_int_dec_and_test(&box->refs)) {
        return;
    }
    depth = host_glib_step_out();
    box->destroy(box->data);
    host_glib_step_in(HOST_GLIB_RETURN, depth);
    g_free(box);
}

static void box_get(gpointer opaque, GSource *source, GSourceFunc *fn,
                    gpointer *data)
{
    const Box *box = opaque;

    *fn = box->fn;
    *data = box->data;
}

void g_source_set_callback(GSource *source, GSourceFunc fn, gpointer data,
                           GDestroyNotify destroy)
{
    static GSourceCallbackFuncs funcs = {box_ref, box_unref, box_get};
    Box *box;

    if (!glib_is_ours()) {
        FRONT_REAL(g_source_set_callback)(source, fn, data, destroy);
        return;
    }
    host_glib_enter(HOST_GLIB_SOURCE);
    if (destroy) {
        box = g_new(Box, 1);
        *box = (Box){.refs = 1, .fn = fn, .data = data, .destroy = destroy};
        FRONT_REAL(g_source_set_callback_indirect)(source, box, &funcs);
    } else {
        FRONT_REAL(g_source_set_callback)(source, fn, data, NULL);
    }
    host_glib_leave();
}

/* ---- A source begins ---- */

guint g_source_attach(GSource *source, GMainContext *context)
{
    guint id;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_source_attach)(source, context);
    }
    host_glib_enter(HOST_GLIB_ATTACH);
    glib_context(context); /* which polls as we want it to, from now on */
    glib_source_shadow(source);
    id = FRONT_REAL(g_source_attach)(source, context);
    host_glib_leave();
    glib_context_changed(source->context);
    return id;
}

void g_source_add_child_source(GSource *source, GSource *child)
{
    if (!glib_is_ours()) {
        FRONT_REAL(g_source_add_child_source)(source, child);
        return;
    }
    host_glib_enter(HOST_GLIB_ATTACH);
    glib_source_shadow(child);
    FRONT_REAL(g_source_add_child_source)(source, child);
    host_glib_leave();
    glib_context_changed(source->context);
}

/* ---- What is dispatched, by which thread ---- */

GSource *g_main_current_source(void)
{
    return glib_is_ours() ? host_self()->glib.source
                          : FRONT_REAL(g_main_current_source)();
}

gint g_main_depth(void)
{
    return glib_is_ours() ? host_self()->glib.dispatches
                          : FRONT_REAL(g_main_depth)();
}
