/* SPDX-License-Identifier: MIT */
/* Requests as the device got them: one for each, however often. */
#include "join-internal.h"

static Hint *hint_of(Join *join, const BlockEvent *e)
{
    uint64_t hash = (e->sector + 1) * 0x9e3779b97f4a7c15 ^
                    ((uint64_t)e->device << 8 | e->op) * 0xc2b2ae3d27d4eb4f;

    return &join->hints[(hash >> 40) % HINTS];
}

/*
 * Writes that flush before or after have their flushes issued by the kernel.
 * Of the flushes that a device got between the ends of two flush requests, one
 * is such a request's; the others are those writes'.
 */
static bool is_reflush(Join *join, const BlockEvent *e)
{
    Device *device = join_device(join, e);
    bool again = e->op == TRACE_FLUSH && device->flushing &&
                 device->preflushes;

    device->flushing |= e->op == TRACE_FLUSH;
    return again;
}

static void issue_request(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, false);
    Hint *hint = hint_of(join, e);
    Waiting *w;

    if (piece && !join_waiting(join, piece->request)->done) {
        w = join_waiting(join, piece->request);
        w->record.quality |= TRACE_QUALITY_REISSUED;
        trace_import_skip(join->import, REASON_REISSUE);
        return;
    }
    if (is_reflush(join, e)) {
        trace_import_skip(join->import, REASON_REFLUSH);
        return;
    }
    trace_import_stored(join->import);
    w = join_enter(join, e);
    w->record.issue_ns = e->time_ns;
    if (hint->sector == e->sector && hint->device == e->device &&
        hint->op == e->op && hint->queue_ns != TRACE_NO_TIME) {
        w->record.queue_ns = hint->queue_ns;
        w->record.flags |= hint->flags & (TRACE_FLAG_PREFLUSH |
                                          TRACE_FLAG_FUA);
        hint->queue_ns = TRACE_NO_TIME;
    }
    if (join_device(join, e)->only_issues) {
        w->done = true; /* what comes for the same sectors is another one */
        join_leave(join, false);
        return;
    }
    piece = pieces_add(join->pieces, e->device, e->op, e->sector,
                       e->bytes / 512, join->tail - 1);
    piece->issued = true;
}

/* Nobody issued it, as far as the trace tells. */
static void complete_unseen(Join *join, const BlockEvent *e)
{
    Waiting *w;

    trace_import_stored(join->import);
    w = join_enter(join, e);
    w->record.issue_ns = e->time_ns;
    w->record.error = e->error;
    w->record.quality |= TRACE_QUALITY_ISSUE_NONE;
    w->done = true;
    join_leave(join, false);
}

/* A flush has no sectors: its piece is found by where it stands. */
static TraceReason complete_flush(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, false);

    if (!piece) {
        return join_device(join, e)->preflushes ? REASON_JOINED : REASON_ORPHAN;
    }
    join_complete_piece(join, piece, e);
    return REASON_JOINED;
}

void join_add_by_issue(Join *join, const BlockEvent *e)
{
    TraceReason reason = REASON_JOINED;

    switch (e->action) {
    case BLOCK_ISSUE:
        issue_request(join, e);
        return;
    case BLOCK_QUEUE:
        *hint_of(join, e) = (Hint){
            e->sector, e->device, e->op, e->flags, e->time_ns,
        };
        join_device(join, e)->preflushes |= e->flags & TRACE_FLAG_PREFLUSH;
        break;
    case BLOCK_COMPLETE:
        if (join_device(join, e)->only_ends &&
            (e->bytes || e->op == TRACE_FLUSH)) {
            complete_unseen(join, e);
            return;
        }
        if (e->op == TRACE_FLUSH) {
            reason = complete_flush(join, e);
        } else if (e->bytes) {
            reason = join_walk_range(join, e, true);
        } else if (!join_complete_at(join, e) && !e->sector) {
            join_device(join, e)->flushing = false;
        }
        break;
    }
    trace_import_skip(join->import, reason);
}
