/* SPDX-License-Identifier: MIT */
/*
 * The log file, which is SQLite's; only the files log*.c know that.
 *
 * A log is written once, by log_create() .. log_close(), and read by
 * log_open().  Whoever reads it treats it as bytes from a stranger: all that
 * is read is checked, and a damaged log gives one line and no more.
 */
#ifndef REPLAY_LOG_H
#define REPLAY_LOG_H

#include "input.h"
#include "aiolab/probe.h"
#include "qapi/error.h"

#define LOG_VERSION 3 /* the file's user_version */
#define LOG_OLDEST_VERSION 3 /* that we still replay */

enum {
    LOG_APPLICATION_ID = 0x41494f4c, /* "AIOL" */
    LOG_PIECE_SIZE = 65536, /* a longer content is kept in pieces */
};

typedef struct Log Log;

/* Whether the file begins like a log. */
bool log_has_header(const char *path);
/* Whether log_create() may put a log there; changes nothing. */
bool log_may_create(const char *path, bool overwrite, Error **errp);
/* Replaces nothing: fails if @path exists, unless @overwrite. */
Log *log_create(const char *path, bool overwrite, Error **errp);
/*
 * Read-only; checks header, version and the meta table.  A log whose recorder
 * died is brought to its end first, which is said on stderr.
 */
Log *log_open(const char *path, Error **errp);
/* For aiolab index: may write the derived tables. */
Log *log_open_rw(const char *path, Error **errp);
/* A log that was created becomes one plain file.  False and *errp if not. */
bool log_close(Log *log, Error **errp);
/* Removes the files of a log that nobody has open. */
void log_remove(const char *path);
const char *log_path(const Log *log);

/* ---- Writing: errors are kept, and the first is reported by log_close() -- */

void log_set_meta(Log *log, const char *name, const char *value);
void log_set_meta_int(Log *log, const char *name, int64_t value);
/* Returns its id. */
int64_t log_put_chunk(Log *log, unsigned ring, const Input *inputs, unsigned n);
void log_put_payload(Log *log, uint64_t hash, const void *data, size_t len);
void log_drop_chunk(Log *log, int64_t id);
void log_drop_payload(Log *log, uint64_t hash);
void log_commit(Log *log);
bool log_failed(const Log *log);
/* The first error, or NULL. */
const char *log_failure(const Log *log);
/*
 * Nothing more is written: back to the last commit, and the space that was
 * kept for that case is free.
 */
void log_give_up(Log *log);

/* ---- Reading ---- */

/*
 * Whether the recorder behaved so.  What the loop does is part of the format:
 * a change that old logs would notice gets a name in log-meta.c, recorders
 * write it, and a replay of a log without it must behave as before.
 */
bool log_has_quirk(Log *log, const char *name);
/* The meta row "format" of logs that we write; another's are refused. */
char *log_format(void);
/* NULL if there is none; valid until the log is closed. */
const char *log_meta(Log *log, const char *name);
int64_t log_meta_int(Log *log, const char *name, int64_t otherwise);
/* Calls @fn for each row, sorted by name. */
void log_foreach_meta(Log *log, void (*fn)(const char *name, const char *value,
                                           void *opaque), void *opaque);
/* All inputs in ticket order; freed with g_free.  NULL and *errp if damaged. */
Input *log_inputs(Log *log, size_t *n, Error **errp);
/*
 * How many inputs at the beginning were not kept (--flight-recorder); such a
 * log cannot be replayed, unless that is 0.
 */
uint64_t log_inputs_let_go(Log *log);
/* By ring, of @n: the last ticket in its chunks, or 0. */
void log_last_tickets(Log *log, uint64_t *tickets, unsigned n);
/* The content, freed with g_free, or NULL; checked against its name. */
void *log_payload(Log *log, uint64_t hash, size_t *len);
int64_t log_size(Log *log);
/* SQLite's own check; false and *errp with its first complaint. */
bool log_check_structure(Log *log, Error **errp);

/* ---- Derived tables ---- */

/* Everything that is not the recording goes, and the tables are made anew. */
void log_clear_derived(Log *log);
void log_put_thread(Log *log, uint32_t id, const char *name);
void log_put_object(Log *log, uint64_t id, const char *kind, const char *name,
                    uint32_t creator, uint64_t born);
void log_put_site(Log *log, unsigned id, const ProbeSite *site);
/*
 * @inside: the innermost callback or coroutine that it happened in, or 0.
 * @ticket: of the input that belongs to it, or 0.
 */
void log_put_event(Log *log, uint64_t seq, const ProbeEvent *event,
                   unsigned site, uint64_t inside, uint64_t ticket);
void log_put_input(Log *log, const Input *input);
void log_finish_derived(Log *log);

/* ---- Queries of lessons and tests: one value as text, or NULL ---- */

char *log_query(Log *log, const char *sql, Error **errp);

#endif
