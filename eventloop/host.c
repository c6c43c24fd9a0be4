/* SPDX-License-Identifier: MIT */
/* The current host, and the state of the running thread. */
#include "host.h"

const HostOps *host;
int host_mode;
unsigned host_run;

__thread HostThread *host_self_;

/* Stands for a thread that has none of its own yet. */
static HostThread unattached = {.trap = TRAP_UNATTACHED};
__thread HostThread *host_enter_self_ = &unattached;

static void set_self(HostThread *self)
{
    host_self_ = self;
    host_enter_self_ = self ? self : &unattached;
}

__attribute__((noinline)) HostThread *host_self(void)
{
    if (unlikely(!host_self_)) {
        set_self(host->thread_attach());
    }
    return host_self_;
}

__attribute__((noinline)) void host_set_self(HostThread *self)
{
    set_self(self);
}

void host_thread_init(HostThread *thread, uint32_t id, const char *name)
{
    *thread = (HostThread){.id = id, .name = name, .digest = id,
                           .glib_timeout_ns = -1};
    thread->trap = TRAP_NO_CONTEXT | (probe_on ? TRAP_TRACED : 0);
    thread->leader.base.name = name;
    /* It has nobody to yield to, and should hear of it. */
    thread->leader.base.slow = true;
    thread->current = &thread->leader.base;
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
    coroutine_pool_thread_finish(thread);
    defer_call_thread_finish(thread);
    bottom_half_thread_finish(thread);
}

void host_set(const HostOps *ops, int mode)
{
    if (!ops) {
        coroutine_pool_finish();
    }
    host = ops;
    host_mode = mode;
    host_run++;
}
