/* SPDX-License-Identifier: MIT */
/*
 * Bottom halves, after util/async.c (O(1) since 8c6b0356b5).
 *
 * Scheduling pushes the bottom half at the head of ctx->bh_list, from any
 * thread, with one compare-and-swap.  aio_bh_poll() takes the whole list in
 * one exchange (a slice) and runs it from the head, so bottom halves of one
 * slice run last in, first out.  What a callback schedules waits for the next
 * turn.
 *
 * Slices are queued on the context.  A callback may call aio_poll(); that one
 * first finishes the slices that the outer ones have begun, so nothing that
 * was scheduled before the nested call can starve behind it.
 */
#include "aio-internal.h"
#include "qemu/mem-reentrancy.h"

/*
 * Oneshots are made by one thread and freed by another, which is what malloc()
 * is slowest at.  Each thread keeps a few of those that it freed for those that
 * it makes; not under AddressSanitizer, which would see no use after free.
 */
#ifdef __SANITIZE_ADDRESS__
enum { FREE_BHS_MAX = 0 };
#else
enum { FREE_BHS_MAX = 64 };
#endif

static QEMUBH *bh_alloc(void)
{
    HostThread *self = host_self();
    QEMUBH *bh = QSLIST_FIRST(&self->free_bhs);

    if (!bh) {
        return g_new(QEMUBH, 1);
    }
    QSLIST_REMOVE_HEAD(&self->free_bhs, next);
    self->n_free_bhs--;
    return bh;
}

static void bh_release(QEMUBH *bh)
{
    HostThread *self = host_self();

    if (self->n_free_bhs == FREE_BHS_MAX) {
        g_free(bh);
        return;
    }
    QSLIST_INSERT_HEAD(&self->free_bhs, bh, next);
    self->n_free_bhs++;
}

void bottom_half_thread_finish(HostThread *self)
{
    QEMUBH *bh;

    while ((bh = QSLIST_FIRST(&self->free_bhs))) {
        QSLIST_REMOVE_HEAD(&self->free_bhs, next);
        g_free(bh);
    }
    self->n_free_bhs = 0;
}

static QEMUBH *bh_create(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                         const char *name, MemReentrancyGuard *guard)
{
    QEMUBH *bh = bh_alloc();

    *bh = (QEMUBH){
        .ctx = ctx, .cb = cb, .opaque = opaque, .name = name,
        .id = host_new_id(), .guard = guard,
    };
    return bh;
}

static void bh_free(QEMUBH *bh)
{
    /* Right behind bh.end, or bh.delete told it. */
    PROBE_SHOW(BH_FREE, bh->id, bh->ctx->id, 0, 0);
    bh_release(bh);
}

/*
 * In a replay a thread is ahead of what it has published: a bottom half may be
 * scheduled again while it still stands on the slice that takes it for the
 * last time.  Then it goes back onto the list when it is off that slice.
 */
static bool replay_push(QEMUBH *bh)
{
    bool on_list = bh->replay_pushes++ > 0;

    return !on_list;
}

static void replay_pop(AioContext *ctx, QEMUBH *bh)
{
    if (--bh->replay_pushes > 0) {
        QSLIST_INSERT_HEAD(&ctx->bh_list, bh, next);
    }
}

/*
 * Pushes at the head.  It begins by hoping that the list is empty: then the
 * list's cache line comes over once, and for writing.
 */
static void bh_push(AioContext *ctx, QEMUBH *bh)
{
    QEMUBH *first = NULL, *seen;

    if (unlikely(host_mode & HOST_REPLAYS) && !replay_push(bh)) {
        return;
    }
    for (;;) {
        bh->next.sle_next = first;
        /* Pairs with the exchange in take_slice(). */
        seen = raw_cmpxchg(&ctx->bh_list.slh_first, first, bh);
        if (seen == first) {
            return;
        }
        first = seen;
    }
}

/*
 * The flags are set before the node is published, and published before the
 * loop is notified.  Once PENDING was set by somebody else the node is already
 * on a list, and must not be pushed a second time.
 */
