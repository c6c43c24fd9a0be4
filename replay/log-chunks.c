/* SPDX-License-Identifier: MIT */
/* The truth in a log: chunks of inputs, and the contents they refer to. */
#include "log-internal.h"

int64_t log_put_chunk(Log *log, unsigned ring, const Input *inputs, unsigned n)
{
    uint8_t packed[CHUNK_INPUTS * INPUT_PACKED_MAX];
    sqlite3_stmt *stmt = log_statement(log, PUT_CHUNK);
    uint64_t first = inputs[0].ticket, last = inputs[n - 1].ticket;
    size_t len = inputs_pack(inputs, n, packed);

    if (!stmt) {
        return 0;
    }
    sqlite3_bind_int64(stmt, 1, ring);
    sqlite3_bind_int64(stmt, 2, first);
    sqlite3_bind_int64(stmt, 3, last);
    sqlite3_bind_int64(stmt, 4, n);
    sqlite3_bind_int64(stmt, 5, chunk_crc(packed, len, first, last, n));
    sqlite3_bind_blob(stmt, 6, packed, len, SQLITE_STATIC);
    log_finish_put(log, stmt);
    return sqlite3_last_insert_rowid(log->db);
}

static void drop(Log *log, Statement which, uint64_t key)
{
    sqlite3_stmt *stmt = log_statement(log, which);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, key);
        log_finish_put(log, stmt);
    }
}

void log_drop_chunk(Log *log, int64_t id)
{
    drop(log, DROP_CHUNK, id);
}

void log_drop_payload(Log *log, uint64_t hash)
{
    drop(log, DROP_PAYLOAD, hash);
}

void log_put_payload(Log *log, uint64_t hash, const void *data, size_t len)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_PAYLOAD);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, hash);
        sqlite3_bind_blob(stmt, 2, len ? data : "", len, SQLITE_STATIC);
        log_finish_put(log, stmt);
    }
}

/* A row as it is, with a 0 behind it, so that text is a string; or NULL. */
static char *payload_row(Log *log, uint64_t hash, size_t *len)
{
    sqlite3_stmt *stmt = log_statement(log, GET_PAYLOAD);
    char *copy = NULL;

    if (!stmt) {
        return NULL;
    }
    sqlite3_bind_int64(stmt, 1, hash);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(stmt, 0);

        *len = sqlite3_column_bytes(stmt, 0);
        copy = g_malloc(*len + 1);
        if (*len) {
            memcpy(copy, data, *len);
        }
        copy[*len] = 0;
    }
    sqlite3_reset(stmt);
    return copy;
}

/* The content whose pieces have these hashes; NULL if one is missing. */
static char *join_pieces(Log *log, const char *list, size_t list_len,
                         size_t *len)
{
    GByteArray *all = g_byte_array_new();
    bool ok = list_len % sizeof(uint64_t) == 0;

    for (size_t at = 0; ok && at < list_len; at += sizeof(uint64_t)) {
        g_autofree char *piece = NULL;
        size_t piece_len;
        uint64_t hash;

        memcpy(&hash, list + at, sizeof(hash));
        piece = payload_row(log, hash, &piece_len);
        ok = piece && piece_len && piece_len <= LOG_PIECE_SIZE &&
             all->len <= INT32_MAX - piece_len;
        if (ok) {
            g_byte_array_append(all, (uint8_t *)piece, piece_len);
        }
    }
    *len = all->len;
    g_byte_array_append(all, (const uint8_t *)"", 1);
    return (char *)g_byte_array_free(all, !ok);
}

