/* SPDX-License-Identifier: MIT */
/*
 * Columns of numbers, packed: what stands in the chunks of captured traces.
 *
 * A column is up to COLUMN_VALUES numbers of one meaning, such as the offsets
 * of as many requests.  It is stored in whichever of four ways is shortest; all
 * of them are little-endian base 128, signed numbers zigzag-coded before:
 *
 *   constant  the number
 *   deltas    unit, first, and the differences divided by the unit
 *   offsets   unit, least, and the distances from the least, divided by it
 *   indexed   how many distinct, these, and an index for each in 1, 2, 4 or 8
 *             bits
 *
 * Reads bytes from strangers; no state, any thread.
 */
#ifndef REPLAY_COLUMN_H
#define REPLAY_COLUMN_H

#include "qemu/osdep.h"

enum {
    COLUMN_VALUES = 4096,
    /* The most that column_pack() writes. */
    COLUMN_PACKED_MAX = 32 + COLUMN_VALUES * 10,
};

/* Returns how many bytes it wrote to @out. */
size_t column_pack(const int64_t *values, unsigned n, uint8_t *out);
/*
 * Moves *@at behind the column.  False if there are not @n numbers before @end.
 */
bool column_unpack(const uint8_t **at, const uint8_t *end, int64_t *values,
                   unsigned n);

#endif
