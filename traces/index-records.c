/* SPDX-License-Identifier: MIT */
/* A row for each record. */
#include "index-records.h"

#include "log-sql.h"

enum { COMMIT_ROWS = 1 << 18 };

static const char views[] =
#include "views.sql.h"
    ;

static const char *const view_names[] = {
    "request", "request_op", "request_rate", "queue_depth", "request_slowest",
    "request_in_flight",
};

static void drop_all(Log *log)
{
    for (unsigned i = 0; i < ARRAY_SIZE(view_names); i++) {
        g_autofree char *drop = g_strdup_printf("DROP VIEW IF EXISTS %s",
                                                view_names[i]);

        log_sql_script(log, drop);
    }
    log_sql_script(log, "DROP TABLE IF EXISTS record");
}

static void bind_time(LogSql *sql, int index, int64_t ns)
{
    if (ns == TRACE_NO_TIME) {
        log_sql_text(sql, index, NULL);
    } else {
        log_sql_int(sql, index, ns);
    }
}

static void put_row(LogSql *put, uint64_t seq, const TraceRecord *r, TraceAt at)
{
    g_autofree char *flags = trace_bits_text(r->flags, trace_flag_names,
                                             TRACE_FLAG_COUNT);
    g_autofree char *quality = trace_bits_text(r->quality, trace_quality_names,
                                               TRACE_QUALITY_COUNT);

    log_sql_int(put, 1, seq);
    log_sql_int(put, 2, trace_record_start(r, at));
    bind_time(put, 3, r->queue_ns);
    bind_time(put, 4, r->issue_ns);
    bind_time(put, 5, r->complete_ns);
    log_sql_text(put, 6, trace_op_names[r->op]);
    log_sql_int(put, 7, r->offset);
    log_sql_int(put, 8, r->bytes);
    log_sql_int(put, 9, r->device);
    log_sql_int(put, 10, r->process);
    log_sql_int(put, 11, r->cpu);
    log_sql_int(put, 12, r->error);
    log_sql_text(put, 13, flags);
    log_sql_text(put, 14, quality);
    log_sql_int(put, 15, r->file);
    log_sql_int(put, 16, r->place);
    log_sql_run(put);
}

bool trace_index_records(Log *log, Error **errp)
{
    TraceReader *reader = trace_reader_open(log, errp);
    Error *err = NULL;
    TraceRecord record;
    uint64_t seq = 0;
    LogSql *put;

    if (!reader) {
        return false;
    }
    drop_all(log);
    log_sql_script(log, views);
    put = log_sql_new(log, "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, "
                      "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
    while (!log_failed(log) && trace_reader_next(reader, &record, &err)) {
        put_row(put, ++seq, &record, trace_reader_at(reader));
        if (seq % COMMIT_ROWS == 0) {
            log_commit(log);
        }
    }
    log_sql_free(put);
    trace_reader_free(reader);
    log_set_meta(log, "indexed", "1");
    error_propagate(errp, err);
    return !err;
}
