/* SPDX-License-Identifier: MIT */
/*
 * blktrace's binary records: version 7, of either byte order, and version 8
 * with its wider ones (struct blk_io_trace2); with the id of a cgroup or not.
 *
 * One file holds the records of one CPU, or of all of them, merged or as their
 * buffers became full; several are merged here by time, CPU and sequence.
 */
#include "formats.h"
#include "reorder.h"

#include <byteswap.h>
#include <endian.h>

enum {
    V7_SIZE = 48,
    V8_SIZE = 64,
    PDU_MAX = 65535,
    RECORD_MAX = V8_SIZE + PDU_MAX,
    ACTION_CGROUP = 0x100,
    CGROUP_ID_SIZE = 8,
    RESYNC_BYTES = 16384,
    COMM_MAX = 16,
};

#define MAGIC 0x65617400u

/* Bits of an action's upper half. */
enum {
    CATEGORY_READ = 1, CATEGORY_WRITE = 2, CATEGORY_FLUSH = 4,
    CATEGORY_SYNC = 8, CATEGORY_NOTIFY = 0x400, CATEGORY_PC = 0x200,
    CATEGORY_AHEAD = 0x800, CATEGORY_META = 0x1000, CATEGORY_DISCARD = 0x2000,
    CATEGORY_FUA = 0x8000,
};

enum { NOTE_PROCESS, NOTE_TIMESTAMP, NOTE_MESSAGE };

/* What the lower half of an action counts from 1. */
static const uint8_t actions[] = {
    BLOCK_OTHER, BLOCK_QUEUE, BLOCK_BACK_MERGE, BLOCK_FRONT_MERGE,
    BLOCK_GET_REQUEST, BLOCK_SLEEP, BLOCK_REQUEUE, BLOCK_ISSUE, BLOCK_COMPLETE,
    BLOCK_PLUG, BLOCK_UNPLUG, BLOCK_UNPLUG_TIMER, BLOCK_INSERT, BLOCK_SPLIT,
    BLOCK_BOUNCE, BLOCK_REMAP,
};

/* One record in the machine's byte order. */
typedef struct Raw {
    uint64_t time_ns, sector, action, place;
    uint32_t sequence, bytes, pid, device, cpu;
    uint16_t error, pdu_len;
    const uint8_t *pdu; /* valid until the file's next one */
    size_t size;        /* with its payload */
} Raw;

typedef struct Cursor {
    TraceSource *source;
    unsigned file;
    Raw raw;
    bool have; /* raw is the file's next record */
} Cursor;

typedef struct Merge {
    TraceImport *import;
    Join *join;
    Reorder *reorder; /* of a file that is alone; or NULL */
    Cursor *cursors;
    unsigned n;
    GHashTable *comms; /* pid -> char * */
} Merge;

/* ---- One record ---- */

typedef struct Order {
    bool swapped;
    unsigned version; /* 0: no record begins here */
} Order;

static Order find_order(const uint8_t *data)
{
    uint32_t magic, swapped;

    memcpy(&magic, data, sizeof(magic));
    swapped = bswap_32(magic);
    return (magic & ~0xffu) == MAGIC && (magic & 0xff) - 7 < 2
               ? (Order){false, magic & 0xff}
         : (swapped & ~0xffu) == MAGIC && (swapped & 0xff) - 7 < 2
               ? (Order){true, swapped & 0xff}
               : (Order){false, 0};
}

static uint16_t get16(const uint8_t *at, bool swapped)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return swapped ? bswap_16(value) : value;
}

static uint32_t get32(const uint8_t *at, bool swapped)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return swapped ? bswap_32(value) : value;
}

static uint64_t get64(const uint8_t *at, bool swapped)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return swapped ? bswap_64(value) : value;
}

