/* SPDX-License-Identifier: MIT */
/*
 * GLib's locks, in front of GLib's: who gets one is the host's to say.
 *
 * A GMutex is a word, so what the host needs stands in a table beside it, by its
 * address.  All have the same number, which makes it unimportant who is the first
 * to use one; the address tells a replay which is meant.
 */
#include "glib-lock.h"

#include <pthread.h>

struct GlibLock {
    QemuMutex mutex;
    QemuCond changed;
    const HostThread *owner; /* of a GRecMutex */
    unsigned depth;          /* how often it has it */
    unsigned readers;        /* of a GRWLock */
    bool writer;
};

static struct {
    pthread_mutex_t lock;
    unsigned run;
    GHashTable *by_address;
} locks = {.lock = PTHREAD_MUTEX_INITIALIZER};

static GlibLock *lock_new(const void *address)
{
    GlibLock *lock = g_new0(GlibLock, 1);

    host->mutex_init(&lock->mutex);
    host->cond_init(&lock->changed);
    g_hash_table_insert(locks.by_address, (gpointer)address, lock);
    return lock;
}

/* Those of earlier runs belong to hosts that are gone. */
static void begin_run_if_new(void)
{
    if (locks.run != host_run) {
        if (locks.by_address) {
            g_hash_table_destroy(locks.by_address);
        }
        locks.by_address = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        locks.run = host_run;
    }
}

GlibLock *glib_lock(const void *address)
{
    GlibLock *lock;

    pthread_mutex_lock(&locks.lock);
    begin_run_if_new();
    lock = g_hash_table_lookup(locks.by_address, address);
    if (!lock) {
        lock = lock_new(address);
    }
    pthread_mutex_unlock(&locks.lock);
    return lock;
}

void glib_lock_forget(const void *address)
{
    GlibLock *lock;

    pthread_mutex_lock(&locks.lock);
    begin_run_if_new();
    lock = g_hash_table_lookup(locks.by_address, address);
    if (lock) {
        host->cond_destroy(&lock->changed);
        host->mutex_destroy(&lock->mutex);
        g_hash_table_remove(locks.by_address, address);
    }
    pthread_mutex_unlock(&locks.lock);
}

void glib_lock_take(GlibLock *lock)
{
    host->mutex_lock(&lock->mutex);
}

void glib_lock_give(GlibLock *lock)
{
    host->mutex_unlock(&lock->mutex);
}

bool glib_lock_wait(GlibLock *cond, GlibLock *lock, int64_t timeout_ns)
{
    return host->cond_wait(&cond->changed, &lock->mutex, timeout_ns);
}

void glib_lock_wake(GlibLock *cond, bool all)
{
    host->cond_wake(&cond->changed, all);
}

int64_t glib_time_left(int64_t end_us)
{
    return MAX(end_us * SCALE_US - host_clock_ns(QEMU_CLOCK_REALTIME), 0);
}

/* ---- GMutex and GCond ---- */

void g_mutex_clear(GMutex *mutex)
{
    if (glib_is_ours()) {
        glib_lock_forget(mutex);
    } else {
        FRONT_REAL(g_mutex_clear)(mutex);
    }
}

void g_mutex_lock(GMutex *mutex)
{
    if (glib_is_ours()) {
        glib_lock_take(glib_lock(mutex));
    } else {
        FRONT_REAL(g_mutex_lock)(mutex);
    }
}

gboolean g_mutex_trylock(GMutex *mutex)
{
    return glib_is_ours() ? host->mutex_trylock(&glib_lock(mutex)->mutex)
                          : FRONT_REAL(g_mutex_trylock)(mutex);
}

void g_mutex_unlock(GMutex *mutex)
{
    if (glib_is_ours()) {
        glib_lock_give(glib_lock(mutex));
    } else {
        FRONT_REAL(g_mutex_unlock)(mutex);
    }
}

void g_cond_clear(GCond *cond)
{
    if (glib_is_ours()) {
        glib_lock_forget(cond);
    } else {
        FRONT_REAL(g_cond_clear)(cond);
    }
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    if (glib_is_ours()) {
        glib_lock_wait(glib_lock(cond), glib_lock(mutex), -1);
    } else {
        FRONT_REAL(g_cond_wait)(cond, mutex);
    }
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_us)
{
    return glib_is_ours() ? glib_lock_wait(glib_lock(cond), glib_lock(mutex),
                                           glib_time_left(end_us))
                          : FRONT_REAL(g_cond_wait_until)(cond, mutex, end_us);
}

