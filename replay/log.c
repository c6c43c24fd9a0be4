/* SPDX-License-Identifier: MIT */
/*
 * A log that is open: SQLite, wrapped.
 *
 * What is written goes through a prepared statement into a transaction, which
 * the first of them begins.  The first error is kept, everything after it does
 * nothing, and closing the log reports it.
 */
#include "log-internal.h"

enum {
    BUSY_MS = 5000,
};

static const char *const statement_sql[STATEMENT_MAX] = {
    [PUT_META] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
    [PUT_CHUNK] = "INSERT INTO chunk VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)",
    [PUT_PAYLOAD] = "INSERT OR IGNORE INTO payload VALUES (?1, ?2)",
    [GET_PAYLOAD] = "SELECT data FROM payload WHERE hash = ?1",
    [PUT_THREAD] = "INSERT OR REPLACE INTO thread VALUES (?1, ?2)",
    [PUT_OBJECT] = "INSERT OR REPLACE INTO object VALUES (?1, ?2, ?3, ?4, ?5)",
    [PUT_SITE] = "INSERT OR REPLACE INTO site VALUES (?1, ?2, ?3, ?4)",
    [PUT_EVENT] = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                  "?9, ?10, ?11, nullif(?12, 0))",
    [DROP_CHUNK] = "DELETE FROM chunk WHERE id = ?1",
    [DROP_PAYLOAD] = "DELETE FROM payload WHERE hash = ?1",
    [PUT_INPUT] = "INSERT INTO input VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
};

/* ---- The first error ---- */

/* SQLite knows "disk I/O error"; the system says what that is. */
static const char *error_text(sqlite3 *db)
{
    int err = sqlite3_system_errno(db) ? sqlite3_system_errno(db) : errno;

    return (sqlite3_errcode(db) & 0xff) == SQLITE_IOERR &&
           (err == EFBIG || err == ENOSPC || err == EDQUOT || err == EIO ||
            err == EROFS) ? g_strerror(err) : sqlite3_errmsg(db);
}

void log_keep_failure(Log *log, const char *doing)
{
    if (!log->failure) {
        log->failure = g_strdup_printf("%s: %s", doing, error_text(log->db));
    }
}

const char *log_failure(const Log *log)
{
    return log->failure;
}

bool log_failed(const Log *log)
{
    return log->failure != NULL;
}

/* ---- Statements, and the transaction that they are in ---- */

bool log_run_sql(Log *log, const char *sql)
{
    if (log->failure) {
        return false;
    }
    if (sqlite3_exec(log->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        log_keep_failure(log, "cannot write the log");
        return false;
    }
    return true;
}

sqlite3_stmt *log_statement(Log *log, Statement which)
{
    sqlite3_stmt **stmt = &log->statements[which];

    if (!*stmt && sqlite3_prepare_v2(log->db, statement_sql[which], -1, stmt,
                                     NULL) != SQLITE_OK) {
        log_keep_failure(log, "cannot use the log");
        return NULL;
    }
    return *stmt;
}

void log_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

void log_begin(Log *log)
{
    if (!log->in_transaction) {
        log->in_transaction = log_run_sql(log, "BEGIN");
    }
}

void log_finish_put(Log *log, sqlite3_stmt *stmt)
{
    log_begin(log);
    if (!log->failure && sqlite3_step(stmt) != SQLITE_DONE) {
        log_keep_failure(log, "cannot write the log");
    }
    sqlite3_reset(stmt);
}

void log_commit(Log *log)
{
    if (log->in_transaction) {
        log_run_sql(log, "COMMIT");
        log->in_transaction = false;
    }
}

int64_t log_query_int(Log *log, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(log->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        value = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return value;
}

/* ---- The log itself ---- */

static gint compare_names(gconstpointer a, gconstpointer b, gpointer opaque)
{
    return strcmp(a, b);
}

Log *log_new(const char *path)
{
    Log *log = g_new0(Log, 1);

    log->path = g_strdup(path);
    log->meta = g_tree_new_full(compare_names, NULL, g_free, g_free);
    return log;
}

bool log_open_database(Log *log, const char *name, int flags)
{
    if (sqlite3_open_v2(name, &log->db, flags, NULL) != SQLITE_OK) {
        return false;
    }
    sqlite3_busy_timeout(log->db, BUSY_MS);
    return true;
}

void log_free(Log *log)
{
    for (unsigned i = 0; i < STATEMENT_MAX; i++) {
        sqlite3_finalize(log->statements[i]);
    }
    sqlite3_close(log->db);
    if (log->reserved) {
        log_shrink_reserve(log->path, 0);
    }
    g_tree_destroy(log->meta);
    g_free(log->failure);
    g_free(log->path);
    g_free(log);
}

const char *log_path(const Log *log)
{
    return log->path;
}

int64_t log_size(Log *log)
{
    return log_query_int(log, "PRAGMA page_count") *
           log_query_int(log, "PRAGMA page_size");
}
