/* SPDX-License-Identifier: MIT */
/*
 * biosnoop of bcc, libbpf-tools and bpftrace, and perf-tools' iosnoop: a line
 * for each request when it is done, below a line with the columns' names.
 *
 * That line says what the columns are.  The process's name may hold spaces, so
 * what stands before it is counted from the front, what follows from the back.
 */
#include "formats.h"
#include "join.h"

enum { COLUMNS_MAX = 16, WORDS_MAX = 64 };

typedef enum SnoopField {
    SNOOP_IGNORE, SNOOP_DONE, SNOOP_START, SNOOP_COMM, SNOOP_PID, SNOOP_DISK,
    SNOOP_MINOR, SNOOP_OP, SNOOP_SECTOR, SNOOP_BYTES, SNOOP_QUEUED, SNOOP_LATENCY,
} SnoopField;

static const struct {
    const char *name;
    SnoopField field;
    uint64_t unit; /* of times, in nanoseconds */
} fields[] = {
    {"TIME(s)", SNOOP_DONE, 1000000000}, {"TIME", SNOOP_DONE, 1000000000},
    {"TIME(ms)", SNOOP_DONE, 1000000}, {"TIME(us)", SNOOP_DONE, 1000},
    {"STARTs", SNOOP_START, 1000000000}, {"ENDs", SNOOP_DONE, 1000000000},
    {"COMM", SNOOP_COMM, 0}, {"PID", SNOOP_PID, 0}, {"TID", SNOOP_PID, 0},
    {"DISK", SNOOP_DISK, 0}, {"DEV", SNOOP_DISK, 0},
    {"ID", SNOOP_MINOR, 0}, /* "DISK ID" is two columns, major and minor */
    {"T", SNOOP_OP, 0}, {"TYPE", SNOOP_OP, 0},
    {"SECTOR", SNOOP_SECTOR, 0}, {"BLOCK", SNOOP_SECTOR, 0},
    {"BYTES", SNOOP_BYTES, 0},
    {"QUE(ms)", SNOOP_QUEUED, 1000000}, {"QUE(us)", SNOOP_QUEUED, 1000},
    {"LAT(ms)", SNOOP_LATENCY, 1000000}, {"LAT(us)", SNOOP_LATENCY, 1000},
    {"LATms", SNOOP_LATENCY, 1000000},
    {"P", SNOOP_IGNORE, 0}, {"PATTERN", SNOOP_IGNORE, 0},
    {"FLAGS", SNOOP_IGNORE, 0}, {"CGROUP", SNOOP_IGNORE, 0},
};

/* What it is, if there is no such line. */
static const char default_columns[] =
    "TIME(s) COMM PID DISK T SECTOR BYTES LAT(ms)";

typedef struct Snoop {
    unsigned n, comm; /* columns, and which of them is the name */
    unsigned column[COLUMNS_MAX]; /* index into fields */
    bool has_column_names;
} Snoop;

/* ---- The columns ---- */

static int find_field(Word word)
{
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        if (word_is(word, fields[i].name)) {
            return i;
        }
    }
    return -1;
}

static bool has_field(const Snoop *snoop, SnoopField field)
{
    for (unsigned i = 0; i < snoop->n; i++) {
        if (fields[snoop->column[i]].field == field) {
            return true;
        }
    }
    return false;
}

/* False, and nothing is changed, if the line is not one of column names. */
static bool scan_columns(Snoop *snoop, Scan scan)
{
    Snoop found = {.has_column_names = true};
    Word word;
    int field;

    scan_spaces(&scan);
    if (scan.at < scan.end && scan_is_digit(*scan.at)) {
        return false;
    }
    while (scan_word(&scan, &word)) {
        field = find_field(word);
        if (field < 0 || found.n == COLUMNS_MAX) {
            return false;
        }
        if (fields[field].field == SNOOP_COMM) {
            found.comm = found.n;
        }
        found.column[found.n++] = field;
    }
    if (found.n < 4 || !has_field(&found, SNOOP_COMM) ||
        !has_field(&found, SNOOP_LATENCY)) {
        return false;
    }
    *snoop = found;
    return true;
}

bool biosnoop_recognise(const TraceSample *sample, const char **why)
{
    const char *at = sample->text;
    Snoop snoop;

    *why = "it has a line with the names of biosnoop's columns";
    while (at < sample->end) {
        const char *newline = memchr(at, '\n', sample->end - at);
        Scan scan = {at, newline ? newline : sample->end};

        if (scan.end > scan.at && scan.end[-1] == '\r') {
            scan.end--;
        }
        if (scan_columns(&snoop, scan)) {
            return true;
        }
        at = newline ? newline + 1 : sample->end;
    }
    return false;
}

void *biosnoop_begin(TraceImport *import, const void *argument)
{
    Snoop *snoop = g_new0(Snoop, 1);
    Scan scan = {default_columns, default_columns + strlen(default_columns)};

    scan_columns(snoop, scan);
    snoop->has_column_names = false;
    return snoop;
}

