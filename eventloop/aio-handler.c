/* SPDX-License-Identifier: MIT */
/*
 * File descriptor handlers: add, replace, remove, dispatch.
 *
 * A handler is never changed in place: another thread may be about to call it
 * (fef1660132).  Replacing makes a new one and deletes the old; deleting only
 * marks it, and the home thread frees it when no aio_poll() is on its stack.
 */
#include "aio-internal.h"
#include "aiolab/legacy.h"

#undef aio_set_fd_handler
#undef aio_set_event_notifier

#include <poll.h>

/*
 * The context's own notifier.  Its reader empties it, so the host may take
 * edges; of other notifiers one can only hope so.  And it is no progress.
 */
static bool is_own(const AioContext *ctx, const AioHandler *node)
{
    return node->opaque == &ctx->notifier;
}

static AioHandler *find_handler(AioContext *ctx, int fd)
{
    return g_hash_table_lookup(ctx->handlers_by_fd, GINT_TO_POINTER(fd));
}

/* A handler without a watch: external, and disabled (aiolab/legacy.h). */
static void watch(AioContext *ctx, AioHandler *node)
{
    if (!node->is_external || !ctx->external_disable_cnt) {
        node->watch = host->watch_add(ctx->monitor, node->pfd.fd,
                                      node->pfd.events, is_own(ctx, node),
                                      node->id, node);
    }
}

static void unwatch(AioContext *ctx, AioHandler *node)
{
    aio_source_forget(ctx, node);
    if (node->watch) {
        host->watch_remove(ctx->monitor, node->watch);
        node->watch = NULL;
    }
}

static void delete_handler(AioContext *ctx, AioHandler *node)
{
    PROBE(FD_REMOVE, node->id, ctx->id, 0, 0);
    QLIST_REMOVE(node, node);
    g_hash_table_remove(ctx->handlers_by_fd, GINT_TO_POINTER(node->pfd.fd));
    unwatch(ctx, node);
    if (!node->io_poll) {
        raw_dec(&ctx->poll_disable_cnt);
    }
    raw_set(&node->deleted, true);
    node->node_deleted.sle_next = ctx->deleted_aio_handlers.slh_first;
    /* The home thread looks without the lock: is there any? */
    raw_set(&ctx->deleted_aio_handlers.slh_first, node);
}

static void add_handler(AioContext *ctx, const AioHandler *handler)
{
    AioHandler *node = g_new(AioHandler, 1);

    *node = *handler;
    node->ctx = ctx;
    node->pfd.events = (node->io_read ? POLLIN : 0) |
                       (node->io_write ? POLLOUT : 0);
    node->id = host_new_id();
    if (!node->io_poll) {
        raw_inc(&ctx->poll_disable_cnt);
    }
    PROBE(FD_ADD, node->id, ctx->id, node->pfd.events, 0);
    watch(ctx, node);
    QLIST_INSERT_HEAD(&ctx->aio_handlers, node, node);
    g_hash_table_insert(ctx->handlers_by_fd, GINT_TO_POINTER(node->pfd.fd),
                        node);
}

/* Models aio_set_fd_handler() of util/aio-posix.c. */
static void set_fd_handler(AioContext *ctx, AioHandler handler)
{
    AioHandler *old;

    if (!handler.io_poll_ready) {
        handler.io_poll = NULL;
    }
    qemu_mutex_lock(&ctx->list_lock);
    old = find_handler(ctx, handler.pfd.fd);
    if (old) {
        delete_handler(ctx, old);
    }
    if (handler.io_read || handler.io_write || handler.io_poll) {
        add_handler(ctx, &handler);
    }
    qemu_mutex_unlock(&ctx->list_lock);
    aio_notify(ctx);
}

void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                        IOHandler *io_write, AioPollFn *io_poll,
                        IOHandler *io_poll_ready, void *opaque)
{
    set_fd_handler(ctx, (AioHandler){
        .pfd.fd = fd, .io_read = io_read, .io_write = io_write,
        .io_poll = io_poll, .io_poll_ready = io_poll_ready, .opaque = opaque,
    });
}

void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                            EventNotifierHandler *io_read, AioPollFn *io_poll,
                            EventNotifierHandler *io_poll_ready)
{
    set_fd_handler(ctx, (AioHandler){
        .pfd.fd = event_notifier_get_fd(notifier),
        .io_read = (IOHandler *)io_read, .io_poll = io_poll,
        .io_poll_ready = (IOHandler *)io_poll_ready, .opaque = notifier,
    });
}

void aio_legacy_set_fd_handler(AioContext *ctx, int fd, bool is_external,
                               IOHandler *io_read, IOHandler *io_write,
                               AioPollFn *io_poll, IOHandler *io_poll_ready,
                               void *opaque)
{
    set_fd_handler(ctx, (AioHandler){
        .pfd.fd = fd, .is_external = is_external, .io_read = io_read,
        .io_write = io_write, .io_poll = io_poll,
        .io_poll_ready = io_poll_ready, .opaque = opaque,
    });
}

