/* SPDX-License-Identifier: MIT */
/*
 * Anything that can be locked, after QEMU's qemu/lockable.h: what a CoQueue
 * gives up while a coroutine waits, and what a guard takes for a scope.
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

static inline QemuLockable *qemu_null_lockable(void *object)
{
    return NULL;
}

/* A lockable in the caller's frame for a QemuMutex * or a CoMutex *. */
#define QML_OBJ_(x, name)                                                     \
    (&(QemuLockable){.object = (x),                                           \
                     .lock = (QemuLockUnlockFunc *)qemu_##name##_lock,        \
                     .unlock = (QemuLockUnlockFunc *)qemu_##name##_unlock})

#define QEMU_MAKE_LOCKABLE(x)                                                 \
    _Generic((x),                                                             \
        QemuLockable *: (x),                                                  \
        void *: qemu_null_lockable((void *)(x)),                              \
        QemuMutex *: QML_OBJ_((void *)(x), mutex),                            \
        CoMutex *: QML_OBJ_((void *)(x), co_mutex))

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

static inline void qemu_lockable_auto_unlock(QemuLockable *x)
{
    if (x) {
        qemu_lockable_unlock(x);
    }
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(QemuLockable, qemu_lockable_auto_unlock)

#define QLNAME_(line) qemu_lockable_auto_##line
#define QLNAME(line) QLNAME_(line)

/* Holds the lock for the statement or block that follows. */
#define WITH_QEMU_LOCK_GUARD(x)                                              \
    for (g_autoptr(QemuLockable) QLNAME(__LINE__) =                          \
             qemu_lockable_auto_lock(QEMU_MAKE_LOCKABLE(x));                 \
         QLNAME(__LINE__);                                                   \
         qemu_lockable_auto_unlock(QLNAME(__LINE__)),                        \
             QLNAME(__LINE__) = NULL)

/* Holds the lock to the end of the scope. */
#define QEMU_LOCK_GUARD(x)                                                   \
    g_autoptr(QemuLockable) QLNAME(__LINE__) __attribute__((unused)) =       \
        qemu_lockable_auto_lock(QEMU_MAKE_LOCKABLE(x))

#endif
