/* SPDX-License-Identifier: MIT */
/*
 * Adaptive polling: look for a while before going to sleep.
 *
 * A sleep in the kernel costs some microseconds, and so does the wake-up.  If
 * the next event usually comes sooner than that, calling the handlers' io_poll
 * until it does is faster.  Whether it does is learned:
 *
 *   handler  poll.ns   moving average of the time that turns took until this
 *                      handler's event came (9fea80ddf0)
 *   context  poll_ns   how long to look: grows to the slowest handler that was
 *                      active, shrinks when they have become faster
 *
 * A handler takes part once its callback has run (aio_handler_is_active), and
 * no longer after seven idle seconds.  While the context polls, handlers with
 * io_poll_begin have switched their notifications off; io_poll_end switches
 * them on again, and one last look follows, since an event between the two
 * told nobody.
 *
 * QEMU's io_uring monitor never polls while a POLL_ADD waits to be submitted,
 * and one always does; here it is submitted first.
 */
#include "aio-internal.h"

static const int64_t idle_limit_ns = 7 * NANOSECONDS_PER_SECOND;

enum { MAX_FOUND = 64 };

typedef struct AioLook {
    HostBusyPoll base;
    AioContext *ctx;
    AioHandlerList *ready;
    uint64_t found[MAX_FOUND];
} AioLook;

static void take_node(AioLook *look, AioHandler *node)
{
    node->poll_ready = true;
    aio_add_ready_handler(look->ready, node);
    /* Not in the digest: what busy polling finds is noted after it. */
    PROBE_SHOW(FD_POLLED, node->id, 0, 0, 0);
}

static bool has_found(const HostBusyPoll *base)
{
    return base->n_found || base->notified;
}

/* Calls every io_poll once; true if one of them has something. */
static bool look_once(HostBusyPoll *base)
{
    AioLook *look = container_of(base, AioLook, base);
    AioHandler *node, *next;

    QLIST_FOREACH_SAFE(node, &look->ctx->poll_aio_handlers, node_poll, next) {
        /* Raw: the host notes what the look has found. */
        if (!raw_read(&node->deleted) && base->n_found < MAX_FOUND &&
            node->io_poll(node->opaque)) {
            base->found[base->n_found++] = node->id;
            take_node(look, node);
        }
    }
    /* Its own notifier may not take part yet, and must end this all the same
     * (993ed89f35). */
    base->notified |= raw_read(&look->ctx->notified);
    return has_found(base);
}

/* A replay says which handler it was. */
static void take_id(HostBusyPoll *base, uint64_t id)
{
    AioLook *look = container_of(base, AioLook, base);
    AioHandler *node;

    QLIST_FOREACH(node, &look->ctx->poll_aio_handlers, node_poll) {
        if (node->id == id) {
            base->found[base->n_found++] = id;
            take_node(look, node);
            return;
        }
    }
}

static void look_init(AioLook *look, AioContext *ctx, AioHandlerList *ready)
{
    *look = (AioLook){
        .base = {.look = look_once, .take = take_id, .found = look->found},
        .ctx = ctx, .ready = ready,
    };
}

/* ---- Poll mode ---- */

/* Any thread may set these while we poll; see aio_set_event_notifier_poll(). */
static void call_if_set(IOHandler **callback, AioHandler *node)
{
    IOHandler *fn = qatomic_read(callback);

    if (fn) {
        fn(node->opaque);
    }
}

static void poll_begin(AioHandler *node)
{
    call_if_set(&node->io_poll_begin, node);
}

static void poll_end(AioHandler *node)
{
    call_if_set(&node->io_poll_end, node);
}

static void set_started(AioContext *ctx, bool started)
{
    AioHandler *node, *next;

    ctx->poll_started = started;
    QLIST_FOREACH_SAFE(node, &ctx->poll_aio_handlers, node_poll, next) {
        if (aio_handler_is_deleted(node)) {
            continue;
        } else if (started) {
            poll_begin(node);
        } else {
            poll_end(node);
        }
    }
}

bool aio_look_once(AioContext *ctx, AioHandlerList *ready)
{
    AioLook look;

    look_init(&look, ctx, ready);
    /* With no time to spend it is one look. */
    host->busy_poll(ctx->monitor, 0, &look.base);
    return has_found(&look.base);
}

/* After their last look. */
static void remove_idle(AioContext *ctx)
{
    AioHandler *node, *next;

    ctx->poll_idle = false;
    QLIST_FOREACH_SAFE(node, &ctx->poll_aio_handlers, node_poll, next) {
        if (node->poll_idle) {
            node->poll_idle = false;
            QLIST_SAFE_REMOVE(node, node_poll);
        }
    }
}

bool aio_leave_poll_mode(AioContext *ctx, AioHandlerList *ready)
{
    bool found;

    if (likely(!ctx->poll_started)) {
        return false;
    }
    set_started(ctx, false);
    found = aio_look_once(ctx, ready);
    if (unlikely(ctx->poll_idle)) {
        remove_idle(ctx);
    }
    return found;
}

