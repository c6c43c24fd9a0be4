/* SPDX-License-Identifier: MIT */
/* What system calls did to files. */
#include "syscalls-internal.h"

typedef enum CallKind {
    CALL_IO, CALL_SYNC, CALL_OPEN, CALL_CLOSE, CALL_DUP, CALL_SEEK, CALL_FORK,
    CALL_ALLOCATE, CALL_SUBMIT, CALL_COPY, CALL_OTHER, CALL_PAIR,
} CallKind;

static const struct {
    Word name;
    CallKind kind;
    TraceOp op;
    int fd, offset; /* which argument, or -1; of a pair: where both are */
} calls[] = {
    {WORD("pread64"), CALL_IO, TRACE_READ, 0, 3},
    {WORD("pwrite64"), CALL_IO, TRACE_WRITE, 0, 3},
    {WORD("pread"), CALL_IO, TRACE_READ, 0, 3},
    {WORD("pwrite"), CALL_IO, TRACE_WRITE, 0, 3},
    {WORD("read"), CALL_IO, TRACE_READ, 0, -1},
    {WORD("write"), CALL_IO, TRACE_WRITE, 0, -1},
    {WORD("readv"), CALL_IO, TRACE_READ, 0, -1},
    {WORD("writev"), CALL_IO, TRACE_WRITE, 0, -1},
    {WORD("preadv"), CALL_IO, TRACE_READ, 0, 3},
    {WORD("pwritev"), CALL_IO, TRACE_WRITE, 0, 3},
    {WORD("preadv2"), CALL_IO, TRACE_READ, 0, 3},
    {WORD("pwritev2"), CALL_IO, TRACE_WRITE, 0, 3},
    {WORD("fsync"), CALL_SYNC, TRACE_SYNC, 0, -1},
    {WORD("fdatasync"), CALL_SYNC, TRACE_DATASYNC, 0, -1},
    {WORD("sync_file_range"), CALL_SYNC, TRACE_DATASYNC, 0, -1},
    {WORD("fallocate"), CALL_ALLOCATE, TRACE_DISCARD, 0, 2},
    {WORD("io_submit"), CALL_SUBMIT, TRACE_OP_MAX, -1, -1},
    {WORD("copy_file_range"), CALL_COPY, TRACE_OP_MAX, 0, -1},
    {WORD("sendfile"), CALL_COPY, TRACE_OP_MAX, 0, -1},
    {WORD("open"), CALL_OPEN, TRACE_OP_MAX, -1, -1},
    {WORD("openat"), CALL_OPEN, TRACE_OP_MAX, -1, -1},
    {WORD("openat2"), CALL_OPEN, TRACE_OP_MAX, -1, -1},
    {WORD("creat"), CALL_OPEN, TRACE_OP_MAX, -1, -1},
    {WORD("close"), CALL_CLOSE, TRACE_OP_MAX, 0, -1},
    {WORD("dup"), CALL_DUP, TRACE_OP_MAX, 0, -1},
    {WORD("dup2"), CALL_DUP, TRACE_OP_MAX, 0, -1},
    {WORD("dup3"), CALL_DUP, TRACE_OP_MAX, 0, -1},
    {WORD("fcntl"), CALL_DUP, TRACE_OP_MAX, 0, -1},
    {WORD("lseek"), CALL_SEEK, TRACE_OP_MAX, 0, -1},
    {WORD("_llseek"), CALL_SEEK, TRACE_OP_MAX, 0, -1},
    {WORD("fork"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("vfork"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("clone"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("clone3"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("pipe"), CALL_PAIR, TRACE_OP_MAX, 0, -1},
    {WORD("pipe2"), CALL_PAIR, TRACE_OP_MAX, 0, -1},
    {WORD("socketpair"), CALL_PAIR, TRACE_OP_MAX, 3, -1},
    {WORD("socket"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("accept"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("accept4"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("eventfd"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("eventfd2"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("timerfd_create"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("signalfd"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("signalfd4"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("epoll_create"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("epoll_create1"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("inotify_init"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("inotify_init1"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("memfd_create"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("pidfd_open"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
    {WORD("io_uring_setup"), CALL_OTHER, TRACE_OP_MAX, -1, -1},
};

Syscalls *syscalls_new(TraceImport *import)
{
    Syscalls *s = g_new0(Syscalls, 1);

    s->import = import;
    s->files = open_files_new();
    return s;
}

void syscalls_free(Syscalls *s)
{
    open_files_free(s->files);
    g_free(s);
}

/* ---- Records ---- */

void syscalls_record(Syscalls *s, const Call *call, const char *path,
                     TraceRecord *r)
{
    *r = trace_import_record(s->import);
    r->place = call->place;
    r->queue_ns = call->start_ns;
    if (call->took_ns != TRACE_NO_TIME) {
        r->complete_ns = call->start_ns + call->took_ns;
    }
    r->quality = call->time_synth ? TRACE_QUALITY_TIME_SYNTH : 0;
    r->device = trace_import_device(s->import, (Word){path, strlen(path)});
    r->process = trace_import_process(s->import, call->comm, -1, call->tid);
}

/* Where it was, and where the file's position is then. */
static void move_position(OpenFile *file, const Call *call, int64_t offset,
                          TraceRecord *r)
{
    if (offset >= 0) {
        r->offset = offset;
        return;
    }
    r->offset = file->position;
    if (!file->known || file->append) {
        r->quality |= TRACE_QUALITY_OFFSET_GUESSED;
    }
    file->position += call->result;
}

OpenFile *syscalls_file(Syscalls *s, const Call *call, int arg,
                        TraceReason *reason)
{
    OpenFile *file;
    Word path;
    int64_t fd;

    if (arg >= (int)call->n_args || !call_fd(call->args[arg], &fd, &path)) {
        *reason = REASON_FIELDS;
        return NULL;
    }
    *reason = REASON_NOT_A_FILE;
    if (path.len ? !call_path_is_file(path)
                 : fd <= 2 && !open_files_find(s->files, call->tid, fd)) {
        return NULL;
    }
    file = open_files_get(s->files, call->tid, fd, path);
    path = (Word){file->path, strlen(file->path)};
    return file->other || (*file->path == '/' && !call_path_is_file(path))
        ? NULL : file;
}

static TraceReason take_io(Syscalls *s, const Call *call, unsigned which)
{
    TraceReason reason;
    OpenFile *file = syscalls_file(s, call, calls[which].fd, &reason);
    int64_t offset = -1;
    TraceRecord r;

    if (!file) {
        return reason;
    }
    if (calls[which].op < TRACE_OP_MAX && calls[which].kind == CALL_SYNC) {
        syscalls_record(s, call, file->path, &r);
        r.op = calls[which].op;
        trace_import_store(s->import, &r);
        return REASON_STORED;
    }
    if (call->result <= 0) {
        return REASON_EMPTY;
    }
    if (calls[which].offset >= 0 &&
        !call_number(call, calls[which].offset, &offset)) {
        return REASON_FIELDS;
    }
    syscalls_record(s, call, file->path, &r);
    r.op = calls[which].op;
    r.bytes = call->result;
    move_position(file, call, offset, &r);
    if (r.offset > INT64_MAX - r.bytes) {
        return REASON_RANGE;
    }
    trace_import_store(s->import, &r);
    return REASON_STORED;
}

/* One side of a copy; a position that is not given is the file's own. */
static bool take_side(Syscalls *s, const Call *call, TraceOp op,
                      unsigned fd_arg, int offset_arg)
{
    TraceReason reason;
    OpenFile *file = syscalls_file(s, call, fd_arg, &reason);
    int64_t offset = -1;
    TraceRecord r;

    if (!file) {
        return false;
    }
    if (!call_number(call, offset_arg, &offset) || offset < 0) {
        offset = -1;
    }
    syscalls_record(s, call, file->path, &r);
    r.op = op;
    r.bytes = call->result;
    move_position(file, call, offset, &r);
    if (r.offset > INT64_MAX - r.bytes) {
        return false;
    }
    trace_import_store(s->import, &r);
    return true;
}

static TraceReason take_copy(Syscalls *s, const Call *call)
{
    bool any;

    if (!call->result) {
        return REASON_EMPTY;
    }
    if (word_is(call->name, "sendfile")) {
        any = take_side(s, call, TRACE_READ, 1, 2);
        any |= take_side(s, call, TRACE_WRITE, 0, -1);
    } else {
        any = take_side(s, call, TRACE_READ, 0, 1);
        any |= take_side(s, call, TRACE_WRITE, 2, 3);
    }
    return any ? REASON_STORED : REASON_NOT_A_FILE;
}

static TraceReason take_allocate(Syscalls *s, const Call *call)
{
    TraceReason reason;
    OpenFile *file = syscalls_file(s, call, 0, &reason);
    int64_t offset, bytes;
    TraceRecord r;

    if (!file) {
        return reason;
    }
    if (!call_number(call, 2, &offset) || !call_number(call, 3, &bytes) ||
        offset < 0 || bytes < 0 || offset > INT64_MAX - bytes) {
        return REASON_FIELDS;
    }
    if (!bytes || !(call_has_text(call, 1, "PUNCH_HOLE") ||
                    call_has_text(call, 1, "ZERO_RANGE"))) {
        return REASON_CALL;
    }
    syscalls_record(s, call, file->path, &r);
    r.op = call_has_text(call, 1, "PUNCH_HOLE") ? TRACE_DISCARD
                                                : TRACE_WRITE_ZEROES;
    r.offset = offset;
    r.bytes = bytes;
    trace_import_store(s->import, &r);
    return REASON_STORED;
}

/* ---- All of them ---- */

static TraceReason take(Syscalls *s, const Call *call, unsigned which)
{
    if (!call->has_result || call->failed || call->result < 0) {
        return REASON_FAILED;
    }
    switch (calls[which].kind) {
    case CALL_IO:
    case CALL_SYNC:
        return take_io(s, call, which);
    case CALL_ALLOCATE:
        return take_allocate(s, call);
    case CALL_COPY:
        return take_copy(s, call);
    case CALL_SUBMIT:
        return syscalls_submit(s, call);
    case CALL_OPEN:
        return syscalls_open(s, call);
    case CALL_CLOSE:
        return syscalls_close(s, call);
    case CALL_DUP:
        return syscalls_dup(s, call);
    case CALL_SEEK:
        return syscalls_seek(s, call);
    case CALL_FORK:
        return syscalls_fork(s, call);
    case CALL_OTHER:
        return syscalls_open_other(s, call);
    case CALL_PAIR:
        return syscalls_open_pair(s, call, calls[which].fd);
    default:
        return REASON_CALL;
    }
}

void syscalls_take(Syscalls *s, const Call *call)
{
    TraceReason reason = REASON_CALL;

    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        if (word_same(call->name, calls[i].name)) {
            reason = take(s, call, i);
            break;
        }
    }
    if (reason == REASON_STORED) {
        return;
    }
    if (trace_reasons[reason].class == ACCOUNT_SKIPPED) {
        trace_import_skip(s->import, reason);
    } else {
        trace_import_reject(s->import, reason, call->name.text,
                            call->name.len);
    }
}
