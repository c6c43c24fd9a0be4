/* SPDX-License-Identifier: MIT */
/*
 * What we keep of each GMainContext: who owns it, and how it polls.
 *
 * To GLib all virtual threads are one, which therefore owns everything; so
 * owners are counted here.  In a recording GLib counts the same.
 */
#include "glib-front.h"

#include "aio-internal.h"

typedef struct Waiter {
    const GMainLoop *loop; /* that wants to run, or NULL */
    bool quit;
    QLIST_ENTRY(Waiter) next;
} Waiter;

struct GlibContext {
    GMainContext *context;
    GPollFunc poll; /* the program's, or NULL */
    int wakeup_fd;  /* by which GLib ends its poll, or -1 if not known */
    const HostThread *owner;
    unsigned depth; /* how often it owns it */
    QLIST_HEAD(, Waiter) waiters;
};

/* Of this run; in a section. */
static struct {
    unsigned run;
    GHashTable *by_context;
    bool can_wait; /* the two below are there */
    QemuMutex lock;
    QemuCond free;
} contexts;

/* Those of earlier runs may be abandoned, and their addresses used again. */
static void begin_run_if_new(void)
{
    if (contexts.run == host_run) {
        return;
    }
    if (contexts.by_context) {
        g_hash_table_destroy(contexts.by_context);
    }
    contexts.by_context = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    contexts.run = host_run;
    contexts.can_wait = false;
}

static gint poll_outside(GPollFD *fds, guint n, gint timeout_ms)
{
    GlibContext *running = host_self()->glib.running;
    unsigned depth = host_glib_step_out();
    gint ret = running && running->poll ? running->poll(fds, n, timeout_ms)
                                        : aio_glib_poll(fds, n, timeout_ms);

    host_glib_step_in(HOST_GLIB_POLLED, depth);
    return ret;
}

static bool is_somebody_elses(GPollFunc poll)
{
    return poll != g_poll && poll != poll_outside && poll != aio_glib_poll;
}

static GlibContext *context_new(GMainContext *context)
{
    GlibContext *c = g_new0(GlibContext, 1);
    GPollFunc poll = FRONT_REAL(g_main_context_get_poll_func)(context);
    GPollFD fd;
    gint timeout;

    c->context = context;
    c->poll = is_somebody_elses(poll) ? poll : NULL;
    QLIST_INIT(&c->waiters);
    FRONT_REAL(g_main_context_set_poll_func)(context, poll_outside);
    g_hash_table_insert(contexts.by_context, context, c);
    /* A new one polls one descriptor, its own. */
    c->wakeup_fd = FRONT_REAL(g_main_context_query)(context, G_MAXINT, &timeout,
                                                   &fd, 1) == 1 ? fd.fd : -1;
    return c;
}

GlibContext *glib_context(GMainContext *context)
{
    GlibContext *c;

    begin_run_if_new();
    if (!context) {
        context = g_main_context_default();
    }
    c = g_hash_table_lookup(contexts.by_context, context);
    return c ? c : context_new(context);
}

/* ---- Owners ---- */

bool glib_context_is_owner(GlibContext *c)
{
    return c->owner == host_self();
}

bool glib_context_own(GlibContext *c)
{
    if (c->owner && !glib_context_is_owner(c)) {
        return false;
    }
    c->owner = host_self();
    c->depth++;
    return true;
}

static void wake_waiters(GlibContext *c)
{
    if (!QLIST_EMPTY(&c->waiters)) {
        qemu_mutex_lock(&contexts.lock);
        qemu_cond_broadcast(&contexts.free);
        qemu_mutex_unlock(&contexts.lock);
    }
}

void glib_context_disown(GlibContext *c)
{
    if (!--c->depth) {
        c->owner = NULL;
        wake_waiters(c);
    }
}

/* The lock is taken in the section, so nobody is woken before we wait. */
static void wait_until_free(void)
{
    unsigned depth;

    qemu_mutex_lock(&contexts.lock);
    depth = host_glib_step_out();
    qemu_cond_wait(&contexts.free, &contexts.lock);
    qemu_mutex_unlock(&contexts.lock);
    host_glib_step_in(HOST_GLIB_RETURN, depth);
}

