/* SPDX-License-Identifier: MIT */
/*
 * strace: "[PID] TIME CALL(ARGUMENTS) = RESULT <DURATION>", with any of -f, -t,
 * -tt, -ttt, -r, -T, -y, -Y, -i, -n, -k and -C.  A call that another thread
 * interrupts stands in two lines, which are put together by thread.
 */
#include "begun-calls.h"
#include "formats.h"

#define DAY_NS (24 * 3600 * (int64_t)1000000000)

typedef struct Strace {
    Syscalls *calls;
    BegunCalls *begun;
    int64_t last_ns;   /* -t: of the day; -r: the sum */
    bool over;         /* what follows is the summary of -C */
} Strace;

void *strace_begin(TraceImport *import, const void *argument)
{
    Strace *strace = g_new0(Strace, 1);

    strace->calls = syscalls_new(import);
    strace->begun = begun_calls_new();
    return strace;
}

void strace_end(TraceImport *import, void *state)
{
    Strace *strace = state;

    syscalls_free(strace->calls);
    begun_calls_free(strace->begun);
    g_free(strace);
}

/* ---- What stands before the call ---- */

/* "123 ", "123<comm> " or "[pid 123] " */
static void scan_pid(Scan *scan, Call *call)
{
    Scan ahead = *scan;
    bool brackets = scan_text(&ahead, "[pid");

    if (brackets) {
        scan_spaces(&ahead);
    }
    if (!scan_i64(&ahead, &call->tid)) {
        return;
    }
    if (scan_char(&ahead, '<') && !scan_until(&ahead, '>', &call->comm)) {
        call->comm = (Word){"", 0};
    }
    if (brackets ? scan_char(&ahead, ']')
                 : ahead.at < ahead.end && scan_is_space(*ahead.at)) {
        scan_spaces(&ahead);
        *scan = ahead;
    } else {
        call->tid = -1;
        call->comm = (Word){"", 0};
    }
}

/* One or two digits, and a colon. */
static bool is_day_time(const Scan *scan)
{
    return scan->end - scan->at > 2 &&
           (scan->at[1] == ':' || scan->at[2] == ':');
}

/* "12:30:01.5": days go on where it runs back. */
static bool scan_day_time(Strace *strace, Scan *scan, int64_t *ns)
{
    uint64_t hours, minutes;
    Scan ahead = *scan;

    if (!scan_u64(&ahead, &hours) || hours > 23 || !scan_char(&ahead, ':') ||
        !scan_u64(&ahead, &minutes) || minutes > 59 ||
        !scan_char(&ahead, ':') || !scan_time(&ahead, 1000000000, ns)) {
        return false;
    }
    *ns += (int64_t)(hours * 3600 + minutes * 60) * 1000000000;
    *ns += strace->last_ns / DAY_NS * DAY_NS;
    while (*ns < strace->last_ns - DAY_NS / 2) {
        *ns += DAY_NS;
    }
    strace->last_ns = *ns;
    *scan = ahead;
    return true;
}

/* False if there is no time: then lines keep their order. */
static bool scan_start(Strace *strace, Scan *scan, int64_t *ns)
{
    Scan ahead = *scan;
    int64_t value;

    if (is_day_time(scan) && scan_day_time(strace, scan, ns)) {
        scan_spaces(scan);
        return true;
    }
    if (!scan_time(&ahead, 1000000000, &value) || ahead.at == ahead.end ||
        !scan_is_space(*ahead.at)) {
        return false;
    }
    if (value < 100000000 * (int64_t)1000000000) { /* -r: since the last */
        value += strace->last_ns;
        strace->last_ns = value;
    }
    *ns = value;
    scan_spaces(&ahead);
    *scan = ahead;
    return true;
}

/* -r with an absolute time: "(+     0.000317) "; -n: "[  59] "; -i: "[7f1c] " */
static void skip_details(Scan *scan)
{
    Scan ahead;
    Word word;

    while (scan->at < scan->end && (*scan->at == '[' || *scan->at == '(')) {
        char close = *scan->at == '[' ? ']' : ')';

        ahead = (Scan){scan->at + 1, scan->end};
        if (!scan_until(&ahead, close, &word) || !scan_char(&ahead, ' ') ||
            word_begins(word, " Process")) {
            return;
        }
        scan_spaces(&ahead);
        *scan = ahead;
    }
}

/* ---- The call ---- */

/* Where ") = RESULT" is: the last one, since strings may hold such, too. */
static const char *find_result(const char *text, const char *end)
{
    const char *equals = end;

    while ((equals = syscalls_last_equals((Scan){text, end}, equals))) {
        const char *p = equals;

        while (p > text && scan_is_space(p[-1])) {
            p--;
        }
        if (p > text && p[-1] == ')') {
            return equals + 3;
        }
    }
    return NULL;
}

/* "65536 <0.0002>", "3</etc/passwd>", "-1 ENOENT (...)" or "?" */
static void scan_result(Scan scan, Call *call)
{
    const char *open = memrchr(scan.at, '<', scan.end - scan.at);
    Scan took = {open ? open + 1 : scan.end, scan.end};
    int64_t ns;

    call->has_result = syscalls_number(&scan, &call->result);
    call->failed = call->has_result && call->result < 0;
    if (scan_char(&scan, '<') && !scan_until(&scan, '>', &call->result_path)) {
        call->result_path = (Word){"", 0};
    }
    if (scan_time(&took, 1000000000, &ns) && scan_char(&took, '>')) {
        call->took_ns = ns;
    }
}