void *log_payload(Log *log, uint64_t hash, size_t *len)
{
    char *data = payload_row(log, hash, len), *joined = NULL;

    if (!data || content_hash(data, *len) == hash) {
        return data;
    }
    joined = join_pieces(log, data, *len, len);
    g_free(data);
    if (joined && content_hash(joined, *len) == hash) {
        return joined;
    }
    g_free(joined);
    return NULL;
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

uint64_t log_inputs_let_go(Log *log)
{
    uint64_t first = log_meta_int(log, "flight.first", 1);

    return first ? first - 1 : 0;
}

/* Removes the part of the oldest chunks that has gaps. */
static void drop_older(GArray *inputs, uint64_t first)
{
    size_t n = 0;

    for (size_t i = 0; i < inputs->len; i++) {
        Input *in = &g_array_index(inputs, Input, i);

        if (in->ticket >= first) {
            g_array_index(inputs, Input, n++) = *in;
        }
    }
    g_array_set_size(inputs, n);
}

/* A slice of bottom halves takes its tickets at once; longer ones are rare. */
enum { MISSING_MAX = 1 << 20 };

/* Which tickets may be missing. */
static TicketRules ticket_rules(Log *log)
{
    bool complete = g_strcmp0(log_meta(log, "state"), "complete") == 0;
    bool rings_lost = !complete && log_meta_int(log, "tail.lost", 0);

    return (TicketRules){
        .first = log_inputs_let_go(log) + 1,
        .gaps = complete || rings_lost ? 0 : MISSING_MAX,
        .cut_at_gap = rings_lost,
    };
}

static void set_damaged(Log *log, Error **errp, const char *what)
{
    error_setg(errp, "%s: damaged log (%s); restore it from a copy, or record "
               "again", log->path, what);
}

/* All of them, chunk by chunk; NULL and *errp if one is damaged. */
static GArray *load_chunks(Log *log, Error **errp)
{
    GArray *inputs = g_array_new(false, true, sizeof(Input));
    g_autofree char *complaint = NULL;
    sqlite3_stmt *stmt = NULL;
    int ret = sqlite3_prepare_v2(
        log->db, "SELECT id, first_ticket, last_ticket, n, crc, data "
        "FROM chunk ORDER BY id", -1, &stmt, NULL);

    while ((ret == SQLITE_OK || ret == SQLITE_ROW) && !complaint) {
        ret = sqlite3_step(stmt);
        if (ret == SQLITE_ROW && !load_chunk(stmt, inputs)) {
            complaint = g_strdup_printf(
                "chunk %" PRId64 " does not match its checksum",
                (int64_t)sqlite3_column_int64(stmt, 0));
        }
    }
    if (ret != SQLITE_DONE && !complaint) {
        complaint = g_strdup_printf("table chunk: %s", sqlite3_errmsg(log->db));
    }
    sqlite3_finalize(stmt);
    if (complaint) {
        set_damaged(log, errp, complaint);
        g_array_free(inputs, true);
        return NULL;
    }
    return inputs;
}

Input *log_inputs_or_none(Log *log, size_t *n, Error **errp)
{
    GArray *chunks = load_chunks(log, errp);
    TicketRules rules = ticket_rules(log);
    g_autofree char *complaint = NULL;
    Input *inputs;
    int64_t said;

    if (!chunks) {
        return NULL;
    }
    if (rules.first > 1) {
        drop_older(chunks, rules.first);
    }
    inputs = inputs_in_order(chunks, &rules, n, &complaint);
    said = inputs ? log_meta_int(log, "inputs", *n) : 0;
    if (inputs && (uint64_t)said != *n) {
        complaint = g_strdup_printf("%zu inputs of %" PRId64, *n, said);
    }
    if (complaint) {
        set_damaged(log, errp, complaint);
        g_free(inputs);
        return NULL;
    }
    return inputs ? inputs : g_new0(Input, 1);
}

Input *log_inputs(Log *log, size_t *n, Error **errp)
{
    Input *inputs = log_inputs_or_none(log, n, errp);

    if (inputs && !*n) {
        error_setg(errp, "%s: holds no inputs, so it cannot be replayed%s",
                   log->path, log_meta(log, "trace.records")
                   ? "; it is a captured trace" : "");
        g_free(inputs);
        return NULL;
    }
    return inputs;
}

void log_last_tickets(Log *log, uint64_t *tickets, unsigned n)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(log->db, "SELECT ring, max(last_ticket) FROM chunk "
                           "GROUP BY ring", -1, &stmt, NULL) != SQLITE_OK) {
        log_keep_failure(log, "cannot read the log");
        return;
    }
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        uint64_t ring = sqlite3_column_int64(stmt, 0);

        if (ring < n) {
            tickets[ring] = sqlite3_column_int64(stmt, 1);
        }
    }
    sqlite3_finalize(stmt);
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
