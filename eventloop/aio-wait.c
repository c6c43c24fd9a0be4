/* SPDX-License-Identifier: MIT */
/* AIO_WAIT_WHILE()'s other half: who waits, and who wakes (util/aio-wait.c). */
#include "aio-internal.h"
#include "qemu/aio-wait.h"

AioWait global_aio_wait;

/*
 * Waits nest like the frames that they stand on, so a wait's name is that of
 * its thread and its depth; the event carries the text for reports.
 */
void aio_wait_begin(AioContext *ctx, const char *condition,
                    const ProbeSite *site)
{
    raw_inc(&global_aio_wait.num_waiters);
    /* Pairs with smp_mb() in aio_wait_kick(): it sees us, or we its change. */
    smp_mb();
    host_point(HOST_POINT_WAITERS, 0);
    if (unlikely(probe_on)) {
        probe_emit(PROBE_WAIT_BEGIN, site, aio_context_id(ctx),
                   aio_context_id(ctx), 0, 0, condition);
    }
}

void aio_wait_end(void)
{
    raw_dec(&global_aio_wait.num_waiters);
    PROBE(WAIT_END, 0, 0, 0, 0);
}

static void dummy_bh_cb(void *opaque)
{
    /* Being scheduled was all it is for: aio_poll() returns. */
}

void aio_wait_kick(void)
{
    unsigned waiters;

    host_point(HOST_POINT_WAITERS, 0);
    /* Pairs with smp_mb() in aio_wait_begin(). */
    smp_mb();
    waiters = host_observe(HOST_SIGHT_WAITERS,
                           raw_read(&global_aio_wait.num_waiters));
    if (waiters) {
        PROBE(WAIT_KICK, 0, waiters, 0, 0);
        aio_bh_schedule_oneshot(qemu_get_aio_context(), dummy_bh_cb, NULL);
    }
}

typedef struct AioWaitBH {
    bool done;
    QEMUBHFunc *cb;
    void *opaque;
} AioWaitBH;

static void aio_wait_bh(void *opaque)
{
    AioWaitBH *data = opaque;

    data->cb(data->opaque);
    qatomic_store_release(&data->done, true);
    aio_wait_kick();
}

void aio_wait_bh_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque)
{
    AioWaitBH data = {.cb = cb, .opaque = opaque};

    assert(qemu_get_current_aio_context() == qemu_get_aio_context());
    aio_bh_schedule_oneshot(ctx, aio_wait_bh, &data);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_load_acquire(&data.done));
}
