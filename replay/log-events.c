/* SPDX-License-Identifier: MIT */
/* Chunks of probe events, as packed columns; names and texts are kept once. */
#include "log-events.h"

#include "column.h"
#include "log-sql.h"

enum {
    EVENT_KIND, EVENT_THREAD, EVENT_TIME, EVENT_OBJ, EVENT_A, EVENT_B, EVENT_C,
    EVENT_TEXT, EVENT_FUNC, EVENT_LINE, EVENT_COLUMNS
};

static const char tables[] =
    "CREATE TABLE event_chunk (first INTEGER PRIMARY KEY, n INTEGER NOT NULL, "
    "crc INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE event_text (id INTEGER PRIMARY KEY, text TEXT NOT NULL);";

typedef struct KnownText {
    const char *text; /* the table's own */
    unsigned number;
} KnownText;

struct EventWriter {
    Log *log;
    LogSql *put_chunk, *put_text;
    GHashTable *texts; /* text -> its number, from 1 */
    KnownText known[64];  /* by address: texts of late; mostly literals */
    const char *last_file;
    uint64_t written;
    unsigned n;
    int64_t columns[EVENT_COLUMNS][COLUMN_VALUES];
    uint8_t packed[EVENT_COLUMNS * COLUMN_PACKED_MAX];
};

EventWriter *event_writer_new(Log *log)
{
    EventWriter *w = g_new0(EventWriter, 1);

    log_sql_script(log, tables);
    w->log = log;
    w->put_chunk = log_sql_new(log, "INSERT INTO event_chunk "
                               "VALUES (?1, ?2, ?3, ?4)");
    w->put_text = log_sql_new(log, "INSERT INTO event_text VALUES (?1, ?2)");
    w->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return w;
}

static KnownText find_text(EventWriter *w, const char *text)
{
    gpointer own, number;

    if (!g_hash_table_lookup_extended(w->texts, text, &own, &number)) {
        own = g_strdup(text);
        number = GUINT_TO_POINTER(g_hash_table_size(w->texts) + 1);
        g_hash_table_insert(w->texts, own, number);
        log_sql_int(w->put_text, 1, GPOINTER_TO_UINT(number));
        log_sql_text(w->put_text, 2, text);
        log_sql_run(w->put_text);
    }
    return (KnownText){own, GPOINTER_TO_UINT(number)};
}

/* 0 for no text. */
static int64_t text_number(EventWriter *w, const char *text)
{
    uint64_t hash = (uintptr_t)text * 0x9e3779b97f4a7c15;
    KnownText *known = &w->known[(hash >> 32) % ARRAY_SIZE(w->known)];

    if (!text) {
        return 0;
    }
    if (!known->text || strcmp(known->text, text)) {
        *known = find_text(w, text);
    }
    return known->number;
}

static void put_chunk(EventWriter *w)
{
    size_t len = 0;

    if (!w->n) {
        return;
    }
    for (unsigned i = 0; i < EVENT_COLUMNS; i++) {
        len += column_pack(w->columns[i], w->n, w->packed + len);
    }
    log_sql_int(w->put_chunk, 1, w->written + 1);
    log_sql_int(w->put_chunk, 2, w->n);
    log_sql_int(w->put_chunk, 3, chunk_crc(w->packed, len, w->written + 1,
                                           w->written + w->n, w->n));
    log_sql_blob(w->put_chunk, 4, w->packed, len);
    log_sql_run(w->put_chunk);
    w->written += w->n;
    w->n = 0;
}

void event_writer_add(EventWriter *w, const ProbeEvent *e)
{
    const int64_t row[EVENT_COLUMNS] = {
        [EVENT_KIND] = text_number(w, probe_table[e->kind].name),
        [EVENT_THREAD] = e->thread, [EVENT_TIME] = e->t_ns,
        [EVENT_OBJ] = e->obj, [EVENT_A] = e->a, [EVENT_B] = e->b,
        [EVENT_C] = e->c, [EVENT_TEXT] = text_number(w, e->text),
        [EVENT_FUNC] = text_number(w, e->site->func),
        [EVENT_LINE] = e->site->line,
    };

    for (unsigned i = 0; i < EVENT_COLUMNS; i++) {
        w->columns[i][w->n] = row[i];
    }
    if (w->last_file != e->site->file) {
        w->last_file = e->site->file;
        log_set_meta(w->log, "events.file", e->site->file);
    }
    if (++w->n == COLUMN_VALUES) {
        put_chunk(w);
    }
}

void event_writer_finish(EventWriter *w)
{
    put_chunk(w);
    log_set_meta_int(w->log, "events", w->written);
    log_sql_free(w->put_chunk);
    log_sql_free(w->put_text);
    g_hash_table_destroy(w->texts);
    g_free(w);
}

/* ---- Reading ---- */

typedef struct Loading {
    GPtrArray *keep;
    GPtrArray *texts; /* by number; 0 is NULL */
    GArray *kinds;    /* by number of their name, or PROBE_KIND_MAX */
    const char *file;
    GHashTable *sites; /* of ProbeSite: func and line */
} Loading;

bool log_has_events(Log *log)
{
    return log_meta(log, "events") != NULL;
}

