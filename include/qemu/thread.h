/* SPDX-License-Identifier: MIT */
/*
 * Threads and their locks, after QEMU's qemu/thread.h.
 *
 * Each object has an id and a pointer to what the host keeps for it: a pthread
 * object on the live host, a queue of virtual threads in the simulated
 * machine.  Every operation is one call of the host, which is how it can be
 * recorded, replayed and scheduled.
 */
#ifndef QEMU_THREAD_H
#define QEMU_THREAD_H

#include "qemu/osdep.h"

typedef struct QemuMutex {
    void *host;
    uint64_t id;
    bool initialized;
} QemuMutex;

typedef struct QemuCond {
    void *host;
    uint64_t id;
    bool initialized;
} QemuCond;

typedef struct QemuSemaphore {
    QemuMutex mutex;
    QemuCond cond;
    unsigned count;
} QemuSemaphore;

typedef struct QemuEvent {
    QemuMutex mutex;
    QemuCond cond;
    bool set;
    bool initialized;
} QemuEvent;

typedef struct QemuThread {
    void *host;
    uint64_t id;
} QemuThread;

#define QEMU_THREAD_JOINABLE 0
#define QEMU_THREAD_DETACHED 1

void qemu_mutex_init(QemuMutex *mutex);
void qemu_mutex_destroy(QemuMutex *mutex);
void qemu_mutex_lock(QemuMutex *mutex);
/* Returns 0 if the mutex was taken, else -EBUSY. */
int qemu_mutex_trylock(QemuMutex *mutex);
void qemu_mutex_unlock(QemuMutex *mutex);

void qemu_cond_init(QemuCond *cond);
void qemu_cond_destroy(QemuCond *cond);
/* May wake spuriously: the caller tests its condition again. */
void qemu_cond_wait(QemuCond *cond, QemuMutex *mutex);
/* Returns false if @ms milliseconds passed first. */
bool qemu_cond_timedwait(QemuCond *cond, QemuMutex *mutex, int ms);
void qemu_cond_signal(QemuCond *cond);
void qemu_cond_broadcast(QemuCond *cond);

void qemu_sem_init(QemuSemaphore *sem, int init);
void qemu_sem_destroy(QemuSemaphore *sem);
void qemu_sem_post(QemuSemaphore *sem);
void qemu_sem_wait(QemuSemaphore *sem);

void qemu_event_init(QemuEvent *ev, bool init);
void qemu_event_destroy(QemuEvent *ev);
void qemu_event_set(QemuEvent *ev);
void qemu_event_reset(QemuEvent *ev);
void qemu_event_wait(QemuEvent *ev);

/* @name is shown in reports; threads are numbered in creation order. */
void qemu_thread_create(QemuThread *thread, const char *name,
                        void *(*start_routine)(void *), void *arg, int mode);
void *qemu_thread_join(QemuThread *thread);

#endif
