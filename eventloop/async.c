/* SPDX-License-Identifier: MIT */
/*
 * An AioContext's life, its notification, and the coroutines it carries.
 *
 * Models util/async.c.  The notification protocol, which every lost wake-up in
 * QEMU's history is about:
 *
 *   aio_poll()                         aio_notify(), any thread
 *     notify_me += 2                     make the change (list, flag)
 *     smp_mb()             (1)           smp_wmb()
 *     look for work                      notified = true
 *     sleep if there is none             smp_mb()             (2)
 *     notify_me -= 2                     if (notify_me) write the eventfd
 *     notified = false
 *     smp_mb()             (3)
 *
 * (1) pairs with (2): either the loop sees the change, or the notifier sees
 * that the loop may sleep.  smp_wmb() pairs with (3): a loop that consumed the
 * flag sees the change that it announced.
 */
#include "block/thread-pool.h"
#include "coroutine-internal.h"
#include "qapi/error.h"
#include "tsan.h"

void aio_notify(AioContext *ctx)
{
    bool sleeping;

    host_point(HOST_POINT_NOTIFY, ctx->id);
    /* Pairs with smp_mb() in aio_notify_accept(). */
    smp_wmb();
    raw_set(&ctx->notified, true);
    /* Pairs with smp_mb() after notify_me was raised, in aio_poll(). */
    smp_mb();
    sleeping = host_observe(HOST_SIGHT_SLEEPING, raw_read(&ctx->notify_me) != 0);
    /* Whether it sleeps is an input, or was counted. */
    PROBE_SHOW(NOTIFY, ctx->id, sleeping, 0, 0);
    if (sleeping) {
        event_notifier_set(&ctx->notifier);
    }
}

void aio_notify_accept(AioContext *ctx)
{
    /* It is a look, whether somebody listens to probes or not. */
    if (unlikely(probe_on | (host_mode & HOST_SIGHTS)) &&
        host_observe(HOST_SIGHT_NOTIFIED, raw_read(&ctx->notified))) {
        PROBE_SHOW(NOTIFY_ACCEPT, ctx->id, 0, 0, 0); /* likewise */
    }
    raw_set(&ctx->notified, false);
    /* Pairs with smp_wmb() in aio_notify(). */
    smp_mb();
}

/* Where the monitor reports each write, the count need not be read at all. */
static void notifier_cb(EventNotifier *e)
{
    AioContext *ctx = container_of(e, AioContext, notifier);

    if (!ctx->fdmon_ops->edges) {
        event_notifier_test_and_clear(e);
    }
}

static void timer_list_notify(void *opaque, QEMUClockType type)
{
    aio_notify(opaque);
}

/*
 * Enters what aio_co_schedule() has queued.  The list was pushed at its head,
 * so it is reversed: coroutines run first in, first out, unlike bottom halves.
 */
static void co_schedule_bh_cb(void *opaque)
{
    AioContext *ctx = opaque;
    CoroutineList taken;
    Coroutine *list, *next, *fifo = NULL;

    taken.slh_first = raw_xchg(&ctx->scheduled_coroutines.slh_first, NULL);
    if (unlikely(host_mode & HOST_SIGHTS)) {
        host->co_detached(ctx->id, &taken, &ctx->scheduled_coroutines);
    }
    for (list = taken.slh_first; list; list = next) {
        next = list->co_scheduled_next.sle_next;
        list->co_scheduled_next.sle_next = fifo;
        fifo = list;
    }
    for (; fifo; fifo = next) {
        next = fifo->co_scheduled_next.sle_next;
        /* Before it runs: it may schedule itself again. */
        raw_set(&fifo->scheduled, NULL);
        qemu_aio_coroutine_enter(ctx, fifo);
    }
}

/* Busy polling sees a notification without reading the eventfd. */
static bool notifier_poll(void *opaque)
{
    AioContext *ctx = container_of((EventNotifier *)opaque, AioContext,
                                   notifier);

    return raw_read(&ctx->notified);
}

static void notifier_poll_ready(EventNotifier *e)
{
    /* aio_notify_accept() has cleared the flag, and nobody wrote. */
}

