/* SPDX-License-Identifier: MIT */
/* A hash table of a fixed size over ranges in flight. */
#include "pieces.h"

Pieces *pieces_new(void)
{
    Pieces *pieces = g_new0(Pieces, 1);

    memset(pieces->buckets, 0xff, sizeof(pieces->buckets));
    return pieces;
}

static uint32_t *bucket_of(Pieces *pieces, uint32_t device, uint8_t op,
                           uint64_t sector)
{
    uint64_t hash = (sector * 0x9e3779b97f4a7c15) ^
                    ((uint64_t)device << 8 | op) * 0xc2b2ae3d27d4eb4f;

    return &pieces->buckets[(hash >> 40) % PIECES];
}

void pieces_remove(Pieces *pieces, Piece *piece)
{
    uint32_t index = piece - pieces->pieces;
    uint32_t *link = bucket_of(pieces, piece->device, piece->op,
                               piece->sector);

    while (*link != index) {
        link = &pieces->pieces[*link].next;
    }
    *link = piece->next;
    piece->used = false;
}

Piece *pieces_add(Pieces *pieces, uint32_t device, uint8_t op, uint64_t sector,
                  uint64_t sectors, uint64_t request)
{
    uint32_t index = pieces->hand++ % PIECES;
    Piece *piece = &pieces->pieces[index];
    uint32_t *bucket = bucket_of(pieces, device, op, sector);

    if (piece->used) {
        pieces_remove(pieces, piece);
    }
    *piece = (Piece){
        .sector = sector, .sectors = sectors, .request = request,
        .device = device, .next = *bucket, .op = op, .used = true,
    };
    *bucket = index;
    return piece;
}

Piece *pieces_find(Pieces *pieces, uint32_t device, uint8_t op,
                   uint64_t sector, uint64_t oldest, bool unissued)
{
    uint32_t at = *bucket_of(pieces, device, op, sector);
    Piece *best = NULL;

    while (at != PIECE_NONE) {
        Piece *piece = &pieces->pieces[at];

        at = piece->next;
        if (piece->request < oldest) {
            pieces_remove(pieces, piece); /* its request has left */
        } else if (piece->sector == sector && piece->device == device &&
                   piece->op == op &&
                   (!best || piece->issued != unissued ||
                    best->issued == unissued)) {
            best = piece; /* the last in the list was made first */
        }
    }
    return best;
}
