/* SPDX-License-Identifier: MIT */
/* Records to columns and back. */
#include "pack.h"

enum { HAS_QUEUE = 1, HAS_ISSUE = 2, HAS_COMPLETE = 4, FILES_TRACKED = 64 };

static int64_t what_of(const TraceRecord *r)
{
    uint64_t times = (r->queue_ns != TRACE_NO_TIME ? HAS_QUEUE : 0) |
                     (r->issue_ns != TRACE_NO_TIME ? HAS_ISSUE : 0) |
                     (r->complete_ns != TRACE_NO_TIME ? HAS_COMPLETE : 0);

    return times | (uint64_t)r->op << 3 | (uint64_t)r->flags << 8 |
           (uint64_t)r->quality << 16 | (uint64_t)r->file << 32;
}

/* False if there is no such operation. */
static bool set_what(TraceRecord *r, int64_t what)
{
    r->op = what >> 3 & 31;
    r->flags = what >> 8;
    r->quality = what >> 16;
    r->file = (uint64_t)what >> 32;
    return r->op < TRACE_OP_MAX;
}

static int64_t minus(uint64_t a, uint64_t b)
{
    return a - b;
}

static int64_t first_time(const TraceRecord *r)
{
    return r->queue_ns != TRACE_NO_TIME ? r->queue_ns
         : r->issue_ns != TRACE_NO_TIME ? r->issue_ns
         : r->complete_ns != TRACE_NO_TIME ? r->complete_ns : 0;
}

typedef int64_t Columns[PACK_COLUMNS][COLUMN_VALUES];

static void to_columns(const TraceRecord *records, unsigned n, Columns *columns)
{
    uint64_t places[FILES_TRACKED] = {0};

    for (unsigned i = 0; i < n; i++) {
        const TraceRecord *r = &records[i];
        uint64_t *place = &places[r->file % FILES_TRACKED];
        int64_t time = first_time(r);

        (*columns)[PACK_TIME][i] = time;
        (*columns)[PACK_ISSUE][i] =
            r->issue_ns == TRACE_NO_TIME ? 0 : minus(r->issue_ns, time);
        (*columns)[PACK_COMPLETE][i] =
            r->complete_ns == TRACE_NO_TIME ? 0 : minus(r->complete_ns, time);
        (*columns)[PACK_OFFSET][i] = r->offset;
        (*columns)[PACK_BYTES][i] = r->bytes;
        (*columns)[PACK_WHAT][i] = what_of(r);
        (*columns)[PACK_DEVICE][i] = r->device;
        (*columns)[PACK_PROCESS][i] = r->process;
        (*columns)[PACK_CPU][i] = r->cpu;
        (*columns)[PACK_ERROR][i] = r->error;
        (*columns)[PACK_PLACE][i] = minus(r->place, *place);
        *place = r->place;
    }
}

size_t records_pack(const TraceRecord *records, unsigned n, uint8_t *out)
{
    static Columns columns;
    uint8_t *at = out;

    to_columns(records, n, &columns);
    for (unsigned c = 0; c < PACK_COLUMNS; c++) {
        at += column_pack(columns[c], n, at);
    }
    return at - out;
}

static bool from_columns(const Columns *columns, TraceRecord *records,
                         unsigned n)
{
    uint64_t places[FILES_TRACKED] = {0};

    for (unsigned i = 0; i < n; i++) {
        TraceRecord *r = &records[i];
        int64_t time = (*columns)[PACK_TIME][i];
        int64_t what = (*columns)[PACK_WHAT][i];
        uint64_t *place;

        *r = (TraceRecord){
            .queue_ns = what & HAS_QUEUE ? time : TRACE_NO_TIME,
            .issue_ns = what & HAS_ISSUE
                ? minus(time, -(uint64_t)(*columns)[PACK_ISSUE][i])
                : TRACE_NO_TIME,
            .complete_ns = what & HAS_COMPLETE
                ? minus(time, -(uint64_t)(*columns)[PACK_COMPLETE][i])
                : TRACE_NO_TIME,
            .offset = (*columns)[PACK_OFFSET][i],
            .bytes = (*columns)[PACK_BYTES][i],
            .device = (*columns)[PACK_DEVICE][i],
            .process = (*columns)[PACK_PROCESS][i],
            .cpu = (*columns)[PACK_CPU][i],
            .error = (*columns)[PACK_ERROR][i],
        };
        if (!set_what(r, what)) {
            return false;
        }
        place = &places[r->file % FILES_TRACKED];
        *place += (*columns)[PACK_PLACE][i];
        r->place = *place;
    }
    return true;
}

bool records_unpack(const uint8_t *data, size_t len, TraceRecord *records,
                    unsigned n)
{
    static Columns columns;
    const uint8_t *at = data, *end = data + len;

    for (unsigned c = 0; c < PACK_COLUMNS; c++) {
        if (!column_unpack(&at, end, columns[c], n)) {
            return false;
        }
    }
    return at == end && from_columns(&columns, records, n);
}
