/* SPDX-License-Identifier: MIT */
/* io_submit(): requests in the text of one call. */
#include "syscalls-internal.h"

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
        !call_fd((Word){fd_scan.at, fd_scan.end - fd_scan.at}, &fd, &path)) {
        return false;
    }
    if (memchr(path.text, '>', path.len)) {
        path.len = (const char *)memchr(path.text, '>', path.len) - path.text;
    }
    syscalls_record(s, call,
                    open_files_get(s->files, call->tid, fd, path)->path, &r);
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
TraceReason syscalls_submit(Syscalls *s, const Call *call)
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
