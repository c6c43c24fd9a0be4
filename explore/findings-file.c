/* SPDX-License-Identifier: MIT */
/* Findings in SQLite; see findings-file.h. */
#include "findings-internal.h"

#include "qapi/error.h"

#include <glib/gstdio.h>

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

bool findings_failed(FindingsFile *file, Error **errp)
{
    error_setg(errp, "%s: cannot be written: %s", file->path,
               sqlite3_errmsg(file->db));
    return false;
}

void findings_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

sqlite3_stmt *findings_prepare(FindingsFile *file, const char *sql)
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
    return ok || findings_failed(file, errp);
}

static bool put_song(FindingsFile *file, Error **errp)
{
    sqlite3_stmt *insert = findings_prepare(
        file, "INSERT INTO meta VALUES('canary', ?)");

    findings_bind_text(insert, 1, file->song);
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
        findings_failed(file, errp);
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
        findings_failed(file, errp);
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

bool findings_add_unit(FindingsFile *file, const char *unit,
                       const SearchStats *s, Error **errp)
{
    sqlite3_stmt *insert = findings_prepare(
        file, "INSERT INTO unit VALUES(?,?,?,?,?,?,?,?,?)");
    const uint64_t numbers[] = {
        s->schedules, s->steps, s->failing, s->blocked, s->classes, s->endless,
        s->complete,
    };
    int result;

    findings_bind_text(insert, 1, unit);
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        sqlite3_bind_int64(insert, 2 + i, numbers[i]);
    }
    findings_bind_text(insert, 9, s->stopped);
    result = sqlite3_step(insert);
    sqlite3_finalize(insert);
    if (result == SQLITE_CONSTRAINT) {
        error_setg(errp, "the unit '%s' is there already", unit);
        return false;
    }
    return result == SQLITE_DONE || findings_failed(file, errp);
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
bool findings_add_finding(FindingsFile *file, const char *unit,
                          const Finding *f, uint64_t seen, Error **errp)
{
    g_autofree char *json = json_of(f);
    sqlite3_stmt *insert = findings_prepare(
        file, "INSERT INTO finding VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)"
        " ON CONFLICT(scenario, signature) DO UPDATE SET seen = seen + ?6,"
        " deviations = iif(?10, ?5, deviations),"
        " schedule = iif(?10, ?7, schedule), unit = iif(?10, ?8, unit),"
        " json = iif(?10, ?9, json)");
    sqlite3_stmt *look = findings_prepare(
        file, "SELECT (?1, ?2, ?3, ?6) <"
        " (deviations, length(schedule), schedule, unit)"
        " FROM finding WHERE scenario = ?4 AND signature = ?5");
    int better;

    sqlite3_bind_int64(look, 1, f->deviations);
    sqlite3_bind_int64(look, 2, strlen(f->token));
    findings_bind_text(look, 3, f->token);
    findings_bind_text(look, 4, f->scenario);
    findings_bind_text(look, 5, f->signature);
    findings_bind_text(look, 6, unit);
    better = sqlite3_step(look) == SQLITE_ROW && sqlite3_column_int(look, 0);
    sqlite3_finalize(look);

    findings_bind_text(insert, 1, f->signature);
    findings_bind_text(insert, 2, f->scenario);
    findings_bind_text(insert, 3, f->kind);
    findings_bind_text(insert, 4, f->class_name);
    sqlite3_bind_int64(insert, 5, f->deviations);
    sqlite3_bind_int64(insert, 6, seen);
    findings_bind_text(insert, 7, f->token);
    findings_bind_text(insert, 8, unit);
    findings_bind_text(insert, 9, json);
    sqlite3_bind_int(insert, 10, better);
    return run_statement(file, insert, errp);
}

bool findings_file_add(FindingsFile *file, const char *unit,
                       const SearchStats *stats, const GPtrArray *findings,
                       Error **errp)
{
    if (!findings_add_unit(file, unit, stats, errp)) {
        return false;
    }
    for (unsigned i = 0; i < findings->len; i++) {
        const Finding *f = g_ptr_array_index(findings, i);

        if (!findings_add_finding(file, unit, f, f->seen, errp)) {
            return false;
        }
    }
    return true;
}
