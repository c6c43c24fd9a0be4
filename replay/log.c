/* SPDX-License-Identifier: MIT */
/* The log as an SQLite file; see log.h and docs/log.md. */
#include "log.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <unistd.h>
#include <xxhash.h>

typedef enum Statement {
    PUT_META, PUT_CHUNK, PUT_PAYLOAD, GET_PAYLOAD, PUT_THREAD, PUT_OBJECT,
    PUT_SITE, PUT_EVENT, PUT_INPUT, STATEMENT_MAX
} Statement;

static const char *const statement_sql[STATEMENT_MAX] = {
    [PUT_META] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
    [PUT_CHUNK] = "INSERT INTO chunk VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)",
    [PUT_PAYLOAD] = "INSERT OR IGNORE INTO payload VALUES (?1, ?2)",
    [GET_PAYLOAD] = "SELECT data FROM payload WHERE hash = ?1",
    [PUT_THREAD] = "INSERT OR REPLACE INTO thread VALUES (?1, ?2)",
    [PUT_OBJECT] = "INSERT OR REPLACE INTO object VALUES (?1, ?2, ?3, ?4, ?5)",
    [PUT_SITE] = "INSERT OR REPLACE INTO site VALUES (?1, ?2, ?3, ?4)",
    [PUT_EVENT] = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                  "?9, ?10)",
    [PUT_INPUT] = "INSERT INTO input VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
};

struct Log {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_MAX];
    GTree *meta; /* name -> value */
    bool writing, created, in_transaction;
    char *failure; /* the first error while writing */
};

static const char schema[] =
#include "schema.sql.h"
    ;

/* ---- SQLite, wrapped ---- */

static void keep_failure(Log *log, const char *doing)
{
    if (!log->failure) {
        log->failure = g_strdup_printf("%s: %s", doing,
                                       sqlite3_errmsg(log->db));
    }
}

