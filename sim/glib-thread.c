/* SPDX-License-Identifier: MIT */
/*
 * GLib's threads, in front of GLib's: they are the host's threads, and each has
 * variables of its own where there is one OS thread.
 */
#include "glib-lock.h"

#include "qemu/thread.h"

/* What a program has as its GThread; it looks at none of its fields. */
typedef struct FrontThread {
    GThread public;
    int refs; /* its own, and those of others */
    char *name;
    GThreadFunc fn;
    gpointer data, ret;
    bool ended;
} FrontThread;

static FrontThread *front_thread(GThread *thread)
{
    return container_of(thread, FrontThread, public);
}

static void thread_unref(FrontThread *t)
{
    if (g_atomic_int_dec_and_test(&t->refs)) {
        glib_lock_forget(t);
        g_free(t->name);
        g_free(t);
    }
}

/* ---- In the thread ---- */

static void thread_ends(FrontThread *t, gpointer ret)
{
    GlibLock *lock = glib_lock(t);

    glib_lock_take(lock);
    t->ret = ret;
    t->ended = true;
    glib_lock_wake(lock, true);
    glib_lock_give(lock);
    host_self()->glib.thread = NULL;
    thread_unref(t);
}

static void *thread_main(void *opaque)
{
    FrontThread *t = opaque;

    host_self()->glib.thread = t;
    thread_ends(t, t->fn(t->data));
    return NULL;
}

void g_thread_exit(gpointer ret)
{
    FrontThread *t = glib_is_ours() ? host_self()->glib.thread : NULL;

    if (!t) {
        FRONT_REAL(g_thread_exit)(ret);
    } else {
        thread_ends(t, ret);
        qemu_thread_exit(NULL);
    }
}

/* ---- Others ---- */

static FrontThread *thread_new(const char *name, GThreadFunc fn, gpointer data)
{
    FrontThread *t = g_new0(FrontThread, 1);

    t->refs = 2;
    t->name = g_strdup(name);
    t->fn = fn;
    t->data = data;
    return t;
}

/*
 * Detached, because nobody need join it; who does waits for its end by the lock
 * beside it.
 */
GThread *g_thread_new(const gchar *name, GThreadFunc fn, gpointer data)
{
    FrontThread *t;
    QemuThread thread;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_thread_new)(name, fn, data);
    }
    t = thread_new(name, fn, data);
    qemu_thread_create(&thread, name, thread_main, t, QEMU_THREAD_DETACHED);
    return &t->public;
}

GThread *g_thread_try_new(const gchar *name, GThreadFunc fn, gpointer data,
                          GError **error)
{
    return glib_is_ours() ? g_thread_new(name, fn, data)
                          : FRONT_REAL(g_thread_try_new)(name, fn, data, error);
}

gpointer g_thread_join(GThread *thread)
{
    FrontThread *t = front_thread(thread);
    GlibLock *lock;
    gpointer ret;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_thread_join)(thread);
    }
    lock = glib_lock(t);
    glib_lock_take(lock);
    while (!t->ended) {
        glib_lock_wait(lock, lock, -1);
    }
    ret = t->ret;
    glib_lock_give(lock);
    thread_unref(t);
    return ret;
}

GThread *g_thread_ref(GThread *thread)
{
    if (!glib_is_ours()) {
        return FRONT_REAL(g_thread_ref)(thread);
    }
    g_atomic_int_inc(&front_thread(thread)->refs);
    return thread;
}

void g_thread_unref(GThread *thread)
{
    if (glib_is_ours()) {
        thread_unref(front_thread(thread));
    } else {
        FRONT_REAL(g_thread_unref)(thread);
    }
}

/* One that was made otherwise gets one when it asks, for as long as it runs. */
GThread *g_thread_self(void)
{
    HostGlib *glib;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_thread_self)();
    }
    glib = &host_self()->glib;
    if (!glib->thread) {
        glib->thread = glib->own_thread = thread_new(NULL, NULL, NULL);
    }
    return &((FrontThread *)glib->thread)->public;
}

/* ---- Variables of a thread's own ---- */

static HostGlibPrivate *find_private(GPrivate *key)
{
    HostGlib *glib = &host_self()->glib;
    HostGlibPrivate *p;

    for (p = glib->privates; p; p = p->next) {
        if (p->key == key) {
            return p;
        }
    }
    p = g_new0(HostGlibPrivate, 1);
    p->key = key;
    p->next = glib->privates;
    glib->privates = p;
    return p;
}

gpointer g_private_get(GPrivate *key)
{
    return glib_is_ours() ? find_private(key)->value
                               : FRONT_REAL(g_private_get)(key);
}

void g_private_set(GPrivate *key, gpointer value)
{
    if (glib_is_ours()) {
        find_private(key)->value = value;
    } else {
        FRONT_REAL(g_private_set)(key, value);
    }
}

void g_private_replace(GPrivate *key, gpointer value)
{
    gpointer old;

    if (!glib_is_ours()) {
        FRONT_REAL(g_private_replace)(key, value);
        return;
    }
    old = g_private_get(key);
    g_private_set(key, value);
    if (old && key->notify) {
        key->notify(old);
    }
}
