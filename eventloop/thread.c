/* SPDX-License-Identifier: MIT */
/* Threads and locks: the host's, with names; and what is built from them. */
#include "host.h"

void qemu_mutex_init(QemuMutex *mutex)
{
    *mutex = (QemuMutex){.id = host_new_id(), .initialized = true};
    host->mutex_init(mutex);
}

void qemu_mutex_destroy(QemuMutex *mutex)
{
    assert(mutex->initialized);
    mutex->initialized = false;
    host->mutex_destroy(mutex);
}

void qemu_mutex_lock(QemuMutex *mutex)
{
    assert(mutex->initialized);
    host->mutex_lock(mutex);
}

int qemu_mutex_trylock(QemuMutex *mutex)
{
    assert(mutex->initialized);
    return host->mutex_trylock(mutex) ? 0 : -EBUSY;
}

void qemu_mutex_unlock(QemuMutex *mutex)
{
    assert(mutex->initialized);
    host->mutex_unlock(mutex);
}

void qemu_cond_init(QemuCond *cond)
{
    *cond = (QemuCond){.id = host_new_id(), .initialized = true};
    host->cond_init(cond);
}

void qemu_cond_destroy(QemuCond *cond)
{
    assert(cond->initialized);
    cond->initialized = false;
    host->cond_destroy(cond);
}

void qemu_cond_wait(QemuCond *cond, QemuMutex *mutex)
{
    assert(cond->initialized);
    host->cond_wait(cond, mutex, -1);
}

bool qemu_cond_timedwait(QemuCond *cond, QemuMutex *mutex, int ms)
{
    assert(cond->initialized);
    return host->cond_wait(cond, mutex, (int64_t)ms * SCALE_MS);
}

void qemu_cond_signal(QemuCond *cond)
{
    assert(cond->initialized);
    host->cond_wake(cond, false);
}

void qemu_cond_broadcast(QemuCond *cond)
{
    assert(cond->initialized);
    host->cond_wake(cond, true);
}

void qemu_sem_init(QemuSemaphore *sem, int init)
{
    qemu_mutex_init(&sem->mutex);
    qemu_cond_init(&sem->cond);
    sem->count = init;
}

void qemu_sem_destroy(QemuSemaphore *sem)
{
    qemu_cond_destroy(&sem->cond);
    qemu_mutex_destroy(&sem->mutex);
}

void qemu_sem_post(QemuSemaphore *sem)
{
    qemu_mutex_lock(&sem->mutex);
    sem->count++;
    qemu_cond_signal(&sem->cond);
    qemu_mutex_unlock(&sem->mutex);
}

void qemu_sem_wait(QemuSemaphore *sem)
{
    qemu_mutex_lock(&sem->mutex);
    while (sem->count == 0) {
        qemu_cond_wait(&sem->cond, &sem->mutex);
    }
    sem->count--;
    qemu_mutex_unlock(&sem->mutex);
}

void qemu_event_init(QemuEvent *ev, bool init)
{
    qemu_mutex_init(&ev->mutex);
    qemu_cond_init(&ev->cond);
    ev->set = init;
    ev->initialized = true;
}

void qemu_event_destroy(QemuEvent *ev)
{
    ev->initialized = false;
    qemu_cond_destroy(&ev->cond);
    qemu_mutex_destroy(&ev->mutex);
}

void qemu_event_set(QemuEvent *ev)
{
    qemu_mutex_lock(&ev->mutex);
    ev->set = true;
    qemu_cond_broadcast(&ev->cond);
    qemu_mutex_unlock(&ev->mutex);
}

void qemu_event_reset(QemuEvent *ev)
{
    qemu_mutex_lock(&ev->mutex);
    ev->set = false;
    qemu_mutex_unlock(&ev->mutex);
}

void qemu_event_wait(QemuEvent *ev)
{
    qemu_mutex_lock(&ev->mutex);
    while (!ev->set) {
        qemu_cond_wait(&ev->cond, &ev->mutex);
    }
    qemu_mutex_unlock(&ev->mutex);
}

void qemu_thread_create(QemuThread *thread, const char *name,
                        void *(*start_routine)(void *), void *arg, int mode)
{
    assert(mode == QEMU_THREAD_JOINABLE);
    *thread = (QemuThread){.id = host_new_id()};
    host->thread_create(thread, name, start_routine, arg);
}

void *qemu_thread_join(QemuThread *thread)
{
    return host->thread_join(thread);
}