/* False if it is no call. */
static bool scan_call(Scan scan, Call *call)
{
    const char *result = find_result(scan.at, scan.end);
    Scan args;

    if (!result || !scan_until(&scan, '(', &call->name) || !call->name.len) {
        return false;
    }
    for (size_t i = 0; i < call->name.len; i++) {
        if (!g_ascii_isalnum(call->name.text[i]) && call->name.text[i] != '_') {
            return false;
        }
    }
    args = (Scan){scan.at, result - 3};
    while (args.end > args.at && args.end[-1] != ')') {
        args.end--;
    }
    args.end -= args.end > args.at;
    call->n_args = syscalls_split(args, call->args);
    scan_result((Scan){result, scan.end}, call);
    return true;
}

/* ---- Calls in two parts ---- */

/* "pread64(4,  <unfinished ...>": kept until it is resumed. */
static bool take_unfinished(TraceImport *import, Strace *strace, Scan scan,
                            const Call *call)
{
    static const char mark[] = "<unfinished ...>";
    const char *end = scan.end - strlen(mark);

    if (end < scan.at || memcmp(end, mark, strlen(mark))) {
        return false;
    }
    if (end > scan.at) { /* else the tracer's own words came between, too */
        while (end > scan.at && scan_is_space(end[-1])) {
            end--;
        }
        begun_calls_put(strace->begun, call, (Scan){scan.at, end});
    }
    trace_import_skip(import, REASON_JOINED);
    return true;
}

/* The rest of a call; false if its thread has begun none. */
static bool take_rest(TraceImport *import, Strace *strace, Scan rest,
                      Call *call)
{
    Scan text;

    if (!begun_calls_go_on(strace->begun, call, rest, &text)) {
        return false;
    }
    if (scan_call(text, call)) {
        syscalls_take(strace->calls, call);
    } else {
        trace_import_skip(import, REASON_CALL);
    }
    begun_calls_end(strace->begun, call);
    return true;
}

/* "<... pread64 resumed>"...", 512, 0) = 512 <0.0001>" */
static bool take_resumed(TraceImport *import, Strace *strace, Scan scan,
                         Call *call)
{
    Word name;

    if (!scan_text(&scan, "<... ") || !scan_until(&scan, '>', &name)) {
        return false;
    }
    if (!take_rest(import, strace, scan, call)) {
        trace_import_skip(import, REASON_ORPHAN);
    }
    return true;
}

/* "vfork(strace: Process 12 attached": its rest stands in another line. */
static bool take_interrupted(TraceImport *import, Strace *strace, Scan scan,
                             const Call *call)
{
    static const char mark[] = "strace: Process ";
    const char *found = memmem(scan.at, scan.end - scan.at, mark,
                               strlen(mark));

    if (!found) {
        return false;
    }
    begun_calls_put(strace->begun, call, (Scan){scan.at, found});
    trace_import_skip(import, REASON_JOINED);
    return true;
}

/* ---- Lines ---- */

/* "--- SIGCHLD ... ---", "+++ exited with 0 +++", "strace: ..." */
static bool is_note(Scan scan)
{
    return scan_text(&scan, "--- ") || scan_text(&scan, "+++ ") ||
           scan_text(&scan, "strace: ") || scan_text(&scan, "Process ") ||
           scan_text(&scan, "[ Process ") || scan_text(&scan, "<detached ");
}

/* Of -k " > /lib/libc.so.6(read+0x1) [0x2]", of -e read=FD " | 00000  7f ..." */
static bool is_stack(Scan scan)
{
    return scan_text(&scan, "> ") || scan_text(&scan, "| ");
}

/* What is no call by itself; false if it is nothing that is known. */
static bool take_other(TraceImport *import, Strace *strace, Scan scan,
                       Call *call)
{
    strace->over |= scan_text(&scan, "% time ");
    if (strace->over) {
        trace_import_skip(import, REASON_SUMMARY);
        return true;
    }
    return take_interrupted(import, strace, scan, call) ||
           take_rest(import, strace, scan, call);
}

void strace_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    Strace *strace = state;
    Call call = {.tid = -1, .took_ns = TRACE_NO_TIME, .place = import->place,
                 .comm = {"", 0}, .result_path = {"", 0}};

    scan_spaces(&scan);
    if (scan.at == scan.end) {
        trace_import_skip(import, REASON_BLANK);
        return;
    }
    scan_pid(&scan, &call);
    if (!scan_start(strace, &scan, &call.start_ns)) {
        call.start_ns = import->place * 1000;
        call.time_synth = true;
    }
    skip_details(&scan);
    if (is_note(scan)) {
        trace_import_skip(import, REASON_NOTIFY);
    } else if (is_stack(scan)) {
        trace_import_skip(import, REASON_STACK);
    } else if (take_unfinished(import, strace, scan, &call) ||
               take_resumed(import, strace, scan, &call)) {
        return;
    } else if (scan_call(scan, &call)) {
        syscalls_take(strace->calls, &call);
    } else if (!take_other(import, strace, scan, &call)) {
        trace_import_reject_line(import, REASON_FIELDS, line);
    }
}
