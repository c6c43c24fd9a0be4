/* SPDX-License-Identifier: MIT */
/*
 * An AioContext as a GSource: GLib's loop instead of aio_poll().
 *
 * GLib asks each source what it waits for (prepare), polls all descriptors at
 * once, asks again (check), and calls those that are ready (dispatch).  Models
 * aio_ctx_prepare() and its fellows in util/async.c, with three differences:
 *
 * A source that is ready in prepare is not asked again, so QEMU's announcement
 * in notify_me stays up, and each aio_notify() until the next idle iteration
 * writes the eventfd.  Here it is taken back at once.  What QEMU's users see of
 * it stays, because tests count on it: if the dispatch that followed has
 * notified the context, as scheduling or deleting a bottom half does, the next
 * iteration returns true, though there may be nothing to do.  Nobody sees that
 * of main_loop_wait(), so there it does not happen.
 *
 * GLib counts milliseconds.  The exact time goes from prepare to the poll
 * function by way of the thread, so a timer fires when aio_poll() would.
 *
 * The poll function is the host's, which is how a simulated machine and a
 * replay can run GLib's loops.  A program's own poll function is left alone;
 * then timers are rounded up to milliseconds as in QEMU.
 */
#include "aio-internal.h"

static AioContext *context_of(GSource *source)
{
    return container_of(source, AioContext, source);
}

/* ---- What GLib polls for us ---- */

void aio_source_forget(AioContext *ctx, AioHandler *node)
{
    /* A source that was destroyed has let go by itself. */
    if (node->in_gsource && !g_source_is_destroyed(&ctx->source)) {
        g_source_remove_poll(&ctx->source, &node->pfd);
    }
    node->in_gsource = false;
}

static void poll_monitor(AioContext *ctx, int fd)
{
    if (ctx->monitor_pfd.fd == fd) {
        return;
    }
    if (ctx->monitor_pfd.fd >= 0) {
        g_source_remove_poll(&ctx->source, &ctx->monitor_pfd);
    }
    ctx->monitor_pfd = (GPollFD){.fd = fd, .events = G_IO_IN};
    g_source_add_poll(&ctx->source, &ctx->monitor_pfd);
}

/*
 * The monitor's descriptor stands for all, unless it is poll(): then GLib
 * polls each handler's too.
 */
