/* SPDX-License-Identifier: MIT */
/* Our own CSV (export --format csv), which loses nothing. */
#include "export.h"
#include "formats.h"

bool csv_recognise(const TraceSample *sample, const char **why)
{
    size_t len = strlen(TRACE_CSV_HEADER);

    *why = "its first line has the names of aiolab's columns";
    return (size_t)(sample->end - sample->text) >= len &&
           !memcmp(sample->text, TRACE_CSV_HEADER, len);
}

void *csv_begin(TraceImport *import, const void *argument)
{
    return g_string_new(NULL);
}

void csv_end(TraceImport *import, void *state)
{
    g_string_free(state, true);
}

/* Up to the next comma outside of quotes; a quoted one is put into @buffer. */
static bool next_field(Scan *scan, Word *field, GString *buffer)
{
    size_t start = buffer->len;

    if (scan->at > scan->end) {
        return false;
    }
    if (!scan_char(scan, '"')) {
        const char *comma = memchr(scan->at, ',', scan->end - scan->at);

        *field = (Word){scan->at, (comma ? comma : scan->end) - scan->at};
        scan->at = comma ? comma + 1 : scan->end + 1;
        return true;
    }
    while (scan->at < scan->end) {
        if (*scan->at == '"' && !(scan->at + 1 < scan->end &&
                                  scan->at[1] == '"')) {
            scan->at++;
            break;
        }
        scan->at += *scan->at == '"';
        g_string_append_c(buffer, *scan->at++);
    }
    *field = (Word){buffer->str + start, buffer->len - start};
    if (scan->at < scan->end && !scan_char(scan, ',')) {
        return false;
    }
    scan->at += scan->at == scan->end;
    return true;
}

static bool field_time(Word field, int64_t *ns)
{
    Scan scan = {field.text, field.text + field.len};

    return !field.len || (scan_i64(&scan, ns) && scan.at == scan.end);
}

static bool field_i64(Word field, int64_t least, int64_t most, int64_t *value)
{
    Scan scan = {field.text, field.text + field.len};

    return scan_i64(&scan, value) && scan.at == scan.end && *value >= least &&
           *value <= most;
}

static bool field_op(Word field, uint8_t *op)
{
    for (*op = 0; *op < TRACE_OP_MAX; (*op)++) {
        if (word_is(field, trace_op_names[*op])) {
            return true;
        }
    }
    return false;
}

/* "preflush+fua" */
static bool field_bits(Word field, const char *const *names, unsigned count,
                       unsigned *bits)
{
    const char *at = field.text, *end = at + field.len;

    *bits = 0;
    while (at < end) {
        const char *plus = memchr(at, '+', end - at);
        Word name = {at, (plus ? plus : end) - at};
        unsigned i = 0;

        while (i < count && !word_is(name, names[i])) {
            i++;
        }
        if (i == count) {
            return false;
        }
        *bits |= 1u << i;
        at = plus ? plus + 1 : end;
    }
    return true;
}

enum {
    CSV_QUEUE, CSV_ISSUE, CSV_COMPLETE, CSV_OP, CSV_FLAGS, CSV_OFFSET,
    CSV_BYTES, CSV_DEVICE, CSV_COMM, CSV_PID, CSV_TID, CSV_CPU, CSV_ERROR,
    CSV_QUALITY, CSV_FIELDS
};

static TraceReason fill_record(TraceImport *import, const Word *f,
                               TraceRecord *r)
{
    int64_t offset, bytes, pid, tid, cpu, error;
    unsigned flags, quality;

    if (!field_time(f[CSV_QUEUE], &r->queue_ns) ||
        !field_time(f[CSV_ISSUE], &r->issue_ns) ||
        !field_time(f[CSV_COMPLETE], &r->complete_ns) ||
        trace_record_start(r, TRACE_AT_QUEUE) == TRACE_NO_TIME) {
        return REASON_TIME;
    }
    if (!field_op(f[CSV_OP], &r->op)) {
        return REASON_OP;
    }
    if (!field_i64(f[CSV_OFFSET], 0, INT64_MAX, &offset) ||
        !field_i64(f[CSV_BYTES], 0, INT64_MAX - offset, &bytes)) {
        return REASON_RANGE;
    }
    if (!field_i64(f[CSV_PID], -1, INT32_MAX, &pid) ||
        !field_i64(f[CSV_TID], -1, INT32_MAX, &tid) ||
        !field_i64(f[CSV_CPU], 0, UINT16_MAX, &cpu) ||
        !field_i64(f[CSV_ERROR], -4095, 0, &error) ||
        !field_bits(f[CSV_FLAGS], trace_flag_names, TRACE_FLAG_COUNT, &flags) ||
        !field_bits(f[CSV_QUALITY], trace_quality_names, TRACE_QUALITY_COUNT,
                    &quality)) {
        return REASON_NUMBER;
    }
    r->offset = offset;
    r->bytes = bytes;
    r->cpu = cpu;
    r->error = error;
    r->flags = flags;
    r->quality = quality;
    r->device = trace_import_device(import, f[CSV_DEVICE]);
    r->process = trace_import_process(import, f[CSV_COMM], pid, tid);
    return REASON_STORED;
}

void csv_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    TraceRecord record = trace_import_record(import);
    GString *buffer = state;
    Word fields[CSV_FIELDS];
    TraceReason reason = REASON_FIELDS;
    unsigned n = 0;

    if (scan_text(&scan, TRACE_CSV_HEADER)) {
        trace_import_skip(import, REASON_HEADER);
        return;
    }
    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
        return;
    }
    g_string_set_size(buffer, 2 * (line->end - line->text) + 1); /* stays put */
    g_string_truncate(buffer, 0);
    while (n < CSV_FIELDS && next_field(&scan, &fields[n], buffer)) {
        n++;
    }
    if (n == CSV_FIELDS && scan.at > scan.end) {
        reason = fill_record(import, fields, &record);
    }
    if (reason == REASON_STORED) {
        trace_import_store(import, &record);
    } else {
        trace_import_reject_line(import, reason, line);
    }
}
