/* SPDX-License-Identifier: MIT */
/*
 * Records into a log, in the order of their times.
 *
 * A window of them is kept, sorted when it is full, and its earlier half is
 * written.  What comes too late for that begins a new run; runs are merged in
 * the end.
 */
#include "store.h"

#include "input.h"
#include "log-sql.h"
#include "pack.h"
#include "runs.h"

enum {
    WINDOW = 32768,
    NAMES_MAX = 65536, /* what comes then is called NAME_OTHERS */
    COMMIT_CHUNKS = 64,
};

#define NAME_OTHERS "(others)"

static const char schema[] =
#include "trace-schema.sql.h"
    ;

typedef struct Key {
    int64_t start;
    unsigned index;
} Key;

struct TraceWriter {
    Log *log;
    TraceAt at;
    LogSql *put_chunk, *put_device, *put_process, *put_file;
    TraceRuns *runs; /* or NULL while there is but one */

    TraceRecord *window, *spare;
    Key *keys;
    unsigned n;
    bool sorted;
    bool any_queued; /* some record says when it was queued */
    int64_t newest; /* the start of the last record that was added */

    TraceRecord chunk[COLUMN_VALUES]; /* what is to be written next */
    unsigned chunk_n, chunks;
    int64_t written; /* the start of the last one in there */
    uint64_t count, stored;
    int64_t origin_ns, end_ns;

    GHashTable *devices, *processes; /* text -> 1 + number */
    GString *text;
    uint32_t files;
    uint8_t packed[PACK_MAX];
};

TraceWriter *trace_writer_new(Log *log, TraceAt at)
{
    TraceWriter *w = g_new0(TraceWriter, 1);

    log_sql_script(log, schema);
    w->log = log;
    w->at = at;
    w->put_chunk = log_sql_new(log, "INSERT INTO trace_chunk "
                               "VALUES (?1, ?2, ?3, ?4)");
    w->put_device = log_sql_new(log, "INSERT INTO trace_device "
                                "VALUES (?1, ?2)");
    w->put_process = log_sql_new(log, "INSERT INTO trace_process VALUES "
                                 "(?1, ?2, nullif(?3, -1), nullif(?4, -1))");
    w->put_file = log_sql_new(log, "INSERT INTO trace_file "
                              "VALUES (?1, ?2, ?3)");
    w->window = g_new(TraceRecord, WINDOW);
    w->spare = g_new(TraceRecord, WINDOW);
    w->keys = g_new(Key, WINDOW);
    w->sorted = true;
    w->newest = w->written = INT64_MIN;
    w->origin_ns = INT64_MAX;
    w->end_ns = INT64_MIN;
    w->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    w->processes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         NULL);
    w->text = g_string_new(NULL);
    return w;
}

void trace_writer_abandon(TraceWriter *w)
{
    if (w->runs) {
        trace_runs_free(w->runs);
    }
    log_sql_free(w->put_chunk);
    log_sql_free(w->put_device);
    log_sql_free(w->put_process);
    log_sql_free(w->put_file);
    g_free(w->window);
    g_free(w->spare);
    g_free(w->keys);
    g_hash_table_destroy(w->devices);
    g_hash_table_destroy(w->processes);
    g_string_free(w->text, true);
    g_free(w);
}

uint64_t trace_writer_count(const TraceWriter *w)
{
    return w->count;
}

void trace_writer_set_at(TraceWriter *w, TraceAt at)
{
    g_assert(!w->count);
    w->at = at;
}

/* ---- Names ---- */

/* The number of @key in @table, and whether it is a new one. */
static uint32_t number_of(GHashTable *table, const char *key, bool *is_new)
{
    unsigned number = GPOINTER_TO_UINT(g_hash_table_lookup(table, key));

    *is_new = number == 0;
    if (!number) {
        number = g_hash_table_size(table) + 1;
        g_hash_table_insert(table, g_strdup(key), GUINT_TO_POINTER(number));
    }
    return number - 1;
}

static void set_text(TraceWriter *w, const char *name, size_t len)
{
    g_string_truncate(w->text, 0);
    g_string_append_len(w->text, name, len);
    if (strlen(w->text->str) != len ||
        !g_utf8_validate(w->text->str, w->text->len, NULL)) {
        char *valid = g_utf8_make_valid(name, len);

        g_string_assign(w->text, valid);
        g_free(valid);
    }
}

uint32_t trace_writer_device(TraceWriter *w, const char *name, size_t len)
{
    uint32_t number;
    bool is_new;

    set_text(w, name, len);
    if (g_hash_table_size(w->devices) >= NAMES_MAX &&
        !g_hash_table_contains(w->devices, w->text->str)) {
        g_string_assign(w->text, NAME_OTHERS);
    }
    number = number_of(w->devices, w->text->str, &is_new);
    if (is_new) {
        log_sql_int(w->put_device, 1, number);
        log_sql_text(w->put_device, 2, w->text->str);
        log_sql_run(w->put_device);
    }
    return number;
}

uint32_t trace_writer_process(TraceWriter *w, const char *comm, size_t len,
                              int64_t pid, int64_t tid)
{
    size_t comm_len;
    uint32_t number;
    bool is_new;

    set_text(w, comm, len);
    comm_len = w->text->len;
    g_string_append_printf(w->text, "\t%" PRId64 "\t%" PRId64, pid, tid);
    if (g_hash_table_size(w->processes) >= NAMES_MAX &&
        !g_hash_table_contains(w->processes, w->text->str)) {
        g_string_assign(w->text, NAME_OTHERS);
        comm_len = w->text->len;
        pid = tid = -1;
    }
    number = number_of(w->processes, w->text->str, &is_new);
    if (is_new) {
        g_string_truncate(w->text, comm_len);
        log_sql_int(w->put_process, 1, number);
        log_sql_text(w->put_process, 2, w->text->str);
        log_sql_int(w->put_process, 3, pid);
        log_sql_int(w->put_process, 4, tid);
        log_sql_run(w->put_process);
    }
    return number;
}

