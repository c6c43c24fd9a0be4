/* SPDX-License-Identifier: MIT */
/* One line of a table, field by field. */
#include "table-row.h"

/* From 1601 to 1970, in tenths of microseconds. */
#define FILETIME_OF_1970 116444736000000000

static bool scan_scaled(Word word, const TableUnit *unit, int64_t *value)
{
    Scan scan = {word.text, word.text + word.len};
    bool fraction = memchr(word.text, '.', word.len) != NULL;
    uint64_t number;

    if ((unit->fraction == '-' && fraction) ||
        (unit->fraction == '.' && !fraction)) {
        return false;
    }
    if (unit->scale % 1000 == 0 || unit->fraction != '-') {
        if (!scan_time(&scan, unit->scale, value)) {
            return false;
        }
    } else {
        if (!scan_u64(&scan, &number) ||
            number > (uint64_t)(INT64_MAX / unit->scale)) {
            return false;
        }
        *value = number * unit->scale;
    }
    return scan.at == scan.end && *value >= unit->least && *value <= unit->most;
}

static bool scan_table_time(Word word, const TableUnit *unit, int64_t *ns)
{
    Scan scan = {word.text, word.text + word.len};
    uint64_t ticks;

    if (!g_str_equal(unit->name, "filetime")) {
        return scan_scaled(word, unit, ns);
    }
    /* More nanoseconds since 1601 than have room in the number. */
    if (!scan_u64(&scan, &ticks) || scan.at != scan.end ||
        ticks < FILETIME_OF_1970) {
        return false;
    }
    ticks -= FILETIME_OF_1970;
    *ns = ticks <= INT64_MAX / 100 ? (int64_t)ticks * 100 : -1;
    return *ns >= unit->least && *ns <= unit->most;
}

static bool is_any(Word word, const char *const *names)
{
    for (; *names; names++) {
        if (strlen(*names) == word.len &&
            !g_ascii_strncasecmp(*names, word.text, word.len)) {
            return true;
        }
    }
    return false;
}

/* Words, or SCSI's operation codes in hexadecimal. */
static TraceOp op_of_word(Word word)
{
    static const char *const names[][9] = {
        [TRACE_READ] = {"r", "read", "rd", "reads", "08", "28", "88", "a8"},
        [TRACE_WRITE] = {"w", "write", "wr", "writes", "0a", "2a", "8a", "aa"},
        [TRACE_FLUSH] = {"f", "flush", "35", "91"},
        [TRACE_DISCARD] = {"d", "t", "trim", "discard", "unmap", "42"},
        [TRACE_WRITE_ZEROES] = {"z", "zero", "write-zeroes", "write_zeroes",
                                "41", "93"},
        [TRACE_SYNC] = {"s", "sync", "fsync"},
        [TRACE_DATASYNC] = {"datasync", "fdatasync"},
    };

    if (word_begins(word, "0x")) {
        word = (Word){word.text + 2, word.len - 2};
    }
    for (unsigned op = 0; op < ARRAY_SIZE(names); op++) {
        if (is_any(word, names[op])) {
            return op;
        }
    }
    return TRACE_OP_MAX;
}

static TraceOp op_of(Word word, int64_t dialect)
{
    char c = word.len == 1 ? g_ascii_toupper(*word.text) : 0;
    Scan scan = {word.text, word.text + word.len};
    uint64_t number;

    switch (dialect) {
    case TABLE_OP_FIRST:
        c = word.len ? g_ascii_toupper(*word.text) : 0;
        /* fall through */
    case TABLE_OP_RW:
        return c == 'R' ? TRACE_READ : c == 'W' ? TRACE_WRITE : TRACE_OP_MAX;
    case TABLE_OP_READWRITE:
        return word_is(word, "Read") ? TRACE_READ
             : word_is(word, "Write") ? TRACE_WRITE : TRACE_OP_MAX;
    case TABLE_OP_0R:
        return c == '0' ? TRACE_READ : c == '1' ? TRACE_WRITE : TRACE_OP_MAX;
    case TABLE_OP_1R:
        return c == '1' ? TRACE_READ : c == '0' ? TRACE_WRITE : TRACE_OP_MAX;
    case TABLE_OP_BIT0R:
        return scan_hex(&scan, &number) && scan.at == scan.end
            ? (number & 1 ? TRACE_READ : TRACE_WRITE) : TRACE_OP_MAX;
    default:
        return op_of_word(word);
    }
}

