/* SPDX-License-Identifier: MIT */
/* The log as an SQLite file: creating, opening, closing, and its meta table. */
#include "log-internal.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

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

static const char schema[] =
#include "schema.sql.h"
    ;

/* ---- SQLite, wrapped ---- */

void log_keep_failure(Log *log, const char *doing)
{
    if (!log->failure) {
        log->failure = g_strdup_printf("%s: %s", doing,
                                       sqlite3_errmsg(log->db));
    }
}

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

void log_bind_text(sqlite3_stmt *stmt, int index, const char *text)
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
    sqlite3_stmt *stmt = log_statement(log, PUT_META);

    g_tree_insert(log->meta, g_strdup(name), g_strdup(value));
    if (stmt) {
        log_bind_text(stmt, 1, name);
        log_bind_text(stmt, 2, value);
        log_finish_put(log, stmt);
    }
}

void log_set_meta_int(Log *log, const char *name, int64_t value)
{
    g_autofree char *text = g_strdup_printf("%" PRId64, value);

    log_set_meta(log, name, text);
}

void log_seal_meta(Log *log)
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

static bool has_our_header(const char *path);

/* A log, or an empty file: nothing else is taken from a user. */
static bool may_replace(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_size == 0 || has_our_header(path));
}

Log *log_create(const char *path, bool overwrite, Error **errp)
{
    Log *log;

    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!overwrite) {
            error_setg(errp, "%s: exists already; choose another name, or "
                       "give --force", path);
            return NULL;
        }
        if (!may_replace(path)) {
            error_setg(errp, "%s: is not a log, and --force replaces only "
                       "logs; choose another name", path);
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
    log_run_sql(log, "PRAGMA application_id=1095323468; PRAGMA user_version=1;");
    log_run_sql(log, schema);
    log_run_sql(log, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
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
    if (version == LOG_VERSION &&
        pragma_int(log, "SELECT count(*) FROM sqlite_schema WHERE type = "
                        "'table' AND name IN ('meta', 'chunk', 'payload')")
            != 3) {
        error_setg(errp, "%s: damaged log (a table is missing); restore it "
                   "from a copy, or record again", log->path);
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

static bool has_side_file(const char *path, const char *suffix)
{
    g_autofree char *file = g_strconcat(path, suffix, NULL);

    return g_file_test(file, G_FILE_TEST_EXISTS);
}

static Log *open_log(const char *path, bool writable, Error **errp)
{
    bool unfinished;
    Log *log;
    g_autofree char *uri = NULL, *escaped = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        error_setg(errp, "%s: %s; give the name of a log", path,
                   g_file_test(path, G_FILE_TEST_EXISTS) ? "not a file"
                                                         : "no such file");
        return NULL;
    }
    if (access(path, R_OK) < 0) {
        error_setg_errno(errp, errno, "%s: cannot be read", path);
        return NULL;
    }
    log = new_log(path);
    escaped = g_uri_escape_string(path, "/", false);
    unfinished = has_side_file(path, "-wal") || has_side_file(path, "-journal");
    /*
     * A plain file that nobody writes needs no locks and no side files.  One
     * whose writer was interrupted is brought back to its last commit, which
     * means writing it.
     */
    uri = g_strdup_printf("file:%s%s", escaped,
                          writable || unfinished ? "" : "?immutable=1");
    if (sqlite3_open_v2(uri, &log->db, SQLITE_OPEN_URI |
                        (writable || unfinished ? SQLITE_OPEN_READWRITE
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
        log_run_sql(log, "COMMIT");
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
        log_seal_meta(log);
        log_commit(log);
        for (unsigned i = 0; i < STATEMENT_MAX; i++) {
            sqlite3_finalize(log->statements[i]);
            log->statements[i] = NULL;
        }
        log_run_sql(log, "PRAGMA wal_checkpoint(TRUNCATE);"
                     "PRAGMA journal_mode=DELETE;");
    }
    if (log->failure) {
        error_setg(errp, "%s: %s", log->path, log->failure);
        ok = false;
    }
    free_log(log);
    return ok;
}

void log_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

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
