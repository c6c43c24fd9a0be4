/* SPDX-License-Identifier: MIT */
/*
 * File descriptor handlers: add, replace, remove, dispatch.
 *
 * A handler is never changed in place: another thread may be about to call it
 * (fef1660132).  Replacing makes a new one and deletes the old; deleting only
 * marks it, and the home thread frees it when no aio_poll() is on its stack.
 */
#include "aio-internal.h"

#include <poll.h>

static AioHandler *find_handler(AioContext *ctx, int fd)
{
    AioHandler *node;

    QLIST_FOREACH(node, &ctx->handlers, node) {
        if (node->fd == fd) {
            return node;
        }
    }
    return NULL;
}

static void delete_handler(AioContext *ctx, AioHandler *node)
{
    PROBE(FD_REMOVE, node->id, ctx->id, 0, 0);
    QLIST_REMOVE(node, node);
    host->watch_remove(ctx->monitor, node->watch);
    node->watch = NULL;
    qatomic_set(&node->deleted, true);
    /* The home thread looks without the lock: is there any? */
    QSLIST_INSERT_HEAD_ATOMIC(&ctx->deleted, node, node_deleted);
}

static void set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                           IOHandler *io_write, AioPollFn *io_poll,
                           IOHandler *io_poll_ready, void *opaque, bool drained)
{
    AioHandler *old;

    if (io_poll && !io_poll_ready) {
        io_poll = NULL;
    }
    qemu_mutex_lock(&ctx->list_lock);
    old = find_handler(ctx, fd);
    if (old) {
        delete_handler(ctx, old);
    }
    if (io_read || io_write || io_poll) {
        AioHandler *node = g_new(AioHandler, 1);
        short events = (io_read ? POLLIN : 0) | (io_write ? POLLOUT : 0);

        *node = (AioHandler){
            .ctx = ctx, .fd = fd, .io_read = io_read, .io_write = io_write,
            .io_poll = io_poll, .io_poll_ready = io_poll_ready,
            .opaque = opaque, .id = host_new_id(),
        };
        PROBE(FD_ADD, node->id, ctx->id, events, 0);
        node->watch = host->watch_add(ctx->monitor, fd, events, drained,
                                      node->id, node);
        QLIST_INSERT_HEAD(&ctx->handlers, node, node);
    }
    qemu_mutex_unlock(&ctx->list_lock);
    aio_notify(ctx);
}

void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                        IOHandler *io_write, AioPollFn *io_poll,
                        IOHandler *io_poll_ready, void *opaque)
{
    set_fd_handler(ctx, fd, io_read, io_write, io_poll, io_poll_ready, opaque,
                   false);
}

/*
 * A notifier's reader is expected to clear it, as QEMU's are; only for the
 * context's own may the host rely on that, and take edges.
 */
void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                            EventNotifierHandler *io_read, AioPollFn *io_poll,
                            EventNotifierHandler *io_poll_ready)
{
    set_fd_handler(ctx, event_notifier_get_fd(notifier), (IOHandler *)io_read,
                   NULL, io_poll, (IOHandler *)io_poll_ready, notifier,
                   notifier == &ctx->notifier);
}

void aio_free_deleted_handlers(AioContext *ctx)
{
    AioHandler *node;

    if (!qatomic_read(&ctx->deleted.slh_first) || ctx->depth) {
        return;
    }
    qemu_mutex_lock(&ctx->list_lock);
    while ((node = QSLIST_FIRST(&ctx->deleted))) {
        QSLIST_REMOVE_HEAD(&ctx->deleted, node_deleted);
        g_free(node);
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

/* Models aio_dispatch_handler(); a callback may delete the node. */
static bool dispatch_handler(AioHandler *node)
{
    short revents = node->revents;
    bool progress = false;

    node->revents = 0;
    if (qatomic_read(&node->deleted)) {
        return false;
    }
    PROBE(FD_BEGIN, node->id, revents, 0, 0);
    if (revents & (POLLIN | POLLHUP | POLLERR) && node->io_read) {
        node->io_read(node->opaque);
        /* The context's own notifier is no progress. */
        progress = node->opaque != &node->ctx->notifier;
    }
    if (!qatomic_read(&node->deleted) && revents & (POLLOUT | POLLERR) &&
        node->io_write) {
        node->io_write(node->opaque);
        progress = true;
    }
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
