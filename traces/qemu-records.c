/* SPDX-License-Identifier: MIT */
/* Records of a QEMU trace's requests, which wait for their end. */
#include "qemu-trace-internal.h"

enum { IN_FLIGHT_MAX = 16384 };

uint32_t qemu_record_device(QemuTrace *t, uint64_t bs, const char *what)
{
    const char *name = g_hash_table_lookup(t->node_names, &bs);
    char text[64];

    if (name) {
        return trace_import_device(t->import, (Word){name, strlen(name)});
    }
    if (!t->last_device.valid || t->last_device.bs != bs ||
        t->last_device.what != what) {
        int len = snprintf(text, sizeof(text), "%s 0x%" PRIx64, what, bs);

        t->last_device.device = trace_import_device(t->import,
                                                    (Word){text, len});
        t->last_device.bs = bs;
        t->last_device.what = what;
        t->last_device.valid = true;
    }
    return t->last_device.device;
}

void qemu_record_init(QemuTrace *t, const QemuEvent *e, uint8_t op,
                      TraceRecord *r)
{
    *r = trace_import_record(t->import);
    r->op = op;
    r->quality = e->time_synth ? TRACE_QUALITY_TIME_SYNTH : 0;
    if (t->layer == LAYER_PROTOCOL) {
        r->issue_ns = e->time_ns;
    } else {
        r->queue_ns = e->time_ns;
    }
    r->process = trace_import_process(t->import, (Word){"qemu", 4}, -1,
                                      e->tid);
}

bool qemu_record_range(QemuTrace *t, TraceRecord *r, uint64_t offset,
                       uint64_t bytes)
{
    if (!trace_op_has_range(r->op)) {
        return true;
    }
    if (offset > INT64_MAX || bytes > INT64_MAX ||
        offset + bytes > INT64_MAX) {
        trace_import_reject(t->import, REASON_RANGE, "", 0);
        return false;
    }
    if (!bytes) {
        trace_import_skip(t->import, REASON_EMPTY);
        return false;
    }
    r->offset = offset;
    r->bytes = bytes;
    return true;
}

void qemu_record_begin(QemuTrace *t, uint64_t key, const TraceRecord *record)
{
    TraceRecord *old = g_hash_table_lookup(t->in_flight, &key);

    trace_import_stored(t->import);
    if (old) { /* a coroutine that makes one after the other */
        if (t->layer == LAYER_BLK) {
            old->complete_ns = MAX(
                qemu_model_entered_ns(t->model, key),
                trace_record_start(old, TRACE_AT_QUEUE));
        }
        trace_import_put(t->import, old);
        g_hash_table_remove(t->in_flight, &key);
    }
    if (!key || g_hash_table_size(t->in_flight) >= IN_FLIGHT_MAX) {
        trace_import_put(t->import, record);
        return;
    }
    g_hash_table_insert(t->in_flight, g_memdup2(&key, sizeof(key)),
                        g_memdup2(record, sizeof(*record)));
}

bool qemu_record_finish(QemuTrace *t, uint64_t key, int64_t time_ns,
                        int64_t ret)
{
    TraceRecord *request = g_hash_table_lookup(t->in_flight, &key);

    if (!request) {
        return false;
    }
    request->complete_ns = MAX(
        time_ns, trace_record_start(request, TRACE_AT_QUEUE));
    request->error = ret < 0 ? MAX(ret, -4095) : 0;
    trace_import_put(t->import, request);
    g_hash_table_remove(t->in_flight, &key);
    return true;
}
