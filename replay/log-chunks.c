/* SPDX-License-Identifier: MIT */
/* The truth in a log: chunks of inputs, and the contents they refer to. */
#include "log-internal.h"

void log_put_chunk(Log *log, unsigned ring, const Input *inputs, unsigned n)
{
    uint8_t packed[CHUNK_INPUTS * INPUT_PACKED_MAX];
    sqlite3_stmt *stmt = log_statement(log, PUT_CHUNK);
    uint64_t first = inputs[0].ticket, last = inputs[n - 1].ticket;
    size_t len = inputs_pack(inputs, n, packed);

    if (!stmt) {
        return;
    }
    sqlite3_bind_int64(stmt, 1, ring);
    sqlite3_bind_int64(stmt, 2, first);
    sqlite3_bind_int64(stmt, 3, last);
    sqlite3_bind_int64(stmt, 4, n);
    sqlite3_bind_int64(stmt, 5, chunk_crc(packed, len, first, last, n));
    sqlite3_bind_blob(stmt, 6, packed, len, SQLITE_STATIC);
    log_finish_put(log, stmt);
}

void log_put_payload(Log *log, uint64_t hash, const void *data, size_t len)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_PAYLOAD);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, hash);
        sqlite3_bind_blob(stmt, 2, data, len, SQLITE_STATIC);
        log_finish_put(log, stmt);
    }
}

void *log_payload(Log *log, uint64_t hash, size_t *len)
{
    sqlite3_stmt *stmt = log_statement(log, GET_PAYLOAD);
    void *copy = NULL;

    if (!stmt) {
        return NULL;
    }
    sqlite3_bind_int64(stmt, 1, hash);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(stmt, 0);

        *len = sqlite3_column_bytes(stmt, 0);
        if (content_hash(data, *len) == hash) {
            copy = g_malloc(*len + 1); /* with a 0, so that text is a string */
            memcpy(copy, data, *len);
            ((char *)copy)[*len] = 0;
        }
    }
    sqlite3_reset(stmt);
    return copy;
}

static bool load_chunk(sqlite3_stmt *stmt, GArray *inputs)
{
    uint64_t first = sqlite3_column_int64(stmt, 1);
    uint64_t last = sqlite3_column_int64(stmt, 2);
    int64_t n = sqlite3_column_int64(stmt, 3);
    uint32_t crc = sqlite3_column_int64(stmt, 4);
    const uint8_t *data = sqlite3_column_blob(stmt, 5);
    size_t len = sqlite3_column_bytes(stmt, 5);
    unsigned at = inputs->len;

    if (n < 1 || n > CHUNK_INPUTS || !data ||
        chunk_crc(data, len, first, last, n) != crc) {
        return false;
    }
    g_array_set_size(inputs, at + n);
    return inputs_unpack(data, len, &g_array_index(inputs, Input, at), n);
}

static gint by_ticket(gconstpointer a, gconstpointer b)
{
    const Input *x = a, *y = b;

    return (x->ticket > y->ticket) - (x->ticket < y->ticket);
}

static void sort_inputs(GArray *inputs)
{
    for (unsigned i = 1; i < inputs->len; i++) {
        if (g_array_index(inputs, Input, i).ticket <
            g_array_index(inputs, Input, i - 1).ticket) {
            g_array_sort(inputs, by_ticket);
            return;
        }
    }
}

/* Tickets are 1, 2, 3 ..: a missing one is a lost chunk. */
static bool check_tickets(GArray *inputs, uint64_t *missing)
{
    for (unsigned i = 0; i < inputs->len; i++) {
        *missing = i + 1;
        if (g_array_index(inputs, Input, i).ticket != i + 1) {
            return false;
        }
    }
    return true;
}

Input *log_inputs(Log *log, size_t *n, Error **errp)
{
    GArray *inputs = g_array_new(false, true, sizeof(Input));
    sqlite3_stmt *stmt = NULL;
    uint64_t missing = 0;
    int ret = sqlite3_prepare_v2(
        log->db, "SELECT id, first_ticket, last_ticket, n, crc, data "
        "FROM chunk ORDER BY id", -1, &stmt, NULL);

    while (ret == SQLITE_OK || ret == SQLITE_ROW) {
        ret = sqlite3_step(stmt);
        if (ret == SQLITE_ROW && !load_chunk(stmt, inputs)) {
            error_setg(errp, "%s: damaged log (chunk %" PRId64 " does not "
                       "match its checksum); restore it from a copy, or record "
                       "again", log->path,
                       (int64_t)sqlite3_column_int64(stmt, 0));
            ret = SQLITE_ABORT;
        }
    }
    sqlite3_finalize(stmt);
    if (ret == SQLITE_DONE) {
        sort_inputs(inputs);
        if (!check_tickets(inputs, &missing)) {
            error_setg(errp, "%s: damaged log (input %" PRIu64 " is missing); "
                       "restore it from a copy, or record again", log->path,
                       missing);
            ret = SQLITE_ABORT;
        } else if (inputs->len !=
                   (uint64_t)log_meta_int(log, "inputs", inputs->len)) {
            error_setg(errp, "%s: damaged log (%u inputs of %" PRId64 "); "
                       "restore it from a copy, or record again", log->path,
                       inputs->len, log_meta_int(log, "inputs", 0));
            ret = SQLITE_ABORT;
        }
    } else if (ret != SQLITE_ABORT) {
        error_setg(errp, "%s: damaged log (table chunk: %s); restore it from a "
                   "copy, or record again", log->path,
                   sqlite3_errmsg(log->db));
    }
    if (ret == SQLITE_DONE && !inputs->len) {
        error_setg(errp, "%s: holds no inputs, so it cannot be replayed",
                   log->path);
        ret = SQLITE_ABORT;
    }
    *n = inputs->len;
    return (Input *)g_array_free(inputs, ret != SQLITE_DONE);
}

bool log_check_structure(Log *log, Error **errp)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = false;

    if (sqlite3_prepare_v2(log->db, "PRAGMA integrity_check(1)", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);

        ok = g_strcmp0(text, "ok") == 0;
        if (!ok) {
            g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
            unsigned last = g_strv_length(lines) - 1;

            error_setg(errp, "%s: damaged SQLite file (%s); restore it from a "
                       "copy", log->path, lines[last]);
        }
    } else {
        error_setg(errp, "%s: damaged SQLite file (%s); restore it from a copy",
                   log->path, sqlite3_errmsg(log->db));
    }
    sqlite3_finalize(stmt);
    return ok;
}