bool glib_context_wait_to_own(GlibContext *c, GMainLoop *loop)
{
    Waiter waiter = {.loop = loop};

    if (glib_context_own(c)) {
        return true;
    }
    if (!contexts.can_wait) {
        qemu_mutex_init(&contexts.lock);
        qemu_cond_init(&contexts.free);
        contexts.can_wait = true;
    }
    QLIST_INSERT_HEAD(&c->waiters, &waiter, next);
    while (!waiter.quit && !glib_context_own(c)) {
        wait_until_free();
    }
    QLIST_REMOVE(&waiter, next);
    return !waiter.quit;
}

void glib_context_quit(GlibContext *c, GMainLoop *loop)
{
    Waiter *waiter;

    QLIST_FOREACH(waiter, &c->waiters, next) {
        waiter->quit |= waiter->loop == loop;
    }
    wake_waiters(c);
}

void glib_context_changed(GMainContext *context)
{
    GlibContext *c = context && host_mode & HOST_LISTS ? glib_context(context)
                                                       : NULL;

    if (c && c->owner && !glib_context_is_owner(c)) {
        FRONT_REAL(g_main_context_wakeup)(context);
        host_point(HOST_POINT_GLIB, 0);
    }
}

static void polls_next(const GlibContext *c)
{
    host_self()->glib.wakeup_fd = c ? c->wakeup_fd : -1;
}

GlibContext *glib_context_begin(GlibContext *c)
{
    HostGlib *glib = &host_self()->glib;
    GlibContext *before = glib->running;

    glib->running = c;
    polls_next(c);
    return before;
}

void glib_context_end(GlibContext *before)
{
    host_self()->glib.running = before;
    polls_next(before);
}

/* ---- GLib's functions that concern owners and poll functions ---- */

gboolean g_main_context_acquire(GMainContext *context)
{
    gboolean acquired;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_acquire)(context);
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    acquired = glib_context_own(glib_context(context)) &&
               FRONT_REAL(g_main_context_acquire)(context);
    host_glib_leave();
    return acquired;
}

void g_main_context_release(GMainContext *context)
{
    if (!glib_is_ours()) {
        FRONT_REAL(g_main_context_release)(context);
        return;
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    FRONT_REAL(g_main_context_release)(context);
    glib_context_disown(glib_context(context));
    host_glib_leave();
}

/* For a loop of the program's own, main_loop_wait() among them. */
gint g_main_context_query(GMainContext *context, gint max_priority,
                          gint *timeout_ms, GPollFD *fds, gint n)
{
    gint wanted;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_query)(context, max_priority,
                                               timeout_ms, fds, n);
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    polls_next(glib_context(context));
    wanted = FRONT_REAL(g_main_context_query)(context, max_priority, timeout_ms,
                                             fds, n);
    host_glib_leave();
    return wanted;
}

gboolean g_main_context_is_owner(GMainContext *context)
{
    gboolean is_owner;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_is_owner)(context);
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    is_owner = glib_context_is_owner(glib_context(context));
    host_glib_leave();
    return is_owner;
}

void g_main_context_set_poll_func(GMainContext *context, GPollFunc func)
{
    if (!glib_is_ours()) {
        FRONT_REAL(g_main_context_set_poll_func)(context, func);
        return;
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    glib_context(context)->poll = func && is_somebody_elses(func) ? func : NULL;
    host_glib_leave();
}

GPollFunc g_main_context_get_poll_func(GMainContext *context)
{
    GPollFunc func;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_get_poll_func)(context);
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    func = glib_context(context)->poll;
    host_glib_leave();
    return func ? func : aio_glib_poll;
}

/* A new one may stand where one was that we knew. */
static GMainContext *context_is_new(GMainContext *context)
{
    begin_run_if_new();
    g_hash_table_remove(contexts.by_context, context);
    context_new(context);
    return context;
}

GMainContext *g_main_context_new(void)
{
    GMainContext *context;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_new)();
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    context = context_is_new(FRONT_REAL(g_main_context_new)());
    host_glib_leave();
    return context;
}

GMainContext *g_main_context_new_with_flags(GMainContextFlags flags)
{
    GMainContext *context;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_main_context_new_with_flags)(flags);
    }
    host_glib_enter(HOST_GLIB_CONTEXT);
    context = context_is_new(FRONT_REAL(g_main_context_new_with_flags)(flags));
    host_glib_leave();
    return context;
}
