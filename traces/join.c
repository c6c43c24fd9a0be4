/* SPDX-License-Identifier: MIT */
/* Joining block events to requests. */
#include "join.h"

#include "pieces.h"

enum {
    RING = 16384,        /* requests that wait for their completion */
    FIRST_EVENTS = 4096, /* looked at before it is known what there is */
    HINTS = 8192,
    FLUSHES = 256,
    DEVICES = 256,       /* what is special about them is remembered */
};

typedef struct Waiting {
    TraceRecord record;
    uint64_t remaining; /* sectors that are not done */
    bool done;
    bool lingers; /* done, but a last completion may follow */
} Waiting;

/* When what a request is made of was queued, as far as it is remembered. */
typedef struct Hint {
    uint64_t sector;
    uint32_t device;
    uint8_t op;
    uint8_t flags;
    int64_t queue_ns;
} Hint;

typedef struct Device {
    bool by_issue;   /* nobody was seen queueing for it */
    bool flushing;   /* a flush was issued, and no flush request ended since */
    bool preflushes; /* writes that flush were queued */
} Device;

struct Join {
    TraceImport *import;
    bool decided, by_queue;
    Device devices[DEVICES];
    GArray *first; /* of BlockEvent: until that is decided */
    uint64_t head, tail; /* requests head..tail-1 are in the ring */
    Waiting ring[RING];
    Pieces *pieces;
    Hint hints[HINTS];
    uint64_t flushes[FLUSHES]; /* requests that flush, or did lately */
    unsigned n_flushes;
};

Join *join_new(TraceImport *import)
{
    Join *join = g_new0(Join, 1);

    join->import = import;
    join->by_queue = import->at == TRACE_AT_QUEUE;
    join->first = g_array_new(false, false, sizeof(BlockEvent));
    join->pieces = pieces_new();
    return join;
}

static Device *device_of(Join *join, const BlockEvent *e)
{
    return &join->devices[e->device % DEVICES];
}

static Waiting *waiting(Join *join, uint64_t request)
{
    return &join->ring[request % RING];
}

/* ---- Through the ring ---- */

/* What is done leaves it, in order; all that is there, if @all. */
static void leave(Join *join, bool all)
{
    while (join->head < join->tail &&
           (all || waiting(join, join->head)->done)) {
        trace_import_put(join->import, &waiting(join, join->head)->record);
        join->head++;
    }
}

static Waiting *enter(Join *join, const BlockEvent *e)
{
    Waiting *w;

    if (join->tail - join->head == RING) {
        trace_import_put(join->import, &waiting(join, join->head)->record);
        join->head++;
        leave(join, false);
    }
    w = waiting(join, join->tail++);
    *w = (Waiting){
        .record = {
            .queue_ns = TRACE_NO_TIME, .issue_ns = TRACE_NO_TIME,
            .complete_ns = TRACE_NO_TIME, .place = e->place,
            .file = e->file, .offset = e->sector * 512, .bytes = e->bytes,
            .device = e->device, .process = e->process, .cpu = e->cpu,
            .op = e->op, .flags = e->flags,
        },
        .remaining = e->bytes / 512,
    };
    if (!trace_op_has_range(e->op)) {
        w->record.offset = w->record.bytes = 0;
    }
    return w;
}

static bool in_ring(const Join *join, uint64_t request)
{
    return request >= join->head && request < join->tail;
}

/* ---- Flushes, which have no range to be found by ---- */

