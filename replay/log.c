/* SPDX-License-Identifier: MIT */
/* The log as an SQLite file: creating, opening, closing, and its meta table. */
#include "log-internal.h"

#include "recover.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    RESERVE_BYTES = 768 * 1024,
    BUSY_MS = 5000,
    CLOSE_TRIES = 100, /* every 20 ms, while somebody looks at the log */
};

/*
 * Behaviour that this build knows, and a log may ask for by its meta row
 * "quirks", names with commas between them.  There is none yet.
 */
static const char *const known_quirks[] = {NULL};

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

static const char schema[] =
#include "schema.sql.h"
    ;

/* ---- SQLite, wrapped ---- */

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

/*
 * ---- Space for the end: a full disk must not keep a log from closing ----
 *
 * It is spent in slices, because a step that fails eats what it was given; the
 * last one is for SQLite's -shm file, when a log is opened that could not
 * become one file.
 */

static bool make_reserve(Log *log, Error **errp)
{
    g_autofree char *path = g_strconcat(log->path, "-reserve", NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = fd < 0 ? errno : posix_fallocate(fd, 0, RESERVE_BYTES);

    log->reserved = fd >= 0;
    if (fd >= 0) {
        close(fd);
    }
    if (err) {
        error_setg_errno(errp, err, "%s: there is no space for a recording",
                         log->path);
    }
    return !err;
}

void log_shrink_reserve(const char *path, unsigned slices)
{
    g_autofree char *file = g_strconcat(path, "-reserve", NULL);
    off_t keep = (off_t)RESERVE_BYTES / RESERVE_SLICES * slices;
    struct stat st;

    if (!slices) {
        g_unlink(file);
    } else if (stat(file, &st) == 0 && st.st_size > keep &&
               truncate(file, keep) < 0) {
        g_unlink(file);
    }
}

static void free_reserve(Log *log)
{
    if (log->reserved) {
        log_shrink_reserve(log->path, 0);
        log->reserved = false;
    }
}

static void free_log(Log *log)
{
    for (unsigned i = 0; i < STATEMENT_MAX; i++) {
        sqlite3_finalize(log->statements[i]);
    }
    sqlite3_close(log->db);
    free_reserve(log);
    g_tree_destroy(log->meta);
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

/* What is there makes room for a new log. */
static bool replace(const char *path, bool overwrite, Error **errp)
{
    if (!recover_discard(path, overwrite)) {
        error_setg(errp, "%s: is being recorded right now; choose another "
                   "name, or wait for its end", path);
        return false;
    }
    if (!overwrite) {
        error_setg(errp, "%s: exists already; choose another name, or "
                   "give --force", path);
        return false;
    }
    if (!may_replace(path)) {
        error_setg(errp, "%s: is not a log, and --force replaces only "
                   "logs; choose another name", path);
        return false;
    }
    if (g_unlink(path) < 0) {
        error_setg_errno(errp, errno, "%s: cannot be replaced", path);
        return false;
    }
    log_remove(path); /* what stood beside it */
    return true;
}

/* Of two that create the same log at the same time, one must not. */
static bool create_file(const char *path, Error **errp)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0) {
        error_setg_errno(errp, errno, "%s: cannot be created", path);
        return false;
    }
    close(fd);
    return true;
}

static bool set_up(Log *log, Error **errp)
{
    if (sqlite3_open_v2(log->path, &log->db, SQLITE_OPEN_READWRITE, NULL) !=
        SQLITE_OK) {
        error_setg(errp, "%s: cannot be created: %s", log->path,
                   sqlite3_errmsg(log->db));
        return false;
    }
    sqlite3_busy_timeout(log->db, BUSY_MS);
    /* Before the WAL, so that a log whose recorder is killed has a header. */
    log_run_sql(log, "BEGIN; PRAGMA application_id=1095323468;"
                "PRAGMA user_version=" stringify(LOG_VERSION) ";");
    log_run_sql(log, schema);
    log_run_sql(log, log_tables_sql);
    log->in_transaction = true;
    log_set_meta(log, "state", "recording");
    log_commit(log);
    log_run_sql(log, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                 "PRAGMA wal_autocheckpoint=4000;");
    if (log->failure) {
        error_setg(errp, "%s: %s", log->path, log->failure);
        return false;
    }
    return make_reserve(log, errp);
}

