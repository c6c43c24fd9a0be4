/* SPDX-License-Identifier: MIT */
/* The inside of a log, for the files log*.c; the only place that knows SQLite. */
#ifndef REPLAY_LOG_INTERNAL_H
#define REPLAY_LOG_INTERNAL_H

#include "log.h"

#include <sqlite3.h>

typedef enum Statement {
    PUT_META, PUT_CHUNK, PUT_PAYLOAD, GET_PAYLOAD, PUT_THREAD, PUT_OBJECT,
    PUT_SITE, PUT_EVENT, PUT_INPUT, DROP_CHUNK, DROP_PAYLOAD, STATEMENT_MAX
} Statement;

extern const char log_tables_sql[]; /* makes the tables for people */

struct Log {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_MAX];
    GTree *meta; /* name -> value */
    bool writing, created, in_transaction;
    bool reserved; /* there is a file that keeps some space for the end */
    char *failure; /* the first error while writing */
};

/*
 * Opens without looking whether it was closed.  A log that was not is opened
 * in such a way that it may be written, whatever @writable is.
 */
Log *log_open_as_it_is(const char *path, bool writable, Error **errp);
/* Without writing anything. */
void log_close_as_it_is(Log *log);

enum { RESERVE_SLICES = 4 };
/* Frees all of the space that was kept for the end but @slices of it. */
void log_shrink_reserve(const char *path, unsigned slices);

/* Keeps the first error; later writes do nothing, and log_close() reports it. */
void log_keep_failure(Log *log, const char *doing);
bool log_run_sql(Log *log, const char *sql);
/* A prepared statement, or NULL. */
sqlite3_stmt *log_statement(Log *log, Statement which);
/* Begins a transaction if none is open. */
void log_begin(Log *log);
/* Runs a statement that has been bound, and makes it ready for the next. */
void log_finish_put(Log *log, sqlite3_stmt *stmt);
void log_bind_text(sqlite3_stmt *stmt, int index, const char *text);
/* Makes the meta table's digest fit its rows. */
void log_seal_meta(Log *log);

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