void g_cond_signal(GCond *cond)
{
    if (glib_is_ours()) {
        glib_lock_wake(glib_lock(cond), false);
    } else {
        FRONT_REAL(g_cond_signal)(cond);
    }
}

void g_cond_broadcast(GCond *cond)
{
    if (glib_is_ours()) {
        glib_lock_wake(glib_lock(cond), true);
    } else {
        FRONT_REAL(g_cond_broadcast)(cond);
    }
}

/* ---- GRecMutex ---- */

/* Only its owner can find itself there. */
static bool rec_is_mine(GlibLock *lock)
{
    return qatomic_read(&lock->owner) == host_self();
}

static void rec_has(GlibLock *lock)
{
    qatomic_set(&lock->owner, host_self());
    lock->depth++;
}

void g_rec_mutex_clear(GRecMutex *mutex)
{
    if (glib_is_ours()) {
        glib_lock_forget(mutex);
    } else {
        FRONT_REAL(g_rec_mutex_clear)(mutex);
    }
}

void g_rec_mutex_lock(GRecMutex *mutex)
{
    GlibLock *lock;

    if (!glib_is_ours()) {
        FRONT_REAL(g_rec_mutex_lock)(mutex);
        return;
    }
    lock = glib_lock(mutex);
    if (!rec_is_mine(lock)) {
        glib_lock_take(lock);
    }
    rec_has(lock);
}

gboolean g_rec_mutex_trylock(GRecMutex *mutex)
{
    GlibLock *lock;

    if (!glib_is_ours()) {
        return FRONT_REAL(g_rec_mutex_trylock)(mutex);
    }
    lock = glib_lock(mutex);
    if (!rec_is_mine(lock) && !host->mutex_trylock(&lock->mutex)) {
        return false;
    }
    rec_has(lock);
    return true;
}

void g_rec_mutex_unlock(GRecMutex *mutex)
{
    GlibLock *lock;

    if (!glib_is_ours()) {
        FRONT_REAL(g_rec_mutex_unlock)(mutex);
        return;
    }
    lock = glib_lock(mutex);
    if (!--lock->depth) {
        qatomic_set(&lock->owner, NULL);
        glib_lock_give(lock);
    }
}

/* ---- GRWLock ---- */

static bool rw_try(GRWLock *rw, bool writer, bool waits)
{
    GlibLock *lock = glib_lock(rw);
    bool taken;

    glib_lock_take(lock);
    while (waits && (lock->writer || (writer && lock->readers))) {
        glib_lock_wait(lock, lock, -1);
    }
    taken = !lock->writer && !(writer && lock->readers);
    lock->writer |= taken && writer;
    lock->readers += taken && !writer;
    glib_lock_give(lock);
    return taken;
}

static void rw_give(GRWLock *rw, bool writer)
{
    GlibLock *lock = glib_lock(rw);

    glib_lock_take(lock);
    if (writer) {
        lock->writer = false;
    } else {
        lock->readers--;
    }
    glib_lock_wake(lock, true);
    glib_lock_give(lock);
}

void g_rw_lock_clear(GRWLock *rw)
{
    if (glib_is_ours()) {
        glib_lock_forget(rw);
    } else {
        FRONT_REAL(g_rw_lock_clear)(rw);
    }
}

#define RW_LOCK(name, writer) \
    void name##_lock(GRWLock *rw) \
    { \
        if (glib_is_ours()) { \
            rw_try(rw, writer, true); \
        } else { \
            FRONT_REAL(name##_lock)(rw); \
        } \
    } \
    gboolean name##_trylock(GRWLock *rw) \
    { \
        return glib_is_ours() ? rw_try(rw, writer, false) \
                              : FRONT_REAL(name##_trylock)(rw); \
    } \
    void name##_unlock(GRWLock *rw) \
    { \
        if (glib_is_ours()) { \
            rw_give(rw, writer); \
        } else { \
            FRONT_REAL(name##_unlock)(rw); \
        } \
    }

RW_LOCK(g_rw_lock_reader, false)
RW_LOCK(g_rw_lock_writer, true)
