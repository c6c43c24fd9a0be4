/* SPDX-License-Identifier: MIT */
/*
 * The meta table: names and values that say what was run, and how.
 *
 * It is read as a whole when a log is opened.  A digest over all rows, which is
 * a row itself, is written when the log is closed, so that none can be changed
 * or lost unnoticed.
 */
#include "log-internal.h"

#include "host.h"
#include "input.h"

#include <xxhash.h>

/*
 * Behaviour that this build knows, and a log may ask for by its meta row
 * "quirks", names with commas between them.  There is none yet.
 */
static const char *const known_quirks[] = {NULL};

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

bool log_was_not_closed(Log *log)
{
    return g_strcmp0(log_meta(log, "state"), "recording") == 0;
}

/* ---- Writing ---- */

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

/* ---- The digest ---- */

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

void log_seal_meta(Log *log)
{
    g_autofree char *digest = meta_digest(log);

    log_set_meta(log, "meta.digest", digest);
}

/* ---- Quirks ---- */

bool log_has_quirk(Log *log, const char *name)
{
    const char *value = log_meta(log, "quirks");
    g_auto(GStrv) names = g_strsplit(value ? value : "", ",", 0);

    return g_strv_contains((const char *const *)names, name);
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

/* ---- What numbers mean ---- */

static void mix_text(XXH3_state_t *state, const char *text)
{
    XXH3_64bits_update(state, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Inputs, events and calls stand in a log by their rows in our tables. */
char *log_format(void)
{
    XXH3_state_t *state = XXH3_createState();
    uint64_t hash;

    XXH3_64bits_reset(state);
    for (unsigned i = 0; i < INPUT_KIND_MAX; i++) {
        mix_text(state, input_table[i].name);
        mix_text(state, input_table[i].packing);
    }
    for (unsigned i = 0; i < PROBE_KIND_MAX; i++) {
        mix_text(state, probe_table[i].name);
    }
    for (unsigned i = 0; i < HOST_GLIB_MAX; i++) {
        mix_text(state, host_glib_call_names[i]);
    }
    hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return g_strdup_printf("%016" PRIx64, hash);
}

static bool check_format(Log *log, Error **errp)
{
    const char *value = log_meta(log, "format");
    g_autofree char *ours = log_format();

    if (value && !g_str_equal(value, ours)) {
        error_setg(errp, "%s: recorded by another state of aiolab %s, whose "
                   "inputs and events have other numbers (format %s, here %s); "
                   "use that one", log->path, log_meta(log, "version"), value,
                   ours);
        return false;
    }
    return true;
}

/* ---- Reading ---- */

static bool read_rows(Log *log)
{
    sqlite3_stmt *stmt = NULL;
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
    return ret == SQLITE_DONE;
}

bool log_load_meta(Log *log, Error **errp)
{
    g_autofree char *digest = NULL;

    if (!read_rows(log)) {
        error_setg(errp, "%s: damaged log (table meta: %s); restore it from a "
                   "copy, or record again", log->path, sqlite3_errmsg(log->db));
        return false;
    }
    digest = meta_digest(log);
    if (!log_was_not_closed(log) &&
        g_strcmp0(log_meta(log, "meta.digest"), digest) != 0) {
        error_setg(errp, "%s: damaged log (table meta does not match its "
                   "digest); restore it from a copy, or record again",
                   log->path);
        return false;
    }
    return check_format(log, errp) && check_quirks(log, errp);
}
