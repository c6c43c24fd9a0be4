/* SPDX-License-Identifier: MIT */
/* Requests in a QEMU trace, each at one of the layers that it was seen at. */
#include "qemu-trace.h"

#include "qemu-model.h"

/* Nearest to who asks first. */
typedef enum Layer {
    LAYER_UNKNOWN, LAYER_BLK, LAYER_GUEST, LAYER_PROTOCOL, LAYER_NODE,
} Layer;

enum {
    LOOK_AHEAD = 4096, /* events, before it is known which layers there are */
    IN_FLIGHT_MAX = 16384,
    FLAG_ZERO_WRITE = 2, FLAG_MAY_UNMAP = 4, FLAG_FUA = 0x10,
};

/* An event that was read ahead, with its place. */
typedef struct Ahead {
    QemuEvent event;
    uint64_t place;
} Ahead;

/* What was last asked of a node, which may be given to the thread pool. */
typedef struct LastIo {
    bool valid;
    uint8_t op;
    uint64_t bs, offset, bytes;
} LastIo;

struct QemuTrace {
    TraceImport *import;
    QemuModel *model;
    Layer layer;
    GArray *ahead;
    GStringChunk *strings;   /* of the events that were read ahead */
    GHashTable *in_flight;   /* pointer, or coroutine -> TraceRecord */
    GHashTable *node_names;  /* bs -> file name */
    struct {
        bool valid;
        uint64_t bs;
        const char *what;
        uint32_t device;
    } last_device;           /* that had no name */
    LastIo last_io;
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

/* ---- Records ---- */

static uint32_t device_of(QemuTrace *t, uint64_t bs, const char *what)
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

static TraceRecord new_record(QemuTrace *t, const QemuEvent *e, uint8_t op)
{
    TraceRecord r = trace_import_record(t->import);

    r.op = op;
    r.quality = e->time_synth ? TRACE_QUALITY_TIME_SYNTH : 0;
    if (t->layer == LAYER_PROTOCOL) {
        r.issue_ns = e->time_ns;
    } else {
        r.queue_ns = e->time_ns;
    }
    r.process = trace_import_process(t->import, (Word){"qemu", 4}, -1, e->tid);
    return r;
}

/* False, and rejected, if there is no such range. */
static bool set_range(QemuTrace *t, TraceRecord *r, uint64_t offset,
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

/* It waits for its end, or is put at once if there are too many. */
static void begin(QemuTrace *t, uint64_t key, const TraceRecord *record)
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

/* False if no such request is known. */
static bool finish(QemuTrace *t, uint64_t key, int64_t time_ns, int64_t ret)
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

/* ---- Layers ---- */

static void blk_request(QemuTrace *t, const QemuEvent *e)
{
    uint64_t flags = qemu_event_arg(e, "flags");
    uint8_t op = e->id == QEMU_BLK_READ || e->id == QEMU_BDRV_READ
        ? TRACE_READ
        : e->id == QEMU_BDRV_ZEROES || flags & FLAG_ZERO_WRITE
        ? TRACE_WRITE_ZEROES : TRACE_WRITE;
    TraceRecord r = new_record(t, e, op);

    r.flags = (flags & FLAG_FUA ? TRACE_FLAG_FUA : 0) |
              (flags & FLAG_MAY_UNMAP && op == TRACE_WRITE_ZEROES
                   ? TRACE_FLAG_UNMAP : 0);
    if (set_range(t, &r, qemu_event_arg(e, "offset"),
                  qemu_event_arg(e, "bytes"))) {
        r.device = device_of(t, qemu_event_arg(e, "bs"), "bs");
        begin(t, t->layer == LAYER_BLK ? qemu_model_coroutine(t->model) : 0,
              &r);
    }
}

static void guest_request(QemuTrace *t, const QemuEvent *e)
{
    TraceRecord r = new_record(t, e, e->id == QEMU_VIRTIO_READ ? TRACE_READ
                                                               : TRACE_WRITE);
    uint64_t sector = qemu_event_arg(e, "sector");
    uint64_t sectors = qemu_event_arg(e, "nsectors");

    if (set_range(t, &r, MIN(sector, UINT64_MAX / 512) * 512,
                  MIN(sectors, UINT64_MAX / 512) * 512)) {
        r.device = device_of(t, qemu_event_arg(e, "vdev"), "virtio-blk");
        begin(t, qemu_event_arg(e, "req"), &r);
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
    r = new_record(t, e, op);
    if (set_range(t, &r, qemu_event_arg(e, "offset"),
                  qemu_event_arg(e, uring ? "nbytes" : "count"))) {
        r.device = device_of(t, qemu_event_arg(e, "bs"), uring ? "bs" : "acb");
        begin(t, key ? key : qemu_event_arg(e, "luringcb"), &r);
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
    r = new_record(t, e, t->last_io.op);
    if (set_range(t, &r, t->last_io.offset, t->last_io.bytes)) {
        r.device = device_of(t, t->last_io.bs, "bs");
        begin(t, qemu_event_arg(e, "req"), &r);
    }
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
    bool known = t->layer == layer && finish(t, key, e->time_ns, ret);

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
    trace_import_skip(t->import, ended && finish(t, ended, e->time_ns, 0)
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
