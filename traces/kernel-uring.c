/* SPDX-License-Identifier: MIT */
/* Requests of io_uring, from the kernel's events about submitting them. */
#include "kernel-text.h"

enum { IN_FLIGHT_MAX = 16384 };

struct KernelUring {
    GHashTable *in_flight; /* key -> TraceRecord */
};

static const struct {
    const char *name;
    TraceOp op;
} opcodes[] = {
    {"READ", TRACE_READ}, {"READV", TRACE_READ}, {"READ_FIXED", TRACE_READ},
    {"READV_FIXED", TRACE_READ},
    {"WRITE", TRACE_WRITE}, {"WRITEV", TRACE_WRITE},
    {"WRITE_FIXED", TRACE_WRITE}, {"WRITEV_FIXED", TRACE_WRITE},
    {"FSYNC", TRACE_SYNC}, {"SYNC_FILE_RANGE", TRACE_DATASYNC},
};

KernelUring *kernel_uring_new(void)
{
    KernelUring *uring = g_new0(KernelUring, 1);

    uring->in_flight = g_hash_table_new_full(g_int64_hash, g_int64_equal,
                                             g_free, g_free);
    return uring;
}

/* Those without completion are put in the order of their lines. */
void kernel_uring_end(TraceImport *import, KernelUring *uring)
{
    GHashTableIter iter;
    gpointer record;

    g_hash_table_iter_init(&iter, uring->in_flight);
    while (g_hash_table_iter_next(&iter, NULL, &record)) {
        trace_import_put(import, record); /* the writer sorts */
    }
    g_hash_table_destroy(uring->in_flight);
    g_free(uring);
}

/* The number or word behind "NAME ". */
static bool find_value(Scan scan, const char *name, Scan *value)
{
    Word word;

    while (scan_word(&scan, &word)) {
        if (word_is(word, name)) {
            scan_spaces(&scan);
            *value = scan;
            return true;
        }
    }
    return false;
}

static bool find_hex(Scan scan, const char *name, uint64_t *value)
{
    Scan at;

    return find_value(scan, name, &at) && scan_hex(&at, value);
}

static TraceOp opcode_of(Scan scan)
{
    Scan value;
    Word word;

    if (find_value(scan, "opcode", &value) && scan_until(&value, ',', &word)) {
        for (unsigned i = 0; i < ARRAY_SIZE(opcodes); i++) {
            if (word_is(word, opcodes[i].name)) {
                return opcodes[i].op;
            }
        }
    }
    return TRACE_OP_MAX;
}

static void submit(TraceImport *import, KernelUring *uring, uint64_t key,
                   const KernelPrefix *prefix, TraceOp op)
{
    TraceRecord record = trace_import_record(import);

    record.issue_ns = prefix->time_ns;
    record.op = op;
    record.cpu = prefix->cpu;
    record.process = trace_import_process(import, prefix->comm, prefix->pid,
                                          prefix->tid);
    record.device = trace_import_device(import, (Word){"io_uring", 8});
    if (trace_op_has_range(op)) {
        record.quality |= TRACE_QUALITY_OFFSET_NONE | TRACE_QUALITY_SIZE_NONE;
    }
    trace_import_stored(import);
    if (g_hash_table_size(uring->in_flight) >= IN_FLIGHT_MAX ||
        g_hash_table_contains(uring->in_flight, &key)) {
        trace_import_put(import, &record);
        return;
    }
    g_hash_table_insert(uring->in_flight, g_memdup2(&key, sizeof(key)),
                        g_memdup2(&record, sizeof(record)));
}

static TraceReason complete(TraceImport *import, KernelUring *uring,
                            uint64_t key, const KernelPrefix *prefix,
                            Scan scan)
{
    TraceRecord *record = g_hash_table_lookup(uring->in_flight, &key);
    Scan value;
    int64_t result = 0;

    if (!record) {
        return REASON_ORPHAN;
    }
    if (find_value(scan, "result", &value) && scan_i64(&value, &result)) {
        record->complete_ns = prefix->time_ns;
        record->error = result < 0 ? MAX(result, -4095) : 0;
        if (result > 0 && trace_op_has_range(record->op)) {
            record->bytes = result;
            record->quality &= ~TRACE_QUALITY_SIZE_NONE;
        }
    }
    trace_import_put(import, record);
    g_hash_table_remove(uring->in_flight, &key);
    return REASON_JOINED;
}

TraceReason kernel_uring_take(TraceImport *import, KernelUring *uring,
                              bool block, const KernelPrefix *prefix,
                              Word name, Scan *scan)
{
    bool submits = word_is(name, "io_uring_submit_req") ||
                   word_is(name, "io_uring_submit_sqe");
    uint64_t ring, user_data;

    if (block) {
        trace_import_skip(import, REASON_LAYER);
    } else if (!(submits || word_is(name, "io_uring_complete")) ||
               !find_hex(*scan, "ring", &ring) ||
               !find_hex(*scan, "user_data", &user_data)) {
        trace_import_skip(import, REASON_EVENT);
    } else if (!submits) {
        trace_import_skip(import, complete(import, uring, ring ^ user_data,
                                           prefix, *scan));
    } else if (opcode_of(*scan) == TRACE_OP_MAX) {
        trace_import_skip(import, REASON_EVENT);
    } else {
        submit(import, uring, ring ^ user_data, prefix, opcode_of(*scan));
    }
    return REASON_STORED;
}
