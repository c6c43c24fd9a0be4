/* SPDX-License-Identifier: MIT */
/*
 * QEMU's record/replay hooks for bottom halves.
 *
 * The host is told of each call (a row in the log that a replay verifies), and
 * the bottom half is scheduled as any other.  replay/replay-events.c in QEMU
 * queues it for the next replay_async_events() instead, and drops @ctx.
 */
#include "aio-internal.h"
#include "system/replay.h"

static void tell_host(HostPoint call, uint64_t object)
{
    if (unlikely(host_mode & HOST_OBSERVE)) {
        host->point(call, object);
    }
}

void replay_bh_schedule_event(QEMUBH *bh)
{
    tell_host(HOST_POINT_REPLAY_BH, bh->id);
    PROBE_SHOW(REPLAY_BH, bh->id, bh->ctx->id, 0, 0);
    qemu_bh_schedule(bh);
}

void replay_bh_schedule_oneshot_event(AioContext *ctx, QEMUBHFunc *cb,
                                      void *opaque)
{
    tell_host(HOST_POINT_REPLAY_ONESHOT, ctx->id);
    PROBE_SHOW(REPLAY_BH, 0, ctx->id, 0, 0); /* the input says it */
    aio_bh_schedule_oneshot(ctx, cb, opaque);
}
