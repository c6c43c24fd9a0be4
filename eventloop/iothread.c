/* SPDX-License-Identifier: MIT */
/*
 * A thread that polls one context until it is told to stop (iothread.c).
 *
 * The stop is a bottom half, not a flag and a notification: a flag that is
 * tested outside aio_poll() is not protected by aio_notify() (2362a28ea1).
 */
#include "aio-internal.h"
#include "qapi/error.h"
#include "system/iothread.h"

struct IOThread {
    char *id;
    QemuThread thread;
    AioContext *ctx;
    QemuSemaphore init_done;
    bool running; /* the IOThread's own, after init_done */
    bool stopped;
};

static void *iothread_run(void *opaque)
{
    IOThread *iothread = opaque;

    qemu_set_current_aio_context(iothread->ctx);
    qemu_sem_post(&iothread->init_done);
    while (iothread->running) {
        aio_poll(iothread->ctx, true);
    }
    return NULL;
}

IOThread *iothread_create(const char *id, Error **errp)
{
    IOThread *iothread = g_new0(IOThread, 1);

    iothread->ctx = aio_context_new(errp);
    if (!iothread->ctx) {
        g_free(iothread);
        return NULL;
    }
    iothread->id = g_strdup(id);
    iothread->running = true;
    aio_context_set_name(iothread->ctx, id);
    qemu_sem_init(&iothread->init_done, 0);
    qemu_thread_create(&iothread->thread, iothread->id, iothread_run, iothread,
                       QEMU_THREAD_JOINABLE);
    qemu_sem_wait(&iothread->init_done);
    return iothread;
}

static void iothread_stop_bh(void *opaque)
{
    IOThread *iothread = opaque;

    iothread->running = false;
}

void iothread_stop(IOThread *iothread)
{
    if (!iothread->stopped) {
        iothread->stopped = true;
        aio_bh_schedule_oneshot(iothread->ctx, iothread_stop_bh, iothread);
        qemu_thread_join(&iothread->thread);
    }
}

void iothread_destroy(IOThread *iothread)
{
    iothread_stop(iothread);
    qemu_sem_destroy(&iothread->init_done);
    aio_context_unref(iothread->ctx);
    g_free(iothread->id);
    g_free(iothread);
}

AioContext *iothread_get_aio_context(IOThread *iothread)
{
    return iothread->ctx;
}

const char *iothread_get_id(IOThread *iothread)
{
    return iothread->id;
}
