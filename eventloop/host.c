/* SPDX-License-Identifier: MIT */
/* The current host, and the state of the running thread. */
#include "host.h"

const HostOps *host;
int host_mode;
unsigned host_run;

__thread HostThread *host_self_;

static StackedCoroutine unattached_leader = {.base.slow = true};
#define UNATTACHED \
    {.trap = TRAP_UNATTACHED, .current = &unattached_leader.base}
static const HostFast unattached = UNATTACHED;
__thread HostFast host_fast_ = UNATTACHED;

OUTSIDE_OF_STEPS void host_save_fast(void)
{
    if (host_self_) {
        host_self_->fast = host_fast_;
        host_self_->digest = probe_digest();
    }
}

OUTSIDE_OF_STEPS __attribute__((noinline)) void host_set_self(HostThread *self)
{
    if (self != host_self_) {
        host_save_fast();
        host_self_ = self;
        host_fast_ = self ? self->fast : unattached;
        probe_digest_ = self ? self->digest : 0;
    }
}

__attribute__((noinline)) HostThread *host_self_slowly(void)
{
    if (unlikely(!host_self_)) {
        host_set_self(host->thread_attach());
    }
    return host_self_;
}

__attribute__((noinline)) HostFast *host_fast(void)
{
    host_self();
    return &host_fast_;
}

void host_thread_init(HostThread *thread, uint32_t id, const char *name)
{
    *thread = (HostThread){.id = id, .name = name, .digest = id,
                           .glib_timeout_ns = -1, .glib.wakeup_fd = -1};
    thread->leader.base.name = name;
    /* It has nobody to yield to, and should hear of it. */
    thread->leader.base.slow = true;
    thread->fast = (HostFast){
        .trap = TRAP_NO_CONTEXT | host_probe_trap(),
        .current = &thread->leader.base,
    };
    if (thread == host_self_) {
        /* The main thread, for another run. */
        host_fast_ = thread->fast;
        probe_digest_ = thread->digest;
    }
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
    host_glib_finish_privates(&self->glib);
}

void host_thread_finish(HostThread *thread)
{
    coroutine_pool_thread_finish(thread);
    defer_call_thread_finish(thread);
    bottom_half_thread_finish(thread);
    host_glib_finish(&thread->glib);
}

void host_set(const HostOps *ops, int mode)
{
    if (!ops) {
        coroutine_pool_finish();
    }
    host = ops;
    host_mode = mode;
    qatomic_seen = !!(mode & HOST_SIGHTS);
    host_run++;
}
