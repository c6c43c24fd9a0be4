/* SPDX-License-Identifier: MIT */
/*
 * perf trace: "TIME ( DURATION ms): COMM/TID CALL(NAME: VALUE, ...) = RESULT".
 * Arguments have names, and those that are zero are left out.  Of one process
 * that was started, there is no COMM/TID.  A call that another thread
 * interrupts ends in "...", and its result stands in a line of its own.  Events
 * of the block layer look like calls, too.
 */
#include "begun-calls.h"
#include "block-text.h"
#include "formats.h"

typedef struct PerfTrace {
    Syscalls *calls;
    BegunCalls *begun;
    Join *join; /* NULL until there is a block event */
    bool over; /* what follows is the summary of -S */
} PerfTrace;

void *perf_trace_begin(TraceImport *import, const void *argument)
{
    PerfTrace *perf = g_new0(PerfTrace, 1);

    perf->calls = syscalls_new(import);
    perf->begun = begun_calls_new();
    return perf;
}

void perf_trace_end(TraceImport *import, void *state)
{
    PerfTrace *perf = state;

    syscalls_free(perf->calls);
    begun_calls_free(perf->begun);
    if (perf->join) {
        join_end(perf->join);
    }
    g_free(perf);
}

/* ---- What stands before the call ---- */

/* Where the arguments begin: a name's last character stands before it. */
static const char *find_arguments(Scan scan)
{
    const char *open = scan.at;

    while ((open = memchr(open, '(', scan.end - open))) {
        if (open > scan.at && (g_ascii_isalnum(open[-1]) || open[-1] == '_')) {
            return open;
        }
        open++;
    }
    return scan.end;
}

/* "CPU 0/KVM/4243 ": names may hold slashes, the thread is behind the last. */
static void scan_task(Scan *scan, Call *call)
{
    const char *end = find_arguments(*scan), *slash = scan->at;

    while ((slash = memchr(slash, '/', end - slash))) {
        Scan tid = {slash + 1, end};

        if (scan_i64(&tid, &call->tid) && scan_char(&tid, ' ')) {
            call->comm = (Word){scan->at, slash - scan->at};
            scan->at = tid.at;
            scan_spaces(scan);
            return;
        }
        slash++;
    }
    call->tid = -1;
}

/* "( 0.033 ms): " */
static bool scan_duration(Scan *scan, Call *call)
{
    Word ignored;

    if (!scan_char(scan, '(')) {
        return false;
    }
    scan_spaces(scan);
    scan_time(scan, 1000000, &call->took_ns);
    return scan_until(scan, ')', &ignored) && scan_char(scan, ':');
}

/* "     0.000 ( 0.033 ms): sqlite3/26944 "; the time may be "?" */
static bool scan_prefix(Scan *scan, Call *call)
{
    bool is_call;

    scan_spaces(scan);
    if (!scan_time(scan, 1000000, &call->start_ns) && !scan_char(scan, '?')) {
        return false;
    }
    scan_spaces(scan);
    is_call = scan_duration(scan, call);
    scan_spaces(scan);
    scan_task(scan, call);
    return is_call || call->tid >= 0; /* of events alone, none is printed */
}

/* ---- The call ---- */

static bool has_name(Word arg, Word name)
{
    return arg.len > name.len && arg.text[name.len] == ':' &&
           !memcmp(arg.text, name.text, name.len);
}

/* The value of the argument called @name, "0" if there is none. */
static Word value_of(const Word *args, unsigned n, unsigned place, Word name)
{
    unsigned i = place < n && has_name(args[place], name) ? place : 0;
    Scan value;

    while (i < n && !has_name(args[i], name)) {
        i++; /* others are left out */
    }
    if (i == n) {
        return (Word){"0", 1};
    }
    value = (Scan){args[i].text + name.len + 1, args[i].text + args[i].len};
    scan_spaces(&value);
    return (Word){value.at, value.end - value.at};
}

