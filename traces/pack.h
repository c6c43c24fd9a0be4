/* SPDX-License-Identifier: MIT */
/*
 * A chunk: up to COLUMN_VALUES records as packed columns, one after the other,
 * in the order of the enum.  Each chunk can be read without any other.
 *
 * "what" joins operation, flags, quality, which times there are, and the file;
 * a latency counts from the record's first time; a place from the one before in
 * the same file.
 */
#ifndef TRACES_PACK_H
#define TRACES_PACK_H

#include "column.h"
#include "record.h"

enum {
    PACK_TIME, PACK_ISSUE, PACK_COMPLETE, PACK_OFFSET, PACK_BYTES, PACK_WHAT,
    PACK_DEVICE, PACK_PROCESS, PACK_CPU, PACK_ERROR, PACK_PLACE, PACK_COLUMNS
};

/* So many bytes hold any chunk. */
#define PACK_MAX (PACK_COLUMNS * COLUMN_PACKED_MAX)

size_t records_pack(const TraceRecord *records, unsigned n, uint8_t *out);
/* False if the bytes are not @n records. */
bool records_unpack(const uint8_t *data, size_t len, TraceRecord *records,
                    unsigned n);

#endif