static void bh_enqueue(QEMUBH *bh, unsigned new_flags)
{
    AioContext *ctx = bh->ctx;
    unsigned old_flags;

    host_point(HOST_POINT_BH_PUBLISH, bh->id);
    PROBE(BH_SCHEDULE, bh->id, ctx->id, new_flags, 0);
    /* Pairs with the fetch_and in bh_dequeue(): it sees our flags, or we see
     * that it has cleared PENDING, and push again. */
    old_flags = raw_fetch_or(&bh->flags, BH_PENDING | new_flags);
    if (!host_observe(HOST_SIGHT_PENDING, old_flags & BH_PENDING)) {
        bh_push(ctx, bh);
    }
    aio_notify(ctx);
}

/* Pops the next of @list, or NULL.  @flags: what it was scheduled with. */
static QEMUBH *bh_dequeue(BHList *list, unsigned *flags)
{
    const unsigned usual = BH_PENDING | BH_SCHEDULED;
    QEMUBH *bh = QSLIST_FIRST(list);

    if (!bh) {
        return NULL;
    }
    QSLIST_REMOVE_HEAD(list, next);
    if (unlikely(host_mode & HOST_REPLAYS)) {
        replay_pop(bh->ctx, bh);
    }
    *flags = raw_read(&bh->flags);
    if (*flags & BH_ONESHOT) {
        return bh; /* nobody else knows it, so nobody can schedule it again */
    }
    /* After the removal, so that bh_enqueue() may push it again at once. */
    *flags = raw_fetch_and(&bh->flags,
                           ~(BH_PENDING | BH_SCHEDULED | BH_IDLE));
    *flags = host_observe(HOST_SIGHT_BH_FLAGS, *flags ^ usual) ^ usual;
    return bh;
}

QEMUBH *aio_bh_new_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                        const char *name, MemReentrancyGuard *guard)
{
    QEMUBH *bh = bh_create(ctx, cb, opaque, name, guard);

    PROBE_TEXT(BH_NEW, bh->id, ctx->id, 0, 0, name);
    return bh;
}

void aio_bh_schedule_oneshot_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                                  const char *name)
{
    QEMUBH *bh = bh_create(ctx, cb, opaque, name, NULL);

    bh->flags = BH_PENDING | BH_SCHEDULED | BH_ONESHOT;
    PROBE_SHOW_TEXT(BH_NEW, bh->id, ctx->id, 0, 0, name);
    host_point(HOST_POINT_BH_PUBLISH, bh->id);
    PROBE(BH_SCHEDULE, bh->id, ctx->id, BH_SCHEDULED | BH_ONESHOT, 0);
    bh_push(ctx, bh);
    aio_notify(ctx);
}

void qemu_bh_schedule(QEMUBH *bh)
{
    bh_enqueue(bh, BH_SCHEDULED);
}

void qemu_bh_schedule_idle(QEMUBH *bh)
{
    bh_enqueue(bh, BH_SCHEDULED | BH_IDLE);
}

void qemu_bh_cancel(QEMUBH *bh)
{
    PROBE(BH_CANCEL, bh->id, bh->ctx->id, 0, 0);
    raw_fetch_and(&bh->flags, ~BH_SCHEDULED);
}

void qemu_bh_delete(QEMUBH *bh)
{
    PROBE(BH_DELETE, bh->id, bh->ctx->id, 0, 0);
    bh_enqueue(bh, BH_DELETED);
}

/*
 * A device that is in the middle of its I/O is called again: what QEMU traces
 * as reentrant_aio.  Bottom halves are called all the same.
 */
static void call_guarded(QEMUBH *bh, MemReentrancyGuard *guard)
{
    bool was_engaged = guard->engaged_in_io;

    if (was_engaged) {
        PROBE_TEXT(BH_REENTRANT, bh->id, bh->ctx->id, 0, 0, bh->name);
    }
    guard->engaged_in_io = true;
    bh->cb(bh->opaque);
    /* Not bh->guard: the callback may have freed the BH (7915bd06f2). */
    guard->engaged_in_io = was_engaged;
}

