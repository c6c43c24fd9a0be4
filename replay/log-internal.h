/* SPDX-License-Identifier: MIT */
/*
 * The inside of a log, for the files log*.c and recover.c; the only header
 * that includes SQLite.
 */
#ifndef REPLAY_LOG_INTERNAL_H
#define REPLAY_LOG_INTERNAL_H

#include "log.h"

#include <sqlite3.h>

typedef enum Statement {
    PUT_META, PUT_CHUNK, PUT_PAYLOAD, GET_PAYLOAD, PUT_THREAD, PUT_OBJECT,
    PUT_SITE, PUT_EVENT, PUT_INPUT, DROP_CHUNK, DROP_PAYLOAD, STATEMENT_MAX
} Statement;

extern const char log_tables_sql[]; /* log-tables.c: the tables for people */

struct Log {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_MAX];
    GTree *meta; /* name -> value */
    bool writing, created, in_transaction;
    bool reserved; /* there is a file that keeps some space for the end */
    char *failure; /* the first error while writing */
};

/* ---- log.c ---- */

Log *log_new(const char *path);
/* False and an error in log->db; @name may be a URI, @flags are SQLite's. */
bool log_open_database(Log *log, const char *name, int flags);
void log_free(Log *log);

/* Keeps the first error; later writes do nothing; log_close() reports it. */
void log_keep_failure(Log *log, const char *doing);
bool log_run_sql(Log *log, const char *sql);
/* A prepared statement, or NULL. */
sqlite3_stmt *log_statement(Log *log, Statement which);
void log_bind_text(sqlite3_stmt *stmt, int index, const char *text);
/* Begins a transaction if none is open. */
void log_begin(Log *log);
/* Runs a statement that has been bound, and makes it ready for the next. */
void log_finish_put(Log *log, sqlite3_stmt *stmt);
/* The number that a query's first row begins with, or -1. */
int64_t log_query_int(Log *log, const char *sql);

/* ---- log-create.c ---- */

enum { RESERVE_SLICES = 4 };
/* Frees all of the space that was kept for the end but @slices of it. */
void log_shrink_reserve(const char *path, unsigned slices);
/* Without writing anything. */
void log_close_as_it_is(Log *log);

/* ---- log-open.c ---- */

/*
 * Opens without looking whether it was closed.  A log that was not is opened
 * in such a way that it may be written, whatever @writable is.
 */
Log *log_open_as_it_is(const char *path, bool writable, Error **errp);

/* ---- log-meta.c ---- */

/* Checks the digest, and that this build knows the quirks. */
bool log_load_meta(Log *log, Error **errp);
bool log_was_not_closed(Log *log);
/* Makes the meta table's digest fit its rows. */
void log_seal_meta(Log *log);

/* ---- log-chunks.c ---- */

/* As log_inputs(), but having none is no error. */
Input *log_inputs_or_none(Log *log, size_t *n, Error **errp);

/* ---- log-order.c ---- */

typedef struct TicketRules {
    uint64_t first;  /* the ticket that a whole log begins with */
    unsigned gaps;   /* so many may be missing, a killed thread's last ones */
    bool cut_at_gap; /* what follows a gap is left out */
} TicketRules;

/*
 * Frees @inputs and returns them in order, for g_free; *n without those that
 * are left out.  NULL and a *complaint for g_free if the rules are broken.
 */
Input *inputs_in_order(GArray *inputs, const TicketRules *rules, size_t *n,
                       char **complaint);

#endif