static void poll_handlers(AioContext *ctx)
{
    bool each = ctx->fdmon_ops->each;
    AioHandler *node;

    if (!each && !ctx->gsource_polls_handlers) {
        return;
    }
    ctx->gsource_polls_handlers = each;
    qemu_mutex_lock(&ctx->list_lock);
    QLIST_FOREACH(node, &ctx->aio_handlers, node) {
        if (!each) {
            aio_source_forget(ctx, node);
        } else if (!node->in_gsource && node->watch) {
            node->in_gsource = true;
            g_source_add_poll(&ctx->source, &node->pfd);
        }
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

void aio_source_take_ready(AioContext *ctx, AioHandlerList *ready)
{
    AioHandler *node;

    if (!ctx->gsource_polls_handlers) {
        return;
    }
    qemu_mutex_lock(&ctx->list_lock);
    QLIST_FOREACH(node, &ctx->aio_handlers, node) {
        if (node->in_gsource && node->pfd.revents) {
            node->revents |= node->pfd.revents;
            node->pfd.revents = 0;
            PROBE(FD_READY, node->id, node->revents, 0, 0);
            aio_add_ready_handler(ready, node);
        }
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

static bool any_handler_ready(AioContext *ctx)
{
    AioHandler *node;
    bool ready = false;

    if (!ctx->gsource_polls_handlers) {
        return false;
    }
    qemu_mutex_lock(&ctx->list_lock);
    QLIST_FOREACH(node, &ctx->aio_handlers, node) {
        ready |= node->in_gsource && node->pfd.revents; /* or hung up */
    }
    qemu_mutex_unlock(&ctx->list_lock);
    return ready;
}

/* The wait of a GLib loop; @timeout_ns -1: for ever. */
int aio_poll_descriptors(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    int ready;

    PROBE_SHOW(LOOP_WAIT, 0, timeout_ns, 0, 0);
    ready = host->poll(fds, n, timeout_ns);
    PROBE_SHOW(LOOP_WAKE, 0, ready, 0, 0);
    return ready;
}

int aio_glib_poll(GPollFD *fds, guint n, int timeout_ms)
{
    HostThread *self = host_self();
    int64_t timeout = timeout_ms < 0 ? -1 : (int64_t)timeout_ms * SCALE_MS;

    timeout = qemu_soonest_timeout(timeout, self->glib_timeout_ns);
    self->glib_timeout_ns = -1;
    return aio_poll_descriptors(fds, n, timeout);
}

static void use_our_poll(GSource *source)
{
    GMainContext *context = g_source_get_context(source);

    if (host_glib_is_ordered()) {
        return; /* every context has it there */
    }
    if (g_main_context_get_poll_func(context) == g_poll) {
        g_main_context_set_poll_func(context, aio_glib_poll);
    }
}

/* ---- Prepare, check, dispatch ---- */

bool aio_prepare(AioContext *ctx)
{
    bool found = aio_leave_poll_mode(ctx, &ctx->gsource_ready);

    host->monitor_submit(ctx->monitor);
    ctx->fdmon_ops = host->monitor_ops(ctx->monitor);
    poll_monitor(ctx, host->monitor_fd(ctx->monitor));
    poll_handlers(ctx);
    return found || host->monitor_pending(ctx->monitor);
}

bool aio_pending(AioContext *ctx)
{
    return !QLIST_EMPTY(&ctx->gsource_ready) ||
           ctx->monitor_pfd.revents & G_IO_IN || any_handler_ready(ctx) ||
           host->monitor_pending(ctx->monitor);
}

/* Was the context notified while QEMU's bit would have been left set? */
static bool notified_since_ready(AioContext *ctx)
{
    bool was_ready = ctx->gsource_was_ready;

    ctx->gsource_was_ready = false;
    return was_ready && !host_self()->in_main_loop_wait &&
           host_observe(HOST_SIGHT_NOTIFIED, raw_read(&ctx->notified));
}

/* The caller has announced, by bit 0 of notify_me, that it may sleep. */
static int64_t prepare_timeout(AioContext *ctx)
{
    bool again = notified_since_ready(ctx), found = aio_prepare(ctx);
    int64_t timeout = aio_compute_timeout(ctx);

    ctx->gsource_was_ready = timeout == 0;
    return again || found ? 0 : timeout;
}

static gboolean source_prepare(GSource *source, gint *timeout_ms)
{
    AioContext *ctx = context_of(source);
    HostThread *self = host_self();
    int64_t timeout;

    use_our_poll(source);
    /* Only the home thread writes it; aio_notify() reads it. */
    raw_set(&ctx->notify_me, ctx->notify_me | 1);
    /* Pairs with smp_mb() in aio_notify(). */
    smp_mb();
    timeout = prepare_timeout(ctx);
    *timeout_ms = qemu_timeout_ns_to_ms(timeout);
    if (timeout == 0) {
        /* There will be no check. */
        raw_store_release(&ctx->notify_me, ctx->notify_me & ~1u);
        aio_notify_accept(ctx);
        return true;
    }
    self->glib_timeout_ns = qemu_soonest_timeout(self->glib_timeout_ns,
                                                 timeout);
    return false;
}

static gboolean source_check(GSource *source)
{
    AioContext *ctx = context_of(source);

    raw_store_release(&ctx->notify_me, ctx->notify_me & ~1u);
    aio_notify_accept(ctx);
    /* Not aio_compute_timeout(): idle bottom halves run here too. */
    return aio_pending(ctx) || aio_bh_any_scheduled(ctx) ||
           timerlistgroup_deadline_ns(&ctx->tlg) == 0;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback,
                                gpointer opaque)
{
    assert(!callback);
    aio_dispatch(context_of(source));
    return G_SOURCE_CONTINUE;
}

GSourceFuncs aio_source_funcs = {
    .prepare = source_prepare,
    .check = source_check,
    .dispatch = source_dispatch,
    .finalize = aio_context_finalize,
};

GSource *aio_get_g_source(AioContext *ctx)
{
    return g_source_ref(&ctx->source);
}