static bool run_sql(Log *log, const char *sql)
{
    if (log->failure) {
        return false;
    }
    if (sqlite3_exec(log->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        keep_failure(log, "cannot write the log");
        return false;
    }
    return true;
}

static sqlite3_stmt *statement(Log *log, Statement which)
{
    sqlite3_stmt **stmt = &log->statements[which];

    if (!*stmt && sqlite3_prepare_v2(log->db, statement_sql[which], -1, stmt,
                                     NULL) != SQLITE_OK) {
        keep_failure(log, "cannot use the log");
        return NULL;
    }
    return *stmt;
}

static void begin(Log *log)
{
    if (!log->in_transaction) {
        log->in_transaction = run_sql(log, "BEGIN");
    }
}

/* Runs a statement that has been bound, and makes it ready for the next. */
static void finish_put(Log *log, sqlite3_stmt *stmt)
{
    begin(log);
    if (!log->failure && sqlite3_step(stmt) != SQLITE_DONE) {
        keep_failure(log, "cannot write the log");
    }
    sqlite3_reset(stmt);
}

static void bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

static void free_log(Log *log)
{
    for (unsigned i = 0; i < STATEMENT_MAX; i++) {
        sqlite3_finalize(log->statements[i]);
    }
    sqlite3_close(log->db);
    if (log->meta) {
        g_tree_destroy(log->meta);
    }
    g_free(log->failure);
    g_free(log->path);
    g_free(log);
}

static gint compare_names(gconstpointer a, gconstpointer b, gpointer opaque)
{
    return strcmp(a, b);
}

static Log *new_log(const char *path)
{
    Log *log = g_new0(Log, 1);

    log->path = g_strdup(path);
    log->meta = g_tree_new_full(compare_names, NULL, g_free, g_free);
    return log;
}

/* ---- The meta table, and its digest ---- */

static gboolean mix_meta(gpointer name, gpointer value, gpointer opaque)
{
    uint64_t *digest = opaque;

    if (!g_str_equal(name, "meta.digest")) {
        *digest = XXH3_64bits_withSeed(name, strlen(name) + 1, *digest);
        *digest = XXH3_64bits_withSeed(value, strlen(value) + 1, *digest);
    }
    return false;
}

static char *meta_digest(Log *log)
{
    uint64_t digest = 0;

    g_tree_foreach(log->meta, mix_meta, &digest);
    return g_strdup_printf("%016" PRIx64, digest);
}

void log_set_meta(Log *log, const char *name, const char *value)
{
    sqlite3_stmt *stmt = statement(log, PUT_META);

    g_tree_insert(log->meta, g_strdup(name), g_strdup(value));
    if (stmt) {
        bind_text(stmt, 1, name);
        bind_text(stmt, 2, value);
        finish_put(log, stmt);
    }
}

void log_set_meta_int(Log *log, const char *name, int64_t value)
{
    g_autofree char *text = g_strdup_printf("%" PRId64, value);

    log_set_meta(log, name, text);
}

static void seal_meta(Log *log)
{
    g_autofree char *digest = meta_digest(log);

    log_set_meta(log, "meta.digest", digest);
}

const char *log_meta(Log *log, const char *name)
{
    return g_tree_lookup(log->meta, name);
}

int64_t log_meta_int(Log *log, const char *name, int64_t otherwise)
{
    const char *value = log_meta(log, name);

    return value ? g_ascii_strtoll(value, NULL, 10) : otherwise;
}

typedef struct MetaCall {
    void (*fn)(const char *name, const char *value, void *opaque);
    void *opaque;
} MetaCall;

static gboolean call_meta(gpointer name, gpointer value, gpointer opaque)
{
    MetaCall *call = opaque;

    call->fn(name, value, call->opaque);
    return false;
}

void log_foreach_meta(Log *log, void (*fn)(const char *name, const char *value,
                                           void *opaque), void *opaque)
{
    MetaCall call = {fn, opaque};

    g_tree_foreach(log->meta, call_meta, &call);
}

/* ---- Creating and opening ---- */

Log *log_create(const char *path, bool overwrite, Error **errp)
{
    Log *log;

    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!overwrite) {
            error_setg(errp, "%s: exists already; choose another name, or "
                       "give --force", path);
            return NULL;
        }
        if (g_unlink(path) < 0) {
            error_setg_errno(errp, errno, "%s: cannot be replaced", path);
            return NULL;
        }
    }
    log = new_log(path);
    log->writing = log->created = true;
    if (sqlite3_open_v2(path, &log->db, SQLITE_OPEN_READWRITE |
                        SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
        error_setg(errp, "%s: cannot be created: %s", path,
                   sqlite3_errmsg(log->db));
        free_log(log);
        return NULL;
    }
    /* Before the WAL, so that a log whose recorder is killed has a header. */
    run_sql(log, "PRAGMA application_id=1095323468; PRAGMA user_version=1;");
    run_sql(log, schema);
    run_sql(log, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                 "PRAGMA wal_autocheckpoint=4000;");
    if (log->failure) {
        error_setg(errp, "%s: %s", path, log->failure);
        free_log(log);
        return NULL;
    }
    return log;
}

static int64_t pragma_int(Log *log, const char *sql)
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

static bool load_meta(Log *log, Error **errp)
{
    sqlite3_stmt *stmt = NULL;
    g_autofree char *digest = NULL;
    int ret = sqlite3_prepare_v2(log->db, "SELECT name, value FROM meta", -1,
                                 &stmt, NULL);

    while (ret == SQLITE_OK || ret == SQLITE_ROW) {
        ret = sqlite3_step(stmt);
        if (ret == SQLITE_ROW) {
            const char *name = (const char *)sqlite3_column_text(stmt, 0);
            const char *value = (const char *)sqlite3_column_text(stmt, 1);

            if (name && value) {
                g_tree_insert(log->meta, g_strdup(name), g_strdup(value));
            }
        }
    }
    sqlite3_finalize(stmt);
    if (ret != SQLITE_DONE) {
        error_setg(errp, "%s: damaged log (table meta: %s); restore it from a "
                   "copy, or record again", log->path, sqlite3_errmsg(log->db));
        return false;
    }
    digest = meta_digest(log);
    if (g_strcmp0(log_meta(log, "state"), "complete") == 0 &&
        g_strcmp0(log_meta(log, "meta.digest"), digest) != 0) {
        error_setg(errp, "%s: damaged log (table meta does not match its "
                   "digest); restore it from a copy, or record again",
                   log->path);
        return false;
    }
    return true;
}

/* The file's own bytes: SQLite cannot open a damaged file to say whose it is. */
static bool has_our_header(const char *path)
{
    static const uint8_t application_id[] = {0x41, 0x49, 0x4f, 0x4c};
    uint8_t header[72] = {0};
    FILE *file = fopen(path, "rb");
    bool ours = file && fread(header, sizeof(header), 1, file) == 1 &&
                !memcmp(header, "SQLite format 3", 16) &&
                !memcmp(header + 68, application_id, sizeof(application_id));

    if (file) {
        fclose(file);
    }
    return ours;
}

