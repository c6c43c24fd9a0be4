/* SPDX-License-Identifier: MIT */
/*
 * QEMU's record/replay hooks for bottom halves.
 *
 * A simulated machine is told of each call (a row in the log that a replay
 * verifies); a live one need not be, because that the call was made is in the
 * digest.  The bottom half is scheduled as any other.  replay/replay-events.c in QEMU
 * queues it for the next replay_async_events() instead, and drops @ctx.
 */
#include "aio-internal.h"
#include "system/replay.h"

void replay_bh_schedule_event(QEMUBH *bh)
{
    host_point(HOST_POINT_REPLAY_BH, bh->id);
    PROBE(REPLAY_BH, bh->id, bh->ctx->id, 0, 0);
    qemu_bh_schedule(bh);
}

void replay_bh_schedule_oneshot_event(AioContext *ctx, QEMUBHFunc *cb,
                                      void *opaque)
{
    host_point(HOST_POINT_REPLAY_BH, ctx->id);
    PROBE(REPLAY_BH, 0, ctx->id, 0, 0);
    aio_bh_schedule_oneshot(ctx, cb, opaque);
}
