/* SPDX-License-Identifier: MIT */
/* The inside of a join, for the files join*.c. */
#ifndef TRACES_JOIN_INTERNAL_H
#define TRACES_JOIN_INTERNAL_H

#include "join.h"
#include "pieces.h"

enum {
#ifdef AIOLAB_FUZZ
    RING = 16, FIRST_EVENTS = 8, HINTS = 16,
#else
    RING = 16384,        /* requests that wait for their completion */
    FIRST_EVENTS = 4096, /* looked at before it is known what there is */
    HINTS = 8192,
#endif
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
    bool only_issues; /* nor that a request was completed or issued again */
    bool only_ends;  /* nor that one was issued */
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

static inline Device *join_device(Join *join, const BlockEvent *e)
{
    return &join->devices[e->device % DEVICES];
}

static inline Waiting *join_waiting(Join *join, uint64_t request)
{
    return &join->ring[request % RING];
}

static inline bool join_in_ring(const Join *join, uint64_t request)
{
    return request >= join->head && request < join->tail;
}

/* Whether a record is what was queued for that device, not what it got. */
static inline bool join_by_queue(Join *join, const BlockEvent *e)
{
    return join->by_queue && !join_device(join, e)->by_issue;
}

/* ---- join.c: the ring ---- */

/* What is done leaves it, in order; all that is there, if @all. */
void join_leave(Join *join, bool all);
/* A request that the event begins; its number is the last before the tail. */
Waiting *join_enter(Join *join, const BlockEvent *e);

/* ---- join-ranges.c: what later events do to requests in the ring ---- */

/* Makes @piece that long, and another one of what follows. */
void join_cut_piece(Join *join, Piece *piece, uint64_t sectors);
void join_complete_piece(Join *join, Piece *piece, const BlockEvent *e);
/* The one that begins where an event says that nothing is left of it. */
bool join_complete_at(Join *join, const BlockEvent *e);
/* All pieces that the event's range covers, from its first sector on. */
TraceReason join_walk_range(Join *join, const BlockEvent *e, bool complete);
/* A request that will be told by flushes, too. */
void join_remember_flush(Join *join, uint64_t request);
/* The device flushes: for all who wait for that. */
TraceReason join_flush_issued(Join *join, const BlockEvent *e);
/*
 * The flush is done, or a request that had to be flushed before or after: that
 * one says so again, with no bytes, when all of it is over.
 */
TraceReason join_flush_done(Join *join, const BlockEvent *e);

/* ---- join-queue.c, join-issue.c: accounting for one event ---- */

void join_add_by_queue(Join *join, const BlockEvent *e);
void join_add_by_issue(Join *join, const BlockEvent *e);

#endif
