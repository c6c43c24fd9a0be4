/* SPDX-License-Identifier: MIT */
/* Requests in a QEMU trace, each at one of the layers that it was seen at. */
#include "qemu-trace-internal.h"

enum {
    LOOK_AHEAD = 4096, /* events, before it is known which layers there are */
    FLAG_ZERO_WRITE = 2, FLAG_MAY_UNMAP = 4, FLAG_FUA = 0x10,
};

QemuTrace *qemu_trace_new(TraceImport *import)
{
    QemuTrace *t = g_new0(QemuTrace, 1);

    t->import = import;
    t->model = qemu_model_new(import);
    t->layer = import->at_given && import->at == TRACE_AT_ISSUE
        ? LAYER_PROTOCOL : LAYER_UNKNOWN;
    t->ahead = g_array_new(false, false, sizeof(Ahead));
    t->strings = g_string_chunk_new(4096);
    t->in_flight = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                         g_free);
    t->node_names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                          g_free);
    return t;
}

/* ---- Layers ---- */

static void blk_request(QemuTrace *t, const QemuEvent *e)
{
    uint64_t flags = qemu_event_arg(e, "flags");
    uint8_t op = e->id == QEMU_BLK_READ || e->id == QEMU_BDRV_READ
        ? TRACE_READ
        : e->id == QEMU_BDRV_ZEROES || flags & FLAG_ZERO_WRITE
        ? TRACE_WRITE_ZEROES : TRACE_WRITE;
    TraceRecord r;

    qemu_record_init(t, e, op, &r);
    r.flags = (flags & FLAG_FUA ? TRACE_FLAG_FUA : 0) |
              (flags & FLAG_MAY_UNMAP && op == TRACE_WRITE_ZEROES
                   ? TRACE_FLAG_UNMAP : 0);
    if (qemu_record_range(t, &r, qemu_event_arg(e, "offset"),
                          qemu_event_arg(e, "bytes"))) {
        r.device = qemu_record_device(t, qemu_event_arg(e, "bs"), "bs");
        qemu_record_begin(t, t->layer == LAYER_BLK
                          ? qemu_model_coroutine(t->model) : 0, &r);
    }
}

static void guest_request(QemuTrace *t, const QemuEvent *e)
{
    uint64_t sector = qemu_event_arg(e, "sector");
    uint64_t sectors = qemu_event_arg(e, "nsectors");
    TraceRecord r;

    qemu_record_init(t, e, e->id == QEMU_VIRTIO_READ ? TRACE_READ
                                                     : TRACE_WRITE, &r);
    if (qemu_record_range(t, &r, MIN(sector, UINT64_MAX / 512) * 512,
                          MIN(sectors, UINT64_MAX / 512) * 512)) {
        r.device = qemu_record_device(t, qemu_event_arg(e, "vdev"),
                                      "virtio-blk");
        qemu_record_begin(t, qemu_event_arg(e, "req"), &r);
    }
}

/* QEMU_AIO_READ and its like. */
static uint8_t op_of_type(uint64_t type)
{
    switch (type & 0xff) {
    case 1:
        return TRACE_READ;
    case 2:
        return TRACE_WRITE;
    case 8:
        return TRACE_FLUSH;
    case 0x10:
        return TRACE_DISCARD;
    case 0x20:
        return TRACE_WRITE_ZEROES;
    default:
        return TRACE_OP_MAX;
    }
}

static void protocol_request(QemuTrace *t, const QemuEvent *e)
{
    bool uring = e->id == QEMU_URING_SUBMIT;
    uint8_t op = op_of_type(qemu_event_arg(e, "type"));
    uint64_t key = qemu_event_arg(e, uring ? "req" : "acb");
    TraceRecord r;

    if (op == TRACE_OP_MAX) {
        trace_import_skip(t->import, REASON_EVENT);
        return;
    }
    qemu_record_init(t, e, op, &r);
    if (qemu_record_range(t, &r, qemu_event_arg(e, "offset"),
                          qemu_event_arg(e, uring ? "nbytes" : "count"))) {
        r.device = qemu_record_device(t, qemu_event_arg(e, "bs"),
                                      uring ? "bs" : "acb");
        qemu_record_begin(t, key ? key : qemu_event_arg(e, "luringcb"), &r);
    }
}

