/* SPDX-License-Identifier: MIT */
/* Records out of a log, chunk by chunk. */
#include "store.h"

#include "input.h"
#include "log-sql.h"
#include "pack.h"

struct TraceReader {
    Log *log;
    LogSql *chunks;
    TraceAt at;
    int64_t origin_ns;
    uint64_t count, next; /* the number of the next record */
    TraceRecord records[COLUMN_VALUES];
    uint64_t first;       /* the number of records[0] */
    unsigned n;           /* how many of them there are */
};

bool trace_log_is(Log *log)
{
    return log_meta(log, "trace.records") != NULL;
}

bool trace_log_is_only(Log *log)
{
    return trace_log_is(log) && !log_meta(log, "scenario");
}

static int64_t meta_int(Log *log, const char *name)
{
    return log_meta_int(log, name, 0);
}

TraceReader *trace_reader_open(Log *log, Error **errp)
{
    TraceReader *reader;

    if (!trace_log_is(log)) {
        error_setg(errp, "%s: holds no captured trace; 'aiolab import' makes "
                   "logs that do", log_path(log));
        return NULL;
    }
    reader = g_new0(TraceReader, 1);
    reader->log = log;
    reader->at = g_strcmp0(log_meta(log, "trace.at"),
                           trace_at_names[TRACE_AT_ISSUE]) == 0
        ? TRACE_AT_ISSUE : TRACE_AT_QUEUE;
    reader->origin_ns = meta_int(log, "trace.origin_ns");
    reader->count = meta_int(log, "trace.records");
    reader->chunks = log_sql_new(log, "SELECT first, n, crc, data "
                                 "FROM trace_chunk WHERE first <= ?1 "
                                 "ORDER BY first DESC LIMIT 1");
    reader->next = 1;
    return reader;
}

void trace_reader_free(TraceReader *reader)
{
    if (reader) {
        log_sql_free(reader->chunks);
        g_free(reader);
    }
}

TraceAt trace_reader_at(const TraceReader *reader)
{
    return reader->at;
}

uint64_t trace_reader_count(const TraceReader *reader)
{
    return reader->count;
}

void trace_reader_seek(TraceReader *reader, uint64_t number)
{
    reader->next = number;
}

/* The chunk with record reader->next becomes the one in memory. */
static bool load_chunk(TraceReader *reader)
{
    const uint8_t *data;
    int64_t first, n;
    size_t len;
    bool ok;

    log_sql_int(reader->chunks, 1, reader->next);
    if (!log_sql_row(reader->chunks)) {
        return false;
    }
    first = log_sql_get_int(reader->chunks, 0);
    n = log_sql_get_int(reader->chunks, 1);
    data = log_sql_get_blob(reader->chunks, 3, &len);
    ok = n >= 1 && n <= COLUMN_VALUES && (int64_t)reader->next < first + n &&
         data && chunk_crc(data, len, first, first + n - 1, n) ==
         (uint32_t)log_sql_get_int(reader->chunks, 2) &&
         records_unpack(data, len, reader->records, n);
    reader->first = first;
    reader->n = ok ? n : 0;
    log_sql_reset(reader->chunks);
    return ok;
}

static int64_t since(int64_t time, int64_t origin)
{
    return time == TRACE_NO_TIME ? time
                                 : (int64_t)((uint64_t)time - (uint64_t)origin);
}

bool trace_reader_next(TraceReader *reader, TraceRecord *record, Error **errp)
{
    if (reader->next > reader->count) {
        return false;
    }
    if (reader->next < reader->first ||
        reader->next >= reader->first + reader->n) {
        if (!load_chunk(reader)) {
            error_setg(errp, "%s: damaged log (the chunk with record %" PRIu64
                       " is not whole); restore it from a copy, or import "
                       "again", log_path(reader->log), reader->next);
            return false;
        }
    }
    *record = reader->records[reader->next++ - reader->first];
    record->queue_ns = since(record->queue_ns, reader->origin_ns);
    record->issue_ns = since(record->issue_ns, reader->origin_ns);
    record->complete_ns = since(record->complete_ns, reader->origin_ns);
    return true;
}
