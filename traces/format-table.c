/* SPDX-License-Identifier: MIT */
/*
 * Tables, one request a line: the published data sets, and what the user
 * describes.  Which column means what is said by a TableSpec.
 */
#include "formats.h"
#include "table-spec.h"

/* From 1601 to 1970, in tenths of microseconds. */
#define FILETIME_OF_1970 116444736000000000

/* Microsoft Research, Cambridge (SNIA): times are FILETIMEs. */
const TableFormat table_msr = {
    "time:filetime,device,device,op:readwrite,offset,bytes,latency:100ns",
    ',', 7, 7, .joint = '_', .header = "Timestamp,Hostname",
};
/* VDI traces of SYSTOR '17 (SNIA): what had no response has blank fields. */
const TableFormat table_systor = {
    "time:unix,latency:s,op:rw,device,offset,bytes", ',', 6, 6,
    .header = "Timestamp,Response",
};
const TableFormat table_alibaba = {
    "device,op:rw,offset,bytes,time:unixus", ',', 5, 5, .header = "device_id",
};
/* Tencent CBS (SNIA): times in whole seconds. */
const TableFormat table_tencent = {
    "time:unix,offset:sector,bytes:sector,op:0r,device", ',', 5, 5,
    .header = "Timestamp,Offset", .quality = TRACE_QUALITY_TIME_COARSE,
};
/* Storage Performance Council: a line may have more fields at its end. */
const TableFormat table_spc = {
    "device,offset:sector,bytes,op:rw,time:s", ',', 5, TABLE_COLUMNS_MAX,
};
/* FIU (SNIA): homes, mail, web. */
const TableFormat table_fiu = {
    "time:ns,pid,comm,offset:sector,bytes:sector,op:rw,device,device,-", ' ',
    9, 9, .joint = ',',
};
const TableFormat table_mqsim = {
    "time:ns,device,offset:sector,bytes:sector,op:1r", ' ', 5, 5,
};
const TableFormat table_disksim = {
    "time:ms.,device,offset:sector,bytes:sector,op:bit0r", ' ', 5, 5,
};
const TableFormat table_blkreplay = {
    "time:s,offset:sector,bytes:sector,op:rw*", ';', 4, TABLE_COLUMNS_MAX,
    .header = "start", .prose_before = true,
};
/* fio before 1.20: an order, and no times. */
const TableFormat table_fio1 = {
    "op:0r,offset,bytes", ',', 3, 3,
};
const TableFormat table_columns = {.given = true};

typedef struct Table {
    const TableFormat *format;
    TableSpec spec;
    char separator;
    unsigned least, most;
    bool started;   /* a line was one of the table's */
    int64_t newest; /* the latest time so far */
} Table;

/* ---- The state ---- */

void *table_begin(TraceImport *import, const void *argument)
{
    Table *table = g_new0(Table, 1);

    table->format = argument;
    table_spec_parse(&table->spec, table->format->given
                     ? import->columns : table->format->spec, &error_abort);
    table->separator = table->format->separator;
    table->least = table->format->given ? table->spec.n : table->format->least;
    table->most = table->format->given ? UINT_MAX : table->format->most;
    table->newest = INT64_MIN;
    return table;
}

void table_end(TraceImport *import, void *state)
{
    g_free(state);
}

/* The title stands within the first bytes, behind whatever else there is. */
bool blkreplay_recognise(const TraceSample *sample, const char **why)
{
    *why = "it has the line 'start ; sector; length ; op'";
    return memmem(sample->text, sample->end - sample->text,
                  "start ; sector; length", 22) != NULL;
}

/* ---- One line ---- */

typedef struct Row {
    TraceRecord record;
    int64_t latency_ns, pid;
    Word comm;
    char device[128];
    size_t device_len;
    bool no_op;
} Row;

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

static TraceOp op_of_word(Word word)
{
    static const char *const names[][8] = {
        [TRACE_READ] = {"r", "read", "rd", "reads"},
        [TRACE_WRITE] = {"w", "write", "wr", "writes"},
        [TRACE_FLUSH] = {"f", "flush"},
        [TRACE_DISCARD] = {"d", "t", "trim", "discard", "unmap"},
        [TRACE_WRITE_ZEROES] = {"z", "zero", "write-zeroes", "write_zeroes"},
        [TRACE_SYNC] = {"s", "sync", "fsync"},
        [TRACE_DATASYNC] = {"datasync", "fdatasync"},
    };

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
        return scan_u64(&scan, &number) && scan.at == scan.end
            ? (number & 1 ? TRACE_READ : TRACE_WRITE) : TRACE_OP_MAX;
    default:
        return op_of_word(word);
    }
}

