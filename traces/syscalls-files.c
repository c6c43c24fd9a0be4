/* SPDX-License-Identifier: MIT */
/* System calls that move nothing, and only change what descriptors are. */
#include "syscalls-internal.h"

/* A name; that of a pointer is empty. */
static Word unquoted(Word arg)
{
    if (arg.len > 2 && *arg.text == '"') {
        return (Word){arg.text + 1, arg.len - 2};
    }
    return arg.len && scan_is_digit(*arg.text) ? (Word){"", 0} : arg;
}

TraceReason syscalls_open(Syscalls *s, const Call *call)
{
    unsigned name = word_begins(call->name, "openat") ? 1 : 0;
    Word path = call->result_path;
    OpenFile *file;

    if (!path.len && name < call->n_args) {
        path = unquoted(call->args[name]);
    }
    file = open_files_open(s->files, call->tid, call->result, path);
    file->known = true;
    file->append = call_has_text(call, name + 1, "APPEND");
    return REASON_FILES;
}

TraceReason syscalls_dup(Syscalls *s, const Call *call)
{
    int64_t fd;
    Word path;

    if (word_is(call->name, "fcntl") && !call_has_text(call, 1, "DUPFD")) {
        return REASON_CALL;
    }
    if (call->n_args && call_fd(call->args[0], &fd, &path)) {
        open_files_dup(s->files, call->tid, fd, call->result);
    }
    return REASON_FILES;
}

TraceReason syscalls_seek(Syscalls *s, const Call *call)
{
    bool behind_pointer = word_is(call->name, "_llseek");
    TraceReason reason;
    OpenFile *file = syscalls_file(s, call, 0, &reason);
    int64_t position = call->result;

    if (file && (!behind_pointer || call_number(call, 2, &position))) {
        file->position = position;
        file->known = true;
    }
    return REASON_CALL;
}

TraceReason syscalls_close(Syscalls *s, const Call *call)
{
    int64_t fd;
    Word path;

    if (call->n_args && call_fd(call->args[0], &fd, &path)) {
        open_files_close(s->files, call->tid, fd);
    }
    return REASON_FILES;
}

TraceReason syscalls_fork(Syscalls *s, const Call *call)
{
    bool shared = false;

    for (unsigned i = 0; i < call->n_args; i++) {
        shared |= call_has_text(call, i, "CLONE_FILES");
    }
    open_files_fork(s->files, call->tid, call->result, shared);
    return REASON_CALL;
}

static void open_other(Syscalls *s, const Call *call, int64_t fd)
{
    open_files_open(s->files, call->tid, fd, (Word){"", 0})->other = true;
}

TraceReason syscalls_open_other(Syscalls *s, const Call *call)
{
    open_other(s, call, call->result);
    return REASON_CALL;
}

TraceReason syscalls_open_pair(Syscalls *s, const Call *call, int arg)
{
    Word pair = arg < (int)call->n_args ? call->args[arg] : (Word){"", 0};
    Scan scan = {pair.text, pair.text + pair.len};

    while (scan.at < scan.end) {
        int64_t fd;

        if (scan_i64(&scan, &fd)) {
            open_other(s, call, fd);
            if (scan_char(&scan, '<')) { /* what it is, which may hold digits */
                Word what;

                scan_until(&scan, '>', &what);
            }
        } else {
            scan.at++;
        }
    }
    return REASON_CALL;
}
