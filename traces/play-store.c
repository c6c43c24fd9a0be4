/* SPDX-License-Identifier: MIT */
/* The tables of a play. */
#include "play-store.h"

#include "log-sql.h"
#include "store.h"

static const char trace_schema[] =
#include "trace-schema.sql.h"
    ;
static const char play_schema[] =
#include "play-schema.sql.h"
    ;

/* ---- The trace ---- */

/* A table of the trace; the kind of each column: i, t or b. */
static const struct {
    const char *name, *columns;
} trace_tables[] = {
    {"trace_chunk", "iiib"}, {"trace_device", "it"},
    {"trace_process", "itii"}, {"trace_file", "itt"},
    {"trace_account", "ttit"}, {"trace_reject", "iitt"},
};

static void copy_value(LogSql *to, const LogSql *from, int column, char kind)
{
    LogSql *row = (LogSql *)from;
    size_t len;

    if (log_sql_get_null(row, column)) {
        log_sql_text(to, column + 1, NULL);
    } else if (kind == 'i') {
        log_sql_int(to, column + 1, log_sql_get_int(row, column));
    } else if (kind == 't') {
        log_sql_text(to, column + 1, log_sql_get_text(row, column));
    } else {
        const void *data = log_sql_get_blob(row, column, &len);

        log_sql_blob(to, column + 1, data, len);
    }
}

static void copy_table(Log *log, Log *source, const char *name,
                       const char *columns)
{
    g_autofree char *select = g_strdup_printf("SELECT * FROM %s", name);
    g_autoptr(GString) insert = g_string_new(NULL);
    LogSql *from, *to;

    g_string_printf(insert, "INSERT INTO %s VALUES (?1", name);
    for (unsigned i = 2; i <= strlen(columns); i++) {
        g_string_append_printf(insert, ", ?%u", i);
    }
    g_string_append_c(insert, ')');
    from = log_sql_new(source, select);
    to = log_sql_new(log, insert->str);
    while (log_sql_row(from)) {
        for (int i = 0; columns[i]; i++) {
            copy_value(to, from, i, columns[i]);
        }
        log_sql_run(to);
    }
    log_sql_free(from);
    log_sql_free(to);
}

static void copy_meta(const char *name, const char *value, void *log)
{
    if (g_str_has_prefix(name, "trace.")) {
        log_set_meta(log, name, value);
    }
}

bool play_copy_trace(Log *log, const char *from, Error **errp)
{
    Log *source = log_open(from, errp);
    bool ok;

    if (!source) {
        return false;
    }
    log_sql_script(log, trace_schema);
    for (unsigned i = 0; i < ARRAY_SIZE(trace_tables); i++) {
        copy_table(log, source, trace_tables[i].name, trace_tables[i].columns);
    }
    log_foreach_meta(source, copy_meta, log);
    log_commit(log);
    ok = !log_failed(source);
    if (!ok) {
        error_setg(errp, "%s: %s", from, log_failure(source));
    }
    log_close(source, NULL);
    return ok;
}

/* ---- The play ---- */

static const char *state_of(const PlayRequest *r)
{
    return play_was_done(r)            ? "done"
         : r->result == PLAY_DROPPED   ? "dropped"
         : r->result == PLAY_OUTSIDE   ? "outside"
         : r->result == PLAY_IN_FLIGHT ? "in-flight" : "waiting";
}

static void put_targets(Log *log, const PlayPlan *plan)
{
    LogSql *put = log_sql_new(log, "INSERT INTO play_target "
                              "VALUES (?1, ?2, ?3)");

    for (unsigned i = 0; i < plan->targets->len; i++) {
        const PlayTarget *target = &g_array_index(plan->targets, PlayTarget, i);

        log_sql_int(put, 1, i);
        log_sql_text(put, 2, target->device);
        log_sql_text(put, 3, target->path ? target->path : "");
        log_sql_run(put);
    }
    log_sql_free(put);
}

static void put_request(LogSql *put, const PlayPlan *plan, size_t i,
                        int64_t captured_ns)
{
    const PlayRequest *r = &plan->requests[i];
    const int64_t first[] = {
        i + 1, r->record, i / plan->per_loop, r->target, r->lane,
    };
    const int64_t times[] = {r->planned_ns, r->issued_ns, r->completed_ns};

    for (int k = 0; k < 5; k++) {
        log_sql_int(put, k + 1, first[k]);
    }
    log_sql_text(put, 6, trace_op_names[r->op]);
    log_sql_int(put, 7, r->offset);
    log_sql_int(put, 8, r->bytes);
    for (int k = 0; k < 3; k++) {
        log_sql_int(put, 9 + k, times[k]);
    }
    log_sql_int(put, 12, MIN(r->result, 0));
    log_sql_text(put, 13, state_of(r));
    if (captured_ns == TRACE_NO_TIME) {
        log_sql_text(put, 14, NULL);
    } else {
        log_sql_int(put, 14, captured_ns);
    }
    log_sql_run(put);
}

bool play_store(Log *log, const PlayPlan *plan, const PlayConfig *config,
                Error **errp)
{
    PlayCaptured *captured = play_captured_new(config, errp);
    LogSql *put;

    if (!captured) {
        return false;
    }
    log_sql_script(log, play_schema);
    put_targets(log, plan);
    put = log_sql_new(log, "INSERT INTO play_request VALUES (?1, ?2, ?3, ?4, "
                      "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
    for (size_t i = 0; i < plan->n && !log_failed(log); i++) {
        put_request(put, plan, i, play_captured_latency(
                        captured, plan->requests[i].record));
    }
    log_sql_free(put);
    play_captured_free(captured);
    log_commit(log);
    return true;
}

/* ---- Reading ---- */

struct PlayedReader {
    LogSql *sql;
};

PlayedReader *played_reader_new(Log *log, Error **errp)
{
    PlayedReader *reader;

    if (!log_has_table(log, "play_request")) {
        error_setg(errp, "%s: holds no play; 'aiolab play TRACE -o LOG' makes "
                   "logs that do", log_path(log));
        return NULL;
    }
    reader = g_new0(PlayedReader, 1);
    reader->sql = log_sql_new(
        log, "SELECT seq, record, loop, planned_ns, issued_ns, completed_ns, "
        "captured_ns, result, state = 'done', op FROM play_request "
        "ORDER BY seq");
    return reader;
}

bool played_reader_next(PlayedReader *reader, PlayedRequest *r)
{
    LogSql *sql = reader->sql;
    const char *op;

    if (!log_sql_row(sql)) {
        return false;
    }
    *r = (PlayedRequest){
        .seq = log_sql_get_int(sql, 0), .record = log_sql_get_int(sql, 1),
        .loop = log_sql_get_int(sql, 2), .planned_ns = log_sql_get_int(sql, 3),
        .issued_ns = log_sql_get_int(sql, 4),
        .completed_ns = log_sql_get_int(sql, 5),
        .captured_ns = log_sql_get_null(sql, 6) ? TRACE_NO_TIME
                                                : log_sql_get_int(sql, 6),
        .result = log_sql_get_int(sql, 7), .done = log_sql_get_int(sql, 8),
    };
    op = log_sql_get_text(sql, 9);
    g_strlcpy(r->op, op ? op : "", sizeof(r->op));
    return true;
}

void played_reader_free(PlayedReader *reader)
{
    if (reader) {
        log_sql_free(reader->sql);
        g_free(reader);
    }
}
