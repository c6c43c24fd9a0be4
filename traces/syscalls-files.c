/* SPDX-License-Identifier: MIT */
/* System calls that move nothing, and only change what descriptors are. */
#include "syscalls-internal.h"

TraceReason syscalls_open(Syscalls *s, const Call *call)
{
    unsigned name = word_begins(call->name, "openat") ? 1 : 0;
    Word path = call->result_path;
    OpenFile *file;

    if (!path.len && name < call->n_args && call->args[name].len > 2 &&
        *call->args[name].text == '"') {
        path = (Word){call->args[name].text + 1, call->args[name].len - 2};
    }
    file = open_files_open(s->files, call->tid, call->result, path);
    file->known = true;
    file->append = call_has_text(call, name + 1, "O_APPEND");
    return REASON_FILES;
}

TraceReason syscalls_dup(Syscalls *s, const Call *call)
{
    int64_t fd;
    Word path;

    if (word_is(call->name, "fcntl") && !call_has_text(call, 1, "F_DUPFD")) {
        return REASON_CALL;
    }
    if (call->n_args && call_fd(call->args[0], &fd, &path)) {
        open_files_dup(s->files, call->tid, fd, call->result);
    }
    return REASON_FILES;
}

TraceReason syscalls_seek(Syscalls *s, const Call *call)
{
    OpenFile *file;
    int64_t fd;
    Word path;

    if (call->n_args && call_fd(call->args[0], &fd, &path) &&
        call_is_file(path, fd)) {
        file = open_files_get(s->files, call->tid, fd, path);
        file->position = call->result;
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