/* Handlers that have been quiet for long only cost time. */
static void find_idle(AioContext *ctx, int64_t now)
{
    AioHandler *node;

    if (!ctx->fdmon_ops->visible) {
        return; /* it could not take them back: polling would end for all */
    }
    QLIST_FOREACH(node, &ctx->poll_aio_handlers, node_poll) {
        if (!node->last_dispatch_timestamp) {
            node->last_dispatch_timestamp = now; /* has just joined */
        }
        if (now - node->last_dispatch_timestamp >= idle_limit_ns &&
            node->opaque != &ctx->notifier) {
            node->poll_idle = ctx->poll_idle = true;
        }
    }
    if (unlikely(ctx->poll_idle) && !ctx->poll_started) {
        remove_idle(ctx);
    }
}

bool aio_poll_disabled(AioContext *ctx)
{
    return !host_observe(HOST_SIGHT_ALL_POLLED,
                         raw_read(&ctx->poll_disable_cnt) == 0);
}

int64_t aio_try_poll_mode(AioContext *ctx, AioHandlerList *ready,
                          int64_t *timeout)
{
    int64_t max_ns;
    AioLook look;

    if (QLIST_EMPTY(&ctx->poll_aio_handlers)) {
        return -1;
    }
    max_ns = qemu_soonest_timeout(*timeout, ctx->poll_ns);
    if (!max_ns || (!ctx->fdmon_ops->visible && aio_poll_disabled(ctx)) ||
        host->monitor_pending(ctx->monitor)) {
        return -1;
    }
    if (unlikely(ctx->poll_idle) && aio_leave_poll_mode(ctx, ready)) {
        *timeout = 0;
        return -1;
    }
    if (!ctx->poll_started) {
        set_started(ctx, true);
    }
    host->monitor_submit(ctx->monitor);
    look_init(&look, ctx, ready);
    PROBE(BUSY_BEGIN, ctx->id, max_ns, 0, 0);
    host->busy_poll(ctx->monitor, max_ns, &look.base);
    PROBE(BUSY_END, ctx->id, look.base.n_found, 0, 0);
    if (has_found(&look.base)) {
        *timeout = 0;
    } else if (*timeout > 0) {
        *timeout = aio_compute_timeout(ctx); /* some of it has passed */
    }
    return look.base.start_ns;
}

/* ---- Learning ---- */

void aio_handler_is_active(AioContext *ctx, AioHandler *node)
{
    if (!ctx->poll_max_ns || !node->io_poll) {
        return;
    }
    node->poll_active = true;
    node->poll_idle = false;
    if (QLIST_IS_INSERTED(node, node_poll)) {
        return;
    }
    node->last_dispatch_timestamp = 0;
    QLIST_INSERT_HEAD(&ctx->poll_aio_handlers, node, node_poll);
    if (ctx->poll_started) {
        poll_begin(node);
    }
}

/* @active: its event ended this wait of @block_ns. */
static void update_node(AioContext *ctx, AioHandler *node, bool active,
                        int64_t block_ns)
{
    int64_t weight = ctx->poll_weight;

    if (!active) {
        node->poll.ns += block_ns;
    } else if (node->poll.ns) {
        node->poll.ns += (block_ns >> weight) - (node->poll.ns >> weight);
    } else {
        node->poll.ns = block_ns;
    }
    if (node->poll.ns > ctx->poll_max_ns) {
        node->poll.ns = 0;
    }
}

static void update_context(AioContext *ctx, int64_t wanted_ns)
{
    int64_t old = ctx->poll_ns;

    if (wanted_ns > old) {
        int64_t grown = old * ctx->poll_grow;

        ctx->poll_ns = grown > wanted_ns ? grown : wanted_ns;
        if (ctx->poll_ns > ctx->poll_max_ns) {
            ctx->poll_ns = ctx->poll_max_ns;
        }
    } else if (wanted_ns < old / ctx->poll_shrink) {
        ctx->poll_ns = old / ctx->poll_shrink;
    }
    if (ctx->poll_ns != old) {
        PROBE(POLL_NS, ctx->id, ctx->poll_ns, old, 0);
    }
}

void aio_adjust_polling_time(AioContext *ctx, int64_t block_ns, int64_t now)
{
    int64_t wanted_ns = 0;
    bool any = false;
    AioHandler *node;

    QLIST_FOREACH(node, &ctx->poll_aio_handlers, node_poll) {
        bool active = node->poll_active;

        node->poll_active = false;
        update_node(ctx, node, active, block_ns);
        if (active) {
            any = true;
            node->last_dispatch_timestamp = now;
            if (node->poll.ns > wanted_ns) {
                wanted_ns = node->poll.ns;
            }
        }
    }
    if (any) {
        update_context(ctx, wanted_ns);
    }
    find_idle(ctx, now);
}
