/* SPDX-License-Identifier: MIT */
/*
 * GAsyncQueue, in front of GLib's: its lock is GLib's own, so it is touched in
 * sections; and who waits for an item waits by the host.
 */
#include "glib-lock.h"

/* Whoever waits holds the lock from its look to its sleep. */
static void wake_one(GAsyncQueue *queue)
{
    GlibLock *lock = glib_lock(queue);

    glib_lock_take(lock);
    glib_lock_wake(lock, false);
    glib_lock_give(lock);
}

/* What does not wait. */
#define CALL(type, name, parameters, arguments) \
    type name parameters \
    { \
        type result_; \
        \
        if (!glib_is_ours()) { \
            return FRONT_REAL(name) arguments; \
        } \
        host_glib_enter(HOST_GLIB_QUEUE); \
        result_ = FRONT_REAL(name) arguments; \
        host_glib_leave(); \
        return result_; \
    }

#define PUSH(name, parameters, arguments) \
    void name parameters \
    { \
        if (!glib_is_ours()) { \
            FRONT_REAL(name) arguments; \
            return; \
        } \
        host_glib_enter(HOST_GLIB_QUEUE); \
        FRONT_REAL(name) arguments; \
        host_glib_leave(); \
        wake_one(queue); \
    }

PUSH(g_async_queue_push, (GAsyncQueue *queue, gpointer data), (queue, data))
PUSH(g_async_queue_push_front, (GAsyncQueue *queue, gpointer data),
     (queue, data))
PUSH(g_async_queue_push_sorted,
     (GAsyncQueue *queue, gpointer data, GCompareDataFunc compare,
      gpointer opaque), (queue, data, compare, opaque))
CALL(gpointer, g_async_queue_try_pop, (GAsyncQueue *queue), (queue))
/* GLib would count those who wait, too; here nobody waits in it. */
CALL(gint, g_async_queue_length, (GAsyncQueue *queue), (queue))
CALL(gboolean, g_async_queue_remove, (GAsyncQueue *queue, gpointer data),
     (queue, data))

/* @end_us -1: for ever. */
static gpointer pop_until(GAsyncQueue *queue, int64_t end_us)
{
    GlibLock *lock = glib_lock(queue);
    bool in_time = true;
    gpointer data;

    glib_lock_take(lock);
    while (!(data = g_async_queue_try_pop(queue)) && in_time) {
        in_time = glib_lock_wait(lock, lock, end_us < 0
                                 ? -1 : glib_time_left(end_us));
    }
    glib_lock_give(lock);
    return data;
}

gpointer g_async_queue_pop(GAsyncQueue *queue)
{
    return glib_is_ours() ? pop_until(queue, -1)
                          : FRONT_REAL(g_async_queue_pop)(queue);
}

gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout_us)
{
    return glib_is_ours()
               ? pop_until(queue, g_get_monotonic_time() + timeout_us)
               : FRONT_REAL(g_async_queue_timeout_pop)(queue, timeout_us);
}

/* Another thread that wants it meanwhile would wait where no host knows. */
void g_async_queue_lock(GAsyncQueue *queue)
{
    if (glib_is_ours()) {
        host->refuse("g_async_queue_lock");
    }
    FRONT_REAL(g_async_queue_lock)(queue);
}