void aio_legacy_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                   bool is_external,
                                   EventNotifierHandler *io_read,
                                   AioPollFn *io_poll,
                                   EventNotifierHandler *io_poll_ready)
{
    aio_legacy_set_fd_handler(ctx, event_notifier_get_fd(notifier), is_external,
                              (IOHandler *)io_read, NULL, io_poll,
                              (IOHandler *)io_poll_ready, notifier);
}

void aio_set_event_notifier_poll(AioContext *ctx, EventNotifier *notifier,
                                 EventNotifierHandler *io_poll_begin,
                                 EventNotifierHandler *io_poll_end)
{
    AioHandler *node;

    qemu_mutex_lock(&ctx->list_lock);
    node = find_handler(ctx, event_notifier_get_fd(notifier));
    if (node) {
        qatomic_set(&node->io_poll_begin, (IOHandler *)io_poll_begin);
        qatomic_set(&node->io_poll_end, (IOHandler *)io_poll_end);
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

void aio_watch_external(AioContext *ctx, bool begin)
{
    AioHandler *node;

    QLIST_FOREACH(node, &ctx->aio_handlers, node) {
        if (!node->is_external) {
            continue;
        }
        PROBE_SHOW(FD_ENABLE, node->id, ctx->id, begin, 0);
        if (begin) {
            watch(ctx, node);
        } else {
            unwatch(ctx, node);
        }
    }
}

uint64_t aio_handler_id(AioContext *ctx, int fd)
{
    AioHandler *node;

    QEMU_LOCK_GUARD(&ctx->list_lock);
    node = find_handler(ctx, fd);
    return node ? node->id : 0;
}

bool aio_handler_is_deleted(const AioHandler *node)
{
    return host_observe(HOST_SIGHT_DELETED, raw_read(&node->deleted));
}

void aio_free_deleted_handlers(AioContext *ctx)
{
    AioHandler *node;

    if (ctx->depth ||
        !host_observe(HOST_SIGHT_DELETED,
                      raw_read(&ctx->deleted_aio_handlers.slh_first) != NULL)) {
        return;
    }
    qemu_mutex_lock(&ctx->list_lock);
    while ((node = QSLIST_FIRST(&ctx->deleted_aio_handlers))) {
        QSLIST_REMOVE_HEAD(&ctx->deleted_aio_handlers, node_deleted);
        /* Only the home thread walks these lists, and it is we. */
        QLIST_SAFE_REMOVE(node, node_poll);
        QLIST_SAFE_REMOVE(node, node_ready);
        if (unlikely(host_mode & HOST_REPLAYS)) {
            host->watch_freed(ctx->monitor, node->id);
        }
        g_free(node);
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

void aio_add_ready_handler(AioHandlerList *ready, AioHandler *node)
{
    QLIST_SAFE_REMOVE(node, node_ready);
    QLIST_INSERT_HEAD(ready, node, node_ready);
}

/*
 * Found by polling.  Until its callback returns it is not polled again: the
 * condition may still hold, and a nested aio_poll() would come here for ever
 * (6d740fb01b).
 */
static bool dispatch_poll_ready(AioHandler *node)
{
    AioContext *ctx = node->ctx;

    node->poll_active = true;
    node->poll_idle = false;
    QLIST_SAFE_REMOVE(node, node_poll);
    node->io_poll_ready(node->opaque);
    if (!QLIST_IS_INSERTED(node, node_poll)) {
        QLIST_INSERT_HEAD(&ctx->poll_aio_handlers, node, node_poll);
    }
    return !is_own(node->ctx, node);
}

static bool dispatch_revents(AioHandler *node, short revents)
{
    bool progress = false;

    aio_handler_is_active(node->ctx, node);
    if (revents & (POLLIN | POLLHUP | POLLERR) && node->io_read) {
        node->io_read(node->opaque);
        progress = !is_own(node->ctx, node);
    }
    if (revents & (POLLOUT | POLLERR) && node->io_write &&
        !aio_handler_is_deleted(node)) {
        node->io_write(node->opaque);
        progress = true;
    }
    return progress;
}

/* Models aio_dispatch_handler(); a callback may delete the node. */
static bool dispatch_handler(AioHandler *node)
{
    short revents = node->revents;
    bool poll_ready = node->poll_ready, progress;

    node->revents = 0;
    node->poll_ready = false;
    if (aio_handler_is_deleted(node) ||
        unlikely(node->is_external && aio_external_disabled(node->ctx))) {
        return false;
    }
    PROBE(FD_BEGIN, node->id, revents, 0, 0);
    progress = poll_ready && !revents ? dispatch_poll_ready(node)
                                      : dispatch_revents(node, revents);
    PROBE(FD_END, node->id, 0, 0, 0);
    return progress;
}

bool aio_dispatch_handlers(AioHandlerList *ready)
{
    bool progress = false;
    AioHandler *node;

    while ((node = QLIST_FIRST(ready))) {
        QLIST_REMOVE(node, node_ready);
        progress |= dispatch_handler(node);
    }
    return progress;
}