static void add_device(TableRow *row, Word word, char joint)
{
    size_t len = MIN(word.len, sizeof(row->device) - 1 - row->device_len);

    if (row->device_len && len) {
        row->device[row->device_len++] = joint ? joint : '_';
        len = MIN(len, sizeof(row->device) - row->device_len);
    }
    memcpy(row->device + row->device_len, word.text, len);
    row->device_len += len;
}

static bool set_size(Word word, const TableUnit *unit, uint64_t *value)
{
    int64_t v;

    if (!scan_scaled(word, unit, &v)) {
        return false;
    }
    *value = v;
    return true;
}

/* REASON_STORED if the field is as it must be. */
static TraceReason set_field(TableRow *row, const Table *table, unsigned i,
                             Word word)
{
    const TableUnit *unit = table->spec.columns[i].unit;
    Scan scan = {word.text, word.text + word.len};
    uint64_t number;

    switch (table->spec.columns[i].field) {
    case TABLE_TIME:
        return scan_table_time(word, unit, &row->record.issue_ns)
            ? REASON_STORED : REASON_TIME;
    case TABLE_QUEUE:
        return scan_table_time(word, unit, &row->record.queue_ns)
            ? REASON_STORED : REASON_TIME;
    case TABLE_COMPLETE:
        return scan_table_time(word, unit, &row->record.complete_ns)
            ? REASON_STORED : REASON_TIME;
    case TABLE_LATENCY:
        return !word.len || scan_scaled(word, unit, &row->latency_ns)
            ? REASON_STORED : REASON_TIME;
    case TABLE_OP:
        row->no_op = !word.len;
        row->record.op = op_of(word, unit->scale);
        return row->no_op || row->record.op < TRACE_OP_MAX ? REASON_STORED
                                                           : REASON_OP;
    case TABLE_OFFSET:
        return set_size(word, unit, &row->record.offset) ? REASON_STORED
             : word.len && *word.text == '-' ? REASON_RANGE : REASON_NUMBER;
    case TABLE_BYTES:
        return set_size(word, unit, &row->record.bytes) ? REASON_STORED
             : word.len && *word.text == '-' ? REASON_RANGE : REASON_NUMBER;
    case TABLE_DEVICE:
        add_device(row, word, table->format->joint);
        return word.len ? REASON_STORED : REASON_FIELDS;
    case TABLE_COMM:
        row->comm = word;
        return REASON_STORED;
    case TABLE_PID:
        return scan_i64(&scan, &row->pid) && scan.at == scan.end
            ? REASON_STORED : REASON_NUMBER;
    case TABLE_CPU:
        if (!scan_u64(&scan, &number) || scan.at != scan.end) {
            return REASON_NUMBER;
        }
        row->record.cpu = number;
        return REASON_STORED;
    default:
        return REASON_STORED;
    }
}

/* The next field without the spaces around it; false at the end. */
static bool next_field(Scan *scan, char separator, Word *word)
{
    const char *to;

    if (separator == ' ') {
        return scan_word(scan, word);
    }
    if (scan->at > scan->end) {
        return false;
    }
    scan_spaces(scan);
    to = memchr(scan->at, separator, scan->end - scan->at);
    to = to ? to : scan->end;
    *word = (Word){scan->at, to - scan->at};
    while (word->len && scan_is_space(word->text[word->len - 1])) {
        word->len--;
    }
    scan->at = to + 1; /* behind the end after the last */
    return true;
}

TraceReason table_row_scan(const Table *table, const TraceLine *line,
                           TableRow *row)
{
    Scan scan = {line->text, line->end};
    TraceReason reason = REASON_STORED, first = REASON_STORED;
    unsigned n = 0;
    Word word;

    while (n < table->most && next_field(&scan, table->separator, &word)) {
        if (n < table->spec.n) {
            reason = set_field(row, table, n, word);
            first = first == REASON_STORED ? reason : first;
        }
        n++;
    }
    if (n < table->least ||
        (n == table->most && next_field(&scan, table->separator, &word))) {
        return REASON_FIELDS;
    }
    return first;
}
