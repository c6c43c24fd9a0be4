/* SPDX-License-Identifier: MIT */
/* Taking the text of a system call apart. */
#include "syscalls-internal.h"

const char *syscalls_last_equals(Scan line, const char *before)
{
    while ((before = memrchr(line.at, '=', before - line.at))) {
        if (before > line.at && before[-1] == ' ' && before + 1 < line.end &&
            before[1] == ' ') {
            return before - 1;
        }
    }
    return NULL;
}

/* What splitting has to look at. */
static bool is_special(char c)
{
    static const bool special[256] = {
        [','] = true, ['"'] = true, ['('] = true, [')'] = true,
        ['['] = true, [']'] = true, ['{'] = true, ['}'] = true,
    };

    return special[(unsigned char)c];
}

/* From behind a string's first quote to its last, or the end. */
static const char *skip_string(const char *text, const char *end)
{
    const char *quote = text, *p;

    while ((quote = memchr(quote, '"', end - quote))) {
        for (p = quote; p > text && p[-1] == '\\'; p--) {
        }
        if ((quote - p) % 2 == 0) {
            return quote;
        }
        quote++;
    }
    return end;
}

unsigned syscalls_split(Scan scan, Word *args)
{
    const char *start = scan.at;
    unsigned n = 0, depth = 0;

    for (const char *p = scan.at; n < CALL_ARGS; p++) {
        while (p < scan.end && !is_special(*p)) {
            p++;
        }
        if (p >= scan.end) {
            break;
        }
        if (*p == '"') {
            p = skip_string(p + 1, scan.end);
        } else if (*p == '(' || *p == '[' || *p == '{') {
            depth++;
        } else if (*p != ',') {
            depth -= depth > 0;
        } else if (!depth) {
            args[n++] = (Word){start, p - start};
            start = p + 1;
            while (start < scan.end && *start == ' ') {
                start++;
            }
        }
    }
    if (n < CALL_ARGS && start < scan.end) {
        args[n++] = (Word){start, scan.end - start};
    }
    return n;
}

bool syscalls_number(Scan *scan, int64_t *value)
{
    Scan ahead = *scan;
    uint64_t hex;

    if (!scan_text(&ahead, "0x")) {
        return scan_i64(scan, value);
    }
    if (!scan_hex(&ahead, &hex)) {
        return false;
    }
    *value = (int64_t)hex;
    *scan = ahead;
    return true;
}

/* "/dev/sda<block 8:0>" without the numbers that strace -yy adds. */
static Word without_device(Word path)
{
    const char *open = path.len && path.text[path.len - 1] == '>'
        ? memrchr(path.text, '<', path.len) : NULL;
    Word added = {open, open ? path.text + path.len - open : 0};

    if (open && (word_begins(added, "<block ") ||
                 word_begins(added, "<char "))) {
        path.len = open - path.text;
    }
    return path;
}

bool call_fd(Word arg, int64_t *fd, Word *path)
{
    Scan scan = {arg.text, arg.text + arg.len};

    *path = (Word){"", 0};
    if (!syscalls_number(&scan, fd) || *fd < 0 || *fd > INT32_MAX) {
        return false;
    }
    if (scan_char(&scan, '<')) {
        const char *close = memrchr(scan.at, '>', scan.end - scan.at);

        if (close) {
            *path = without_device((Word){scan.at, close - scan.at});
        }
    }
    return true;
}

bool call_number(const Call *call, int arg, int64_t *value)
{
    Scan scan;

    if (arg < 0 || arg >= (int)call->n_args) {
        return false;
    }
    scan = (Scan){call->args[arg].text,
                  call->args[arg].text + call->args[arg].len};
    scan_char(&scan, '['); /* a pointer to it */
    return syscalls_number(&scan, value);
}

bool call_has_text(const Call *call, int arg, const char *text)
{
    return arg < (int)call->n_args &&
           memmem(call->args[arg].text, call->args[arg].len, text,
                  strlen(text)) != NULL;
}

bool call_path_is_file(Word path)
{
    return (word_begins(path, "/") ||
            word_begins(path, "\\x2f")) && /* strace -xx */
           !word_begins(path, "/dev/pts/") && !word_is(path, "/dev/null") &&
           !word_is(path, "/dev/tty");
}
