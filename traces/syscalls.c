/* SPDX-License-Identifier: MIT */
/* What system calls did to files. */
#include "syscalls.h"

#include "open-files.h"

typedef enum CallKind {
    CALL_IO, CALL_SYNC, CALL_OPEN, CALL_CLOSE, CALL_DUP, CALL_SEEK, CALL_FORK,
    CALL_ALLOCATE, CALL_SUBMIT, CALL_COPY,
} CallKind;

static const struct {
    Word name;
    CallKind kind;
    TraceOp op;
    int fd, offset; /* which argument, or -1 */
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
    {WORD("fork"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("vfork"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("clone"), CALL_FORK, TRACE_OP_MAX, -1, -1},
    {WORD("clone3"), CALL_FORK, TRACE_OP_MAX, -1, -1},
};

struct Syscalls {
    TraceImport *import;
    OpenFiles *files;
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

/* ---- Arguments ---- */

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

    for (const char *p = scan.at; p < scan.end && n < CALL_ARGS; p++) {
        if (!is_special(*p)) {
            continue;
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

/* "4" or "4</srv/a.raw>" */
static bool scan_fd(Word arg, int64_t *fd, Word *path)
{
    Scan scan = {arg.text, arg.text + arg.len};

    *path = (Word){"", 0};
    if (!scan_i64(&scan, fd) || *fd < 0 || *fd > INT32_MAX) {
        return false;
    }
    if (scan_char(&scan, '<')) {
        const char *close = memrchr(scan.at, '>', scan.end - scan.at);

        if (close) {
            *path = (Word){scan.at, close - scan.at};
        }
    }
    return true;
}

static bool scan_number(const Call *call, int arg, int64_t *value)
{
    Scan scan;

    if (arg < 0 || arg >= (int)call->n_args) {
        return false;
    }
    scan = (Scan){call->args[arg].text,
                  call->args[arg].text + call->args[arg].len};
    scan_char(&scan, '['); /* a pointer to it */
    return scan_i64(&scan, value);
}

static bool has_text(const Call *call, int arg, const char *text)
{
    return arg < (int)call->n_args &&
           memmem(call->args[arg].text, call->args[arg].len, text,
                  strlen(text)) != NULL;
}

static bool is_file(Word path, int64_t fd)
{
    return path.len ? *path.text == '/' && !word_begins(path, "/dev/pts/") &&
                      !word_is(path, "/dev/null") && !word_is(path, "/dev/tty")
                    : fd > 2;
}

/* ---- Records ---- */

static TraceRecord new_record(Syscalls *s, const Call *call, const char *path)
{
    TraceRecord r = trace_import_record(s->import);

    r.place = call->place;
    r.queue_ns = call->start_ns;
    if (call->took_ns != TRACE_NO_TIME) {
        r.complete_ns = call->start_ns + call->took_ns;
    }
    r.quality = call->time_synth ? TRACE_QUALITY_TIME_SYNTH : 0;
    r.device = trace_import_device(s->import, (Word){path, strlen(path)});
    r.process = trace_import_process(s->import, call->comm, -1, call->tid);
    return r;
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

static TraceReason take_io(Syscalls *s, const Call *call, unsigned which)
{
    int64_t fd, offset = -1;
    OpenFile *file;
    TraceRecord r;
    Word path;

    if (!call->n_args || !scan_fd(call->args[calls[which].fd], &fd, &path)) {
        return REASON_FIELDS;
    }
    if (!is_file(path, fd)) {
        return REASON_NOT_A_FILE;
    }
    file = open_files_get(s->files, call->tid, fd, path);
    if (!is_file((Word){file->path, strlen(file->path)}, fd) &&
        *file->path == '/') {
        return REASON_NOT_A_FILE;
    }
    if (calls[which].op < TRACE_OP_MAX && calls[which].kind == CALL_SYNC) {
        r = new_record(s, call, file->path);
        r.op = calls[which].op;
        trace_import_store(s->import, &r);
        return REASON_STORED;
    }
    if (call->result <= 0) {
        return REASON_EMPTY;
    }
    if (calls[which].offset >= 0 &&
        !scan_number(call, calls[which].offset, &offset)) {
        return REASON_FIELDS;
    }
    r = new_record(s, call, file->path);
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
    int64_t fd, offset = -1;
    OpenFile *file;
    TraceRecord r;
    Word path;

    if (fd_arg >= call->n_args || !scan_fd(call->args[fd_arg], &fd, &path) ||
        !is_file(path, fd)) {
        return false;
    }
    file = open_files_get(s->files, call->tid, fd, path);
    if (!scan_number(call, offset_arg, &offset) || offset < 0) {
        offset = -1;
    }
    r = new_record(s, call, file->path);
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
    int64_t fd, offset, bytes;
    TraceRecord r;
    Word path;

    if (call->n_args < 4 || !scan_fd(call->args[0], &fd, &path) ||
        !scan_number(call, 2, &offset) || !scan_number(call, 3, &bytes) ||
        offset < 0 || bytes < 0 || offset > INT64_MAX - bytes) {
        return REASON_FIELDS;
    }
    if (!bytes || !(has_text(call, 1, "PUNCH_HOLE") ||
                    has_text(call, 1, "ZERO_RANGE"))) {
        return REASON_CALL;
    }
    r = new_record(s, call,
                   open_files_get(s->files, call->tid, fd, path)->path);
    r.op = has_text(call, 1, "PUNCH_HOLE") ? TRACE_DISCARD
                                           : TRACE_WRITE_ZEROES;
    r.offset = offset;
    r.bytes = bytes;
    trace_import_store(s->import, &r);
    return REASON_STORED;
}

/* The value behind "KEY=" after @from, before @end. */
static bool find_key(const char *from, const char *end, const char *key,
                     Scan *value)
{
    const char *found = from < end
        ? memmem(from, end - from, key, strlen(key)) : NULL;

    *value = (Scan){found ? found + strlen(key) : end, end};
    return found != NULL;
}

static TraceOp op_of_iocb(Scan scan)
{
    return scan_text(&scan, "IOCB_CMD_PREAD") ? TRACE_READ
         : scan_text(&scan, "IOCB_CMD_PWRITE") ? TRACE_WRITE
         : scan_text(&scan, "IOCB_CMD_FSYNC") ? TRACE_SYNC
         : scan_text(&scan, "IOCB_CMD_FDSYNC") ? TRACE_DATASYNC : TRACE_OP_MAX;
}

static bool take_iocb(Syscalls *s, const Call *call, const char *at,
                      const char *end)
{
    Scan op, fd_scan, value;
    uint64_t bytes = 0;
    int64_t fd, offset = 0;
    TraceRecord r;
    Word path;

    if (!find_key(at, end, "aio_lio_opcode=", &op) ||
        op_of_iocb(op) == TRACE_OP_MAX ||
        !find_key(at, end, "aio_fildes=", &fd_scan) ||
        !scan_fd((Word){fd_scan.at, fd_scan.end - fd_scan.at}, &fd, &path)) {
        return false;
    }
    if (memchr(path.text, '>', path.len)) {
        path.len = (const char *)memchr(path.text, '>', path.len) - path.text;
    }
    r = new_record(s, call,
                   open_files_get(s->files, call->tid, fd, path)->path);
    r.complete_ns = TRACE_NO_TIME; /* the call only submits it */
    r.op = op_of_iocb(op);
    if (trace_op_has_range(r.op)) {
        if (!find_key(at, end, "aio_nbytes=", &value) ||
            !scan_u64(&value, &bytes) || !bytes || bytes > INT64_MAX ||
            !find_key(at, end, "aio_offset=", &value) ||
            !scan_i64(&value, &offset) || offset < 0) {
            return false;
        }
        r.offset = offset;
        r.bytes = bytes;
    }
    trace_import_store(s->import, &r);
    return true;
}

/* One line, and as many requests as it submits. */
static TraceReason take_submit(Syscalls *s, const Call *call)
{
    const char *at = call->n_args > 2 ? call->args[2].text : "";
    const char *end = call->n_args > 2 ? at + call->args[2].len : at;
    bool any = false;

    for (int64_t i = 0; i < call->result && at < end; i++) {
        const char *open = memchr(at, '{', end - at);
        const char *close = open ? memchr(open, '}', end - open) : NULL;

        if (!close) {
            break;
        }
        any |= take_iocb(s, call, open, close);
        at = close + 1;
    }
    return any ? REASON_STORED : REASON_CALL;
}

/* ---- What only changes descriptors ---- */

static TraceReason take_open(Syscalls *s, const Call *call)
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
    file->append = has_text(call, name + 1, "O_APPEND");
    return REASON_FILES;
}

static TraceReason take_dup(Syscalls *s, const Call *call)
{
    int64_t fd;
    Word path;

    if (word_is(call->name, "fcntl") && !has_text(call, 1, "F_DUPFD")) {
        return REASON_CALL;
    }
    if (call->n_args && scan_fd(call->args[0], &fd, &path)) {
        open_files_dup(s->files, call->tid, fd, call->result);
    }
    return REASON_FILES;
}

static TraceReason take_seek(Syscalls *s, const Call *call)
{
    OpenFile *file;
    int64_t fd;
    Word path;

    if (call->n_args && scan_fd(call->args[0], &fd, &path) &&
        is_file(path, fd)) {
        file = open_files_get(s->files, call->tid, fd, path);
        file->position = call->result;
        file->known = true;
    }
    return REASON_CALL;
}

static TraceReason take_close(Syscalls *s, const Call *call)
{
    int64_t fd;
    Word path;

    if (call->n_args && scan_fd(call->args[0], &fd, &path)) {
        open_files_close(s->files, call->tid, fd);
    }
    return REASON_FILES;
}

static TraceReason take_fork(Syscalls *s, const Call *call)
{
    bool shared = false;

    for (unsigned i = 0; i < call->n_args; i++) {
        shared |= has_text(call, i, "CLONE_FILES");
    }
    open_files_fork(s->files, call->tid, call->result, shared);
    return REASON_CALL;
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
        return take_submit(s, call);
    case CALL_OPEN:
        return take_open(s, call);
    case CALL_CLOSE:
        return take_close(s, call);
    case CALL_DUP:
        return take_dup(s, call);
    case CALL_SEEK:
        return take_seek(s, call);
    case CALL_FORK:
        return take_fork(s, call);
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
