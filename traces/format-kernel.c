/* SPDX-License-Identifier: MIT */
/*
 * Text of the kernel's block events: ftrace's blk tracer and block:* events,
 * as tracefs, trace-cmd report and perf script print them.
 *
 * The three differ in what stands before the event; fields are counted from
 * the front, because newer kernels add some behind.  Where the blk tracer and
 * the events tell of the same device, the tracer's lines are the requests, and
 * the events only say which writes were zeroes.
 */
#include "block-text.h"
#include "formats.h"
#include "kernel-text.h"

enum { TRACED_DEVICES = 64 };

typedef struct Kernel {
    Join *join;
    KernelUring *uring;
    bool any_block; /* it tells of a block device */
    bool any_request; /* block_rq_issue or the like was seen */
    uint32_t traced[TRACED_DEVICES]; /* devices with lines of the tracer */
    unsigned n_traced;
    uint64_t lost;
    int64_t last_ns;
    uint64_t stamps, backwards; /* how many, and before the one before them */
} Kernel;

void *kernel_begin(TraceImport *import, const void *argument)
{
    Kernel *kernel = g_new0(Kernel, 1);

    kernel->join = join_new(import);
    kernel->uring = kernel_uring_new();
    return kernel;
}

void kernel_end(TraceImport *import, void *state)
{
    Kernel *kernel = state;

    join_end(kernel->join);
    kernel_uring_end(import, kernel->uring);
    if (kernel->lost) {
        trace_import_note(import, "the tracer lost %" PRIu64 " events",
                          kernel->lost);
    }
    if (kernel->backwards > kernel->stamps / 8) {
        trace_import_note(import, "%" PRIu64 " of %" PRIu64 " times are before "
                          "the one in the line before; if these are times "
                          "since the last event (perf script --deltatime), "
                          "print it without", kernel->backwards,
                          kernel->stamps);
    }
    g_free(kernel);
}

/* ---- Events ---- */

/* Of the requests' accounting (6.5), about when they are issued and done. */
static bool is_of_accounting(Word name)
{
    return word_begins(name, "block_io_");
}

/* Time, CPU and who did it. */
static void set_prefix(TraceImport *import, const KernelPrefix *prefix,
                       BlockAction action, BlockEvent *event)
{
    event->time_ns = prefix->time_ns;
    event->cpu = prefix->cpu;
    event->action = action;
    event->process = trace_import_process(import, prefix->comm, prefix->pid,
                                          prefix->tid);
}

static bool is_traced(const Kernel *kernel, uint32_t device)
{
    for (unsigned i = 0; i < kernel->n_traced; i++) {
        if (kernel->traced[i] == device) {
            return true;
        }
    }
    return false;
}

/* "254,0 WS 4096 () 354844224 + 8 be,0,4 [sq]", behind the event's name */
static TraceReason take_event(TraceImport *import, Kernel *kernel,
                              const KernelPrefix *prefix, Scan *scan,
                              const BlockEventName *known)
{
    BlockText text = {0};
    BlockEvent event;
    TraceReason reason;

    if (!block_text_device(scan, &text.major, &text.minor) ||
        !scan_word(scan, &text.rwbs) ||
        !block_text_fields(scan, known->shape, &text)) {
        return REASON_FIELDS;
    }
    reason = block_text_event(import, &text, &event);
    if (reason != REASON_STORED) {
        return reason;
    }
    set_prefix(import, prefix, known->action, &event);
    kernel->any_block = true;
    if (import->writer && is_traced(kernel, event.device)) {
        join_hint(kernel->join, &event);
        trace_import_skip(import, REASON_LAYER);
    } else {
        join_add(kernel->join, &event);
    }
    return REASON_STORED;
}

/* An action, maybe behind the cgroup that caused it. */
static BlockAction scan_action(Scan *scan)
{
    BlockAction action = BLOCK_ACTION_MAX;
    Word word;

    for (unsigned i = 0; i < 2 && action == BLOCK_ACTION_MAX; i++) {
        if (scan_word(scan, &word)) {
            action = block_action_find(word);
        }
    }
    return action;
}

/* "7,0 Q WS 26692 + 2 [sqlite3]": the blk tracer's. */
static TraceReason take_traced(TraceImport *import, Kernel *kernel,
                               const KernelPrefix *prefix, Scan *scan)
{
    BlockText text = {0};
    BlockAction action;
    BlockEvent event;
    TraceReason reason;

    if (!block_text_device(scan, &text.major, &text.minor)) {
        return REASON_FIELDS;
    }
    action = scan_action(scan);
    if (action == BLOCK_ACTION_MAX) {
        return REASON_OP;
    }
    if (action == BLOCK_OTHER) {
        return REASON_NOTIFY;
    }
    if (!scan_word(scan, &text.rwbs) ||
        !block_text_fields(scan, block_shape_of(action), &text)) {
        return REASON_FIELDS;
    }
    reason = block_text_event(import, &text, &event);
    if (reason != REASON_STORED) {
        return reason;
    }
    set_prefix(import, prefix, action, &event);
    kernel->any_block = true;
    if (!is_traced(kernel, event.device) &&
        kernel->n_traced < TRACED_DEVICES) {
        kernel->traced[kernel->n_traced++] = event.device;
    }
    join_add(kernel->join, &event);
    return REASON_STORED;
}

