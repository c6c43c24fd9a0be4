/* SPDX-License-Identifier: MIT */
/*
 * Tables, one request a line: the published data sets, and what the user
 * describes.  Which column means what is said by a TableSpec.
 */
#include "table-row.h"

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

/* ---- From rows to records ---- */

/* What a latency says about the times that are not there. */
static void complete_times(Table *table, TableRow *row,
                           const TraceImport *import)
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

static void take_row(TraceImport *import, Table *table, TableRow *row,
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
    TableRow row = {.record = trace_import_record(import), .pid = -1,
               .latency_ns = TRACE_NO_TIME, .comm = {"", 0}};
    TraceReason reason;

    if (!table->separator) {
        table->separator = find_separator(line);
    }
    reason = table_row_scan(table, line, &row);
    if (reason == REASON_STORED) {
        take_row(import, table, &row, line);
    } else if (!take_other(import, table, line)) {
        trace_import_reject_line(import, reason, line);
    }
}