/* The arguments in the order of the calls' own declarations. */
static const struct {
    Word begins; /* the call's name */
    Word args[CALL_ARGS];
} orders[] = {
    {WORD("openat"), {WORD("dfd"), WORD("filename"), WORD("flags")}},
    {WORD("open"), {WORD("filename"), WORD("flags")}},
    {WORD("creat"), {WORD("pathname"), WORD("mode")}},
    {WORD("dup"), {WORD("oldfd"), WORD("newfd")}},
    {WORD("fcntl"), {WORD("fd"), WORD("cmd")}},
    {WORD("fallocate"), {WORD("fd"), WORD("mode"), WORD("offset"),
                         WORD("len")}},
    {WORD("copy_file_range"), {WORD("fd_in"), WORD("off_in"), WORD("fd_out"),
                               WORD("off_out"), WORD("len")}},
    {WORD("sendfile"), {WORD("out_fd"), WORD("in_fd"), WORD("offset"),
                        WORD("count")}},
    {WORD("preadv"), {WORD("fd"), WORD("vec"), WORD("vlen"), WORD("pos_l")}},
    {WORD("pwritev"), {WORD("fd"), WORD("vec"), WORD("vlen"), WORD("pos_l")}},
    {WORD(""), {WORD("fd"), WORD("buf"), WORD("count"), WORD("pos")}},
};

static unsigned find_order(Word name)
{
    unsigned which = 0;
    Word begins;

    for (; (begins = orders[which].begins).len; which++) {
        if (name.len >= begins.len &&
            word_same((Word){name.text, begins.len}, begins)) {
            break;
        }
    }
    return which;
}

static void order_args(Call *call, const Word *args, unsigned n)
{
    unsigned which = find_order(call->name);

    for (unsigned i = 0; i < CALL_ARGS && orders[which].args[i].len; i++) {
        call->args[i] = value_of(args, n, i, orders[which].args[i]);
        call->n_args = i + 1;
    }
}

static bool scan_call(Scan scan, Call *call)
{
    const char *equals = syscalls_last_equals(scan, scan.end);
    Word args[CALL_ARGS], name;
    Scan inside, result;
    unsigned n;

    if (!equals || !scan_until(&scan, '(', &name) || !name.len ||
        equals < scan.at) {
        return false;
    }
    call->name = name;
    inside = (Scan){scan.at, equals};
    while (inside.end > inside.at && inside.end[-1] != ')') {
        inside.end--;
    }
    inside.end -= inside.end > inside.at;
    n = syscalls_split(inside, args);
    order_args(call, args, n);
    result = (Scan){equals + 3, scan.end};
    scan_spaces(&result);
    call->has_result = scan_i64(&result, &call->result);
    call->failed = call->has_result && call->result < 0;
    return true;
}

/* ---- Events of the block layer ---- */

static uint64_t number_of(const Word *args, unsigned n, const char *name)
{
    Word value = value_of(args, n, 0, (Word){name, strlen(name)});
    Scan scan = {value.text, value.text + value.len};
    int64_t number;

    return syscalls_number(&scan, &number) ? number : 0;
}

/* "dev: 266338304, sector: 800, nr_sector: 8, bytes: 4096, rwbs: "WS"" */
static TraceReason take_block(TraceImport *import, PerfTrace *perf,
                              const BlockEventName *known, Scan inside,
                              const Call *call)
{
    Word args[CALL_ARGS];
    unsigned n = syscalls_split(inside, args);
    uint64_t device = number_of(args, n, "dev");
    uint64_t from = number_of(args, n, "old_dev");
    Word rwbs = value_of(args, n, 0, (Word)WORD("rwbs"));
    BlockText text = {
        .major = device >> 20, .minor = device & 0xfffff,
        .sector = number_of(args, n, "sector"),
        .sectors = number_of(args, n, "nr_sector"),
        .error = number_of(args, n, "error"),
        .other_major = from >> 20, .other_minor = from & 0xfffff,
        .other_sector = number_of(args, n, known->action == BLOCK_REMAP
                                               ? "old_sector" : "new_sector"),
    };
    BlockEvent event;
    TraceReason reason;

    text.bytes = text.sectors <= INT64_MAX / 512 ? text.sectors * 512 : 0;
    text.rwbs = rwbs.len > 2 && *rwbs.text == '"'
        ? (Word){rwbs.text + 1, rwbs.len - 2} : rwbs;
    reason = block_text_event(import, &text, &event);
    if (reason != REASON_STORED) {
        return reason;
    }
    event.time_ns = call->start_ns;
    event.action = known->action;
    event.process = trace_import_process(import, call->comm, -1, call->tid);
    perf->join = perf->join ? perf->join : join_new(import);
    join_add(perf->join, &event);
    return REASON_STORED;
}