/* ---- Lines ---- */

/* "block:block_rq_issue: ..." without the first, as perf says it. */
static Word event_name(Scan *scan)
{
    Word name = {scan->at, 0};

    scan_until(scan, ':', &name);
    if (scan->at < scan->end && !scan_is_space(*scan->at)) {
        scan_until(scan, ':', &name);
    }
    return name;
}

static TraceReason take_body(TraceImport *import, Kernel *kernel,
                             const KernelPrefix *prefix, Scan *scan)
{
    const BlockEventName *known;
    Word name;

    scan_spaces(scan);
    if (scan->at < scan->end && scan_is_digit(*scan->at)) {
        return take_traced(import, kernel, prefix, scan);
    }
    if (scan_text(scan, "<stack trace>")) {
        return REASON_STACK;
    }
    name = event_name(scan);
    if (!name.len) {
        return REASON_FIELDS;
    }
    known = block_event_find(name);
    kernel->any_request |= word_begins(name, "block_rq_");
    if (known && is_of_accounting(name) && kernel->any_request) {
        return REASON_LAYER;
    }
    if (known) {
        return take_event(import, kernel, prefix, scan, known);
    }
    if (word_begins(name, "io_uring_")) {
        return kernel_uring_take(import, kernel->uring, kernel->any_block,
                                 prefix, name, scan);
    }
    /* "12: it says" could be anything. */
    return !prefix->comm.len && prefix->tid < 0 ? REASON_FIELDS : REASON_EVENT;
}

static void look_at_time(TraceImport *import, Kernel *kernel,
                         const KernelPrefix *prefix)
{
    if (prefix->counted && import->clock != TRACE_CLOCK_NONE) {
        import->clock = TRACE_CLOCK_NONE;
        trace_import_note(import, "the clock (trace_clock) counts events or "
                          "cycles, which are no times; their order is kept");
    }
    kernel->stamps++;
    kernel->backwards += prefix->time_ns < kernel->last_ns;
    kernel->last_ns = prefix->time_ns;
}

/* Behind "CPU:7 ": "[LOST 12 EVENTS]", "[12 EVENTS DROPPED]" or without 12. */
static bool scan_lost(Scan scan, uint64_t *lost)
{
    *lost = 0;
    if (!scan_char(&scan, '[')) {
        return false;
    }
    if (scan_text(&scan, "LOST ")) {
        scan_u64(&scan, lost);
        return true;
    }
    if (scan_u64(&scan, lost)) {
        scan_spaces(&scan);
    }
    return scan_text(&scan, "EVENTS DROPPED]");
}

/* "CPU 0 is empty", "cpus=4", "version = 6": trace-cmd report's. */
static bool is_header(Scan scan)
{
    uint64_t cpu;

    return scan_text(&scan, "cpus=") || scan_text(&scan, "version = ") ||
           (scan_text(&scan, "CPU ") && scan_u64(&scan, &cpu) &&
            scan_text(&scan, " is empty"));
}

/* " => submit_bio", or "    ffffffff81234567 submit_bio+0x1 ([kernel])" */
static bool is_stack(Scan scan, bool behind_tab)
{
    int least = behind_tab ? 1 : 4; /* digits, and then a name, no number */
    const char *digits = scan.at;

    if (scan_text(&scan, "=> ")) {
        return true;
    }
    while (scan.at < scan.end && scan_hex_digit(*scan.at) >= 0) {
        scan.at++;
    }
    return scan.at - digits >= least && scan_char(&scan, ' ') &&
           scan.at < scan.end && !scan_is_digit(*scan.at) &&
           !memchr(scan.at, ':', scan.end - scan.at);
}

/* Lines without a prefix; false if it should have one. */
static bool take_other(TraceImport *import, Kernel *kernel,
                       const TraceLine *line)
{
    Scan scan = {line->text, line->end}, behind;
    uint64_t lost = 0, cpu;

    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
        return true;
    }
    behind = scan;
    if (*scan.at == '#') {
        trace_import_skip(import, REASON_COMMENT);
    } else if (scan_lost(scan, &lost) ||
               (scan_text(&behind, "CPU:") && scan_u64(&behind, &cpu) &&
                scan_char(&behind, ' ') && scan_lost(behind, &lost))) {
        kernel->lost += lost;
        trace_import_skip(import, REASON_LOST);
    } else if (is_header(scan)) {
        trace_import_skip(import, REASON_HEADER);
    } else if (scan.at > line->text && is_stack(scan, *line->text == '\t')) {
        trace_import_skip(import, REASON_STACK);
    } else {
        return false;
    }
    return true;
}

void kernel_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    Kernel *kernel = state;
    TraceReason reason = REASON_FIELDS;
    KernelPrefix prefix;

    if (take_other(import, kernel, line)) {
        return;
    }
    if (kernel_prefix(&scan, &prefix)) {
        look_at_time(import, kernel, &prefix);
        reason = take_body(import, kernel, &prefix, &scan);
    }
    if (reason != REASON_STORED) {
        trace_import_leave_out(import, reason, line);
    }
}
