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

/* The value of the argument called @name, or "0". */
static Word value_of(const Word *args, unsigned n, const char *name)
{
    size_t len = strlen(name);

    for (unsigned i = 0; i < n; i++) {
        if (args[i].len > len + 1 && !memcmp(args[i].text, name, len) &&
            args[i].text[len] == ':') {
            Word value = {args[i].text + len + 1, args[i].len - len - 1};

            while (value.len && scan_is_space(*value.text)) {
                value.text++;
                value.len--;
            }
            return value;
        }
    }
    return (Word){"0", 1};
}

/* The order that the calls' own declarations have. */
static void order_args(Call *call, const Word *args, unsigned n)
{
    static const char *const orders[][CALL_ARGS] = {
        {"fd", "buf", "count", "pos"},
        {"dfd", "filename", "flags"},
        {"fd", "mode", "offset", "len"},
    };
    unsigned which = word_begins(call->name, "open") ? 1
                   : word_is(call->name, "fallocate") ? 2 : 0;

    for (unsigned i = 0; i < CALL_ARGS && orders[which][i]; i++) {
        call->args[i] = value_of(args, n, orders[which][i]);
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
