/* SPDX-License-Identifier: MIT */
/*
 * A line says what the columns are.  The process's name may hold spaces, so what
 * stands before it is counted from the front, what follows from the back.
 */
#include "snoop-row.h"

#include "join.h"

enum { WORDS_MAX = 64 };

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

static unsigned find_column(const Snoop *snoop, SnoopField field)
{
    unsigned i = 0;

    while (i < snoop->n && fields[snoop->column[i]].field != field) {
        i++;
    }
    return i;
}

bool snoop_has_field(const Snoop *snoop, SnoopField field)
{
    return find_column(snoop, field) < snoop->n;
}

/* False, and nothing is changed, if the line is not one of column names. */
bool snoop_scan_columns(Snoop *snoop, Scan scan)
{
    Snoop found = {.n = 0};
    Word word;
    int field;

    scan_spaces(&scan);
    if (scan.at < scan.end && scan_is_digit(*scan.at)) {
        return false;
    }
    while (scan_word(&scan, &word)) {
        field = find_field(word);
        if (field < 0 || found.n == SNOOP_COLUMNS_MAX) {
            return false;
        }
        if (fields[field].field == SNOOP_COMM) {
            found.comm = found.n;
        }
        found.column[found.n++] = field;
    }
    if (found.n < 4 || !snoop_has_field(&found, SNOOP_COMM) ||
        !snoop_has_field(&found, SNOOP_LATENCY)) {
        return false;
    }
    *snoop = found;
    return true;
}

Snoop snoop_usual(void)
{
    Scan scan = {default_columns, default_columns + strlen(default_columns)};
    Snoop snoop = {.n = 0};

    snoop_scan_columns(&snoop, scan);
    return snoop;
}

/* ---- Rows ---- */

static const SnoopRow no_row = {
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

static TraceReason set_field(SnoopRow *row, unsigned column, Word word)
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
                              unsigned blank, SnoopRow *row)
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

static bool is_op(Word word)
{
    uint8_t op, flags;

    return block_rwbs_parse(word, 1, &op, &flags);
}

/* bcc leaves the disk blank if it does not know it: false if it did not. */
static bool scan_without_disk(const Snoop *snoop, const Word *words, unsigned n,
                              SnoopRow *row)
{
    unsigned disk = find_column(snoop, SNOOP_DISK);
    SnoopRow blank = no_row;

    if (disk == snoop->n || !snoop_has_field(snoop, SNOOP_OP) ||
        set_fields(snoop, words, n, disk, &blank) != REASON_STORED ||
        !is_op(blank.op)) {
        return false;
    }
    blank.disk = (Word){"?", 1};
    *row = blank;
    return true;
}

TraceReason snoop_scan_row(const Snoop *snoop, Scan scan, SnoopRow *row)
{
    Word words[WORDS_MAX];
    TraceReason reason;
    unsigned n = 0;

    *row = no_row;
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