void aio_bh_call(QEMUBH *bh)
{
    /* A oneshot's callback may end with the context gone; a BH's callback may
     * delete it, which only marks it.  The id outlives both. */
    uint64_t id = bh->id, ctx = bh->ctx->id;

    PROBE(BH_BEGIN, id, ctx, 0, 0);
    if (unlikely(bh->guard)) {
        call_guarded(bh, bh->guard);
    } else {
        bh->cb(bh->opaque);
    }
    PROBE_SHOW(BH_END, id, ctx, 0, 0); /* the next event tells it, too */
}

static void take_slice(AioContext *ctx, BHListSlice *slice)
{
    /* Pairs with the cmpxchg in bh_push(). */
    slice->bh_list.slh_first = raw_xchg(&ctx->bh_list.slh_first, NULL);
    if (unlikely(host_mode & HOST_OBSERVE)) {
        host->bh_detached(ctx->id, &slice->bh_list, &ctx->bh_list);
    }
    QSIMPLEQ_INSERT_TAIL(&ctx->bh_slice_list, slice, next);
    if (unlikely(probe_on & PROBE_SINK)) {
        uint64_t position = 0;
        QEMUBH *bh;

        QSLIST_FOREACH(bh, &slice->bh_list, next) {
            PROBE_SHOW(BH_SLICE, ctx->id, bh->id, position++, 0);
        }
    }
}

int aio_bh_poll(AioContext *ctx)
{
    BHListSlice slice, *first;
    int progress = 0;

    /* In a replay the log says what this thread finds, not the list. */
    if (!raw_read(&ctx->bh_list.slh_first) &&
        QSIMPLEQ_EMPTY(&ctx->bh_slice_list) && !(host_mode & HOST_REPLAYS)) {
        host_observe(HOST_SIGHT_SLICE, 0);
        return 0;
    }
    take_slice(ctx, &slice);
    while ((first = QSIMPLEQ_FIRST(&ctx->bh_slice_list))) {
        unsigned flags;
        QEMUBH *bh = bh_dequeue(&first->bh_list, &flags);

        if (!bh) {
            QSIMPLEQ_REMOVE_HEAD(&ctx->bh_slice_list, next);
            continue;
        }
        if ((flags & (BH_SCHEDULED | BH_DELETED)) == BH_SCHEDULED) {
            progress |= !(flags & BH_IDLE);
            aio_bh_call(bh);
        }
        if (flags & (BH_DELETED | BH_ONESHOT)) {
            bh_free(bh);
        }
    }
    return progress;
}

/* The first of @list that will be called, or NULL; @idle: idle ones too. */
static QEMUBH *first_scheduled(const BHList *list, bool idle)
{
    /* Pairs with the cmpxchg in bh_push(): what is linked is complete. */
    QEMUBH *bh = raw_load_acquire(&list->slh_first);

    for (; bh; bh = QSLIST_NEXT(bh, next)) {
        unsigned flags = raw_read(&bh->flags);

        if ((flags & (BH_SCHEDULED | BH_DELETED)) == BH_SCHEDULED &&
            (idle || !(flags & BH_IDLE))) {
            return bh;
        }
    }
    return NULL;
}

static bool look_for_scheduled(AioContext *ctx, bool idle)
{
    BHListSlice *slice;

    if (first_scheduled(&ctx->bh_list, idle)) {
        return true;
    }
    QSIMPLEQ_FOREACH(slice, &ctx->bh_slice_list, next) {
        if (first_scheduled(&slice->bh_list, idle)) {
            return true;
        }
    }
    return false;
}

static bool any_scheduled(AioContext *ctx, bool idle)
{
    return host_observe(HOST_SIGHT_SCHEDULED, look_for_scheduled(ctx, idle));
}

bool aio_bh_any_scheduled(AioContext *ctx)
{
    return any_scheduled(ctx, true);
}

int64_t aio_compute_timeout(AioContext *ctx)
{
    int64_t timeout = -1;

    /* An outer turn has taken completions, and waits for us: they are ours. */
    if (!QSIMPLEQ_EMPTY(&ctx->cqes) || any_scheduled(ctx, false)) {
        return 0;
    }
    if (any_scheduled(ctx, true)) {
        timeout = 10 * SCALE_MS; /* an idle one */
    }
    return qemu_soonest_timeout(timeout, timerlistgroup_deadline_ns(&ctx->tlg));
}