/* "block:block_rq_issue(...)"; false if it is no such event. */
static bool take_event(TraceImport *import, PerfTrace *perf, Scan scan,
                       const Call *call, const TraceLine *line)
{
    const BlockEventName *known;
    const char *close;
    TraceReason reason;
    Word name;

    if (!scan_text(&scan, "block:")) {
        return false;
    }
    close = memrchr(scan.at, ')', scan.end - scan.at);
    if (!scan_until(&scan, '(', &name) || close < scan.at ||
        !(known = block_event_find(name)) || known->shape == BLOCK_SHAPE_NONE) {
        trace_import_skip(import, REASON_EVENT);
        return true;
    }
    reason = take_block(import, perf, known, (Scan){scan.at, close}, call);
    if (reason != REASON_STORED) {
        trace_import_leave_out(import, reason, line);
    }
    return true;
}

/* ---- Lines ---- */

/* "fsync(fd: 7) ...": kept until it is continued. */
static bool take_unfinished(TraceImport *import, PerfTrace *perf, Scan scan,
                            const Call *call)
{
    static const char mark[] = " ...";
    const char *end = scan.end - strlen(mark);

    if (end < scan.at || memcmp(end, mark, strlen(mark))) {
        return false;
    }
    while (end > scan.at && end[-1] != ')') {
        end--;
    }
    end -= end > scan.at; /* the result's line has another one */
    begun_calls_put(perf->begun, call, (Scan){scan.at, end});
    trace_import_skip(import, REASON_JOINED);
    return true;
}

/* "... [continued]: fsync()) = 0" */
static bool take_continued(TraceImport *import, PerfTrace *perf, Scan scan,
                           Call *call)
{
    Scan text;
    Word name;

    if (!scan_text(&scan, "... [continued]: ") ||
        !scan_until(&scan, '(', &name)) {
        return false;
    }
    if (!begun_calls_go_on(perf->begun, call, scan, &text)) {
        trace_import_skip(import, REASON_ORPHAN);
        return true;
    }
    if (scan_call(text, call)) {
        syscalls_take(perf->calls, call);
    } else {
        trace_import_skip(import, REASON_CALL);
    }
    begun_calls_end(perf->begun, call);
    return true;
}

/* Lines without a time; false if it is nothing that is known. */
static bool take_other(TraceImport *import, PerfTrace *perf,
                       const TraceLine *line)
{
    enum { CALL_CHAIN = 16 }; /* its lines are indented so far */
    Scan scan = {line->text, line->end};

    scan_spaces(&scan);
    perf->over |= scan_text(&scan, "Summary of events:");
    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
    } else if (perf->over) {
        trace_import_skip(import, REASON_SUMMARY);
    } else if (scan.at - line->text >= CALL_CHAIN) {
        trace_import_skip(import, REASON_STACK);
    } else if (scan_text(&scan, "LOST ")) {
        trace_import_skip(import, REASON_LOST);
    } else {
        return false;
    }
    return true;
}

void perf_trace_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    PerfTrace *perf = state;
    Call call = {.took_ns = TRACE_NO_TIME, .place = import->place,
                 .comm = {"", 0}, .result_path = {"", 0}};

    if (!scan_prefix(&scan, &call)) {
        if (!take_other(import, perf, line)) {
            trace_import_reject_line(import, REASON_FIELDS, line);
        }
    } else if (take_event(import, perf, scan, &call, line) ||
               take_unfinished(import, perf, scan, &call) ||
               take_continued(import, perf, scan, &call)) {
        return;
    } else if (scan_call(scan, &call)) {
        syscalls_take(perf->calls, &call);
    } else {
        trace_import_skip(import, REASON_CALL); /* events, and words of BPF's */
    }
}