uint32_t trace_writer_file(TraceWriter *w, const char *path,
                           const char *format)
{
    log_sql_int(w->put_file, 1, w->files);
    log_sql_text(w->put_file, 2, path);
    log_sql_text(w->put_file, 3, format);
    log_sql_run(w->put_file);
    return w->files++;
}

/* ---- Out of the window ---- */

static void put_chunk(TraceWriter *w)
{
    size_t len;

    if (!w->chunk_n) {
        return;
    }
    if (w->runs) {
        trace_runs_put(w->runs, w->chunk, w->chunk_n);
    } else {
        len = records_pack(w->chunk, w->chunk_n, w->packed);
        log_sql_int(w->put_chunk, 1, w->stored + 1);
        log_sql_int(w->put_chunk, 2, w->chunk_n);
        log_sql_int(w->put_chunk, 3, chunk_crc(w->packed, len, w->stored + 1,
                                               w->stored + w->chunk_n,
                                               w->chunk_n));
        log_sql_blob(w->put_chunk, 4, w->packed, len);
        log_sql_run(w->put_chunk);
        w->stored += w->chunk_n;
    }
    w->chunk_n = 0;
    if (++w->chunks % COMMIT_CHUNKS == 0) {
        log_commit(w->log);
    }
}

static void emit(const TraceRecord *record, void *opaque)
{
    TraceWriter *w = opaque;

    w->chunk[w->chunk_n++] = *record;
    if (w->chunk_n == COLUMN_VALUES) {
        put_chunk(w);
    }
}

/* The same, for one that may be too late. */
static void emit_in_run(TraceWriter *w, const TraceRecord *record)
{
    int64_t start = trace_record_start(record, w->at);

    if (start < w->written) {
        put_chunk(w);
        if (!w->runs) {
            w->runs = trace_runs_new(w->log, w->at);
        }
        trace_runs_begin(w->runs);
    }
    w->written = start;
    emit(record, w);
}

static int compare_keys(const void *a, const void *b)
{
    const Key *x = a, *y = b;

    return x->start != y->start ? (x->start < y->start ? -1 : 1)
                                : (x->index < y->index ? -1 : 1);
}

static void sort_window(TraceWriter *w)
{
    TraceRecord *sorted = w->spare;

    for (unsigned i = 0; i < w->n; i++) {
        w->keys[i] = (Key){trace_record_start(&w->window[i], w->at), i};
    }
    qsort(w->keys, w->n, sizeof(Key), compare_keys);
    for (unsigned i = 0; i < w->n; i++) {
        sorted[i] = w->window[w->keys[i].index];
    }
    w->spare = w->window;
    w->window = sorted;
    w->sorted = true;
    w->newest = w->n ? trace_record_start(&sorted[w->n - 1], w->at) : INT64_MIN;
}

/* The earliest @n leave the window. */
static void write_window(TraceWriter *w, unsigned n)
{
    if (!w->sorted) {
        sort_window(w);
    }
    for (unsigned i = 0; i < n; i++) {
        emit_in_run(w, &w->window[i]);
    }
    memmove(w->window, w->window + n, (w->n - n) * sizeof(TraceRecord));
    w->n -= n;
}

void trace_writer_add(TraceWriter *w, const TraceRecord *record)
{
    int64_t start = trace_record_start(record, w->at);

    if (w->n == WINDOW) {
        write_window(w, WINDOW / 2);
    }
    w->window[w->n++] = *record;
    w->sorted &= start >= w->newest;
    w->newest = MAX(w->newest, start);
    w->origin_ns = MIN(w->origin_ns, start);
    w->end_ns = MAX(w->end_ns, start);
    if (record->complete_ns != TRACE_NO_TIME) {
        w->end_ns = MAX(w->end_ns, record->complete_ns);
    }
    w->any_queued |= record->queue_ns != TRACE_NO_TIME;
    w->count++;
}

/* ---- The end ---- */

/* What is merged has its place in the log, and is in no run any more. */
static void merge_runs(TraceWriter *w)
{
    TraceRuns *runs = w->runs;

    w->runs = NULL;
    w->stored = 0;
    trace_runs_merge(runs, emit, w);
    put_chunk(w);
    trace_runs_free(runs);
}

TraceAt trace_writer_finish(TraceWriter *w, TraceClock clock)
{
    Log *log = w->log;
    TraceAt at;

    if (!w->any_queued) {
        w->at = TRACE_AT_ISSUE; /* which is what was taken all along */
    }
    at = w->at;
    write_window(w, w->n);
    put_chunk(w);
    if (w->runs) {
        merge_runs(w);
    }
    log_set_meta(log, "trace.at", trace_at_names[at]);
    log_set_meta(log, "trace.clock", trace_clock_names[clock]);
    log_set_meta_int(log, "trace.records", w->count);
    log_set_meta_int(log, "trace.origin_ns", w->count ? w->origin_ns : 0);
    log_set_meta_int(log, "trace.span_ns",
                     w->count ? w->end_ns - w->origin_ns : 0);
    trace_writer_abandon(w);
    return at;
}
