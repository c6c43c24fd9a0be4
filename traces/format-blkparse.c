/* SPDX-License-Identifier: MIT */
/*
 * What blkparse prints by default, with -t or without:
 * "MAJOR,MINOR CPU SEQUENCE TIME PID ACTION RWBS ...", and its summary.
 */
#include "block-text.h"
#include "formats.h"

void *blkparse_begin(TraceImport *import, const void *argument)
{
    return join_new(import);
}

void blkparse_end(TraceImport *import, void *state)
{
    join_end(state);
}

/* "[comm]" at the end, which may hold spaces and brackets. */
static Word comm_of(const Scan *scan)
{
    const char *open = memchr(scan->at, '[', scan->end - scan->at);
    const char *close = memrchr(scan->at, ']', scan->end - scan->at);

    if (!open || !close || close < open ||
        (close - open == 7 && !memcmp(open, "[(null)", 7))) {
        return (Word){"", 0};
    }
    return (Word){open + 1, close - open - 1};
}

static TraceReason scan_event(TraceImport *import, const TraceLine *line,
                              BlockEvent *event)
{
    Scan scan = {line->text, line->end};
    BlockText text = {0};
    uint64_t cpu, sequence, pid;
    BlockAction action;
    TraceReason reason;
    int64_t time_ns;
    Word word;

    if (!block_text_device(&scan, &text.major, &text.minor) ||
        (scan_spaces(&scan), !scan_u64(&scan, &cpu)) || cpu > UINT16_MAX ||
        (scan_spaces(&scan), !scan_u64(&scan, &sequence))) {
        return REASON_FIELDS;
    }
    scan_spaces(&scan);
    if (!scan_time(&scan, 1000000000, &time_ns)) {
        return REASON_TIME;
    }
    scan_spaces(&scan);
    if (!scan_u64(&scan, &pid) || !scan_word(&scan, &word)) {
        return REASON_FIELDS;
    }
    action = block_action_find(word);
    if (action == BLOCK_ACTION_MAX) {
        return REASON_OP;
    }
    if (action == BLOCK_OTHER) {
        *event = (BlockEvent){.action = BLOCK_OTHER, .op = TRACE_OP_MAX};
        return REASON_STORED;
    }
    if (!scan_word(&scan, &text.rwbs) ||
        !block_text_fields(&scan, block_shape_of(action), &text)) {
        return REASON_FIELDS;
    }
    reason = block_text_event(import, &text, event);
    event->time_ns = time_ns;
    event->cpu = cpu;
    event->action = action;
    if (reason == REASON_STORED) {
        event->process = trace_import_process(
            import, action == BLOCK_COMPLETE ? (Word){"", 0} : comm_of(&scan),
            pid, -1);
    }
    return reason;
}

/* "fio (26252)": the heading of a process's summary. */
static bool is_process(Scan scan)
{
    const char *open = memrchr(scan.at, '(', scan.end - scan.at);
    Scan pid = {open ? open + 1 : scan.end, scan.end};
    uint64_t value;

    return open > scan.at && open[-1] == ' ' && scan_u64(&pid, &value) &&
           scan_char(&pid, ')') && scan_at_end(&pid);
}

static bool is_summary(const TraceLine *line)
{
    static const char *const beginnings[] = {
        "CPU", "Total", "Reads ", "Read ", "Writes ", "Write ", "IO unplugs",
        "PC ", "Throughput", "Events", "Skips", "Input file ", "cpu ",
        "Allocation wait", "Dispatch wait", "Completion wait",
    };
    Scan scan = {line->text, line->end};

    scan_spaces(&scan);
    for (unsigned i = 0; i < ARRAY_SIZE(beginnings); i++) {
        if (scan_text(&scan, beginnings[i])) {
            return true;
        }
    }
    return is_process(scan);
}

void blkparse_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    BlockEvent event;
    TraceReason reason;

    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
        return;
    }
    reason = scan_event(import, line, &event);
    if (reason == REASON_STORED) {
        event.place = import->place;
        join_add(state, &event);
    } else if (is_summary(line)) {
        trace_import_skip(import, REASON_SUMMARY);
    } else {
        trace_import_leave_out(import, reason, line);
    }
}
