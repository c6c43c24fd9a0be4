/* SPDX-License-Identifier: MIT */
/* Findings in SQLite; see findings-file.h. */
#include "findings-file.h"

#include "qapi/error.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

static const char schema[] =
    "PRAGMA application_id = 0x41494F4C;"
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('kind', 'findings'),"
    "  ('version', '" AIOLAB_VERSION "');"
    "CREATE TABLE unit(unit TEXT PRIMARY KEY, schedules INT, steps INT,"
    "  failing INT, blocked INT, classes INT, cut INT, complete INT,"
    "  stopped TEXT) WITHOUT ROWID;"
    "CREATE TABLE finding(signature TEXT, scenario TEXT, kind TEXT,"
    "  class TEXT, deviations INT, seen INT, schedule TEXT, unit TEXT,"
    "  json TEXT, PRIMARY KEY(scenario, signature)) WITHOUT ROWID;"
    "BEGIN;";

struct FindingsFile {
    sqlite3 *db;
    char *path, *partial, *song;
};

static bool failed(FindingsFile *file, Error **errp)
{
    error_setg(errp, "%s: cannot be written: %s", file->path,
               sqlite3_errmsg(file->db));
    return false;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static sqlite3_stmt *prepare(FindingsFile *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
    return statement;
}

static bool run_statement(FindingsFile *file, sqlite3_stmt *statement,
                          Error **errp)
{
    bool ok = sqlite3_step(statement) == SQLITE_DONE;

    sqlite3_finalize(statement);
    return ok || failed(file, errp);
}

static bool put_song(FindingsFile *file, Error **errp)
{
    sqlite3_stmt *insert = prepare(file,
                                   "INSERT INTO meta VALUES('canary', ?)");

    bind_text(insert, 1, file->song);
    return run_statement(file, insert, errp);
}

FindingsFile *findings_file_create(const char *path, bool force,
                                   const char *song, Error **errp)
{
    FindingsFile *file;

    if (!force && g_file_test(path, G_FILE_TEST_EXISTS)) {
        error_setg(errp, "%s: exists; --force replaces it", path);
        return NULL;
    }
    file = g_new0(FindingsFile, 1);
    file->path = g_strdup(path);
    file->song = g_strdup(song);
    file->partial = g_strconcat(path, ".partial", NULL);
    g_unlink(file->partial);
    if (sqlite3_open(file->partial, &file->db) != SQLITE_OK ||
        sqlite3_exec(file->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
        failed(file, errp);
    } else if (put_song(file, errp)) {
        return file;
    }
    findings_file_close(file, NULL);
    return NULL;
}

bool findings_file_close(FindingsFile *file, Error **errp)
{
    /* Packed, it is the same file in whatever order things came. */
    bool ok = errp && sqlite3_exec(file->db, "COMMIT; VACUUM;", NULL, NULL,
                                   NULL) == SQLITE_OK;

    if (!ok && errp) {
        failed(file, errp);
    }
    sqlite3_close(file->db);
    if (ok && g_rename(file->partial, file->path) < 0) {
        error_setg_errno(errp, errno, "%s: cannot be written", file->path);
        ok = false;
    }
    if (!ok) {
        g_unlink(file->partial);
    }
    g_free(file->path);
    g_free(file->partial);
    g_free(file->song);
    g_free(file);
    return ok;
}

/* ---- Adding ---- */

static bool add_unit(FindingsFile *file, const char *unit,
                     const SearchStats *s, Error **errp)
{
    sqlite3_stmt *insert = prepare(
        file, "INSERT INTO unit VALUES(?,?,?,?,?,?,?,?,?)");
    const uint64_t numbers[] = {
        s->schedules, s->steps, s->failing, s->blocked, s->classes, s->endless,
        s->complete,
    };
    int result;

    bind_text(insert, 1, unit);
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        sqlite3_bind_int64(insert, 2 + i, numbers[i]);
    }
    bind_text(insert, 9, s->stopped);
    result = sqlite3_step(insert);
    sqlite3_finalize(insert);
    if (result == SQLITE_CONSTRAINT) {
        error_setg(errp, "the unit '%s' is there already", unit);
        return false;
    }
    return result == SQLITE_DONE || failed(file, errp);
}

static char *json_of(const Finding *finding)
{
    JsonBuilder *b = json_builder_new();
    JsonNode *root;
    char *text;

    finding_to_json(finding, b);
    root = json_builder_get_root(b);
    text = json_to_string(root, false);
    json_node_unref(root);
    g_object_unref(b);
    return text;
}

/*
 * Of two with the same signature the one with the shorter schedule stays, in
 * whatever order they come; @seen counts for both.
 */
static bool add_finding(FindingsFile *file, const char *unit,
                        const Finding *f, uint64_t seen, Error **errp)
{
    g_autofree char *json = json_of(f);
    sqlite3_stmt *insert = prepare(
        file, "INSERT INTO finding VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)"
        " ON CONFLICT(scenario, signature) DO UPDATE SET seen = seen + ?6,"
        " deviations = iif(?10, ?5, deviations),"
        " schedule = iif(?10, ?7, schedule), unit = iif(?10, ?8, unit),"
        " json = iif(?10, ?9, json)");
    sqlite3_stmt *look = prepare(
        file, "SELECT (?1, ?2, ?3, ?6) <"
        " (deviations, length(schedule), schedule, unit)"
        " FROM finding WHERE scenario = ?4 AND signature = ?5");
    int better;

    sqlite3_bind_int64(look, 1, f->deviations);
    sqlite3_bind_int64(look, 2, strlen(f->token));
    bind_text(look, 3, f->token);
    bind_text(look, 4, f->scenario);
    bind_text(look, 5, f->signature);
    bind_text(look, 6, unit);
    better = sqlite3_step(look) == SQLITE_ROW && sqlite3_column_int(look, 0);
    sqlite3_finalize(look);

    bind_text(insert, 1, f->signature);
    bind_text(insert, 2, f->scenario);
    bind_text(insert, 3, f->kind);
    bind_text(insert, 4, f->class_name);
    sqlite3_bind_int64(insert, 5, f->deviations);
    sqlite3_bind_int64(insert, 6, seen);
    bind_text(insert, 7, f->token);
    bind_text(insert, 8, unit);
    bind_text(insert, 9, json);
    sqlite3_bind_int(insert, 10, better);
    return run_statement(file, insert, errp);
}

bool findings_file_add(FindingsFile *file, const char *unit,
                       const SearchStats *stats, const GPtrArray *findings,
                       Error **errp)
{
    if (!add_unit(file, unit, stats, errp)) {
        return false;
    }
    for (unsigned i = 0; i < findings->len; i++) {
        const Finding *f = g_ptr_array_index(findings, i);

        if (!add_finding(file, unit, f, f->seen, errp)) {
            return false;
        }
    }
    return true;
}

/* ---- Reading ---- */

static Finding *finding_from_text(const char *json)
{
    JsonNode *root = json ? json_from_string(json, NULL) : NULL;
    Finding *finding = root && JSON_NODE_HOLDS_OBJECT(root)
                           ? finding_from_json(json_node_get_object(root))
                           : NULL;

    if (root) {
        json_node_unref(root);
    }
    return finding;
}

/* The value of @k in the table meta, or NULL; freed by the caller. */
static char *read_meta(sqlite3 *db, const char *k)
{
    sqlite3_stmt *statement = NULL;
    char *value = NULL;

    if (sqlite3_prepare_v2(db, "SELECT v FROM meta WHERE k = ?", -1,
                           &statement, NULL) == SQLITE_OK) {
        bind_text(statement, 1, k);
        if (sqlite3_step(statement) == SQLITE_ROW) {
            value = g_strdup((const char *)sqlite3_column_text(statement, 0));
        }
    }
    sqlite3_finalize(statement);
    return value;
}

/* Whether it is of the same kind, version and canary. */
static bool is_trusted(FindingsFile *file, sqlite3 *from, Error **errp)
{
    g_autofree char *kind = read_meta(from, "kind");
    g_autofree char *version = read_meta(from, "version");
    g_autofree char *song = read_meta(from, "canary");

    if (g_strcmp0(kind, "findings") != 0) {
        error_setg(errp, "holds no findings; 'aiolab explore --unit' writes "
                   "such files");
    } else if (g_strcmp0(version, AIOLAB_VERSION) != 0) {
        error_setg(errp, "is of another version than %s; run its units again",
                   AIOLAB_VERSION);
    } else if (!song) {
        error_setg(errp, "its canary is silent, so what it found and did not "
                   "find means nothing; run its units again");
    } else if (g_strcmp0(song, file->song) != 0) {
        error_setg(errp, "its canary sang '%s', and ours sings '%s': another "
                   "build found what is in it; run its units again", song,
                   file->song);
    } else {
        return true;
    }
    return false;
}

/* False and *errp, unless the rows of @statement have come to their end. */
static bool at_end(sqlite3 *from, sqlite3_stmt *rows, bool ok, Error **errp)
{
    if (ok && sqlite3_errcode(from) != SQLITE_DONE) {
        error_setg(errp, "is damaged: %s", sqlite3_errmsg(from));
        ok = false;
    }
    sqlite3_finalize(rows);
    return ok;
}

static bool merge_units(FindingsFile *file, sqlite3 *from, Error **errp)
{
    sqlite3_stmt *rows = NULL;
    bool ok = true;

    sqlite3_prepare_v2(from, "SELECT unit, schedules, steps, failing, blocked,"
                       " classes, cut, complete, stopped FROM unit", -1, &rows,
                       NULL);
    while (ok && sqlite3_step(rows) == SQLITE_ROW) {
        const char *stopped = (const char *)sqlite3_column_text(rows, 8);
        SearchStats stats = {
            .schedules = sqlite3_column_int64(rows, 1),
            .steps = sqlite3_column_int64(rows, 2),
            .failing = sqlite3_column_int64(rows, 3),
            .blocked = sqlite3_column_int64(rows, 4),
            .classes = sqlite3_column_int64(rows, 5),
            .endless = sqlite3_column_int64(rows, 6),
            .complete = sqlite3_column_int(rows, 7), .stopped = stopped,
        };

        ok = add_unit(file, (const char *)sqlite3_column_text(rows, 0), &stats,
                      errp);
    }
    return at_end(from, rows, ok, errp);
}

static bool merge_findings(FindingsFile *file, sqlite3 *from, Error **errp)
{
    sqlite3_stmt *rows = NULL;
    bool ok = true;

    sqlite3_prepare_v2(from, "SELECT unit, json, seen FROM finding", -1, &rows,
                       NULL);
    while (ok && sqlite3_step(rows) == SQLITE_ROW) {
        Finding *finding = finding_from_text(
            (const char *)sqlite3_column_text(rows, 1));

        if (finding) {
            ok = add_finding(file,
                             (const char *)sqlite3_column_text(rows, 0),
                             finding, sqlite3_column_int64(rows, 2), errp);
        } else {
            error_setg(errp, "is damaged: a finding cannot be read");
            ok = false;
        }
        finding_free(finding);
    }
    return at_end(from, rows, ok, errp);
}

static bool merge_all(FindingsFile *file, sqlite3 *from, Error **errp)
{
    return is_trusted(file, from, errp) && merge_units(file, from, errp) &&
           merge_findings(file, from, errp);
}

bool findings_file_merge(FindingsFile *file, const char *path, Error **errp)
{
    sqlite3 *from = NULL;
    Error *err = NULL;
    bool ok;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
        sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY, NULL) !=
            SQLITE_OK) {
        error_setg(errp, "%s: cannot be read", path);
        sqlite3_close(from);
        return false;
    }
    sqlite3_exec(file->db, "SAVEPOINT one", NULL, NULL, NULL);
    ok = merge_all(file, from, &err);
    sqlite3_exec(file->db, ok ? "RELEASE one" : "ROLLBACK TO one", NULL, NULL,
                 NULL);
    sqlite3_close(from);
    if (!ok) {
        error_setg(errp, "%s: %s", path, error_get_pretty(err));
        error_free(err);
    }
    return ok;
}

