/* SPDX-License-Identifier: MIT */
/* From files to a log: opening, detecting, reading, and the accounts. */
#include "load.h"

#include "blktrace-set.h"
#include "log-sql.h"

typedef struct Load {
    TraceImport import;
    const LoadOptions *options;
    Loaded *loaded;
    TraceSource **sources;
    unsigned n;
} Load;

/* ---- Opening and detecting ---- */

static bool detect(Load *load, TraceSource *source, LoadedFile *file,
                   Error **errp)
{
    size_t len;
    const uint8_t *data = trace_source_peek(source, TRACE_SAMPLE_BYTES, &len);
    TraceSample sample = {
        (const char *)data, (const char *)data + len,
        len < TRACE_SAMPLE_BYTES,
    };

    if (trace_source_failure(source)) {
        error_setg(errp, "%s: cannot be read: %s", file->path,
                   trace_source_failure(source));
        return false;
    }
    if (load->options->format) {
        file->format = load->options->format;
        file->why = g_strdup("as --format says");
        return true;
    }
    if (!len && load->options->n_set > 1) {
        sample.text = "\x07\x74\x61\x65"; /* a CPU that had nothing to do */
        sample.end = sample.text + 4;
    } else if (!len) {
        error_setg(errp, "%s: is empty", file->path);
        return false;
    }
    file->format = trace_format_detect(&sample, file->path, &file->why, errp);
    return file->format != NULL;
}

static bool open_file(Load *load, const char *path, bool alone, Error **errp)
{
    TraceSource *source = trace_source_open(
        path, alone ? TRACE_BUFFER_BYTES : TRACE_SET_BUFFER_BYTES, errp);
    LoadedFile file = {.path = g_strdup(path)};
    bool ok;

    load->sources[load->n++] = source;
    if (source && log_has_header(path)) {
        error_setg(errp, "%s: is a log already; 'aiolab report' and 'aiolab "
                   "export' take it", path);
        g_array_append_val(load->loaded->files, file);
        return false;
    }
    ok = source && detect(load, source, &file, errp);
    if (source) {
        file.compression = trace_source_compression(source);
    }
    g_array_append_val(load->loaded->files, file);
    return ok;
}

static LoadedFile *file_at(Loaded *loaded, unsigned i)
{
    return &g_array_index(loaded->files, LoadedFile, i);
}

/* Several files are one trace only if they share a clock, or are of a set. */
static bool check_formats(Loaded *loaded, Error **errp)
{
    const TraceFormat *first = file_at(loaded, 0)->format;

    for (unsigned i = 1; i < loaded->files->len; i++) {
        LoadedFile *file = file_at(loaded, i);

        if (file->format->clock != first->clock ||
            (file->format != first && (file->format->read || first->read))) {
            error_setg(errp, "%s: is %s, and %s is %s, which has other times; "
                       "import them one by one", file->path,
                       file->format->title, file_at(loaded, 0)->path,
                       first->title);
            return false;
        }
    }
    return true;
}

/* ---- Reading ---- */

static void tell_progress(void *opaque)
{
    Load *load = opaque;
    uint64_t done = 0, size = 0;

    if (load->options->progress) {
        for (unsigned i = 0; i < load->n; i++) {
            done += trace_source_done(load->sources[i]);
            size += trace_source_size(load->sources[i]);
        }
        load->options->progress(done, size,
                                trace_writer_count(load->import.writer));
    }
}

static bool read_text(Load *load, unsigned i, Error **errp)
{
    LoadedFile *file = file_at(load->loaded, i);
    TraceImport *import = &load->import;
    const TraceFormat *format = file->format;
    void *state = format->begin(import, format->argument);
    TraceLine line;

    while (trace_import_goes_on(import) &&
           trace_source_line(load->sources[i], &line)) {
        import->place = line.number;
        format->line(import, state, &line);
    }
    format->end(import, state);
    return trace_source_check(load->sources[i], errp);
}

static bool read_file(Load *load, unsigned i, Error **errp)
{
    LoadedFile *file = file_at(load->loaded, i);
    bool ok;

    load->import.account = (TraceAccount){0};
    load->import.file = i;
    load->import.path = file->path;
    if (file->format->read) {
        ok = i > 0 || file->format->read(&load->import, load->sources, load->n,
                                         errp);
    } else {
        ok = read_text(load, i, errp);
    }
    file->account = load->import.account;
    trace_account_add(&load->loaded->account, &file->account);
    return ok;
}

