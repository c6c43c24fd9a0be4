/* SPDX-License-Identifier: MIT */
/*
 * fio's I/O logs, versions 2 and 3 (write_iolog): "[TIME] NAME ACTION [OFFSET
 * LENGTH]" after a line with the version.
 *
 * fio itself reads such a log loosely: lengths wrap at 4 GiB, extra fields are
 * ignored.  Here a line has the fields that its action has, or is refused.  A
 * name may hold spaces, if no word in it is an action.
 */
#include "formats.h"

typedef enum FioAction {
    FIO_ADD, FIO_OPEN, FIO_CLOSE, FIO_WAIT, FIO_REQUEST, FIO_NONE
} FioAction;

static const struct {
    const char *name;
    FioAction action;
    TraceOp op;
} actions[] = {
    {"read", FIO_REQUEST, TRACE_READ},
    {"write", FIO_REQUEST, TRACE_WRITE},
    {"trim", FIO_REQUEST, TRACE_DISCARD},
    {"sync", FIO_REQUEST, TRACE_SYNC},
    {"datasync", FIO_REQUEST, TRACE_DATASYNC},
    {"sync_file_range", FIO_REQUEST, TRACE_DATASYNC},
    {"wait", FIO_WAIT, TRACE_OP_MAX},
    {"add", FIO_ADD, TRACE_OP_MAX},
    {"open", FIO_OPEN, TRACE_OP_MAX},
    {"close", FIO_CLOSE, TRACE_OP_MAX},
};

typedef struct FioLog {
    unsigned version;
    bool opened;      /* some file was added or opened */
    int64_t last_ns;  /* the newest time so far */
    int64_t ordinal;  /* version 2: what keeps lines in order */
} FioLog;

/* ---- Headers ---- */

static unsigned header_version(Scan scan)
{
    uint64_t version;

    return scan_text(&scan, "fio version ") && scan_u64(&scan, &version) &&
           scan_text(&scan, " iolog") && scan_at_end(&scan) ? version : 0;
}

static bool recognise(const TraceSample *sample, unsigned version)
{
    const char *newline = memchr(sample->text, '\n',
                                 sample->end - sample->text);
    Scan scan = {sample->text, newline ? newline : sample->end};

    scan_text(&scan, "\xef\xbb\xbf");
    if (scan.end > scan.at && scan.end[-1] == '\r') {
        scan.end--;
    }
    return header_version(scan) == version;
}

bool fio2_recognise(const TraceSample *sample, const char **why)
{
    *why = "its first line is 'fio version 2 iolog'";
    return recognise(sample, 2);
}

bool fio3_recognise(const TraceSample *sample, const char **why)
{
    *why = "its first line is 'fio version 3 iolog'";
    return recognise(sample, 3);
}

void *fio_begin(TraceImport *import, const void *argument)
{
    FioLog *fio = g_new0(FioLog, 1);

    fio->version = GPOINTER_TO_UINT(argument);
    fio->last_ns = INT64_MIN;
    return fio;
}

void fio_end(TraceImport *import, void *state)
{
    g_free(state);
}

/* ---- Lines ---- */

typedef struct FioLine {
    int64_t time_ns;
    Word name;
    unsigned action; /* index into the table */
    uint64_t offset, length;
} FioLine;

static int find_action(Word word)
{
    for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
        if (word_is(word, actions[i].name)) {
            return i;
        }
    }
    return -1;
}

/* What an action's fields must be. */
static bool scan_fields(Scan *scan, FioLine *line, TraceReason *reason)
{
    FioAction action = actions[line->action].action;

    if (action != FIO_REQUEST && action != FIO_WAIT) {
        *reason = REASON_FIELDS;
        return scan_at_end(scan);
    }
    scan_spaces(scan);
    *reason = scan->at < scan->end && *scan->at == '-' ? REASON_RANGE
                                                       : REASON_NUMBER;
    if (!scan_u64(scan, &line->offset)) {
        return false;
    }
    scan_spaces(scan);
    if (scan_at_end(scan) && action == FIO_WAIT) {
        line->length = 0; /* older logs leave it out */
        return true;
    }
    if (!scan_u64(scan, &line->length)) {
        *reason = scan_at_end(scan) ? REASON_FIELDS : *reason;
        return false;
    }
    *reason = REASON_FIELDS;
    return scan_at_end(scan);
}

