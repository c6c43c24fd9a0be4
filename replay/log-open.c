/* SPDX-License-Identifier: MIT */
/*
 * Opening a log that is there already: whether it is one, whether this build
 * can read it, and what to do about one whose recorder died.
 */
#include "log-internal.h"

#include "recover.h"

#include <signal.h>
#include <unistd.h>

/* ---- The file, before SQLite has it ---- */

/* Its own bytes: SQLite cannot open a damaged file to say whose it is. */
bool log_has_header(const char *path)
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
    if (!log_has_header(path)) {
        error_setg(errp, "%s: not an aiolab log (no such header); 'aiolab "
                   "record' makes logs", path);
        return false;
    }
    return true;
}

static bool has_side_file(const char *path, const char *suffix)
{
    g_autofree char *file = g_strconcat(path, suffix, NULL);

    return g_file_test(file, G_FILE_TEST_EXISTS);
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

/* ---- The file as SQLite sees it ---- */

static bool check_header(Log *log, Error **errp)
{
    int64_t version = log_query_int(log, "PRAGMA user_version");

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
    if (log_query_int(log, "SELECT count(*) FROM sqlite_schema WHERE type = "
                      "'table' AND name IN ('meta', 'chunk', 'payload')")
            != 3) {
        error_setg(errp, "%s: damaged log (a table is missing); restore it "
                   "from a copy, or record again", log->path);
        return false;
    }
    return true;
}

/*
 * A plain file that nobody writes needs no locks and no side files, and is
 * opened as one that cannot change.
 */
static bool open_database(Log *log, bool writes, Error **errp)
{
    g_autofree char *escaped = g_uri_escape_string(log->path, "/", false);
    g_autofree char *uri = g_strdup_printf("file:%s%s", escaped,
                                           writes ? "" : "?immutable=1");

    if (!log_open_database(log, uri, SQLITE_OPEN_URI |
                           (writes ? SQLITE_OPEN_READWRITE
                                   : SQLITE_OPEN_READONLY))) {
        error_setg(errp, "%s: cannot be opened: %s", log->path,
                   sqlite3_errmsg(log->db));
        return false;
    }
    sqlite3_exec(log->db, "PRAGMA trusted_schema=OFF;"
                 "PRAGMA cell_size_check=ON", NULL, NULL, NULL);
    return true;
}

Log *log_open_as_it_is(const char *path, bool writable, Error **errp)
{
    bool unfinished, writes;
    Log *log;

    if (!check_file(path, errp)) {
        return NULL;
    }
    /*
     * One whose writer was interrupted is brought back to its last commit,
     * which means writing it.
     */
    unfinished = has_side_file(path, "-wal") || has_side_file(path, "-journal");
    writes = writable || unfinished;
    if (writes) {
        signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error */
    }
    if (writes && !check_writable(path, unfinished, errp)) {
        return NULL;
    }
    log = log_new(path);
    if (!open_database(log, writes, errp) || !check_header(log, errp) ||
        !log_load_meta(log, errp)) {
        log_free(log);
        return NULL;
    }
    log->writing = writable;
    return log;
}

/* ---- One that was not closed ---- */

static void say_recovered(const char *path, const Recovery *recovery)
{
    if (recovery->rings_lost) {
        fprintf(stderr, "aiolab: %s: its recorder died, and its buffer is "
                "gone; it ends at its last commit, after %zu inputs\n", path,
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

    if (!log || !log_was_not_closed(log)) {
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