static void put_account(Log *log, const TraceAccount *account)
{
    LogSql *put = log_sql_new(log, "INSERT INTO trace_account "
                              "VALUES (?1, ?2, ?3, ?4)");

    for (unsigned i = 0; i < REASON_MAX; i++) {
        if (account->n[i]) {
            log_sql_text(put, 1, trace_reasons[i].name);
            log_sql_text(put, 2, account_class_names[trace_reasons[i].class]);
            log_sql_int(put, 3, account->n[i]);
            log_sql_text(put, 4, trace_reasons[i].help);
            log_sql_run(put);
        }
    }
    log_sql_free(put);
    log_set_meta_int(log, "trace.in", account->in);
}

static void note_missing(TraceImport *import, char *const *paths, unsigned n)
{
    g_autofree char *missing = blktrace_set_missing(paths, n);

    if (missing) {
        trace_import_note(import, "what happened on CPU %s is missing: there "
                          "is no such file", missing);
    }
}

/* Everything that is open; the trace is brought to its end. */
static bool read_files(Load *load, Error **errp)
{
    TraceImport *import = &load->import;
    Loaded *loaded = load->loaded;
    bool ok = true;

    import->put_reject = log_sql_new(import->log, "INSERT INTO trace_reject "
                                     "VALUES (?1, ?2, ?3, ?4)");
    for (unsigned i = 0; i < load->n; i++) {
        trace_writer_file(import->writer, file_at(loaded, i)->path,
                          file_at(loaded, i)->format->name);
    }
    for (unsigned i = 0; i < load->n && ok; i++) {
        ok = read_file(load, i, errp);
    }
    log_sql_free(import->put_reject);
    g_assert(loaded->account.in ==
             trace_account_total(&loaded->account, ACCOUNT_STORED) +
             trace_account_total(&loaded->account, ACCOUNT_SKIPPED) +
             trace_account_total(&loaded->account, ACCOUNT_REJECTED));
    g_assert(!ok || log_failed(import->log) ||
             loaded->account.n[REASON_STORED] ==
             trace_writer_count(import->writer));
    memcpy(loaded->ops, import->ops, sizeof(loaded->ops));
    loaded->preflush_writes = import->preflush_writes;
    loaded->largest_end = import->largest_end;
    put_account(import->log, &loaded->account);
    log_set_meta(import->log, "version", AIOLAB_VERSION);
    log_set_meta(import->log, "trace.format", file_at(loaded, 0)->format->name);
    loaded->at = trace_writer_finish(import->writer, import->clock);
    return ok;
}

bool trace_load(Log *log, char *const *paths, unsigned n,
                const LoadOptions *options, Loaded *loaded, Error **errp)
{
    Load load = {
        .options = options, .loaded = loaded,
        .sources = g_new0(TraceSource *, n),
    };
    bool ok = true;

    *loaded = (Loaded){
        .files = g_array_new(false, true, sizeof(LoadedFile)),
        .notes = g_ptr_array_new_with_free_func(g_free),
    };
    for (unsigned i = 0; i < n && ok; i++) {
        ok = open_file(&load, paths[i], n == 1, errp);
    }
    ok = ok && check_formats(loaded, errp);
    if (ok) {
        load.import = (TraceImport){
            .writer = trace_writer_new(log, options->at), .log = log,
            .at = options->at, .at_given = options->at_given,
            .columns = options->columns, .notes = loaded->notes,
            .clock = file_at(loaded, 0)->format->clock,
            .stop = options->stop, .tell_progress = tell_progress,
            .opaque = &load,
        };
        note_missing(&load.import, paths, n);
        ok = read_files(&load, errp);
        if (ok && options->stop && *options->stop) {
            error_setg(errp, "interrupted; no log was made");
            ok = false;
        }
    }
    for (unsigned i = 0; i < load.n; i++) {
        trace_source_close(load.sources[i]);
    }
    g_free(load.sources);
    return ok;
}

void loaded_clear(Loaded *loaded)
{
    for (unsigned i = 0; i < loaded->files->len; i++) {
        g_free(file_at(loaded, i)->path);
        g_free(file_at(loaded, i)->why);
    }
    g_array_free(loaded->files, true);
    g_ptr_array_free(loaded->notes, true);
}

uint64_t loaded_records(const Loaded *loaded)
{
    return loaded->account.n[REASON_STORED];
}
