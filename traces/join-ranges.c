/* SPDX-License-Identifier: MIT */
/* Issues and completions of ranges and of flushes, and whose they are. */
#include "join-internal.h"

/* ---- Flushes, which have no range to be found by ---- */

void join_remember_flush(Join *join, uint64_t request)
{
    if (join->n_flushes == FLUSHES) {
        memmove(join->flushes, join->flushes + 1,
                (FLUSHES - 1) * sizeof(join->flushes[0]));
        join->n_flushes--;
    }
    join->flushes[join->n_flushes++] = request;
}

static void forget_flush(Join *join, unsigned i)
{
    memmove(join->flushes + i, join->flushes + i + 1,
            (join->n_flushes - i - 1) * sizeof(join->flushes[0]));
    join->n_flushes--;
}

/* The device flushes: for all who wait for that. */
TraceReason join_flush_issued(Join *join, const BlockEvent *e)
{
    TraceReason reason = REASON_ORPHAN;

    for (unsigned i = 0; i < join->n_flushes; i++) {
        Waiting *w = join_waiting(join, join->flushes[i]);

        if (join_in_ring(join, join->flushes[i]) &&
            w->record.device == e->device) {
            if (w->record.issue_ns == TRACE_NO_TIME) {
                w->record.issue_ns = e->time_ns;
            }
            reason = REASON_JOINED;
        }
    }
    return reason;
}

static void finish_flush(Join *join, Waiting *w, const BlockEvent *e)
{
    w->record.complete_ns = e->time_ns;
    w->record.error = e->error;
    w->done = true;
    join_leave(join, false);
}

/*
 * The flush is done, or a request that had to be flushed before or after: that
 * one says so again, with no bytes, when all of it is over.
 */
TraceReason join_flush_done(Join *join, const BlockEvent *e)
{
    for (unsigned i = 0; i < join->n_flushes; i++) {
        Waiting *w = join_waiting(join, join->flushes[i]);

        if (!join_in_ring(join, join->flushes[i])) {
            forget_flush(join, i--);
            continue;
        }
        if (w->record.device != e->device) {
            continue;
        }
        if (e->op == TRACE_FLUSH) {
            if (w->record.op == TRACE_FLUSH && !w->lingers &&
                w->record.issue_ns != TRACE_NO_TIME) {
                w->record.complete_ns = e->time_ns;
                w->lingers = true;
            }
            continue;
        }
        if (w->record.op == TRACE_FLUSH
                ? w->record.issue_ns != TRACE_NO_TIME
                : w->lingers && w->record.offset == e->sector * 512) {
            finish_flush(join, w, e);
            forget_flush(join, i);
            return REASON_JOINED;
        }
    }
    return e->op == TRACE_FLUSH && join->n_flushes ? REASON_JOINED
                                                   : REASON_ORPHAN;
}

/* ---- Ranges ---- */

/* Makes @piece end where the event does, and another one of what follows. */
void join_cut_piece(Join *join, Piece *piece, uint64_t sectors)
{
    Piece was = *piece;
    Piece *rest;

    piece->sectors = sectors;
    join_waiting(join, was.request)->record.quality |= TRACE_QUALITY_SPLIT;
    rest = pieces_add(join->pieces, was.device, was.op, was.sector + sectors,
                      was.sectors - sectors, was.request);
    rest->issued = was.issued;
    rest->alias = was.alias;
}

static void issue_piece(Join *join, Piece *piece, const BlockEvent *e,
                        TraceReason *reason)
{
    Waiting *w = join_waiting(join, piece->request);

    if (piece->issued) {
        w->record.quality |= TRACE_QUALITY_REISSUED;
        *reason = REASON_REISSUE;
        return;
    }
    if (w->record.issue_ns == TRACE_NO_TIME) {
        w->record.issue_ns = e->time_ns;
    }
    piece->issued = true;
    *reason = REASON_JOINED;
}

void join_complete_piece(Join *join, Piece *piece, const BlockEvent *e)
{
    Waiting *w = join_waiting(join, piece->request);
    bool alias = piece->alias;

    w->remaining -= alias ? 0 : MIN(w->remaining, piece->sectors);
    pieces_remove(join->pieces, piece);
    if (e->error) {
        w->record.error = e->error;
    }
    if (!alias && !w->remaining) {
        w->record.complete_ns = e->time_ns;
        w->lingers = w->record.flags & TRACE_FLAG_PREFLUSH &&
                     join_by_queue(join, e);
        w->done = !w->lingers;
        join_leave(join, false);
    }
}

/* As block_io_done has it; other completions say what was moved. */
bool join_complete_at(Join *join, const BlockEvent *e)
{
    Piece *piece = trace_op_has_range(e->op)
        ? pieces_find(join->pieces, e->device, e->op, e->sector, join->head,
                      false) : NULL;

    if (piece) {
        join_complete_piece(join, piece, e);
    }
    return piece != NULL;
}

/* All pieces that the event's range covers, from its first sector on. */
TraceReason join_walk_range(Join *join, const BlockEvent *e, bool complete)
{
    uint64_t at = e->sector, end = e->sector + e->bytes / 512;
    TraceReason reason = REASON_ORPHAN;

    while (at < end) {
        Piece *piece = pieces_find(join->pieces, e->device, e->op, at,
                                   join->head, !complete);
        uint64_t sectors;

        if (!piece || !piece->sectors) {
            break;
        }
        if (piece->sectors > end - at) {
            join_cut_piece(join, piece, end - at);
        }
        sectors = piece->sectors;
        if (complete) {
            join_complete_piece(join, piece, e);
            reason = REASON_JOINED;
        } else {
            issue_piece(join, piece, e, &reason);
        }
        at += sectors;
    }
    return reason;
}