/* The pool says nothing of what it does; the node before it did. */
static void pool_request(QemuTrace *t, const QemuEvent *e)
{
    TraceRecord r;

    if (!t->last_io.valid) {
        trace_import_skip(t->import, REASON_EVENT);
        return;
    }
    t->last_io.valid = false;
    qemu_record_init(t, e, t->last_io.op, &r);
    if (qemu_record_range(t, &r, t->last_io.offset, t->last_io.bytes)) {
        r.device = qemu_record_device(t, t->last_io.bs, "bs");
        qemu_record_begin(t, qemu_event_arg(e, "req"), &r);
    }
}

/* Zeroes are written by a write, which is traced, too. */
static bool writes_same_zeroes(const QemuTrace *t, const QemuEvent *e)
{
    return e->id == QEMU_BDRV_WRITE && t->last_io.valid &&
           t->last_io.op == TRACE_WRITE_ZEROES &&
           qemu_event_arg(e, "flags") & FLAG_ZERO_WRITE &&
           t->last_io.bs == qemu_event_arg(e, "bs") &&
           t->last_io.offset == qemu_event_arg(e, "offset") &&
           t->last_io.bytes == qemu_event_arg(e, "bytes");
}

static void remember_io(QemuTrace *t, const QemuEvent *e)
{
    t->last_io = (LastIo){
        true,
        e->id == QEMU_BDRV_READ ? TRACE_READ
        : e->id == QEMU_BDRV_ZEROES ? TRACE_WRITE_ZEROES : TRACE_WRITE,
        qemu_event_arg(e, "bs"), qemu_event_arg(e, "offset"),
        qemu_event_arg(e, "bytes"),
    };
}

static void remember_name(QemuTrace *t, const QemuEvent *e)
{
    Word name = qemu_event_string(e, "filename");
    uint64_t bs = qemu_event_arg(e, "bs");

    if (name.len) {
        g_hash_table_replace(t->node_names, g_memdup2(&bs, sizeof(bs)),
                             g_strndup(name.text, name.len));
    }
}

/* A request's event: it begins one at its layer, or is another's. */
static void request_event(QemuTrace *t, const QemuEvent *e, Layer layer,
                          void (*begins)(QemuTrace *, const QemuEvent *))
{
    if (t->layer == layer) {
        begins(t, e);
    } else {
        trace_import_skip(t->import, REASON_LAYER);
    }
}

static void done_event(QemuTrace *t, const QemuEvent *e, Layer layer,
                       uint64_t key, int64_t ret)
{
    bool known = t->layer == layer &&
                 qemu_record_finish(t, key, e->time_ns, ret);

    trace_import_skip(t->import, known ? REASON_JOINED
                      : t->layer == layer ? REASON_ORPHAN : REASON_LAYER);
}

static void take(QemuTrace *t, const QemuEvent *e)
{
    uint64_t ended = e->id == QEMU_CO_END
        ? qemu_model_coroutine_at(t->model, qemu_event_arg(e, "self")) : 0;

    qemu_model_add(t->model, e);
    switch (e->id) {
    case QEMU_BLK_READ:
    case QEMU_BLK_WRITE:
        request_event(t, e, LAYER_BLK, blk_request);
        return;
    case QEMU_VIRTIO_READ:
    case QEMU_VIRTIO_WRITE:
        request_event(t, e, LAYER_GUEST, guest_request);
        return;
    case QEMU_BDRV_READ ... QEMU_BDRV_ZEROES:
        if (writes_same_zeroes(t, e)) {
            trace_import_skip(t->import, REASON_LAYER);
            return;
        }
        remember_io(t, e);
        request_event(t, e, LAYER_NODE, blk_request);
        return;
    case QEMU_URING_SUBMIT:
        t->last_io.valid = false;
        request_event(t, e, LAYER_PROTOCOL, protocol_request);
        return;
    case QEMU_POOL_SUBMIT:
        request_event(t, e, LAYER_PROTOCOL, pool_request);
        return;
    case QEMU_URING_DONE:
        done_event(t, e, LAYER_PROTOCOL,
                   qemu_event_arg(e, "req") ? qemu_event_arg(e, "req")
                                            : qemu_event_arg(e, "luringcb"),
                   (int32_t)qemu_event_arg(e, "ret"));
        return;
    case QEMU_POOL_DONE:
        done_event(t, e, LAYER_PROTOCOL, qemu_event_arg(e, "req"),
                   (int32_t)qemu_event_arg(e, "ret"));
        return;
    case QEMU_VIRTIO_DONE:
        done_event(t, e, LAYER_GUEST, qemu_event_arg(e, "req"),
                   qemu_event_arg(e, "status") ? -EIO : 0);
        return;
    case QEMU_OPEN:
        remember_name(t, e);
        break;
    default:
        break;
    }
    trace_import_skip(t->import, ended &&
                      qemu_record_finish(t, ended, e->time_ns, 0)
                      ? REASON_JOINED : REASON_EVENT);
}