static void add_device(Row *row, Word word, char joint)
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
static TraceReason set_field(Row *row, const Table *table, unsigned i,
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

static TraceReason scan_row(const Table *table, const TraceLine *line, Row *row)
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

/* ---- From rows to records ---- */

/* What a latency says about the times that are not there. */
static void complete_times(Table *table, Row *row, const TraceImport *import)
{
    TraceRecord *r = &row->record;
    bool known = r->issue_ns != TRACE_NO_TIME || r->queue_ns != TRACE_NO_TIME;

    if (row->latency_ns != TRACE_NO_TIME) {
        if (known && r->complete_ns == TRACE_NO_TIME) {
            r->complete_ns = trace_record_start(r, TRACE_AT_ISSUE) +
                             row->latency_ns;
        } else if (!known && r->complete_ns != TRACE_NO_TIME) {
            r->issue_ns = r->complete_ns - row->latency_ns;
        }
        r->quality |= TRACE_QUALITY_LATENCY_SYNTH;
        known = true;
    }
    if (!known) {
        r->issue_ns = r->complete_ns != TRACE_NO_TIME ? r->complete_ns
                                                      : (int64_t)import->place;
        r->quality |= TRACE_QUALITY_TIME_SYNTH;
    }
    if (trace_record_start(r, TRACE_AT_ISSUE) < table->newest) {
        r->quality |= TRACE_QUALITY_TIME_REPAIRED;
    }
    table->newest = MAX(table->newest, trace_record_start(r, TRACE_AT_ISSUE));
}

static void take_row(TraceImport *import, Table *table, Row *row,
                     const TraceLine *line)
{
    TraceRecord *r = &row->record;

    table->started = true;
    if (row->no_op) {
        trace_import_skip(import, REASON_NO_OP);
        return;
    }
    if (!r->bytes && trace_op_has_range(r->op)) {
        trace_import_skip(import, REASON_EMPTY);
        return;
    }
    if (r->offset > INT64_MAX - r->bytes) {
        trace_import_reject_line(import, REASON_RANGE, line);
        return;
    }
    r->quality |= table->format->quality;
    complete_times(table, row, import);
    r->device = trace_import_device(import, (Word){row->device,
                                                   row->device_len});
    r->process = trace_import_process(import, row->comm, row->pid, -1);
    trace_import_store(import, r);
}

/* Lines that are no rows; false if this should be one. */
static bool take_other(TraceImport *import, Table *table, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    const char *header = table->format->header;
    TraceReason reason = REASON_STORED;

    if (line->number == 1) {
        scan_text(&scan, "\xef\xbb\xbf");
    }
    if (scan_at_end(&scan)) {
        reason = REASON_BLANK;
    } else if (*scan.at == '#') {
        reason = REASON_COMMENT;
    } else if (header && (size_t)(scan.end - scan.at) >= strlen(header) &&
               !g_ascii_strncasecmp(scan.at, header, strlen(header))) {
        reason = REASON_HEADER;
        table->started = true;
    } else if (table->format->given && line->number == 1 &&
               g_ascii_isalpha(*scan.at)) {
        reason = REASON_HEADER;
    } else if (table->format->prose_before && !table->started) {
        reason = REASON_PROSE;
    }
    if (reason == REASON_STORED) {
        return false;
    }
    trace_import_skip(import, reason);
    return true;
}

/* The user's table: as its first line has them. */
static char find_separator(const TraceLine *line)
{
    size_t len = line->end - line->text;

    return memchr(line->text, ';', len) ? ';'
         : memchr(line->text, ',', len) ? ','
         : memchr(line->text, '|', len) ? '|' : ' ';
}

void table_line(TraceImport *import, void *state, const TraceLine *line)
{
    Table *table = state;
    Row row = {.record = trace_import_record(import), .pid = -1,
               .latency_ns = TRACE_NO_TIME, .comm = {"", 0}};
    TraceReason reason;

    if (!table->separator) {
        table->separator = find_separator(line);
    }
    reason = scan_row(table, line, &row);
    if (reason == REASON_STORED) {
        take_row(import, table, &row, line);
    } else if (!take_other(import, table, line)) {
        trace_import_reject_line(import, reason, line);
    }
}