static Raw unpack(const uint8_t *d, Order order)
{
    bool s = order.swapped, v8 = order.version == 8;
    size_t head = v8 ? V8_SIZE : V7_SIZE;
    Raw raw = {
        .sequence = get32(d + 4, s), .time_ns = get64(d + 8, s),
        .sector = get64(d + 16, s), .bytes = get32(d + 24, s),
        .action = v8 ? get64(d + 32, s) : get32(d + 28, s),
        .pid = get32(d + (v8 ? 28 : 32), s),
        .device = get32(d + (v8 ? 40 : 36), s),
        .cpu = get32(d + (v8 ? 44 : 40), s),
        .error = get16(d + (v8 ? 48 : 44), s),
        .pdu_len = get16(d + (v8 ? 50 : 46), s),
        .pdu = d + head,
    };

    raw.size = head + raw.pdu_len;
    if (raw.action & ACTION_CGROUP && raw.pdu_len >= CGROUP_ID_SIZE) {
        raw.pdu += CGROUP_ID_SIZE;
        raw.pdu_len -= CGROUP_ID_SIZE;
    }
    return raw;
}

bool blktrace_recognise(const TraceSample *sample, const char **why)
{
    Order order = sample->end - sample->text >= 4
        ? find_order((const uint8_t *)sample->text) : (Order){false, 0};

    *why = order.version == 8
        ? (order.swapped ? "records of version 8, of the other byte order"
                         : "records of version 8")
        : (order.swapped ? "records of version 7, of the other byte order"
                         : "records of version 7");
    return order.version != 0;
}

/* ---- One file ---- */

/* Bytes that are no record, up to the next that looks like one. */
static void skip_garbage(Merge *merge, Cursor *c)
{
    uint64_t place = trace_source_offset(c->source);
    const uint8_t *data;
    size_t len, at;
    bool found = false;

    do {
        data = trace_source_peek(c->source, RESYNC_BYTES, &len);
        at = len > 3 ? 1 : len;
        while (at + 4 <= len && !find_order(data + at).version) {
            at++;
        }
        found = at + 4 <= len;
        trace_source_skip(c->source, found ? at : len > 3 ? len - 3 : len);
    } while (!found && len > 3);
    merge->import->place = place;
    merge->import->file = c->file;
    trace_import_reject(merge->import, REASON_MAGIC, "", 0);
}

/* The next record of the file into c->raw. */
static void next_record(Merge *merge, Cursor *c)
{
    c->have = false;
    if (c->raw.size) {
        trace_source_skip(c->source, c->raw.size);
        c->raw.size = 0;
    }
    for (;;) {
        size_t len;
        const uint8_t *data = trace_source_peek(c->source, V8_SIZE, &len);
        Order order = len >= 4 ? find_order(data) : (Order){false, 0};

        if (!len) {
            return;
        }
        if (order.version && len >= (order.version == 8 ? V8_SIZE : V7_SIZE)) {
            c->raw = unpack(data, order);
            data = trace_source_peek(c->source, c->raw.size, &len);
            c->have = len >= c->raw.size;
            c->raw = unpack(data, order);
            c->raw.place = trace_source_offset(c->source);
        }
        if (c->have) {
            return;
        }
        if (order.version || len < 4) { /* the file ends in it */
            trace_source_skip(c->source, len);
            c->raw.size = 0;
            trace_import_skip(merge->import, REASON_CUT);
            return;
        }
        skip_garbage(merge, c);
    }
}

/* ---- Notes of the tracer ---- */

static void take_note(Merge *merge, const Raw *raw)
{
    unsigned note = raw->action & 0xff;

    if (note == NOTE_PROCESS) {
        size_t len = strnlen((const char *)raw->pdu,
                             MIN(raw->pdu_len, COMM_MAX));

        g_hash_table_insert(merge->comms, GUINT_TO_POINTER(raw->pid),
                            g_strndup((const char *)raw->pdu, len));
    }
    trace_import_skip(merge->import, REASON_NOTIFY);
}

/* ---- Events ---- */

static void set_op(const Raw *raw, BlockEvent *event)
{
    uint64_t category = raw->action >> 16;

    event->flags = (category & CATEGORY_FLUSH ? TRACE_FLAG_PREFLUSH : 0) |
                   (category & CATEGORY_FUA ? TRACE_FLAG_FUA : 0) |
                   (category & CATEGORY_SYNC ? TRACE_FLAG_SYNC_IO : 0) |
                   (category & CATEGORY_META ? TRACE_FLAG_META : 0) |
                   (category & CATEGORY_AHEAD ? TRACE_FLAG_AHEAD : 0);
    event->op = category & CATEGORY_PC ? TRACE_OP_MAX
              : category & CATEGORY_DISCARD ? TRACE_DISCARD
              : category & CATEGORY_WRITE ? TRACE_WRITE
              : raw->bytes ? TRACE_READ : TRACE_OP_MAX;
    block_settle_op(event->bytes, &event->op, &event->flags);
}

