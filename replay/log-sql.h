/* SPDX-License-Identifier: MIT */
/*
 * SQL over an open log, for rooms that keep tables of their own in it and for
 * reports; the log stays the one that knows SQLite.
 *
 * A statement belongs to one log and must be freed before the log is closed.
 * Errors are the log's: the first is kept (log_failure()), and what comes
 * after it does nothing.  Indexes of parameters count from 1, of columns from 0.
 */
#ifndef REPLAY_LOG_SQL_H
#define REPLAY_LOG_SQL_H

#include "log.h"

typedef struct LogSql LogSql;

/* Never NULL; one that cannot be prepared has no rows. */
LogSql *log_sql_new(Log *log, const char *sql);
/* NULL is all right. */
void log_sql_free(LogSql *sql);

void log_sql_int(LogSql *sql, int index, int64_t value);
void log_sql_real(LogSql *sql, int index, double value);
/* @text NULL binds NULL; it must live until the statement has run. */
void log_sql_text(LogSql *sql, int index, const char *text);
void log_sql_blob(LogSql *sql, int index, const void *data, size_t len);
/* Runs it for its effect, inside the log's transaction. */
void log_sql_run(LogSql *sql);

/* The next row; false at the end, when it can be bound and run again. */
bool log_sql_row(LogSql *sql);
/* Back to before the first row. */
void log_sql_reset(LogSql *sql);
int64_t log_sql_get_int(LogSql *sql, int column);
double log_sql_get_real(LogSql *sql, int column);
bool log_sql_get_null(LogSql *sql, int column);
/* Valid until the next row. */
const char *log_sql_get_text(LogSql *sql, int column);
const void *log_sql_get_blob(LogSql *sql, int column, size_t *len);

/* Several statements for their effect, inside the log's transaction. */
void log_sql_script(Log *log, const char *script);
bool log_has_table(Log *log, const char *name);

#endif
