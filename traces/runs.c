/* SPDX-License-Identifier: MIT */
/* Merging what a trace has in wrong order, without having it in memory. */
#include "runs.h"

#include "log-sql.h"
#include "pack.h"

enum { MERGE_RUNS = 16 };

struct TraceRuns {
    Log *log;
    TraceAt at;
    LogSql *put;
    unsigned generation, runs; /* of the newest generation */
    uint8_t packed[PACK_MAX];
};

/* One run that is being read. */
typedef struct Cursor {
    LogSql *parts;
    unsigned i, n;
    TraceRecord records[COLUMN_VALUES];
} Cursor;

TraceRuns *trace_runs_new(Log *log, TraceAt at)
{
    TraceRuns *runs = g_new0(TraceRuns, 1);

    runs->log = log;
    runs->at = at;
    log_sql_script(log,
                   "CREATE TEMP TABLE trace_run (generation INTEGER, "
                   "run INTEGER, part INTEGER PRIMARY KEY, n INTEGER, "
                   "data BLOB);"
                   "CREATE INDEX temp.trace_run_of ON trace_run "
                   "(generation, run, part);"
                   "INSERT INTO trace_run SELECT 0, 0, NULL, n, data "
                   "FROM trace_chunk ORDER BY first;"
                   "DELETE FROM trace_chunk;");
    runs->put = log_sql_new(log, "INSERT INTO trace_run "
                            "VALUES (?1, ?2, NULL, ?3, ?4)");
    runs->runs = 1;
    return runs;
}

void trace_runs_free(TraceRuns *runs)
{
    log_sql_free(runs->put);
    log_sql_script(runs->log, "DROP TABLE trace_run");
    g_free(runs);
}

void trace_runs_begin(TraceRuns *runs)
{
    runs->runs++;
}

void trace_runs_put(TraceRuns *runs, const TraceRecord *records, unsigned n)
{
    size_t len = records_pack(records, n, runs->packed);

    log_sql_int(runs->put, 1, runs->generation);
    log_sql_int(runs->put, 2, runs->runs - 1);
    log_sql_int(runs->put, 3, n);
    log_sql_blob(runs->put, 4, runs->packed, len);
    log_sql_run(runs->put);
}

/* ---- Reading one run ---- */

/* The next part; false if there is none, or not one that we wrote. */
static bool refill(Cursor *cursor)
{
    const uint8_t *data;
    size_t len;

    cursor->i = cursor->n = 0;
    if (!log_sql_row(cursor->parts)) {
        return false;
    }
    data = log_sql_get_blob(cursor->parts, 1, &len);
    cursor->n = log_sql_get_int(cursor->parts, 0);
    return cursor->n <= COLUMN_VALUES && data &&
           records_unpack(data, len, cursor->records, cursor->n);
}

static Cursor *cursor_new(TraceRuns *runs, unsigned generation, unsigned run)
{
    Cursor *cursor = g_new0(Cursor, 1);

    cursor->parts = log_sql_new(runs->log, "SELECT n, data FROM trace_run "
                                "WHERE generation = ?1 AND run = ?2 "
                                "ORDER BY part");
    log_sql_int(cursor->parts, 1, generation);
    log_sql_int(cursor->parts, 2, run);
    if (!refill(cursor)) {
        cursor->n = 0;
    }
    return cursor;
}

static void cursor_free(Cursor *cursor)
{
    log_sql_free(cursor->parts);
    g_free(cursor);
}

/* ---- Merging ---- */

/* The cursor whose record comes next, or -1. */
static int earliest(Cursor *const *cursors, unsigned n, TraceAt at)
{
    int64_t best_ns = 0;
    int best = -1;

    for (unsigned i = 0; i < n; i++) {
        int64_t ns;

        if (cursors[i]->i == cursors[i]->n) {
            continue;
        }
        ns = trace_record_start(&cursors[i]->records[cursors[i]->i], at);
        if (best < 0 || ns < best_ns) {
            best = i;
            best_ns = ns;
        }
    }
    return best;
}

static void merge_some(TraceRuns *runs, unsigned generation, unsigned first,
                       unsigned n,
                       void (*emit)(const TraceRecord *record, void *opaque),
                       void *opaque)
{
    Cursor *cursors[MERGE_RUNS];
    int next;

    for (unsigned i = 0; i < n; i++) {
        cursors[i] = cursor_new(runs, generation, first + i);
    }
    while ((next = earliest(cursors, n, runs->at)) >= 0) {
        Cursor *cursor = cursors[next];

        emit(&cursor->records[cursor->i++], opaque);
        if (cursor->i == cursor->n && !refill(cursor)) {
            cursor->i = cursor->n = 0;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        cursor_free(cursors[i]);
    }
}

typedef struct Batch {
    TraceRuns *runs;
    unsigned n;
    TraceRecord records[COLUMN_VALUES];
} Batch;

static void to_batch(const TraceRecord *record, void *opaque)
{
    Batch *batch = opaque;

    batch->records[batch->n++] = *record;
    if (batch->n == COLUMN_VALUES) {
        trace_runs_put(batch->runs, batch->records, batch->n);
        batch->n = 0;
    }
}

/* So that there are fewer runs, which are longer. */
static void merge_generation(TraceRuns *runs)
{
    unsigned n = runs->runs, old = runs->generation++;
    Batch *batch = g_new0(Batch, 1);

    batch->runs = runs;
    runs->runs = 0;
    for (unsigned first = 0; first < n; first += MERGE_RUNS) {
        runs->runs++;
        merge_some(runs, old, first, MIN(n - first, MERGE_RUNS), to_batch,
                   batch);
        if (batch->n) {
            trace_runs_put(runs, batch->records, batch->n);
            batch->n = 0;
        }
    }
    g_free(batch);
    log_sql_script(runs->log, "DELETE FROM trace_run WHERE generation < "
                   "(SELECT max(generation) FROM trace_run)");
}

void trace_runs_merge(TraceRuns *runs,
                      void (*emit)(const TraceRecord *record, void *opaque),
                      void *opaque)
{
    while (runs->runs > MERGE_RUNS) {
        merge_generation(runs);
    }
    merge_some(runs, runs->generation, 0, runs->runs, emit, opaque);
}
