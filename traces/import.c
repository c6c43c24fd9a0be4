/* SPDX-License-Identifier: MIT */
/* What formats tell an import: records, and what became of the rest. */
#include "import.h"

#include "log-sql.h"

enum {
    PROGRESS_EVERY = 1 << 16,
    REJECTS_KEPT = 100000, /* with their places, in the log */
    REJECT_TEXT = 160,
};

void trace_import_stored(TraceImport *import)
{
    import->account.in++;
    import->account.n[REASON_STORED]++;
}

void trace_import_put(TraceImport *import, const TraceRecord *record)
{
    if (import->writer) {
        import->ops[record->op]++;
        import->preflush_writes += record->op == TRACE_WRITE &&
                                   record->flags & TRACE_FLAG_PREFLUSH;
        import->largest_end = MAX(import->largest_end,
                                  record->offset + record->bytes);
        trace_writer_add(import->writer, record);
    }
}

void trace_import_store(TraceImport *import, const TraceRecord *record)
{
    trace_import_stored(import);
    trace_import_put(import, record);
}

void trace_import_skip(TraceImport *import, TraceReason reason)
{
    import->account.in++;
    import->account.n[reason]++;
}

void trace_import_reject(TraceImport *import, TraceReason reason,
                         const char *text, size_t len)
{
    import->account.in++;
    import->account.n[reason]++;
    if (import->writer && import->rejects_kept < REJECTS_KEPT) {
        g_autofree char *valid =
            g_utf8_make_valid(text, MIN(len, REJECT_TEXT));

        import->rejects_kept++;
        log_sql_int(import->put_reject, 1, import->file);
        log_sql_int(import->put_reject, 2, import->place);
        log_sql_text(import->put_reject, 3, trace_reasons[reason].name);
        log_sql_text(import->put_reject, 4, valid);
        log_sql_run(import->put_reject);
    }
}

void trace_import_reject_line(TraceImport *import, TraceReason reason,
                              const TraceLine *line)
{
    if (line->cut) {
        trace_import_skip(import, REASON_CUT);
    } else {
        trace_import_reject(import, line->too_long ? REASON_TOO_LONG : reason,
                            line->text, line->end - line->text);
    }
}

void trace_import_leave_out(TraceImport *import, TraceReason reason,
                            const TraceLine *line)
{
    if (trace_reasons[reason].class == ACCOUNT_SKIPPED) {
        trace_import_skip(import, reason);
    } else {
        trace_import_reject_line(import, reason, line);
    }
}

bool trace_import_goes_on(TraceImport *import)
{
    if (import->tell_progress && import->account.in % PROGRESS_EVERY == 0) {
        import->tell_progress(import->opaque);
    }
    if (import->stop && *import->stop) {
        return false;
    }
    return !import->log || !log_failed(import->log);
}

/* Where a name is kept. */
static unsigned slot_of(Word name)
{
    unsigned hash = name.len;

    for (size_t i = name.len > 4 ? name.len - 4 : 0; i < name.len; i++) {
        hash = hash * 31 + (uint8_t)name.text[i];
    }
    return hash;
}

uint32_t trace_import_device(TraceImport *import, Word name)
{
    unsigned slot = slot_of(name) % ARRAY_SIZE(import->devices);

    if (!import->writer) {
        return 0;
    }
    if (import->devices[slot].valid && import->devices[slot].len == name.len &&
        !memcmp(import->devices[slot].text, name.text, name.len)) {
        return import->devices[slot].number;
    }
    import->devices[slot].number = trace_writer_device(import->writer,
                                                       name.text, name.len);
    import->devices[slot].valid = name.len <=
                                  sizeof(import->devices[slot].text);
    if (import->devices[slot].valid) {
        memcpy(import->devices[slot].text, name.text, name.len);
        import->devices[slot].len = name.len;
    }
    return import->devices[slot].number;
}

uint32_t trace_import_block_device(TraceImport *import, uint64_t major,
                                   uint64_t minor)
{
    typeof(*import->block_devices) *known =
        &import->block_devices[(major * 31 + minor) %
                               ARRAY_SIZE(import->block_devices)];

    if (!known->valid || known->major != major || known->minor != minor) {
        char name[48];
        int len = g_snprintf(name, sizeof(name), "%" PRIu64 ",%" PRIu64, major,
                             minor);

        known->number = trace_import_device(import, (Word){name, len});
        known->major = major;
        known->minor = minor;
        known->valid = true;
    }
    return known->number;
}

uint32_t trace_import_process(TraceImport *import, Word comm, int64_t pid,
                              int64_t tid)
{
    unsigned slot = (slot_of(comm) + (uint64_t)pid * 7 + (uint64_t)tid) %
                    ARRAY_SIZE(import->processes);
    typeof(*import->processes) *known = &import->processes[slot];

    if (!import->writer) {
        return 0;
    }
    if (known->valid && known->pid == pid && known->tid == tid &&
        known->len == comm.len && !memcmp(known->text, comm.text, comm.len)) {
        return known->number;
    }
    known->number = trace_writer_process(import->writer, comm.text, comm.len,
                                         pid, tid);
    known->pid = pid;
    known->tid = tid;
    known->valid = comm.len <= sizeof(known->text);
    if (known->valid) {
        memcpy(known->text, comm.text, comm.len);
        known->len = comm.len;
    }
    return known->number;
}

void trace_import_note(TraceImport *import, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (!import->writer) {
        return;
    }
    for (unsigned i = 0; i < import->notes->len; i++) {
        if (g_str_equal(g_ptr_array_index(import->notes, i), text)) {
            return;
        }
    }
    g_ptr_array_add(import->notes, g_steal_pointer(&text));
}
