/* SPDX-License-Identifier: MIT */
/*
 * biosnoop of bcc, libbpf-tools and bpftrace, and perf-tools' iosnoop: a line
 * for each request when it is done, below a line with the columns' names.
 */
#include "formats.h"
#include "join.h"
#include "snoop-row.h"

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
        if (snoop_scan_columns(&snoop, scan)) {
            return true;
        }
        at = newline ? newline + 1 : sample->end;
    }
    return false;
}

void *biosnoop_begin(TraceImport *import, const void *argument)
{
    Snoop *snoop = g_new(Snoop, 1);

    *snoop = snoop_usual();
    return snoop;
}

void biosnoop_end(TraceImport *import, void *state)
{
    g_free(state);
}

/* ---- Records ---- */

static uint32_t device_of(TraceImport *import, const SnoopRow *row)
{
    Scan major = {row->disk.text, row->disk.text + row->disk.len};
    Scan minor = {row->minor.text, row->minor.text + row->minor.len};
    uint64_t numbers[2];

    return row->minor.len && scan_u64(&major, &numbers[0]) &&
           scan_u64(&minor, &numbers[1])
        ? trace_import_block_device(import, numbers[0], numbers[1])
        : trace_import_device(import, row->disk);
}

static void set_times(const TraceImport *import, const SnoopRow *row,
                      TraceRecord *r)
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
                               const SnoopRow *row, TraceRecord *r)
{
    if (row->op.len &&
        !block_rwbs_parse(row->op, row->bytes, &r->op, &r->flags)) {
        return REASON_OP;
    }
    if (r->op >= TRACE_OP_MAX) {
        return REASON_EVENT;
    }
    if ((r->op == TRACE_WRITE || row->no_sector) && !row->bytes &&
        snoop_has_field(snoop, SNOOP_BYTES)) {
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
    if (!snoop_has_field(snoop, SNOOP_SECTOR)) {
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
    SnoopRow row;
    TraceRecord record = trace_import_record(import);
    Snoop *snoop = state;
    TraceReason reason;

    if (snoop_scan_columns(snoop, scan)) {
        trace_import_skip(import, REASON_HEADER);
        return;
    }
    reason = snoop_scan_row(snoop, scan, &row);
    if (reason == REASON_STORED) {
        reason = make_record(import, snoop, &row, &record);
    }
    if (reason == REASON_STORED) {
        trace_import_store(import, &record);
    } else if (trace_reasons[reason].class == ACCOUNT_SKIPPED) {
        trace_import_leave_out(import, reason, line);
    } else {
        take_other(import, reason, line, scan);
    }
}
