/* SPDX-License-Identifier: MIT */
/* Statements over a log for those who do not know SQLite. */
#include "log-internal.h"

#include "log-sql.h"

struct LogSql {
    Log *log;
    sqlite3_stmt *stmt;
};

LogSql *log_sql_new(Log *log, const char *text)
{
    LogSql *sql = g_new0(LogSql, 1);

    sql->log = log;
    if (sqlite3_prepare_v2(log->db, text, -1, &sql->stmt, NULL) != SQLITE_OK) {
        log_keep_failure(log, "cannot use the log");
    }
    return sql;
}

void log_sql_free(LogSql *sql)
{
    if (sql) {
        sqlite3_finalize(sql->stmt);
        g_free(sql);
    }
}

void log_sql_int(LogSql *sql, int index, int64_t value)
{
    sqlite3_bind_int64(sql->stmt, index, value);
}

void log_sql_real(LogSql *sql, int index, double value)
{
    sqlite3_bind_double(sql->stmt, index, value);
}

void log_sql_text(LogSql *sql, int index, const char *text)
{
    sqlite3_bind_text(sql->stmt, index, text, -1, SQLITE_STATIC);
}

void log_sql_blob(LogSql *sql, int index, const void *data, size_t len)
{
    sqlite3_bind_blob(sql->stmt, index, len ? data : "", len, SQLITE_STATIC);
}

void log_sql_run(LogSql *sql)
{
    if (sql->stmt) {
        log_finish_put(sql->log, sql->stmt);
    }
}

bool log_sql_row(LogSql *sql)
{
    int ret = sql->stmt ? sqlite3_step(sql->stmt) : SQLITE_DONE;

    if (ret == SQLITE_ROW) {
        return true;
    }
    if (ret != SQLITE_DONE) {
        log_keep_failure(sql->log, "cannot read the log");
    }
    sqlite3_reset(sql->stmt);
    return false;
}

void log_sql_reset(LogSql *sql)
{
    sqlite3_reset(sql->stmt);
}

int64_t log_sql_get_int(LogSql *sql, int column)
{
    return sqlite3_column_int64(sql->stmt, column);
}

double log_sql_get_real(LogSql *sql, int column)
{
    return sqlite3_column_double(sql->stmt, column);
}

bool log_sql_get_null(LogSql *sql, int column)
{
    return sqlite3_column_type(sql->stmt, column) == SQLITE_NULL;
}

const char *log_sql_get_text(LogSql *sql, int column)
{
    return (const char *)sqlite3_column_text(sql->stmt, column);
}

const void *log_sql_get_blob(LogSql *sql, int column, size_t *len)
{
    const void *data = sqlite3_column_blob(sql->stmt, column);

    *len = sqlite3_column_bytes(sql->stmt, column);
    return data;
}

void log_sql_script(Log *log, const char *script)
{
    log_begin(log);
    log_run_sql(log, script);
}

bool log_has_table(Log *log, const char *name)
{
    LogSql *sql = log_sql_new(log, "SELECT 1 FROM sqlite_schema "
                              "WHERE type = 'table' AND name = ?1");
    bool found;

    log_sql_text(sql, 1, name);
    found = log_sql_row(sql);
    log_sql_free(sql);
    return found;
}