Log *log_create(const char *path, bool overwrite, Error **errp)
{
    Log *log;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error */
    if ((g_file_test(path, G_FILE_TEST_EXISTS) &&
         !replace(path, overwrite, errp)) || !create_file(path, errp)) {
        return NULL;
    }
    log = new_log(path);
    log->writing = log->created = true;
    if (!set_up(log, errp)) {
        free_log(log);
        log_remove(path);
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

static bool was_not_closed(Log *log)
{
    return g_strcmp0(log_meta(log, "state"), "recording") == 0;
}

static bool check_quirks(Log *log, Error **errp)
{
    const char *value = log_meta(log, "quirks");
    g_auto(GStrv) names = g_strsplit(value ? value : "", ",", 0);

    for (char **name = names; *name; name++) {
        if (!g_strv_contains(known_quirks, *name)) {
            error_setg(errp, "%s: needs quirk '%s', which this aiolab does not "
                       "know; use a newer one", log->path, *name);
            return false;
        }
    }
    return true;
}

bool log_has_quirk(Log *log, const char *name)
{
    const char *value = log_meta(log, "quirks");
    g_auto(GStrv) names = g_strsplit(value ? value : "", ",", 0);

    return g_strv_contains((const char *const *)names, name);
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
    if (!was_not_closed(log) &&
        g_strcmp0(log_meta(log, "meta.digest"), digest) != 0) {
        error_setg(errp, "%s: damaged log (table meta does not match its "
                   "digest); restore it from a copy, or record again",
                   log->path);
        return false;
    }
    return check_quirks(log, errp);
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

    if (version < 0) {
        error_setg(errp, "%s: damaged log (%s); restore it from a copy, or "
                   "record again", log->path, sqlite3_errmsg(log->db));
        return false;
    }
    if (version > LOG_VERSION || version < LOG_OLDEST_VERSION) {
        error_setg(errp, "%s: log version %" PRId64 ", and this aiolab reads "
                   "version %d; use %s aiolab", log->path, version, LOG_VERSION,
                   version > LOG_VERSION ? "a newer" : "an older");
        return false;
    }
    if (pragma_int(log, "SELECT count(*) FROM sqlite_schema WHERE type = "
                        "'table' AND name IN ('meta', 'chunk', 'payload')")
            != 3) {
        error_setg(errp, "%s: damaged log (a table is missing); restore it "
                   "from a copy, or record again", log->path);
        return false;
    }
    return true;
}

static bool has_side_file(const char *path, const char *suffix)
{
    g_autofree char *file = g_strconcat(path, suffix, NULL);

    return g_file_test(file, G_FILE_TEST_EXISTS);
}

/* Before SQLite has it open: closing a file ends the locks on it. */
static bool check_file(const char *path, Error **errp)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        error_setg(errp, "%s: %s; give the name of a log", path,
                   g_file_test(path, G_FILE_TEST_EXISTS) ? "not a file"
                                                         : "no such file");
        return false;
    }
    if (access(path, R_OK) < 0) {
        error_setg_errno(errp, errno, "%s: cannot be read", path);
        return false;
    }
    if (!has_our_header(path)) {
        error_setg(errp, "%s: not an aiolab log (no such header); 'aiolab "
                   "record' makes logs", path);
        return false;
    }
    return true;
}

/* SQLite would write beside it as well. */
static bool check_writable(const char *path, bool unfinished, Error **errp)
{
    g_autofree char *dir = g_path_get_dirname(path);
    const char *what = access(path, W_OK) < 0 ? path
                     : access(dir, W_OK) < 0 ? dir : NULL;

    if (what) {
        error_setg_errno(errp, errno, unfinished
                         ? "%s: its recorder did not close it, and bringing it "
                           "to its last commit needs writing it (copy it, with "
                           "what stands beside it, to where you can write)"
                         : "%s: cannot be written", path);
    }
    return !what;
}

Log *log_open_as_it_is(const char *path, bool writable, Error **errp)
{
    g_autofree char *uri = NULL, *escaped = NULL;
    bool unfinished, writes;
    Log *log;

    if (!check_file(path, errp)) {
        return NULL;
    }
    /*
     * A plain file that nobody writes needs no locks and no side files.  One
     * whose writer was interrupted is brought back to its last commit, which
     * means writing it.
     */
    unfinished = has_side_file(path, "-wal") || has_side_file(path, "-journal");
    writes = writable || unfinished;
    if (writes) {
        signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error */
    }
    if (writes && !check_writable(path, unfinished, errp)) {
        return NULL;
    }
    log = new_log(path);
    escaped = g_uri_escape_string(path, "/", false);
    uri = g_strdup_printf("file:%s%s", escaped, writes ? "" : "?immutable=1");
    if (sqlite3_open_v2(uri, &log->db, SQLITE_OPEN_URI |
                        (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY),
                        NULL) != SQLITE_OK) {
        error_setg(errp, "%s: cannot be opened: %s", path,
                   sqlite3_errmsg(log->db));
        free_log(log);
        return NULL;
    }
    sqlite3_busy_timeout(log->db, BUSY_MS);
    sqlite3_exec(log->db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON",
                 NULL, NULL, NULL);
    if (!check_header(log, errp) || !load_meta(log, errp)) {
        free_log(log);
        return NULL;
    }
    log->writing = writable;
    return log;
}

