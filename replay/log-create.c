/* SPDX-License-Identifier: MIT */
/*
 * A log from its creation to its closing.
 *
 * While it is recorded it is an SQLite file with a write-ahead log beside it,
 * and with a file that keeps some space; closing it makes one plain file.
 */
#include "log-internal.h"

#include "recover.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RESERVE_BYTES = 768 * 1024,
    CLOSE_TRIES = 100, /* every 20 ms, while somebody looks at the log */
};

static const char schema[] =
#include "schema.sql.h"
    ;

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

/* ---- Making room for it ---- */

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

/* A log, or an empty file: nothing else is taken from a user. */
static bool may_replace(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_size == 0 || log_has_header(path));
}

/* @discard: what its recorder left behind goes, too. */
static bool check_replace(const char *path, bool overwrite, bool discard,
                          Error **errp)
{
    if (!recover_discard(path, discard)) {
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
    return true;
}

bool log_may_create(const char *path, bool overwrite, Error **errp)
{
    return !g_file_test(path, G_FILE_TEST_EXISTS) ||
           check_replace(path, overwrite, false, errp);
}

/* What is there makes room for a new log. */
static bool replace(const char *path, bool overwrite, Error **errp)
{
    if (!check_replace(path, overwrite, overwrite, errp)) {
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

/* ---- Creating ---- */

static bool set_up(Log *log, Error **errp)
{
    if (!log_open_database(log, log->path, SQLITE_OPEN_READWRITE)) {
        error_setg(errp, "%s: cannot be created: %s", log->path,
                   sqlite3_errmsg(log->db));
        return false;
    }
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
    log = log_new(path);
    log->writing = log->created = true;
    if (!set_up(log, errp)) {
        log_free(log);
        log_remove(path);
        return NULL;
    }
    return log;
}

/* ---- Closing ---- */

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

void log_close_as_it_is(Log *log)
{
    log_give_up(log);
    log_free(log);
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
    log_free(log);
    return ok;
}
