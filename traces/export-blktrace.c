/* SPDX-License-Identifier: MIT */
/*
 * blktrace's records, version 7, a file for each CPU: NAME.blktrace.N.
 *
 * A record becomes its events: queue, issue and completion, as far as they are
 * known; flushes say once more that they are over, as the kernel's do.  Events
 * wait in a heap until nothing earlier can come.
 */
#include "export.h"

enum {
    MAGIC_V7 = 0x65617407,
    ACT_QUEUE = 1, ACT_ISSUE = 7, ACT_COMPLETE = 8, NOTE_PROCESS = 0x400,
    CAT_READ = 1, CAT_WRITE = 2, CAT_FLUSH = 4, CAT_SYNC = 8, CAT_QUEUE = 0x10,
    CAT_ISSUE = 0x40, CAT_COMPLETE = 0x80, CAT_FS = 0x100, CAT_AHEAD = 0x800,
    CAT_META = 0x1000, CAT_DISCARD = 0x2000, CAT_FUA = 0x8000,
    CPUS_MAX = 4096,
    FIRST_MAJOR = 259, /* of devices whose names are no numbers */
    COMM_SIZE = 16,
};

/* The record of include/uapi/linux/blktrace_api.h. */
typedef struct Raw {
    uint32_t magic, sequence;
    uint64_t time, sector;
    uint32_t bytes, action, pid, device, cpu;
    uint16_t error, pdu_len;
} Raw;

typedef struct Pending {
    Raw raw;
    uint64_t order; /* of equal times, the first to be made */
} Pending;

typedef struct BlktraceExport {
    const char *path;
    FILE **files; /* by CPU */
    uint32_t *sequences;
    TraceNames *names;
    TraceExport *result;
    uint32_t *devices; /* by number: dev_t */
    GHashTable *told;  /* processes whose names are written */
    GArray *heap;      /* of Pending */
    uint64_t order;
    bool ok;
    Error **errp;
} BlktraceExport;

/* ---- The heap ---- */

static bool is_before(const Pending *a, const Pending *b)
{
    return a->raw.time != b->raw.time ? a->raw.time < b->raw.time
                                      : a->order < b->order;
}

static Pending *at(BlktraceExport *x, unsigned i)
{
    return &g_array_index(x->heap, Pending, i);
}

static void swap(BlktraceExport *x, unsigned i, unsigned j)
{
    Pending pending = *at(x, i);

    *at(x, i) = *at(x, j);
    *at(x, j) = pending;
}