void biosnoop_end(TraceImport *import, void *state)
{
    g_free(state);
}

/* ---- Lines ---- */

typedef struct Row {
    int64_t done_ns, start_ns, queued_ns, latency_ns, pid;
    Word comm, disk, minor, op;
    uint64_t sector, bytes;
    bool no_sector; /* -1: a flush, of older kernels */
} Row;

static const Row no_row = {
    .done_ns = TRACE_NO_TIME, .start_ns = TRACE_NO_TIME, .pid = -1,
};

/* A number of @unit nanoseconds, or a time of day. */
static bool scan_clock(Word word, uint64_t unit, int64_t *ns)
{
    Scan scan = {word.text, word.text + word.len};
    uint64_t hours, minutes;

    if (memchr(word.text, ':', word.len)) {
        if (!scan_u64(&scan, &hours) || hours > 24 || !scan_char(&scan, ':') ||
            !scan_u64(&scan, &minutes) || minutes > 60 ||
            !scan_char(&scan, ':') || !scan_time(&scan, 1000000000, ns)) {
            return false;
        }
        *ns += (int64_t)(hours * 3600 + minutes * 60) * 1000000000;
        return scan.at == scan.end;
    }
    return scan_time(&scan, unit, ns) && scan.at == scan.end;
}

static TraceReason set_field(Row *row, unsigned column, Word word)
{
    Scan scan = {word.text, word.text + word.len};
    uint64_t unit = fields[column].unit;
    bool ok = true;

    switch (fields[column].field) {
    case SNOOP_DONE:
        return scan_clock(word, unit, &row->done_ns) ? REASON_STORED
                                                     : REASON_TIME;
    case SNOOP_START:
        return scan_clock(word, unit, &row->start_ns) ? REASON_STORED
                                                      : REASON_TIME;
    case SNOOP_QUEUED:
        ok = scan_time(&scan, unit, &row->queued_ns) && scan.at == scan.end;
        row->queued_ns = MAX(row->queued_ns, 0); /* -1: not known */
        break;
    case SNOOP_LATENCY:
        ok = scan_time(&scan, unit, &row->latency_ns) && scan.at == scan.end;
        break;
    case SNOOP_PID:
        ok = word_is(word, "?") ||
             (scan_i64(&scan, &row->pid) && scan.at == scan.end);
        break;
    case SNOOP_SECTOR:
        row->no_sector = word_is(word, "-1") ||
                         word_is(word, "18446744073709551615");
        ok = row->no_sector ||
             (scan_u64(&scan, &row->sector) && scan.at == scan.end);
        break;
    case SNOOP_BYTES:
        ok = scan_u64(&scan, &row->bytes) && scan.at == scan.end;
        break;
    case SNOOP_DISK:
        row->disk = word;
        break;
    case SNOOP_MINOR:
        row->minor = word;
        break;
    case SNOOP_OP:
        row->op = word;
        break;
    default:
        break;
    }
    return ok ? REASON_STORED : REASON_NUMBER;
}

/* The columns but @blank, whose words have no gap where it should be. */
static TraceReason set_fields(const Snoop *snoop, const Word *words, unsigned n,
                              unsigned blank, Row *row)
{
    unsigned columns = snoop->n - (blank < snoop->n);
    unsigned extra, at = 0;

    if (n < columns) {
        return REASON_FIELDS;
    }
    extra = n - columns; /* spaces in the name */
    for (unsigned i = 0; i < snoop->n; i++) {
        TraceReason reason;

        if (i == blank) {
            continue;
        }
        if (i == snoop->comm) {
            const Word *last = &words[at + extra];

            row->comm = (Word){
                words[at].text, last->text + last->len - words[at].text,
            };
            at += extra + 1;
            continue;
        }
        reason = set_field(row, snoop->column[i], words[at++]);
        if (reason != REASON_STORED) {
            return reason;
        }
    }
    return REASON_STORED;
}

static unsigned find_column(const Snoop *snoop, SnoopField field)
{
    unsigned i = 0;

    while (i < snoop->n && fields[snoop->column[i]].field != field) {
        i++;
    }
    return i;
}

static bool is_op(Word word)
{
    uint8_t op, flags;

    return block_rwbs_parse(word, 1, &op, &flags);
}

/* bcc leaves the disk blank if it does not know it: false if it did not. */
static bool scan_without_disk(const Snoop *snoop, const Word *words, unsigned n,
                              Row *row)
{
    unsigned disk = find_column(snoop, SNOOP_DISK);
    Row blank = no_row;

    if (disk == snoop->n || !has_field(snoop, SNOOP_OP) ||
        set_fields(snoop, words, n, disk, &blank) != REASON_STORED ||
        !is_op(blank.op)) {
        return false;
    }
    blank.disk = (Word){"?", 1};
    *row = blank;
    return true;
}

