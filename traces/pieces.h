/* SPDX-License-Identifier: MIT */
/*
 * Ranges of devices that requests in flight cover, found by where they begin.
 *
 * A piece is a whole request, or a part of one that was split.  There is a
 * fixed number of them; when they are all in use, the one that was made first
 * is used again.
 */
#ifndef TRACES_PIECES_H
#define TRACES_PIECES_H

#include "qemu/osdep.h"

enum {
#ifdef AIOLAB_FUZZ
    PIECES = 64, /* soon full, and soon cleared */
#else
    PIECES = 65536,
#endif
    PIECE_NONE = UINT32_MAX,
};

typedef struct Piece {
    uint64_t sector, sectors;
    uint64_t request; /* whose, in numbers of the owner */
    uint32_t device;
    uint32_t next;    /* in its bucket */
    uint8_t op;
    bool used, issued, alias; /* alias: at a lower layer */
} Piece;

typedef struct Pieces {
    Piece pieces[PIECES];
    uint32_t buckets[PIECES];
    uint32_t hand; /* the next to be used */
} Pieces;

Pieces *pieces_new(void);
Piece *pieces_add(Pieces *pieces, uint32_t device, uint8_t op, uint64_t sector,
                  uint64_t sectors, uint64_t request);
void pieces_remove(Pieces *pieces, Piece *piece);
/*
 * The first that begins there, of those made last, whose request is @oldest or
 * later; one that was not issued yet comes first if @unissued.  Or NULL.
 */
Piece *pieces_find(Pieces *pieces, uint32_t device, uint8_t op,
                   uint64_t sector, uint64_t oldest, bool unissued);

#endif
