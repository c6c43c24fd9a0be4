/* SPDX-License-Identifier: MIT */
/*
 * perf trace: "TIME ( DURATION ms): COMM/TID CALL(NAME: VALUE, ...) = RESULT".
 * Arguments have names, and those that are zero are left out.
 */
#include "formats.h"
#include "syscalls.h"

void *perf_trace_begin(TraceImport *import, const void *argument)
{
    return syscalls_new(import);
}

void perf_trace_end(TraceImport *import, void *state)
{
    syscalls_free(state);
}

/* "     0.000 ( 0.033 ms): sqlite3/26944 " */
static bool scan_prefix(Scan *scan, Call *call)
{
    Word task, ignored;
    const char *slash;
    Scan tid;

    scan_spaces(scan);
    if (!scan_time(scan, 1000000, &call->start_ns)) {
        return false;
    }
    scan_spaces(scan);
    if (!scan_char(scan, '(')) {
        return false;
    }
    scan_spaces(scan);
    scan_time(scan, 1000000, &call->took_ns);
    if (!scan_until(scan, ')', &ignored) || !scan_char(scan, ':')) {
        return false;
    }
    scan_spaces(scan);
    slash = memchr(scan->at, '/', scan->end - scan->at);
    if (!slash) {
        return false;
    }
    task = (Word){scan->at, slash - scan->at};
    tid = (Scan){slash + 1, scan->end};
    if (!scan_i64(&tid, &call->tid)) {
        return false;
    }
    call->comm = task;
    *scan = tid;
    scan_spaces(scan);
    return true;
}

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

/* The order that the calls' own declarations have. */
static void order_args(Call *call, const Word *args, unsigned n)
{
    static const Word orders[][CALL_ARGS] = {
        {WORD("fd"), WORD("buf"), WORD("count"), WORD("pos")},
        {WORD("dfd"), WORD("filename"), WORD("flags")},
        {WORD("fd"), WORD("mode"), WORD("offset"), WORD("len")},
    };
    unsigned which = word_begins(call->name, "open") ? 1
                   : word_is(call->name, "fallocate") ? 2 : 0;

    for (unsigned i = 0; i < CALL_ARGS && orders[which][i].len; i++) {
        call->args[i] = value_of(args, n, i, orders[which][i]);
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

void perf_trace_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    Call call = {.took_ns = TRACE_NO_TIME, .place = import->place,
                 .result_path = {"", 0}};

    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
    } else if (!scan_prefix(&scan, &call)) {
        trace_import_reject_line(import, REASON_FIELDS, line);
    } else if (scan_call(scan, &call)) {
        syscalls_take(state, &call);
    } else {
        trace_import_skip(import, REASON_CALL); /* "[continued]", events */
    }
}
