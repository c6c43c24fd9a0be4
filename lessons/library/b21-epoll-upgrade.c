/* SPDX-License-Identifier: MIT */
/*
 * b21-epoll-upgrade: a handler is added while the others are copied.
 *
 * QEMU e62da98527, "aio-posix: fix race between epoll upgrade and
 * aio_set_fd_handler()" (2023).  An IOThread with many handlers changes from
 * ppoll() to epoll: it puts each handler's descriptor into the epoll set and
 * then says that it uses epoll.  Another thread adds a handler in between: it
 * was not there to be copied, and is not put into the set either, because the
 * context still uses ppoll().
 *
 *   buggy  the handlers are copied without the list's lock
 *   fixed  the lock is held until the context uses epoll
 *
 * The epoll set has one descriptor of interest: that of the handler that is
 * added, which is readable from the start.
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct OldContext {
    QemuMutex list_lock;
    bool locks_upgrade;
    bool on_list;   /* the new handler, in aio_handlers */
    bool uses_epoll;
    ModelEventfd epollfd; /* its count: readable descriptors in the set */
} OldContext;

static void epoll_ctl_add(OldContext *ctx)
{
    model_eventfd_set(&ctx->epollfd);
}

static bool fdmon_epoll_try_enable(OldContext *ctx)
{
    if (qatomic_read(&ctx->on_list)) {
        epoll_ctl_add(ctx);
    }
    qatomic_set(&ctx->uses_epoll, true);
    return true;
}

static bool fdmon_epoll_try_upgrade(OldContext *ctx)
{
    bool ok;

    if (!ctx->locks_upgrade) {
        return fdmon_epoll_try_enable(ctx);
    }
    qemu_mutex_lock(&ctx->list_lock);
    ok = fdmon_epoll_try_enable(ctx);
    qemu_mutex_unlock(&ctx->list_lock);
    return ok;
}

static void *iothread_run(void *opaque)
{
    OldContext *ctx = opaque;

    if (fdmon_epoll_try_upgrade(ctx)) {
        model_eventfd_poll(&ctx->epollfd); /* epoll_wait() */
    }
    return NULL;
}

static void old_aio_set_fd_handler(OldContext *ctx)
{
    qemu_mutex_lock(&ctx->list_lock);
    qatomic_set(&ctx->on_list, true);
    wait_reason_done(&ctx->epollfd.event);
    if (qatomic_read(&ctx->uses_epoll)) { /* fdmon_epoll_update() */
        epoll_ctl_add(ctx);
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {.locks_upgrade = scenario_is_variant(args, "fixed")};
    QemuThread iothread;

    qemu_mutex_init(&ctx.list_lock);
    model_eventfd_init(&ctx.epollfd, "aio_set_fd_handler()");
    qemu_thread_create(&iothread, "iothread", iothread_run, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_aio_set_fd_handler(&ctx);
    qemu_thread_join(&iothread);
    model_eventfd_destroy(&ctx.epollfd);
    qemu_mutex_destroy(&ctx.list_lock);
}

SCENARIO(b21_epoll_upgrade) = {
    .name = "b21-epoll-upgrade",
    .summary = "a handler that is added during the change to epoll is never "
               "monitored (QEMU e62da98527)",
    .shows = "the IOThread waits on an epoll set that lacks the descriptor: it "
             "was added after the copy and before uses_epoll; the fix holds "
             "the list's lock over both",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the upgrade takes no lock"},
        {"fixed", "it holds list_lock"},
        {NULL}},
    .run = run,
};