static uint32_t device_of(TraceImport *import, uint32_t device)
{
    return trace_import_block_device(import, device >> 20, device & 0xfffff);
}

/* Payloads are big-endian on every machine. */
static void set_other(Merge *merge, const Raw *raw, BlockEvent *event)
{
    if (event->action == BLOCK_SPLIT && raw->pdu_len >= 8) {
        uint64_t sector;

        memcpy(&sector, raw->pdu, 8);
        event->other_sector = be64toh(sector);
    } else if (event->action == BLOCK_REMAP && raw->pdu_len >= 16) {
        uint32_t device;
        uint64_t sector;

        memcpy(&device, raw->pdu, 4);
        memcpy(&sector, raw->pdu + 8, 8);
        event->other_device = device_of(merge->import, be32toh(device));
        event->other_sector = be64toh(sector);
    }
}

static void take_record(Merge *merge, const Cursor *c)
{
    const Raw *raw = &c->raw;
    unsigned action = raw->action & 0xff;
    const char *comm = g_hash_table_lookup(merge->comms,
                                           GUINT_TO_POINTER(raw->pid));
    int error = (int16_t)raw->error;
    BlockEvent event = {
        .time_ns = raw->time_ns, .place = raw->place, .file = c->file,
        .sector = raw->sector > INT64_MAX / 1024 ? 0 : raw->sector,
        .bytes = raw->bytes, .cpu = raw->cpu,
        .error = error > 0 ? -error : error,
        .action = action < ARRAY_SIZE(actions) ? actions[action] : BLOCK_OTHER,
    };

    merge->import->file = c->file;
    merge->import->place = raw->place;
    if (raw->action >> 16 & CATEGORY_NOTIFY) {
        take_note(merge, raw);
        return;
    }
    set_op(raw, &event);
    event.device = device_of(merge->import, raw->device);
    event.process = trace_import_process(
        merge->import, (Word){comm ? comm : "", comm ? strlen(comm) : 0},
        raw->pid, -1);
    set_other(merge, raw, &event);
    if (merge->reorder) {
        reorder_add(merge->reorder, &event);
    } else {
        join_add(merge->join, &event);
    }
}

/* ---- All files ---- */

static bool is_before(const Raw *a, const Raw *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns
         : a->cpu != b->cpu ? a->cpu < b->cpu : a->sequence < b->sequence;
}

static Cursor *earliest(Merge *merge)
{
    Cursor *best = NULL;

    for (unsigned i = 0; i < merge->n; i++) {
        Cursor *c = &merge->cursors[i];

        if (c->have && (!best || is_before(&c->raw, &best->raw))) {
            best = c;
        }
    }
    return best;
}

bool blktrace_read(TraceImport *import, TraceSource **sources, unsigned n,
                   Error **errp)
{
    Merge merge = {
        .import = import, .join = join_new(import), .n = n,
        .cursors = g_new0(Cursor, n),
        .comms = g_hash_table_new_full(NULL, NULL, NULL, g_free),
    };
    bool ok = true;
    Cursor *next;

    merge.reorder = n == 1 ? reorder_new(merge.join) : NULL;
    for (unsigned i = 0; i < n; i++) {
        merge.cursors[i].source = sources[i];
        merge.cursors[i].file = i;
        next_record(&merge, &merge.cursors[i]);
    }
    while ((next = earliest(&merge)) && trace_import_goes_on(import)) {
        take_record(&merge, next);
        next_record(&merge, next);
    }
    if (merge.reorder) {
        reorder_end(merge.reorder);
    }
    join_end(merge.join);
    for (unsigned i = 0; i < n && ok; i++) {
        ok = trace_source_check(sources[i], errp);
    }
    g_hash_table_destroy(merge.comms);
    g_free(merge.cursors);
    return ok;
}