/* What cannot fail. */
static void context_init(AioContext *ctx)
{
    qemu_mutex_init(&ctx->list_lock);
    qemu_rec_mutex_init(&ctx->lock);
    QLIST_INIT(&ctx->aio_handlers);
    ctx->handlers_by_fd = g_hash_table_new(NULL, NULL);
    QLIST_INIT(&ctx->gsource_ready);
    QLIST_INIT(&ctx->poll_aio_handlers);
    QSLIST_INIT(&ctx->deleted_aio_handlers);
    QSLIST_INIT(&ctx->scheduled_coroutines);
    QSLIST_INIT(&ctx->bh_list);
    QSIMPLEQ_INIT(&ctx->cqes);
    QSIMPLEQ_INIT(&ctx->bh_slice_list);
    ctx->monitor_pfd.fd = -1;
    ctx->thread_pool_max = THREAD_POOL_MAX_THREADS_DEFAULT;
    ctx->poll_grow = ctx->poll_shrink = 2;
    ctx->poll_weight = 3;
    timerlistgroup_init(&ctx->tlg, timer_list_notify, ctx);
    timerlistgroup_set_owner(&ctx->tlg, ctx->id);
    ctx->co_schedule_bh = aio_bh_new(ctx, co_schedule_bh_cb, ctx);
    aio_set_event_notifier(ctx, &ctx->notifier, notifier_cb, notifier_poll,
                           notifier_poll_ready);
    ctx->initialized = true;
}

AioContext *aio_context_new(Error **errp)
{
    AioContext *ctx = (AioContext *)g_source_new(&aio_source_funcs,
                                                 sizeof(AioContext));
    int ret;

    g_source_set_can_recurse(&ctx->source, true);
    ctx->id = host_new_id();
    ctx->refs = 1;
    PROBE(CTX_NEW, ctx->id, 0, 0, 0);
    ctx->monitor = host->monitor_new(ctx->id, errp);
    if (!ctx->monitor) {
        g_source_unref(&ctx->source);
        return NULL;
    }
    ctx->fdmon_ops = host->monitor_ops(ctx->monitor);
    ret = event_notifier_init(&ctx->notifier, false);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot create an event notifier");
        host->monitor_free(ctx->monitor);
        g_source_unref(&ctx->source);
        return NULL;
    }
    context_init(ctx);
    return ctx;
}

void aio_context_ref(AioContext *ctx)
{
    qatomic_inc(&ctx->refs);
}

void aio_context_unref(AioContext *ctx)
{
    /* Not GLib's count: who gives up the last one is an input. */
    if (qatomic_fetch_dec(&ctx->refs) == 1) {
        /* ThreadSanitizer does not see into GLib, which has its own. */
        tsan_release(ctx);
        g_source_unref(&ctx->source);
    }
}

static void free_bhs(AioContext *ctx)
{
    BHList list;
    QEMUBH *bh;

    qemu_bh_delete(ctx->co_schedule_bh);
    assert(QSIMPLEQ_EMPTY(&ctx->bh_slice_list));
    list.slh_first = raw_xchg(&ctx->bh_list.slh_first, NULL);
    if (unlikely(host_mode & HOST_OBSERVE)) {
        host->bh_detached(ctx->id, &list, &ctx->bh_list);
    }
    while ((bh = QSLIST_FIRST(&list))) {
        QSLIST_REMOVE_HEAD(&list, next);
        if (!(raw_read(&bh->flags) & BH_DELETED)) {
            fprintf(stderr, "aio_context_unref: BH '%s' leaked, aborting...\n",
                    bh->name);
            abort();
        }
        PROBE(BH_FREE, bh->id, ctx->id, 0, 0);
        g_free(bh);
    }
}

/* The last reference is gone; GLib frees the memory. */
void aio_context_finalize(GSource *source)
{
    AioContext *ctx = container_of(source, AioContext, source);

    tsan_acquire(ctx);
    if (!ctx->initialized) {
        return;
    }
    thread_pool_free_aio(ctx->thread_pool);
    if (ctx->linux_aio) {
        ctx->linux_aio_cleanup(ctx);
    }
    assert(QSLIST_EMPTY(&ctx->scheduled_coroutines));
    free_bhs(ctx);
    aio_set_event_notifier(ctx, &ctx->notifier, NULL, NULL, NULL);
    aio_free_deleted_handlers(ctx);
    g_hash_table_destroy(ctx->handlers_by_fd);
    event_notifier_cleanup(&ctx->notifier);
    timerlistgroup_deinit(&ctx->tlg);
    qemu_mutex_destroy(&ctx->list_lock);
    qemu_rec_mutex_destroy(&ctx->lock);
    host->monitor_free(ctx->monitor);
    PROBE(CTX_FREE, ctx->id, 0, 0, 0);
    g_free(ctx->name);
}

/* ---- Settings ---- */