static void say_recovered(const char *path, const Recovery *recovery)
{
    if (recovery->rings_lost) {
        fprintf(stderr, "aiolab: %s: its recorder died, and its buffer is gone; "
                "it ends at its last commit, after %zu inputs\n", path,
                recovery->inputs);
    } else {
        fprintf(stderr, "aiolab: %s: its recorder died; %zu inputs recovered "
                "from its buffer\n", path, recovery->recovered);
    }
}

/* It could not be written: it is shown up to its last commit all the same. */
static Log *cut_in_memory(Log *log)
{
    g_tree_insert(log->meta, g_strdup("state"), g_strdup("cut"));
    g_tree_insert(log->meta, g_strdup("tail.lost"), g_strdup("1"));
    return log;
}

static Log *open_log(const char *path, bool writable, Error **errp)
{
    static bool said; /* once, by whatever number of processes of ours */
    Log *log = log_open_as_it_is(path, writable, errp);
    Recovery recovery;
    Error *err = NULL;

    if (!log || !was_not_closed(log)) {
        return log;
    }
    log_close_as_it_is(log);
    switch (recover_log(path, -1, &recovery, &err)) {
    case RECOVERED:
        say_recovered(path, &recovery);
        return log_open_as_it_is(path, writable, errp);
    case RECOVER_LIVE:
        error_propagate(errp, err);
        return NULL;
    case RECOVER_FAILED:
        break;
    }
    log = writable ? NULL : log_open_as_it_is(path, false, NULL);
    if (!log) {
        error_propagate(errp, err);
        return NULL;
    }
    if (!said) {
        fprintf(stderr, "aiolab: %s; until then it ends at its last commit\n",
                error_get_pretty(err));
        said = true;
    }
    error_free(err);
    return cut_in_memory(log);
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

void log_give_up(Log *log)
{
    log->in_transaction = false;
    if (!sqlite3_get_autocommit(log->db)) {
        sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
    }
    if (log->reserved) {
        log_shrink_reserve(log->path, RESERVE_SLICES - 1);
    }
}

/* Into one file; if somebody looks at it just now, a little later. */
static void merge_side_files(Log *log)
{
    for (unsigned i = 0; i < CLOSE_TRIES && !log->failure; i++) {
        if (sqlite3_exec(log->db, "PRAGMA wal_checkpoint(TRUNCATE);"
                         "PRAGMA journal_mode=DELETE;", NULL, NULL, NULL) ==
            SQLITE_OK) {
            return;
        }
        if ((sqlite3_errcode(log->db) & 0xff) != SQLITE_BUSY &&
            (sqlite3_errcode(log->db) & 0xff) != SQLITE_LOCKED) {
            log_keep_failure(log, "cannot write the log");
        }
        g_usleep(20000);
    }
}

void log_close_as_it_is(Log *log)
{
    log_give_up(log);
    free_log(log);
}

bool log_close(Log *log, Error **errp)
{
    bool ok = true;

    if (!log) {
        return true;
    }
    if (log->writing && !log->failure) {
        if (log->created) {
            log_set_meta(log, "state", "complete");
        }
        log_seal_meta(log);
        log_commit(log);
        for (unsigned i = 0; i < STATEMENT_MAX; i++) {
            sqlite3_finalize(log->statements[i]);
            log->statements[i] = NULL;
        }
        log_shrink_reserve(log->path, 1);
        merge_side_files(log);
    }
    if (log->failure) {
        error_setg(errp, "%s: %s", log->path, log->failure);
        log_give_up(log);
        ok = false;
    }
    free_log(log);
    return ok;
}

void log_remove(const char *path)
{
    static const char *const suffixes[] = {
        "", "-wal", "-shm", "-journal", "-reserve",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);

        g_unlink(file);
    }
}

const char *log_failure(const Log *log)
{
    return log->failure;
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