static TraceReason scan_row(const Snoop *snoop, Scan scan, Row *row)
{
    Word words[WORDS_MAX];
    TraceReason reason;
    unsigned n = 0;

    while (n < WORDS_MAX && scan_word(&scan, &words[n])) {
        n++;
    }
    if (n == WORDS_MAX) {
        return REASON_FIELDS;
    }
    reason = set_fields(snoop, words, n, snoop->n, row);
    if (reason == REASON_STORED && (!row->op.len || is_op(row->op))) {
        return REASON_STORED;
    }
    return scan_without_disk(snoop, words, n, row) ? REASON_STORED : reason;
}

/* ---- Records ---- */

static uint32_t device_of(TraceImport *import, const Row *row)
{
    Scan major = {row->disk.text, row->disk.text + row->disk.len};
    Scan minor = {row->minor.text, row->minor.text + row->minor.len};
    uint64_t numbers[2];

    return row->minor.len && scan_u64(&major, &numbers[0]) &&
           scan_u64(&minor, &numbers[1])
        ? trace_import_block_device(import, numbers[0], numbers[1])
        : trace_import_device(import, row->disk);
}

static void set_times(const TraceImport *import, const Row *row, TraceRecord *r)
{
    r->complete_ns = row->done_ns;
    if (row->done_ns == TRACE_NO_TIME && row->start_ns == TRACE_NO_TIME) {
        r->issue_ns = import->place * 1000;
        r->complete_ns = r->issue_ns + row->latency_ns;
        r->quality |= TRACE_QUALITY_TIME_SYNTH;
        return;
    }
    if (row->done_ns == TRACE_NO_TIME) {
        r->complete_ns = row->start_ns + row->latency_ns;
    }
    r->issue_ns = row->start_ns != TRACE_NO_TIME
        ? row->start_ns : row->done_ns - row->latency_ns;
    r->quality |= TRACE_QUALITY_LATENCY_SYNTH;
    if (row->queued_ns) {
        r->queue_ns = r->issue_ns - row->queued_ns;
    }
}

static TraceReason make_record(TraceImport *import, const Snoop *snoop,
                               const Row *row, TraceRecord *r)
{
    if (row->op.len &&
        !block_rwbs_parse(row->op, row->bytes, &r->op, &r->flags)) {
        return REASON_OP;
    }
    if (r->op >= TRACE_OP_MAX) {
        return REASON_EVENT;
    }
    if ((r->op == TRACE_WRITE || row->no_sector) && !row->bytes &&
        has_field(snoop, SNOOP_BYTES)) {
        r->op = TRACE_FLUSH; /* nothing else writes no bytes */
        r->quality |= TRACE_QUALITY_OP_GUESSED;
    }
    if (row->bytes > INT64_MAX / 2 || row->sector > INT64_MAX / 1024 ||
        row->latency_ns < 0) {
        return REASON_RANGE;
    }
    if (!row->op.len) {
        r->quality |= TRACE_QUALITY_OP_GUESSED;
    }
    if (!has_field(snoop, SNOOP_SECTOR)) {
        r->quality |= TRACE_QUALITY_OFFSET_NONE | TRACE_QUALITY_SIZE_NONE;
    } else if (!row->bytes && trace_op_has_range(r->op)) {
        return REASON_EMPTY;
    }
    if (trace_op_has_range(r->op)) {
        r->offset = row->sector * 512;
        r->bytes = row->bytes;
    }
    set_times(import, row, r);
    r->device = device_of(import, row);
    r->process = trace_import_process(import, row->comm, row->pid, -1);
    return REASON_STORED;
}

/* What is no row: prose, if nothing in it looks like one. */
static void take_other(TraceImport *import, TraceReason reason,
                       const TraceLine *line, Scan scan)
{
    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
    } else if (*scan.at == '#') {
        trace_import_skip(import, REASON_COMMENT);
    } else if (scan_text(&scan, "MAJOR MINOR")) {
        trace_import_skip(import, REASON_HEADER); /* of "DISK ID" */
    } else if (!scan_is_digit(*line->text) && *line->text != '-') {
        trace_import_skip(import, REASON_PROSE);
    } else {
        trace_import_reject_line(import, reason, line);
    }
}

void biosnoop_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    Row row = no_row;
    TraceRecord record = trace_import_record(import);
    Snoop *snoop = state;
    TraceReason reason;

    if (scan_columns(snoop, scan)) {
        trace_import_skip(import, REASON_HEADER);
        return;
    }
    reason = scan_row(snoop, scan, &row);
    if (reason == REASON_STORED) {
        reason = make_record(import, snoop, &row, &record);
    }
    if (reason == REASON_STORED) {
        trace_import_store(import, &record);
    } else if (trace_reasons[reason].class == ACCOUNT_SKIPPED) {
        trace_import_skip(import, reason);
    } else {
        take_other(import, reason, line, scan);
    }
}
