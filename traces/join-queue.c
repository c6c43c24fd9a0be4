/* SPDX-License-Identifier: MIT */
/* Requests as the application asked for them: one for each bio. */
#include "join-internal.h"

static void queue_request(Join *join, const BlockEvent *e)
{
    Piece *lower = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, true);
    Waiting *w;

    if (lower && lower->alias && !lower->issued) {
        trace_import_skip(join->import, REASON_LAYER);
        return;
    }
    trace_import_stored(join->import);
    w = join_enter(join, e);
    w->record.queue_ns = e->time_ns;
    if (trace_op_has_range(e->op)) {
        pieces_add(join->pieces, e->device, e->op, e->sector, e->bytes / 512,
                   join->tail - 1);
    }
    if (e->op == TRACE_FLUSH || e->flags & TRACE_FLAG_PREFLUSH) {
        join_remember_flush(join, join->tail - 1);
    }
}

static void mark_merged(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, true);

    if (piece) {
        join_waiting(join, piece->request)->record.quality |=
            TRACE_QUALITY_MERGED;
    }
}

static void split_request(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, true);

    if (piece && e->other_sector > e->sector &&
        e->other_sector - e->sector < piece->sectors) {
        join_cut_piece(join, piece, e->other_sector - e->sector);
    }
}

/*
 * The same request goes on at a lower device.  That a partition becomes its
 * disk is a remap of its own, which names the partition, though the one before
 * has named the disk.
 */
static void remap_request(Join *join, const BlockEvent *e)
{
    Piece *upper = pieces_find(join->pieces, e->other_device, e->op,
                               e->other_sector, join->head, true);

    if (!upper) {
        upper = pieces_find(join->pieces, e->device, e->op, e->other_sector,
                            join->head, true);
        upper = upper && upper->alias ? upper : NULL;
    }
    if (upper && (e->other_device != e->device ||
                  e->other_sector != e->sector)) {
        Piece *lower = pieces_add(join->pieces, e->device, e->op, e->sector,
                                  e->bytes / 512, upper->request);

        lower->alias = true;
    }
}

void join_add_by_queue(Join *join, const BlockEvent *e)
{
    TraceReason reason = REASON_JOINED;

    switch (e->action) {
    case BLOCK_QUEUE:
        queue_request(join, e);
        return;
    case BLOCK_ISSUE:
        reason = e->op == TRACE_FLUSH ? join_flush_issued(join, e)
                                      : join_walk_range(join, e, false);
        break;
    case BLOCK_COMPLETE:
        reason = e->op == TRACE_FLUSH || !e->bytes
            ? join_flush_done(join, e) : join_walk_range(join, e, true);
        break;
    case BLOCK_BACK_MERGE:
    case BLOCK_FRONT_MERGE:
        mark_merged(join, e);
        break;
    case BLOCK_SPLIT:
        split_request(join, e);
        break;
    case BLOCK_REMAP:
        remap_request(join, e);
        break;
    }
    trace_import_skip(join->import, reason);
}
