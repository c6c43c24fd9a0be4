/* SPDX-License-Identifier: MIT */
/* Exports that are text: fio's I/O logs, and CSV with everything. */
#include "export.h"

typedef struct TextExport {
    FILE *file;
    const char *path;
    TraceReader *reader;
    TraceNames *names;
    TraceExport *result;
} TextExport;

static bool text_open(TextExport *x, Log *log, const char *path,
                      TraceExport *result, Error **errp)
{
    *x = (TextExport){.path = path, .result = result};
    x->reader = trace_reader_open(log, errp);
    if (!x->reader) {
        return false;
    }
    x->file = fopen(path, "w");
    if (!x->file) {
        error_setg_errno(errp, errno, "%s: cannot be written", path);
        trace_reader_free(x->reader);
        return false;
    }
    x->names = trace_names_load(log);
    result->files = 1;
    return true;
}

static bool text_close(TextExport *x, bool ok, Error **errp)
{
    bool written = !ferror(x->file);

    written &= fclose(x->file) == 0;
    if (ok && !written) {
        error_setg_errno(errp, errno, "%s: cannot be written", x->path);
        x->result->no_room = true;
    }
    trace_names_free(x->names);
    trace_reader_free(x->reader);
    return ok && written;
}

/* ---- fio ---- */

/* The nearest that fio has; NULL: none. */
static const char *fio_action(TraceOp op, TraceExport *result)
{
    switch (op) {
    case TRACE_READ:
        return "read";
    case TRACE_WRITE:
        return "write";
    case TRACE_DISCARD:
        return "trim";
    case TRACE_FLUSH:
        result->changed_kind++;
        /* fall through */
    case TRACE_SYNC:
        return "sync";
    case TRACE_DATASYNC:
        return "datasync";
    default:
        return NULL;
    }
}

static void fio_files(TextExport *x, const char *time, const char *action)
{
    for (unsigned i = 0; i < x->names->devices->len; i++) {
        fprintf(x->file, "%s%s %s\n", time,
                trace_device_name(x->names, i), action);
    }
}

/* A flush before the data is a line of its own; so is one that comes after. */
static void fio_request(TextExport *x, const char *time, const char *device,
                        const TraceRecord *r, const char *action)
{
    if (r->flags & TRACE_FLAG_PREFLUSH) {
        fprintf(x->file, "%s%s sync 0 0\n", time, device);
        x->result->changed_kind++;
    }
    fprintf(x->file, "%s%s %s %" PRIu64 " %" PRIu64 "\n", time, device, action,
            r->offset, r->bytes);
}

/*
 * Version 2 waits until so many milliseconds since fio's start: its manual says
 * microseconds, its code takes them so.
 */
static void fio_wait(TextExport *x, const char *device, int64_t us,
                     int64_t *last_ms)
{
    if (us / 1000 > *last_ms) {
        *last_ms = us / 1000;
        fprintf(x->file, "%s wait %" PRId64 " 0\n", device, *last_ms);
    }
}

static void fio_record(TextExport *x, unsigned version, TraceAt at,
                       const TraceRecord *r, int64_t *last_ms)
{
    const char *action = fio_action(r->op, x->result);
    const char *device = trace_device_name(x->names, r->device);
    int64_t us = trace_record_start(r, at) / 1000;
    char time[32] = "";

    if (!action || r->quality & TRACE_QUALITY_OFFSET_NONE) {
        x->result->left_out++;
        return;
    }
    if (version == 3) {
        snprintf(time, sizeof(time), "%" PRId64 " ", us);
    } else {
        fio_wait(x, device, us, last_ms);
    }
    fio_request(x, time, device, r, action);
    x->result->written++;
}

static bool export_fio(Log *log, const char *path, unsigned version,
                       TraceExport *result, Error **errp)
{
    const char *time = version == 3 ? "0 " : "";
    int64_t last_ms = 0;
    Error *err = NULL;
    TextExport x;
    TraceRecord r;

    if (!text_open(&x, log, path, result, errp)) {
        return false;
    }
    fprintf(x.file, "fio version %u iolog\n", version);
    fio_files(&x, time, "add");
    fio_files(&x, time, "open");
    while (trace_reader_next(x.reader, &r, &err)) {
        fio_record(&x, version, trace_reader_at(x.reader), &r, &last_ms);
    }
    for (unsigned i = 0; i < x.names->devices->len; i++) {
        if (version == 3) {
            fprintf(x.file, "%" PRId64 " ",
                    log_meta_int(log, "trace.span_ns", 0) / 1000);
        }
        fprintf(x.file, "%s close\n", trace_device_name(x.names, i));
    }
    error_propagate(errp, err);
    return text_close(&x, !err, errp);
}

bool trace_export_fio2(Log *log, const char *path, TraceExport *result,
                       Error **errp)
{
    return export_fio(log, path, 2, result, errp);
}

bool trace_export_fio3(Log *log, const char *path, TraceExport *result,
                       Error **errp)
{
    return export_fio(log, path, 3, result, errp);
}

/* ---- CSV ---- */

static void csv_time(FILE *file, int64_t ns)
{
    if (ns != TRACE_NO_TIME) {
        fprintf(file, "%" PRId64, ns);
    }
    fputc(',', file);
}

/* In quotes if it must be, with quotes in it doubled. */
static void csv_text(FILE *file, const char *text)
{
    bool quoted = strpbrk(text, ",\"\n\r ") != NULL;

    if (quoted) {
        fputc('"', file);
    }
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', file);
        }
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, file);
    }
    fputs(quoted ? "\"," : ",", file);
}

/* Names of bits with '+' between them. */
static void csv_bits(FILE *file, unsigned bits, const char *const *names,
                     unsigned count)
{
    g_autofree char *text = trace_bits_text(bits, names, count);

    g_strdelimit(text, ",", '+');
    fputs(text, file);
}

static void csv_record(TextExport *x, const TraceRecord *r)
{
    TraceProcess process = trace_process_name(x->names, r->process);

    csv_time(x->file, r->queue_ns);
    csv_time(x->file, r->issue_ns);
    csv_time(x->file, r->complete_ns);
    fprintf(x->file, "%s,", trace_op_names[r->op]);
    csv_bits(x->file, r->flags, trace_flag_names, TRACE_FLAG_COUNT);
    fprintf(x->file, ",%" PRIu64 ",%" PRIu64 ",", r->offset, r->bytes);
    csv_text(x->file, trace_device_name(x->names, r->device));
    csv_text(x->file, process.comm);
    fprintf(x->file, "%" PRId64 ",%" PRId64 ",%u,%d,", process.pid,
            process.tid, r->cpu, r->error);
    csv_bits(x->file, r->quality, trace_quality_names, TRACE_QUALITY_COUNT);
    fputc('\n', x->file);
    x->result->written++;
}

bool trace_export_csv(Log *log, const char *path, TraceExport *result,
                      Error **errp)
{
    Error *err = NULL;
    TextExport x;
    TraceRecord r;

    if (!text_open(&x, log, path, result, errp)) {
        return false;
    }
    fputs(TRACE_CSV_HEADER "\n", x.file);
    while (trace_reader_next(x.reader, &r, &err)) {
        csv_record(&x, &r);
    }
    error_propagate(errp, err);
    return text_close(&x, !err, errp);
}
