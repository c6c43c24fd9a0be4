/* SPDX-License-Identifier: MIT */
/* Reading what units have found, to merge it and to sum it up. */
#include "findings-internal.h"

#include "qapi/error.h"

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
        findings_bind_text(statement, 1, k);
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

        ok = findings_add_unit(
            file, (const char *)sqlite3_column_text(rows, 0), &stats, errp);
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
            ok = findings_add_finding(
                file, (const char *)sqlite3_column_text(rows, 0), finding,
                sqlite3_column_int64(rows, 2), errp);
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
    sqlite3_stmt *rows = findings_prepare(
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
    rows = findings_prepare(file, "SELECT json, seen FROM finding");
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
