/* SPDX-License-Identifier: MIT */
/*
 * An eventfd that several threads may ppoll(), for models of what an
 * AioContext was when several threads could poll it.
 *
 * It is level-triggered: a write wakes all that wait, but who looks when
 * somebody else has cleared the counter sleeps on.
 */
#ifndef LESSONS_LIBRARY_MODEL_EVENTFD_H
#define LESSONS_LIBRARY_MODEL_EVENTFD_H

#include "aiolab/wait-reason.h"
#include "qemu/thread.h"

typedef struct ModelEventfd {
    QemuMutex lock;
    QemuCond written;
    unsigned count;
    WaitReason event; /* what it is written for; done when that is there */
} ModelEventfd;

static inline void model_eventfd_init(ModelEventfd *e, const char *event)
{
    qemu_mutex_init(&e->lock);
    qemu_cond_init(&e->written);
    e->count = 0;
    wait_reason_init(&e->event, event);
}

static inline void model_eventfd_destroy(ModelEventfd *e)
{
    qemu_cond_destroy(&e->written);
    qemu_mutex_destroy(&e->lock);
}

/* event_notifier_set() */
static inline void model_eventfd_set(ModelEventfd *e)
{
    qemu_mutex_lock(&e->lock);
    e->count++;
    qemu_cond_broadcast(&e->written);
    qemu_mutex_unlock(&e->lock);
}

/* event_notifier_test_and_clear() */
static inline bool model_eventfd_test_and_clear(ModelEventfd *e)
{
    bool was_set;

    qemu_mutex_lock(&e->lock);
    was_set = e->count > 0;
    e->count = 0;
    qemu_mutex_unlock(&e->lock);
    return was_set;
}

/* ppoll() without a time limit: returns when it is readable. */
static inline void model_eventfd_poll(ModelEventfd *e)
{
    qemu_mutex_lock(&e->lock);
    while (e->count == 0) {
        wait_reason_next(&e->event);
        qemu_cond_wait(&e->written, &e->lock);
    }
    qemu_mutex_unlock(&e->lock);
}

#endif