static void push(BlktraceExport *x, const Raw *raw)
{
    Pending pending = {*raw, x->order++};
    unsigned i = x->heap->len;

    g_array_append_val(x->heap, pending);
    while (i && is_before(at(x, i), at(x, (i - 1) / 2))) {
        swap(x, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static Raw pop(BlktraceExport *x)
{
    Raw raw = at(x, 0)->raw;
    unsigned n = x->heap->len - 1, i = 0;

    swap(x, 0, n);
    g_array_set_size(x->heap, n);
    for (;;) {
        unsigned child = 2 * i + 1;

        child += child + 1 < n && is_before(at(x, child + 1), at(x, child));
        if (child >= n || !is_before(at(x, child), at(x, i))) {
            return raw;
        }
        swap(x, i, child);
        i = child;
    }
}

/* ---- Files ---- */

static FILE *file_of(BlktraceExport *x, unsigned cpu)
{
    g_autofree char *path = NULL;

    if (!x->files[cpu] && x->ok) {
        path = g_strdup_printf("%s.blktrace.%u", x->path, cpu);
        x->files[cpu] = fopen(path, "wb");
        if (!x->files[cpu]) {
            error_setg_errno(x->errp, errno, "%s: cannot be written", path);
            x->ok = false;
        }
        x->result->files++;
    }
    return x->files[cpu];
}

static void write_raw(BlktraceExport *x, Raw raw)
{
    FILE *file = file_of(x, raw.cpu);

    if (file) {
        raw.sequence = ++x->sequences[raw.cpu];
        fwrite(&raw, sizeof(raw), 1, file);
    }
}

/* So that whoever reads it can name the process. */
static void tell_process(BlktraceExport *x, uint32_t number, uint64_t time,
                         unsigned cpu)
{
    TraceProcess process = trace_process_name(x->names, number);
    Raw raw = {
        .magic = MAGIC_V7, .time = time, .action = NOTE_PROCESS << 16,
        .pid = MAX(process.pid, 0), .cpu = cpu, .pdu_len = COMM_SIZE,
    };
    char comm[COMM_SIZE] = "";
    FILE *file;

    if (!*process.comm ||
        !g_hash_table_add(x->told, GUINT_TO_POINTER(number + 1)) ||
        !(file = file_of(x, cpu))) {
        return;
    }
    strncpy(comm, process.comm, COMM_SIZE - 1);
    fwrite(&raw, sizeof(raw), 1, file);
    fwrite(comm, sizeof(comm), 1, file);
}

/* ---- Devices ---- */

/* "7,0" is that; any other name gets a number of its own. */
static uint32_t device_number(const char *name, unsigned i)
{
    unsigned major, minor, end = 0;

    if (sscanf(name, "%u,%u%n", &major, &minor, &end) == 2 && !name[end] &&
        major < 4096 && minor < 1 << 20) {
        return major << 20 | minor;
    }
    return FIRST_MAJOR << 20 | i;
}

static void number_devices(BlktraceExport *x)
{
    x->devices = g_new0(uint32_t, x->names->devices->len + 1);
    for (unsigned i = 0; i < x->names->devices->len; i++) {
        x->devices[i] = device_number(trace_device_name(x->names, i), i);
    }
}

/* ---- Records ---- */

static uint32_t category_of(const TraceRecord *r, BlktraceExport *x)
{
    uint32_t category = CAT_FS;

    switch (r->op) {
    case TRACE_READ:
        category |= CAT_READ;
        break;
    case TRACE_DISCARD:
        category |= CAT_DISCARD | CAT_WRITE;
        break;
    case TRACE_WRITE_ZEROES:
        x->result->changed_kind++;
        /* fall through */
    case TRACE_WRITE:
        category |= CAT_WRITE;
        break;
    default:
        x->result->changed_kind += r->op != TRACE_FLUSH;
        category |= CAT_FLUSH;
        break;
    }
    return category | (r->flags & TRACE_FLAG_PREFLUSH ? CAT_FLUSH : 0) |
           (r->flags & TRACE_FLAG_FUA ? CAT_FUA : 0) |
           (r->flags & TRACE_FLAG_SYNC_IO ? CAT_SYNC : 0) |
           (r->flags & TRACE_FLAG_META ? CAT_META : 0) |
           (r->flags & TRACE_FLAG_AHEAD ? CAT_AHEAD : 0);
}

/* Whole sectors, and no more than 32 bits of bytes; false if it is more. */
static bool set_range(const TraceRecord *r, Raw *raw, TraceExport *result)
{
    uint64_t first = r->offset / 512;
    uint64_t last = (r->offset + r->bytes + 511) / 512;

    if (r->quality & TRACE_QUALITY_OFFSET_NONE ||
        (last - first) * 512 > UINT32_MAX) {
        result->left_out++;
        return false;
    }
    result->rounded += r->offset % 512 || r->bytes % 512;
    raw->sector = first;
    raw->bytes = (last - first) * 512;
    return true;
}

static void push_event(BlktraceExport *x, const Raw *base, int64_t ns,
                       uint32_t action, uint32_t category)
{
    Raw raw = *base;

    if (ns != TRACE_NO_TIME) {
        raw.time = MAX(ns, 0);
        raw.action |= action | category << 16;
        push(x, &raw);
    }
}

/* What the kernel says when all is over that a flush was a part of. */
static void push_over(BlktraceExport *x, const Raw *base, int64_t ns)
{
    Raw raw = *base;

    raw.action = (CAT_WRITE | CAT_FS) << 16;
    raw.bytes = 0;
    push_event(x, &raw, ns, ACT_COMPLETE, CAT_COMPLETE);
}

static void add_record(BlktraceExport *x, const TraceRecord *r, TraceAt by)
{
    int64_t start = trace_record_start(r, by);
    TraceProcess process = trace_process_name(x->names, r->process);
    Raw raw = {
        .magic = MAGIC_V7, .pid = MAX(process.pid, 0), .cpu = r->cpu % CPUS_MAX,
        .device = r->device < x->names->devices->len
            ? x->devices[r->device] : 0,
    };
    Raw issue;

    if (!set_range(r, &raw, x->result)) {
        return;
    }
    raw.action = category_of(r, x) << 16;
    while (x->heap->len && at(x, 0)->raw.time <= (uint64_t)MAX(start, 0)) {
        write_raw(x, pop(x));
    }
    tell_process(x, r->process, MAX(start, 0), raw.cpu);
    issue = raw;
    if (raw.bytes) {
        issue.action &= ~(CAT_FLUSH << 16); /* the flush is a request before */
    } else {
        raw.action |= CAT_WRITE << 16; /* who asks for a flush writes nothing */
    }
    push_event(x, &raw, r->queue_ns, ACT_QUEUE, CAT_QUEUE);
    push_event(x, &issue, r->issue_ns, ACT_ISSUE, CAT_ISSUE);
    issue.error = -r->error;
    push_event(x, &issue, r->complete_ns, ACT_COMPLETE, CAT_COMPLETE);
    if (raw.action >> 16 & CAT_FLUSH && r->queue_ns != TRACE_NO_TIME) {
        push_over(x, &issue, r->complete_ns);
    }
    x->result->written++;
}

/* ---- The export ---- */

static bool close_files(BlktraceExport *x)
{
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        bool bad = x->files[cpu] && ferror(x->files[cpu]);

        if (x->files[cpu] && (fclose(x->files[cpu]) != 0 || bad) && x->ok) {
            error_setg_errno(x->errp, errno, "%s.blktrace.%u: cannot be "
                             "written", x->path, cpu);
            x->result->no_room = true;
            x->ok = false;
        }
    }
    return x->ok;
}

bool trace_export_blktrace(Log *log, const char *path, TraceExport *result,
                           Error **errp)
{
    TraceReader *reader = trace_reader_open(log, errp);
    BlktraceExport x = {.path = path, .result = result, .ok = true,
                        .errp = errp};
    Error *err = NULL;
    TraceRecord r;

    if (!reader) {
        return false;
    }
    x.files = g_new0(FILE *, CPUS_MAX);
    x.sequences = g_new0(uint32_t, CPUS_MAX);
    x.names = trace_names_load(log);
    x.told = g_hash_table_new(NULL, NULL);
    x.heap = g_array_new(false, false, sizeof(Pending));
    number_devices(&x);
    while (x.ok && trace_reader_next(reader, &r, &err)) {
        add_record(&x, &r, trace_reader_at(reader));
    }
    while (x.heap->len) {
        write_raw(&x, pop(&x));
    }
    x.ok &= !err;
    error_propagate(errp, err);
    close_files(&x);
    g_array_free(x.heap, true);
    g_hash_table_destroy(x.told);
    trace_names_free(x.names);
    trace_reader_free(reader);
    g_free(x.devices);
    g_free(x.sequences);
    g_free(x.files);
    return x.ok;
}