static bool check_header(Log *log, Error **errp)
{
    int64_t version = pragma_int(log, "PRAGMA user_version");

    if (!has_our_header(log->path)) {
        error_setg(errp, "%s: not an aiolab log (no such header); 'aiolab "
                   "record' makes logs", log->path);
        return false;
    }
    if (version < 0) {
        error_setg(errp, "%s: damaged log (%s); restore it from a copy, or "
                   "record again", log->path, sqlite3_errmsg(log->db));
        return false;
    }
    if (version != LOG_VERSION) {
        error_setg(errp, "%s: log version %" PRId64 ", and this aiolab reads "
                   "version %d; use %s aiolab", log->path, version, LOG_VERSION,
                   version > LOG_VERSION ? "a newer" : "an older");
        return false;
    }
    return true;
}

static Log *open_log(const char *path, bool writable, Error **errp)
{
    Log *log;
    g_autofree char *uri = NULL, *escaped = NULL, *wal = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        error_setg(errp, "%s: %s; give the name of a log", path,
                   g_file_test(path, G_FILE_TEST_EXISTS) ? "not a file"
                                                         : "no such file");
        return NULL;
    }
    log = new_log(path);
    escaped = g_uri_escape_string(path, "/", false);
    wal = g_strconcat(path, "-wal", NULL);
    /* A plain file that nobody writes needs no locks and no side files. */
    uri = g_strdup_printf("file:%s%s", escaped,
                          writable || g_file_test(wal, G_FILE_TEST_EXISTS)
                              ? "" : "?immutable=1");
    if (sqlite3_open_v2(uri, &log->db, SQLITE_OPEN_URI |
                        (writable ? SQLITE_OPEN_READWRITE
                                  : SQLITE_OPEN_READONLY), NULL) != SQLITE_OK) {
        error_setg(errp, "%s: cannot be opened: %s", path,
                   sqlite3_errmsg(log->db));
        free_log(log);
        return NULL;
    }
    sqlite3_exec(log->db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON",
                 NULL, NULL, NULL);
    if (!check_header(log, errp) || !load_meta(log, errp)) {
        free_log(log);
        return NULL;
    }
    log->writing = writable;
    return log;
}

Log *log_open(const char *path, Error **errp)
{
    return open_log(path, false, errp);
}

Log *log_open_rw(const char *path, Error **errp)
{
    return open_log(path, true, errp);
}

void log_commit(Log *log)
{
    if (log->in_transaction) {
        run_sql(log, "COMMIT");
        log->in_transaction = false;
    }
}

bool log_close(Log *log, Error **errp)
{
    bool ok = true;

    if (!log) {
        return true;
    }
    if (log->writing) {
        if (log->created) {
            log_set_meta(log, "state", "complete");
        }
        seal_meta(log);
        log_commit(log);
        for (unsigned i = 0; i < STATEMENT_MAX; i++) {
            sqlite3_finalize(log->statements[i]);
            log->statements[i] = NULL;
        }
        run_sql(log, "PRAGMA wal_checkpoint(TRUNCATE);"
                     "PRAGMA journal_mode=DELETE;");
    }
    if (log->failure) {
        error_setg(errp, "%s: %s", log->path, log->failure);
        ok = false;
    }
    free_log(log);
    return ok;
}

void log_discard(Log *log)
{
    g_autofree char *path = g_strdup(log->path);
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    free_log(log);
    for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);

        g_unlink(file);
    }
}

const char *log_path(const Log *log)
{
    return log->path;
}

bool log_failed(const Log *log)
{
    return log->failure != NULL;
}

int64_t log_size(Log *log)
{
    return pragma_int(log, "PRAGMA page_count") *
           pragma_int(log, "PRAGMA page_size");
}

/* ---- Chunks and payload ---- */

void log_put_chunk(Log *log, unsigned ring, const Input *inputs, unsigned n)
{
    uint8_t packed[CHUNK_INPUTS * INPUT_PACKED_MAX];
    sqlite3_stmt *stmt = statement(log, PUT_CHUNK);
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
    finish_put(log, stmt);
}