bool findings_file_summary(FindingsFile *file, FindingsSummary *summary,
                           Error **errp)
{
    sqlite3_stmt *rows = prepare(
        file, "SELECT count(*), total(schedules), total(steps), total(failing)"
        " FROM unit");

    *summary = (FindingsSummary){
        .findings = g_ptr_array_new_with_free_func(
            (GDestroyNotify)finding_free),
    };
    if (sqlite3_step(rows) == SQLITE_ROW) {
        summary->units = sqlite3_column_int64(rows, 0);
        summary->schedules = sqlite3_column_int64(rows, 1);
        summary->steps = sqlite3_column_int64(rows, 2);
        summary->failing = sqlite3_column_int64(rows, 3);
    }
    sqlite3_finalize(rows);
    rows = prepare(file, "SELECT json, seen FROM finding");
    while (sqlite3_step(rows) == SQLITE_ROW) {
        Finding *finding = finding_from_text(
            (const char *)sqlite3_column_text(rows, 0));

        if (finding) {
            finding->seen = sqlite3_column_int64(rows, 1);
            g_ptr_array_add(summary->findings, finding);
        }
    }
    sqlite3_finalize(rows);
    return true;
}

void findings_summary_finish(FindingsSummary *summary)
{
    g_ptr_array_free(summary->findings, true);
}