static unsigned find_kind(const char *name)
{
    unsigned kind = 0;

    while (kind < PROBE_KIND_MAX &&
           !g_str_equal(probe_table[kind].name, name)) {
        kind++;
    }
    return kind;
}

/* Numbers are 1, 2, 3 and so on, or the log is not ours. */
static bool load_texts(Log *log, Loading *loading)
{
    LogSql *sql = log_sql_new(log, "SELECT id, text FROM event_text "
                              "ORDER BY id");
    unsigned kind = PROBE_KIND_MAX;
    bool ok = true;

    g_ptr_array_add(loading->texts, NULL);
    g_array_append_val(loading->kinds, kind);
    while (log_sql_row(sql)) {
        const char *text = log_sql_get_text(sql, 1);
        char *copy = g_strdup(text ? text : "");

        ok &= log_sql_get_int(sql, 0) == loading->texts->len;
        g_ptr_array_add(loading->keep, copy);
        g_ptr_array_add(loading->texts, copy);
        kind = find_kind(copy);
        g_array_append_val(loading->kinds, kind);
    }
    log_sql_free(sql);
    return ok;
}

static guint hash_site(gconstpointer opaque)
{
    const ProbeSite *site = opaque;

    return g_str_hash(site->func) ^ site->line * 2654435761u;
}

static gboolean same_site(gconstpointer a, gconstpointer b)
{
    const ProbeSite *x = a, *y = b;

    return x->line == y->line && g_str_equal(x->func, y->func);
}

static const ProbeSite *site_of(Loading *loading, const char *func, int line)
{
    ProbeSite wanted = {loading->file, line, func};
    ProbeSite *site = g_hash_table_lookup(loading->sites, &wanted);

    if (!site) {
        site = g_memdup2(&wanted, sizeof(wanted));
        g_ptr_array_add(loading->keep, site);
        g_hash_table_add(loading->sites, site);
    }
    return site;
}

static bool add_event(Loading *loading, const int64_t (*columns)[COLUMN_VALUES],
                      unsigned i, EventStore *store)
{
    uint64_t kind = columns[EVENT_KIND][i], text = columns[EVENT_TEXT][i];
    uint64_t func = columns[EVENT_FUNC][i];
    ProbeEvent event = {
        .thread = columns[EVENT_THREAD][i], .t_ns = columns[EVENT_TIME][i],
        .obj = columns[EVENT_OBJ][i], .a = columns[EVENT_A][i],
        .b = columns[EVENT_B][i], .c = columns[EVENT_C][i],
    };

    if (kind >= loading->texts->len || text >= loading->texts->len ||
        func >= loading->texts->len || !func ||
        g_array_index(loading->kinds, unsigned, kind) == PROBE_KIND_MAX ||
        event.thread > UINT16_MAX) {
        return false;
    }
    event.kind = g_array_index(loading->kinds, unsigned, kind);
    if (event.kind == PROBE_THREAD_START && !text) {
        return false; /* a thread's name is taken for granted */
    }
    event.text = g_ptr_array_index(loading->texts, text);
    event.site = site_of(loading, g_ptr_array_index(loading->texts, func),
                         columns[EVENT_LINE][i]);
    event_store_add(store, &event);
    return true;
}

static bool load_chunk(LogSql *sql, Loading *loading, EventStore *store)
{
    static int64_t columns[EVENT_COLUMNS][COLUMN_VALUES];
    int64_t first = log_sql_get_int(sql, 0), n = log_sql_get_int(sql, 1);
    size_t len;
    const uint8_t *at = log_sql_get_blob(sql, 3, &len), *end = at + len;

    if (n < 1 || n > COLUMN_VALUES || !at ||
        chunk_crc(at, len, first, first + n - 1, n) !=
        (uint32_t)log_sql_get_int(sql, 2)) {
        return false;
    }
    for (unsigned i = 0; i < EVENT_COLUMNS; i++) {
        if (!column_unpack(&at, end, columns[i], n)) {
            return false;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!add_event(loading, columns, i, store)) {
            return false;
        }
    }
    return at == end;
}

bool log_load_events(Log *log, EventStore *store, GPtrArray *keep,
                     Error **errp)
{
    const char *file = log_meta(log, "events.file");
    Loading loading = {
        .keep = keep, .texts = g_ptr_array_new(),
        .kinds = g_array_new(false, false, sizeof(unsigned)),
        .file = g_strdup(file ? file : "?"),
        .sites = g_hash_table_new(hash_site, same_site),
    };
    LogSql *sql = log_sql_new(log, "SELECT first, n, crc, data "
                              "FROM event_chunk ORDER BY first");
    bool ok;

    g_ptr_array_add(keep, (char *)loading.file);
    ok = load_texts(log, &loading);
    while (ok && log_sql_row(sql)) {
        ok = load_chunk(sql, &loading, store);
    }
    log_sql_free(sql);
    if (!ok || event_store_count(store) !=
               (uint64_t)log_meta_int(log, "events", 0)) {
        error_setg(errp, "%s: damaged log (its events are not whole); restore "
                   "it from a copy, or import again", log_path(log));
        ok = false;
    }
    g_ptr_array_free(loading.texts, true);
    g_array_free(loading.kinds, true);
    g_hash_table_destroy(loading.sites);
    return ok;
}
