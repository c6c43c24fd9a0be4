/* SPDX-License-Identifier: MIT */
/* The current host, and the state of the running thread. */
#include "host.h"

const HostOps *host;
int host_mode;
unsigned host_run;

__thread HostThread *host_self_;

__attribute__((noinline)) HostThread *host_self(void)
{
    if (unlikely(!host_self_)) {
        host_self_ = host->thread_attach();
    }
    return host_self_;
}

__attribute__((noinline)) void host_set_self(HostThread *self)
{
    host_self_ = self;
}

void host_thread_init(HostThread *thread, uint32_t id, const char *name)
{
    *thread = (HostThread){.id = id, .name = name, .digest = id,
                           .glib_timeout_ns = -1};
    QSIMPLEQ_INIT(&thread->leader.base.co_queue_wakeup);
    thread->leader.base.name = name;
}

void host_thread_started(HostThread *thread)
{
    PROBE_TEXT(THREAD_START, thread->id, 0, 0, 0, thread->name);
}

void host_thread_run_atexit(void)
{
    HostThread *self = host_self();

    notifier_list_notify(&self->atexit, NULL);
    notifier_list_init(&self->atexit);
}

void host_thread_finish(HostThread *thread)
{
    while (!QSLIST_EMPTY(&thread->pool)) {
        Coroutine *co = QSLIST_FIRST(&thread->pool);

        QSLIST_REMOVE_HEAD(&thread->pool, pool_next);
        qemu_coroutine_delete(co);
    }
    thread->pool_size = 0;
    if (thread->deferred) {
        g_array_free(thread->deferred, true);
        thread->deferred = NULL;
    }
}

void host_set(const HostOps *ops, int mode)
{
    host = ops;
    host_mode = mode;
    host_run++;
}