/* ---- Looking ahead ---- */

static Layer layer_of(const QemuEvent *e)
{
    switch (e->id) {
    case QEMU_BLK_READ ... QEMU_BLK_WRITE:
        return LAYER_BLK;
    case QEMU_VIRTIO_READ ... QEMU_VIRTIO_DONE:
        return LAYER_GUEST;
    case QEMU_URING_SUBMIT ... QEMU_PAIO_SUBMIT:
        return LAYER_PROTOCOL;
    case QEMU_BDRV_READ ... QEMU_BDRV_ZEROES:
        return LAYER_NODE;
    default:
        return LAYER_UNKNOWN;
    }
}

/* The layer that is nearest to who asks, and what was read ahead. */
static void decide(QemuTrace *t)
{
    TraceImport *import = t->import;
    Layer layer = LAYER_NODE;

    for (unsigned i = 0; i < t->ahead->len; i++) {
        Layer seen = layer_of(&g_array_index(t->ahead, Ahead, i).event);

        layer = seen ? MIN(layer, seen) : layer;
    }
    t->layer = t->layer ? t->layer : layer;
    import->at = t->layer == LAYER_PROTOCOL ? TRACE_AT_ISSUE : TRACE_AT_QUEUE;
    if (import->writer && !trace_writer_count(import->writer)) {
        trace_writer_set_at(import->writer, import->at);
    }
    for (unsigned i = 0; i < t->ahead->len; i++) {
        Ahead *ahead = &g_array_index(t->ahead, Ahead, i);

        import->place = ahead->place;
        take(t, &ahead->event);
    }
    g_array_set_size(t->ahead, 0);
    g_string_chunk_clear(t->strings);
}

static void read_ahead(QemuTrace *t, const QemuEvent *event)
{
    Ahead ahead = {*event, t->import->place};

    for (unsigned i = 0; i < event->n; i++) {
        if (event->strings[i].len) {
            ahead.event.strings[i].text = g_string_chunk_insert_len(
                t->strings, event->strings[i].text, event->strings[i].len);
        }
    }
    g_array_append_val(t->ahead, ahead);
}

void qemu_trace_add(QemuTrace *t, const QemuEvent *event)
{
    bool decided = t->layer && !t->ahead->len;

    if (decided) {
        take(t, event);
        return;
    }
    read_ahead(t, event);
    if (t->ahead->len == LOOK_AHEAD || layer_of(event) == LAYER_BLK) {
        decide(t);
    }
}

void qemu_trace_end(QemuTrace *t)
{
    GHashTableIter iter;
    gpointer record;

    decide(t);
    g_hash_table_iter_init(&iter, t->in_flight);
    while (g_hash_table_iter_next(&iter, NULL, &record)) {
        trace_import_put(t->import, record); /* the writer sorts */
    }
    qemu_model_end(t->model);
    g_array_free(t->ahead, true);
    g_string_chunk_free(t->strings);
    g_hash_table_destroy(t->in_flight);
    g_hash_table_destroy(t->node_names);
    g_free(t);
}