void log_put_payload(Log *log, uint64_t hash, const void *data, size_t len)
{
    sqlite3_stmt *stmt = statement(log, PUT_PAYLOAD);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, hash);
        sqlite3_bind_blob(stmt, 2, data, len, SQLITE_STATIC);
        finish_put(log, stmt);
    }
}

void *log_payload(Log *log, uint64_t hash, size_t *len)
{
    sqlite3_stmt *stmt = statement(log, GET_PAYLOAD);
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

/* ---- Derived tables ---- */

bool log_has_events(Log *log)
{
    return g_strcmp0(log_meta(log, "indexed"), "1") == 0;
}

void log_clear_derived(Log *log)
{
    begin(log);
    run_sql(log, "DROP INDEX IF EXISTS event_obj; DROP INDEX IF EXISTS "
                 "event_kind; DELETE FROM thread; DELETE FROM object;"
                 "DELETE FROM site; DELETE FROM event; DELETE FROM input;");
    log_set_meta(log, "indexed", "0");
}

void log_put_thread(Log *log, uint32_t id, const char *name)
{
    sqlite3_stmt *stmt = statement(log, PUT_THREAD);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, id);
        bind_text(stmt, 2, name);
        finish_put(log, stmt);
    }
}

void log_put_object(Log *log, uint64_t id, const char *kind, const char *name,
                    uint32_t creator, uint64_t born)
{
    sqlite3_stmt *stmt = statement(log, PUT_OBJECT);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, id);
        bind_text(stmt, 2, kind);
        bind_text(stmt, 3, name);
        sqlite3_bind_int64(stmt, 4, creator);
        sqlite3_bind_int64(stmt, 5, born);
        finish_put(log, stmt);
    }
}

void log_put_site(Log *log, unsigned id, const ProbeSite *site)
{
    sqlite3_stmt *stmt = statement(log, PUT_SITE);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, id);
        bind_text(stmt, 2, site->file);
        sqlite3_bind_int64(stmt, 3, site->line);
        bind_text(stmt, 4, site->func);
        finish_put(log, stmt);
    }
}

void log_put_event(Log *log, uint64_t seq, const ProbeEvent *event,
                   unsigned site)
{
    sqlite3_stmt *stmt = statement(log, PUT_EVENT);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, seq);
        sqlite3_bind_int64(stmt, 2, event->thread);
        sqlite3_bind_int64(stmt, 3, event->t_ns);
        bind_text(stmt, 4, probe_table[event->kind].name);
        sqlite3_bind_int64(stmt, 5, event->obj);
        sqlite3_bind_int64(stmt, 6, event->a);
        sqlite3_bind_int64(stmt, 7, event->b);
        sqlite3_bind_int64(stmt, 8, event->c);
        sqlite3_bind_int64(stmt, 9, site);
        bind_text(stmt, 10, event->text);
        finish_put(log, stmt);
    }
}

void log_put_input(Log *log, const Input *input)
{
    sqlite3_stmt *stmt = statement(log, PUT_INPUT);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, input->ticket);
        sqlite3_bind_int64(stmt, 2, input->thread);
        bind_text(stmt, 3, input_table[input->kind].name);
        sqlite3_bind_int64(stmt, 4, input->obj);
        sqlite3_bind_int64(stmt, 5, input->a);
        sqlite3_bind_int64(stmt, 6, input->b);
        finish_put(log, stmt);
    }
}

void log_finish_derived(Log *log)
{
    run_sql(log, "CREATE INDEX event_obj ON event (obj, seq);"
                 "CREATE INDEX event_kind ON event (kind, seq);");
    log_set_meta(log, "indexed", "1");
    seal_meta(log);
    log_commit(log);
}

char *log_query(Log *log, const char *sql, Error **errp)
{
    sqlite3_stmt *stmt = NULL;
    char *value = NULL;
    int ret = sqlite3_prepare_v2(log->db, sql, -1, &stmt, NULL);

    if (ret == SQLITE_OK) {
        ret = sqlite3_step(stmt);
    }
    if (ret == SQLITE_ROW) {
        value = g_strdup((const char *)sqlite3_column_text(stmt, 0));
    } else if (ret != SQLITE_DONE) {
        error_setg(errp, "%s: query failed: %s", log->path,
                   sqlite3_errmsg(log->db));
    }
    sqlite3_finalize(stmt);
    return value;
}
