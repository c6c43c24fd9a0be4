/* SPDX-License-Identifier: MIT */
/* What stands before an event of the kernel: who, where and when. */
#include "kernel-text.h"

/* " [001] ": the first such, because names may hold brackets, but not digits
 * alone between them. */
static bool find_cpu(Scan *scan, Word *before, uint64_t *cpu)
{
    const char *start = scan->at;

    for (;;) {
        const char *bracket = memchr(scan->at, '[', scan->end - scan->at);

        if (!bracket) {
            return false;
        }
        scan->at = bracket + 1;
        if (scan_u64(scan, cpu) && scan_char(scan, ']')) {
            *before = (Word){start, bracket - start};
            return *cpu <= UINT16_MAX;
        }
    }
}

static void trim(Word *word)
{
    Scan scan = {word->text, word->text + word->len};

    scan_spaces(&scan);
    while (scan.end > scan.at && scan_is_space(scan.end[-1])) {
        scan.end--;
    }
    *word = (Word){scan.at, scan.end - scan.at};
}

/* Takes the number at the word's end. */
static bool cut_number(Word *word, int64_t *value)
{
    size_t len = word->len;
    Scan scan;

    while (len && scan_is_digit(word->text[len - 1])) {
        len--;
    }
    scan = (Scan){word->text + len, word->text + word->len};
    word->len = len;
    return scan_i64(&scan, value);
}

/* "comm-12", "comm-12 (10)", "comm 12", "comm 10/12", "12", or nothing */
static bool split_task(Word task, KernelPrefix *prefix)
{
    trim(&task);
    if (!task.len) {
        prefix->pid = prefix->tid = -1;
        prefix->comm = task;
        return true;
    }
    if (task.len && task.text[task.len - 1] == ')') {
        const char *paren = memrchr(task.text, '(', task.len);

        if (!paren) {
            return false;
        }
        task.len = paren - task.text;
        trim(&task);
    }
    if (!cut_number(&task, &prefix->tid)) {
        return false;
    }
    prefix->pid = prefix->tid;
    if (task.len && task.text[task.len - 1] == '/') {
        Word rest = {task.text, task.len - 1};

        if (cut_number(&rest, &prefix->pid)) {
            task = rest;
        }
    }
    if (task.len && task.text[task.len - 1] == '-') {
        task.len--;
    }
    trim(&task);
    prefix->comm = task;
    return true;
}

/* What the clocks "counter" and "x86-tsc" count, which may be any number. */
static bool scan_count(Scan *scan, KernelPrefix *prefix)
{
    Scan ahead = *scan;
    uint64_t count;

    if (!scan_u64(&ahead, &count) || count > INT64_MAX ||
        !scan_char(&ahead, ':')) {
        return false;
    }
    prefix->time_ns = count;
    prefix->counted = true;
    *scan = ahead;
    return true;
}

/* "us : " of the latency format, maybe with a mark of long delays. */
static bool scan_latency_unit(Scan *scan)
{
    Scan ahead = *scan;

    if (!scan_text(&ahead, "us") || ahead.at == ahead.end ||
        !strchr("!+#*@$ ", *ahead.at)) {
        return false;
    }
    ahead.at++;
    if (!scan_text(&ahead, ": ")) {
        return false;
    }
    *scan = ahead;
    return true;
}

/* "5.000001:", "58:" or "17813us :", and a space behind it. */
static bool scan_time_word(Scan *scan, KernelPrefix *prefix)
{
    Scan ahead = *scan;

    prefix->counted = false;
    if (!scan_time(&ahead, 1000000000, &prefix->time_ns)) {
        if (!scan_count(&ahead, prefix)) {
            return false;
        }
    } else if (scan_latency_unit(&ahead)) {
        prefix->time_ns /= 1000000;
    } else if (!memchr(scan->at, '.', ahead.at - scan->at)) {
        ahead = *scan;
        if (!scan_count(&ahead, prefix)) {
            return false;
        }
    } else if (!scan_char(&ahead, ':') ||
               (ahead.at < ahead.end && !scan_is_space(*ahead.at))) {
        return false;
    }
    scan_spaces(&ahead);
    *scan = ahead;
    return true;
}

/* Before the event's name: a period, or "(+6)", the time since the last one. */
static void skip_period(Scan *scan)
{
    Scan ahead = *scan;
    uint64_t period;

    if (scan_text(&ahead, "(+") ? scan_u64(&ahead, &period) &&
                                  scan_text(&ahead, ") ")
                                : scan_u64(&ahead, &period) &&
                                  scan_char(&ahead, ' ')) {
        scan_spaces(&ahead);
        if (ahead.at < ahead.end && g_ascii_isalpha(*ahead.at)) {
            *scan = ahead;
        }
    }
}

/* Flags may stand before the time, a period behind it. */
static bool scan_stamp(Scan *scan, KernelPrefix *prefix)
{
    Word flags;

    for (unsigned i = 0; i < 3; i++) {
        scan_spaces(scan);
        if (scan_time_word(scan, prefix)) {
            skip_period(scan);
            return true;
        }
        if (!scan_word(scan, &flags)) {
            return false;
        }
    }
    return false;
}

/* "dd-12     1d.h1. ": in ftrace's latency format the CPU is before flags. */
static void cut_cpu(Word *task, uint64_t *cpu)
{
    uint64_t number;
    Scan last;
    size_t at;

    trim(task);
    for (at = task->len; at && !scan_is_space(task->text[at - 1]); at--) {
    }
    last = (Scan){task->text + at, task->text + task->len};
    if (at && scan_u64(&last, &number) && last.at < last.end &&
        *last.at != '-' && *last.at != '/' && number <= UINT16_MAX) {
        task->len = at;
        *cpu = number;
    }
}

/* "comm 12 5.000001: ", as perf script -F leaves the CPU out. */
static bool scan_without_cpu(Scan *scan, KernelPrefix *prefix)
{
    Scan ahead = *scan;
    Word word;

    do {
        Word task;

        scan_spaces(&ahead);
        task = (Word){scan->at, ahead.at - scan->at};
        if (scan_time_word(&ahead, prefix)) {
            skip_period(&ahead);
            prefix->cpu = 0;
            cut_cpu(&task, &prefix->cpu);
            *scan = ahead;
            return split_task(task, prefix);
        }
    } while (scan_word(&ahead, &word));
    return false;
}

bool kernel_prefix(Scan *scan, KernelPrefix *prefix)
{
    Scan whole = *scan;
    Word task;

    if (find_cpu(scan, &task, &prefix->cpu) && split_task(task, prefix) &&
        scan_stamp(scan, prefix)) {
        return true;
    }
    *scan = whole;
    return scan_without_cpu(scan, prefix);
}