/* The name and the action behind it; the name is not empty. */
static bool scan_name(Scan *scan, FioLine *line, TraceReason *reason)
{
    Word word;
    int action = -1;

    *reason = REASON_FIELDS;
    if (!scan_word(scan, &line->name)) {
        return false;
    }
    while (scan_word(scan, &word)) {
        action = find_action(word);
        if (action >= 0) {
            line->action = action;
            line->name.len = word.text - line->name.text;
            while (scan_is_space(line->name.text[line->name.len - 1])) {
                line->name.len--;
            }
            return true;
        }
        *reason = REASON_OP;
    }
    return false;
}

/* Times are in microseconds. */
static bool scan_line(const FioLog *fio, const TraceLine *text, FioLine *line,
                      TraceReason *reason)
{
    Scan scan = {text->text, text->end};
    uint64_t us;

    if (fio->version == 3) {
        scan_spaces(&scan);
        if (!scan_u64(&scan, &us) || us > INT64_MAX / 1000) {
            *reason = REASON_TIME;
            return false;
        }
        line->time_ns = us * 1000;
    }
    return scan_name(&scan, line, reason) && scan_fields(&scan, line, reason);
}

/* Version 2 has an order, and waits until so many microseconds. */
static void set_time(FioLog *fio, const FioLine *line, TraceRecord *record)
{
    if (fio->version == 2) {
        record->issue_ns = fio->ordinal++;
        record->quality |= TRACE_QUALITY_TIME_SYNTH;
        return;
    }
    record->issue_ns = line->time_ns;
    if (line->time_ns < fio->last_ns) {
        record->quality |= TRACE_QUALITY_TIME_REPAIRED;
    }
    fio->last_ns = MAX(fio->last_ns, line->time_ns);
}

static void take_request(TraceImport *import, FioLog *fio,
                         const FioLine *line, const TraceLine *text)
{
    TraceRecord record = trace_import_record(import);

    record.op = actions[line->action].op;
    if (trace_op_has_range(record.op)) {
        if (!line->length) {
            trace_import_skip(import, REASON_EMPTY);
            return;
        }
        if (line->length > INT64_MAX ||
            line->offset > INT64_MAX - line->length) {
            trace_import_reject_line(import, REASON_RANGE, text);
            return;
        }
        record.offset = line->offset;
        record.bytes = line->length;
    } else if (line->length) {
        record.quality |= TRACE_QUALITY_REPAIRED;
    }
    if (!fio->opened) {
        fio->opened = true;
        trace_import_note(import, "uses a file before it is added");
    }
    record.device = trace_import_device(import, line->name);
    set_time(fio, line, &record);
    trace_import_store(import, &record);
}

/* Lines that are not about files; false if this is none. */
static bool take_other(TraceImport *import, FioLog *fio, const TraceLine *text)
{
    Scan scan = {text->text, text->end};
    unsigned version;

    scan_text(&scan, "\xef\xbb\xbf");
    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
    } else if (*scan.at == '#') {
        trace_import_skip(import, REASON_COMMENT);
    } else if ((version = header_version(scan)) == 2 || version == 3) {
        fio->version = version;
        trace_import_skip(import, REASON_HEADER);
    } else {
        return false;
    }
    return true;
}

void fio_line(TraceImport *import, void *state, const TraceLine *text)
{
    FioLog *fio = state;
    TraceReason reason;
    FioLine line = {.time_ns = 0};

    if (!scan_line(fio, text, &line, &reason)) {
        if (!take_other(import, fio, text)) {
            trace_import_reject_line(import, reason, text);
        }
        return;
    }
    switch (actions[line.action].action) {
    case FIO_WAIT:
        fio->ordinal = MAX(fio->ordinal,
                           (int64_t)MIN(line.offset, INT64_MAX / 1000) * 1000);
        trace_import_skip(import, REASON_WAIT);
        break;
    case FIO_REQUEST:
        take_request(import, fio, &line, text);
        break;
    default:
        fio->opened = true;
        trace_import_skip(import, REASON_FILES);
        break;
    }
}
