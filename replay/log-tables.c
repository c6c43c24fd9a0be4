/* SPDX-License-Identifier: MIT */
/* The tables that are made from the chunks, for people and for SQL. */
#include "log-internal.h"

const char log_tables_sql[] =
#include "tables.sql.h"
    ;

/* What another version has made may have other columns, or another name. */
static char *sql_to_drop_all(Log *log)
{
    GString *sql = g_string_new(NULL);
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(log->db, "SELECT type, name FROM sqlite_schema "
                           "WHERE type IN ('view', 'trigger', 'table') AND "
                           "name NOT IN ('meta', 'chunk', 'payload') AND "
                           "name NOT GLOB 'trace_*' AND "
                           "name NOT GLOB 'event_*' AND "
                           "name NOT LIKE 'trace\\_%' ESCAPE '\\' AND "
                           "name NOT LIKE 'play\\_%' ESCAPE '\\' AND "
                           "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                           "ORDER BY type DESC", -1, &stmt, NULL)
            != SQLITE_OK) {
        log_keep_failure(log, "cannot write the log");
    }
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        char *drop = sqlite3_mprintf("DROP %s IF EXISTS \"%w\";",
                                     sqlite3_column_text(stmt, 0),
                                     sqlite3_column_text(stmt, 1));

        g_string_append(sql, drop);
        sqlite3_free(drop);
    }
    sqlite3_finalize(stmt);
    return g_string_free(sql, false);
}

void log_clear_derived(Log *log)
{
    g_autofree char *drop = sql_to_drop_all(log);

    log_begin(log);
    log_run_sql(log, drop);
    log_run_sql(log, log_tables_sql);
    log_set_meta(log, "indexed", "0");
}

void log_put_thread(Log *log, uint32_t id, const char *name)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_THREAD);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, id);
        log_bind_text(stmt, 2, name);
        log_finish_put(log, stmt);
    }
}

void log_put_object(Log *log, uint64_t id, const char *kind, const char *name,
                    uint32_t creator, uint64_t born)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_OBJECT);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, id);
        log_bind_text(stmt, 2, kind);
        log_bind_text(stmt, 3, name);
        sqlite3_bind_int64(stmt, 4, creator);
        sqlite3_bind_int64(stmt, 5, born);
        log_finish_put(log, stmt);
    }
}

void log_put_site(Log *log, unsigned id, const ProbeSite *site)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_SITE);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, id);
        log_bind_text(stmt, 2, site->file);
        sqlite3_bind_int64(stmt, 3, site->line);
        log_bind_text(stmt, 4, site->func);
        log_finish_put(log, stmt);
    }
}

void log_put_event(Log *log, uint64_t seq, const ProbeEvent *event,
                   unsigned site, uint64_t inside, uint64_t ticket)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_EVENT);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, seq);
        sqlite3_bind_int64(stmt, 2, event->thread);
        sqlite3_bind_int64(stmt, 3, event->t_ns);
        log_bind_text(stmt, 4, probe_table[event->kind].name);
        sqlite3_bind_int64(stmt, 5, event->obj);
        sqlite3_bind_int64(stmt, 6, event->a);
        sqlite3_bind_int64(stmt, 7, event->b);
        sqlite3_bind_int64(stmt, 8, event->c);
        sqlite3_bind_int64(stmt, 9, site);
        log_bind_text(stmt, 10, event->text);
        sqlite3_bind_int64(stmt, 11, inside);
        sqlite3_bind_int64(stmt, 12, ticket);
        log_finish_put(log, stmt);
    }
}

void log_put_input(Log *log, const Input *input)
{
    sqlite3_stmt *stmt = log_statement(log, PUT_INPUT);

    if (stmt) {
        sqlite3_bind_int64(stmt, 1, input->ticket);
        sqlite3_bind_int64(stmt, 2, input->thread);
        log_bind_text(stmt, 3, input_table[input->kind].name);
        sqlite3_bind_int64(stmt, 4, input->obj);
        sqlite3_bind_int64(stmt, 5, input->a);
        sqlite3_bind_int64(stmt, 6, input->b);
        log_finish_put(log, stmt);
    }
}

void log_finish_derived(Log *log)
{
    /* seq, the row's id, stands at the end of each; kind is along for the
     * ride, so that looking for an object's next event reads no rows. */
    log_run_sql(log, "CREATE INDEX event_obj ON event (obj, seq, kind);"
                 "CREATE INDEX event_kind ON event (kind);"
                 "CREATE INDEX event_play ON event (a) "
                 "WHERE kind = 'play.done';"
                 "CREATE INDEX input_explicit ON input (kind) "
                 "WHERE kind IN ('replay.bh', 'replay.oneshot');");
    log_set_meta(log, "indexed", "1");
    log_seal_meta(log);
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