static void remember_flush(Join *join, uint64_t request)
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
static TraceReason flush_issued(Join *join, const BlockEvent *e)
{
    TraceReason reason = REASON_ORPHAN;

    for (unsigned i = 0; i < join->n_flushes; i++) {
        Waiting *w = waiting(join, join->flushes[i]);

        if (in_ring(join, join->flushes[i]) && w->record.device == e->device) {
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
    leave(join, false);
}

/*
 * The flush is done, or a request that had to be flushed before or after: that
 * one says so again, with no bytes, when all of it is over.
 */
static TraceReason flush_done(Join *join, const BlockEvent *e)
{
    for (unsigned i = 0; i < join->n_flushes; i++) {
        Waiting *w = waiting(join, join->flushes[i]);

        if (!in_ring(join, join->flushes[i])) {
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
static void cut_piece(Join *join, Piece *piece, uint64_t sectors)
{
    Piece was = *piece;
    Piece *rest;

    piece->sectors = sectors;
    waiting(join, was.request)->record.quality |= TRACE_QUALITY_SPLIT;
    rest = pieces_add(join->pieces, was.device, was.op, was.sector + sectors,
                      was.sectors - sectors, was.request);
    rest->issued = was.issued;
    rest->alias = was.alias;
}

static void issue_piece(Join *join, Piece *piece, const BlockEvent *e,
                        TraceReason *reason)
{
    Waiting *w = waiting(join, piece->request);

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

static void complete_piece(Join *join, Piece *piece, const BlockEvent *e)
{
    Waiting *w = waiting(join, piece->request);
    bool alias = piece->alias;

    w->remaining -= alias ? 0 : MIN(w->remaining, piece->sectors);
    pieces_remove(join->pieces, piece);
    if (e->error) {
        w->record.error = e->error;
    }
    if (!alias && !w->remaining) {
        w->record.complete_ns = e->time_ns;
        w->lingers = w->record.flags & TRACE_FLAG_PREFLUSH &&
                     join->by_queue && !device_of(join, e)->by_issue;
        w->done = !w->lingers;
        leave(join, false);
    }
}

/* All pieces that the event's range covers, from its first sector on. */
static TraceReason walk_range(Join *join, const BlockEvent *e, bool complete)
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
            cut_piece(join, piece, end - at);
        }
        sectors = piece->sectors;
        if (complete) {
            complete_piece(join, piece, e);
            reason = REASON_JOINED;
        } else {
            issue_piece(join, piece, e, &reason);
        }
        at += sectors;
    }
    return reason;
}

/* ---- By the time of queue ---- */

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
    w = enter(join, e);
    w->record.queue_ns = e->time_ns;
    if (trace_op_has_range(e->op)) {
        pieces_add(join->pieces, e->device, e->op, e->sector, e->bytes / 512,
                   join->tail - 1);
    }
    if (e->op == TRACE_FLUSH || e->flags & TRACE_FLAG_PREFLUSH) {
        remember_flush(join, join->tail - 1);
    }
}

static void mark_merged(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, true);

    if (piece) {
        waiting(join, piece->request)->record.quality |= TRACE_QUALITY_MERGED;
    }
}

static void split_request(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, true);

    if (piece && e->other_sector > e->sector &&
        e->other_sector - e->sector < piece->sectors) {
        cut_piece(join, piece, e->other_sector - e->sector);
    }
}

/* The same request goes on at a lower device. */
static void remap_request(Join *join, const BlockEvent *e)
{
    Piece *upper = pieces_find(join->pieces, e->other_device, e->op,
                               e->other_sector, join->head, true);

    if (upper && e->other_device != e->device) {
        Piece *lower = pieces_add(join->pieces, e->device, e->op, e->sector,
                                  e->bytes / 512, upper->request);

        lower->alias = true;
    }
}

static void add_by_queue(Join *join, const BlockEvent *e)
{
    TraceReason reason = REASON_JOINED;

    switch (e->action) {
    case BLOCK_QUEUE:
        queue_request(join, e);
        return;
    case BLOCK_ISSUE:
        reason = e->op == TRACE_FLUSH ? flush_issued(join, e)
                                      : walk_range(join, e, false);
        break;
    case BLOCK_COMPLETE:
        reason = e->op == TRACE_FLUSH || !e->bytes
            ? flush_done(join, e) : walk_range(join, e, true);
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

/* ---- By the time of issue ---- */

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
    Device *device = device_of(join, e);
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

    if (piece && !waiting(join, piece->request)->done) {
        w = waiting(join, piece->request);
        w->record.quality |= TRACE_QUALITY_REISSUED;
        trace_import_skip(join->import, REASON_REISSUE);
        return;
    }
    if (is_reflush(join, e)) {
        trace_import_skip(join->import, REASON_REFLUSH);
        return;
    }
    trace_import_stored(join->import);
    w = enter(join, e);
    w->record.issue_ns = e->time_ns;
    if (hint->sector == e->sector && hint->device == e->device &&
        hint->op == e->op && hint->queue_ns != TRACE_NO_TIME) {
        w->record.queue_ns = hint->queue_ns;
        w->record.flags |= hint->flags & (TRACE_FLAG_PREFLUSH |
                                          TRACE_FLAG_FUA);
        hint->queue_ns = TRACE_NO_TIME;
    }
    piece = pieces_add(join->pieces, e->device, e->op, e->sector,
                       e->bytes / 512, join->tail - 1);
    piece->issued = true;
}

/* A flush has no sectors: its piece is found by where it stands. */
static TraceReason complete_flush(Join *join, const BlockEvent *e)
{
    Piece *piece = pieces_find(join->pieces, e->device, e->op, e->sector,
                               join->head, false);

    if (!piece) {
        return device_of(join, e)->preflushes ? REASON_JOINED : REASON_ORPHAN;
    }
    complete_piece(join, piece, e);
    return REASON_JOINED;
}

static void add_by_issue(Join *join, const BlockEvent *e)
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
        device_of(join, e)->preflushes |= e->flags & TRACE_FLAG_PREFLUSH;
        break;
    case BLOCK_COMPLETE:
        if (e->op == TRACE_FLUSH) {
            reason = complete_flush(join, e);
        } else if (e->bytes) {
            reason = walk_range(join, e, true);
        } else if (!e->sector) {
            device_of(join, e)->flushing = false;
        }
        break;
    }
    trace_import_skip(join->import, reason);
}