void aio_context_set_poll_params(AioContext *ctx, int64_t max_ns, int64_t grow,
                                 int64_t shrink, int64_t weight, Error **errp)
{
    if (max_ns < 0 || grow < 0 || shrink < 0 || weight < 0 || weight > 63) {
        error_setg(errp, "poll-max-ns, poll-grow and poll-shrink must not be "
                   "negative, and poll-weight must be 0 to 63");
        return;
    }
    ctx->poll_max_ns = max_ns;
    ctx->poll_ns = 0;
    ctx->poll_grow = grow ? grow : 2;
    ctx->poll_shrink = shrink ? shrink : 2;
    ctx->poll_weight = weight ? weight : 3;
    aio_notify(ctx);
}

void aio_context_set_aio_params(AioContext *ctx, int64_t max_batch)
{
    ctx->aio_max_batch = max_batch;
    aio_notify(ctx);
}

void aio_context_set_thread_pool_params(AioContext *ctx, int64_t min,
                                        int64_t max, Error **errp)
{
    if (min < 0 || max <= 0 || min > max || max > INT_MAX) {
        error_setg(errp, "bad thread-pool-min/thread-pool-max values");
        return;
    }
    ctx->thread_pool_min = min;
    ctx->thread_pool_max = max;
    if (ctx->thread_pool) {
        thread_pool_update_params(ctx->thread_pool, ctx);
    }
}

/* ---- Names ---- */

void aio_context_set_name(AioContext *ctx, const char *name)
{
    g_free(ctx->name);
    ctx->name = g_strdup(name);
    PROBE_TEXT(CTX_NAME, ctx->id, 0, 0, 0, ctx->name);
}

const char *aio_context_get_name(AioContext *ctx)
{
    return ctx->name ? ctx->name : "unnamed";
}

/* Pairs with the exchange in co_schedule_bh_cb(). */
static void push_coroutine(AioContext *ctx, Coroutine *co)
{
    Coroutine *first = raw_read(&ctx->scheduled_coroutines.slh_first), *seen;

    for (;;) {
        co->co_scheduled_next.sle_next = first;
        seen = raw_cmpxchg(&ctx->scheduled_coroutines.slh_first, first, co);
        if (seen == first) {
            return;
        }
        first = seen;
    }
}

void aio_co_schedule(AioContext *ctx, Coroutine *co)
{
    const char *scheduled;
    bool at_home;

    host_point(HOST_POINT_CO_PUBLISH, co->id);
    PROBE(CO_SCHEDULE, co->id, ctx->id, 0, 0);
    scheduled = raw_cmpxchg(&co->scheduled, NULL, __func__);
    if (scheduled) {
        coroutine_misuse_scheduled(__func__, co, scheduled);
    }
    /*
     * Once the coroutine is on the list it may run in the home thread, and its
     * end may drop the last reference to the context (f0f8100287): hold one.
     */
    at_home = ctx == qemu_get_current_aio_context();
    if (!at_home) {
        aio_context_ref(ctx);
    }
    push_coroutine(ctx, co);
    qemu_bh_schedule(ctx->co_schedule_bh);
    if (!at_home) {
        aio_context_unref(ctx);
    }
}

void aio_co_wake(Coroutine *co)
{
    /* Pairs with smp_wmb() in enter_one(), coroutine.c. */
    smp_read_barrier_depends();
    aio_co_enter(raw_read(&co->ctx), co);
}

void aio_co_enter(AioContext *ctx, Coroutine *co)
{
    if (ctx != qemu_get_current_aio_context()) {
        aio_co_schedule(ctx, co);
    } else if (qemu_in_coroutine()) {
        Coroutine *self = qemu_coroutine_self();

        if (unlikely(self == co)) {
            coroutine_misuse_enter(co);
        }
        PROBE(CO_QUEUE, co->id, self->id, 0, 0);
        QSIMPLEQ_INSERT_TAIL(&self->co_queue_wakeup, co, co_queue_next);
        self->slow = true;
    } else {
        qemu_aio_coroutine_enter(ctx, co);
    }
}

typedef struct Reschedule {
    Coroutine *co;
    AioContext *new_ctx;
} Reschedule;

static void reschedule_bh_cb(void *opaque)
{
    Reschedule *data = opaque;

    aio_co_schedule(data->new_ctx, data->co);
}

void coroutine_fn aio_co_reschedule_self(AioContext *new_ctx)
{
    AioContext *old_ctx = qemu_get_current_aio_context();

    if (old_ctx != new_ctx) {
        Reschedule data = {qemu_coroutine_self(), new_ctx};

        /* From a BH: the target must not enter us before we have yielded. */
        aio_bh_schedule_oneshot(old_ctx, reschedule_bh_cb, &data);
        qemu_coroutine_yield();
    }
}
