/* SPDX-License-Identifier: MIT */
/*
 * Anything that can be locked, after QEMU's qemu/lockable.h: what a CoQueue
 * gives up while a coroutine waits, and what a guard takes for a scope.
 *
 *   QEMU_LOCK_GUARD(&lock);            to the end of the scope
 *   WITH_QEMU_LOCK_GUARD(&lock) {...}  for the block; break, continue, return
 *                                      and goto unlock too
 *
 * @lock is a QemuMutex, a QemuRecMutex, a CoMutex, a QemuSpin, or a
 * QemuLockable made from one of them.
 */
#ifndef QEMU_LOCKABLE_H
#define QEMU_LOCKABLE_H

#include "qemu/coroutine.h"
#include "qemu/thread.h"

typedef void QemuLockUnlockFunc(void *object);

struct QemuLockable {
    void *object;
    QemuLockUnlockFunc *lock;
    QemuLockUnlockFunc *unlock;
};

/* Declared here too, because qemu/coroutine.h includes us. */
#ifndef qemu_co_mutex_lock /* the macro comes when both are read */
void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex);
#endif
void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex);
void coroutine_fn qemu_co_mutex_lock_at(CoMutex *mutex, const LockSite *at);

/*
 * The same for each kind of lock, by a pointer without a type.  They call the
 * functions, not the macros: this place tells nobody anything.
 */
#define QEMU_LOCKABLE_FUNCS_(name, type)                   \
    static inline void qemu_lockable_##name##_lock(void *x)   \
    {                                                      \
        (qemu_##name##_lock)((type *)x);                   \
    }                                                      \
    static inline void qemu_lockable_##name##_unlock(void *x) \
    {                                                      \
        (qemu_##name##_unlock)((type *)x);                 \
    }
QEMU_LOCKABLE_FUNCS_(mutex, QemuMutex)
QEMU_LOCKABLE_FUNCS_(rec_mutex, QemuRecMutex)
QEMU_LOCKABLE_FUNCS_(co_mutex, CoMutex)
QEMU_LOCKABLE_FUNCS_(spin, QemuSpin)
#undef QEMU_LOCKABLE_FUNCS_

/* A function, so that the address of a variable may be tested. */
static inline QemuLockable *qemu_make_lockable(void *x, QemuLockable *lockable)
{
    return x ? lockable : NULL;
}

/* A void pointer says nothing about the lock: it can only be NULL. */
static inline QemuLockable *qemu_null_lockable(void *x)
{
    assert(!x);
    return NULL;
}

/* In the caller's frame. */
#define QML_OBJ_(x, name)                             \
    (&(QemuLockable){                                 \
        .object = (void *)(x),                        \
        .lock = qemu_lockable_##name##_lock,          \
        .unlock = qemu_lockable_##name##_unlock,      \
    })
#define QML_OBJ_OR_NULL_(x, name) \
    qemu_make_lockable((void *)(x), QML_OBJ_(x, name))

/* NULL if @x is. */
#define QEMU_MAKE_LOCKABLE(x)                             \
    _Generic((x),                                         \
        QemuLockable *: (x),                              \
        void *: qemu_null_lockable((void *)(x)),          \
        QemuMutex *: QML_OBJ_OR_NULL_(x, mutex),          \
        QemuRecMutex *: QML_OBJ_OR_NULL_(x, rec_mutex),   \
        CoMutex *: QML_OBJ_OR_NULL_(x, co_mutex),         \
        QemuSpin *: QML_OBJ_OR_NULL_(x, spin))

#define QEMU_MAKE_LOCKABLE_NONNULL(x)             \
    _Generic((x),                                 \
        QemuLockable *: (x),                      \
        QemuMutex *: QML_OBJ_(x, mutex),          \
        QemuRecMutex *: QML_OBJ_(x, rec_mutex),   \
        CoMutex *: QML_OBJ_(x, co_mutex),         \
        QemuSpin *: QML_OBJ_(x, spin))

static inline void qemu_lockable_lock(QemuLockable *x)
{
    x->lock(x->object);
}

static inline void qemu_lockable_unlock(QemuLockable *x)
{
    x->unlock(x->object);
}

static inline QemuLockable *qemu_lockable_auto_lock(QemuLockable *x)
{
    qemu_lockable_lock(x);
    return x;
}

/* The same; a mutex hears where the guard stands. */
static inline QemuLockable *qemu_lockable_auto_lock_at(QemuLockable *x,
                                                       const LockSite *at)
{
    if (x->lock == qemu_lockable_mutex_lock) {
        qemu_mutex_lock_at((QemuMutex *)x->object, at);
    } else if (x->lock == qemu_lockable_rec_mutex_lock) {
        qemu_rec_mutex_lock_at((QemuRecMutex *)x->object, at);
    } else if (x->lock == qemu_lockable_co_mutex_lock) {
        qemu_co_mutex_lock_at((CoMutex *)x->object, at);
    } else {
        qemu_lockable_lock(x);
    }
    return x;
}

static inline void qemu_lockable_auto_unlock(QemuLockable *x)
{
    if (x) {
        qemu_lockable_unlock(x);
    }
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(QemuLockable, qemu_lockable_auto_unlock)

#define WITH_QEMU_LOCK_GUARD_(x, var, at)                                \
    for (g_autoptr(QemuLockable) var = qemu_lockable_auto_lock_at(       \
             QEMU_MAKE_LOCKABLE_NONNULL((x)), at);                       \
         var; qemu_lockable_auto_unlock(var), var = NULL)
#define WITH_QEMU_LOCK_GUARD(x)                                          \
    WITH_QEMU_LOCK_GUARD_((x), MAKE_IDENTIFIER(qemu_lockable_auto),      \
                          LOCK_SITE_(#x))

#define QEMU_LOCK_GUARD(x)                                               \
    g_autoptr(QemuLockable) MAKE_IDENTIFIER(qemu_lockable_auto)          \
        G_GNUC_UNUSED = qemu_lockable_auto_lock_at(                      \
            QEMU_MAKE_LOCKABLE_NONNULL((x)), LOCK_SITE_(#x))

#endif