/* ---- Both ---- */

static void add(Join *join, const BlockEvent *e)
{
    join->import->place = e->place;
    if (e->action == BLOCK_PLUG || e->action == BLOCK_UNPLUG ||
        e->action == BLOCK_UNPLUG_TIMER || e->action == BLOCK_OTHER ||
        e->op >= TRACE_OP_MAX) {
        trace_import_skip(join->import, e->action == BLOCK_COMPLETE ||
                          e->action == BLOCK_ISSUE ? REASON_ORPHAN
                                                   : REASON_EVENT);
    } else if (join->by_queue && !device_of(join, e)->by_issue) {
        add_by_queue(join, e);
    } else {
        add_by_issue(join, e);
    }
}

/* Marks the devices that are only seen to be issued requests. */
static bool look_for_queueing(Join *join)
{
    bool queued[DEVICES] = {false}, issued[DEVICES] = {false}, any = false;

    for (unsigned i = 0; i < join->first->len; i++) {
        BlockEvent *e = &g_array_index(join->first, BlockEvent, i);

        if (e->op < TRACE_OP_MAX) {
            queued[e->device % DEVICES] |= e->action == BLOCK_QUEUE;
            issued[e->device % DEVICES] |= e->action == BLOCK_ISSUE;
            any |= e->action == BLOCK_QUEUE;
        }
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        join->devices[i].by_issue = issued[i] && !queued[i];
    }
    return any;
}

/* If nobody was seen queueing, only the device's side was traced. */
static void decide(Join *join)
{
    TraceImport *import = join->import;

    join->by_queue = look_for_queueing(join) &&
                     (!import->at_given || import->at == TRACE_AT_QUEUE);
    import->at = join->by_queue ? TRACE_AT_QUEUE : TRACE_AT_ISSUE;
    import->at_given = join->decided = true; /* for other files, too */
    if (import->writer && !trace_writer_count(import->writer)) {
        trace_writer_set_at(import->writer, import->at);
    }
    for (unsigned i = 0; i < join->first->len; i++) {
        add(join, &g_array_index(join->first, BlockEvent, i));
    }
    g_array_set_size(join->first, 0);
}

void join_add(Join *join, const BlockEvent *event)
{
    if (join->decided) {
        add(join, event);
        return;
    }
    g_array_append_val(join->first, *event);
    if (join->first->len == FIRST_EVENTS) {
        decide(join);
    }
}

void join_hint(Join *join, const BlockEvent *e)
{
    Piece *piece;

    if (e->op != TRACE_WRITE_ZEROES || e->action != BLOCK_ISSUE) {
        return;
    }
    if (!join->decided) {
        decide(join);
    }
    piece = pieces_find(join->pieces, e->device, TRACE_WRITE, e->sector,
                        join->head, true);
    if (piece) {
        waiting(join, piece->request)->record.op = TRACE_WRITE_ZEROES;
    }
}

void join_end(Join *join)
{
    if (!join->decided) {
        decide(join);
    }
    leave(join, true);
    g_array_free(join->first, true);
    g_free(join->pieces);
    g_free(join);
}
