/* SPDX-License-Identifier: MIT */
/*
 * QEMU's own traces.  The log backend writes text: "EVENT KEY VALUE...", behind
 * "TID@SECONDS:" with -msg timestamp=on, or a date since QEMU 10; the program's
 * own output may stand between.  The simple backend writes binary records.
 */
#include "formats.h"
#include "qemu-trace.h"

#include <byteswap.h>

/* ---- Text ---- */

typedef struct QemuLog {
    QemuTrace *trace;
    int64_t last_ns;
} QemuLog;

void *qemu_log_begin(TraceImport *import, const void *argument)
{
    QemuLog *log = g_new0(QemuLog, 1);

    log->trace = qemu_trace_new(import);
    return log;
}

void qemu_log_end(TraceImport *import, void *state)
{
    QemuLog *log = state;

    qemu_trace_end(log->trace);
    g_free(log);
}

/* "25986@1795312943.262036:" */
static bool scan_thread_stamp(Scan *scan, QemuEvent *event)
{
    Scan ahead = *scan;

    if (!scan_i64(&ahead, &event->tid) || !scan_char(&ahead, '@') ||
        !scan_time(&ahead, 1000000000, &event->time_ns) ||
        !scan_char(&ahead, ':')) {
        event->tid = -1;
        return false;
    }
    *scan = ahead;
    return true;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    unsigned shifted = month <= 2 ? month + 9 : month - 3;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 +
           day - 1 - 719468;
}

static bool scan_two(Scan *scan, char before, uint64_t most, uint64_t *value)
{
    return (!before || scan_char(scan, before)) && scan_u64(scan, value) &&
           *value <= most;
}

/* "2026-11-22T02:31:20.879742Z " */
static bool scan_date_stamp(Scan *scan, QemuEvent *event)
{
    uint64_t year, month, day, hours, minutes;
    Scan ahead = *scan;
    int64_t ns;

    if (!scan_two(&ahead, 0, 9999, &year) || year < 1970 ||
        !scan_two(&ahead, '-', 12, &month) || !month ||
        !scan_two(&ahead, '-', 31, &day) || !day ||
        !scan_two(&ahead, 'T', 23, &hours) ||
        !scan_two(&ahead, ':', 59, &minutes) || !scan_char(&ahead, ':') ||
        !scan_time(&ahead, 1000000000, &ns)) {
        return false;
    }
    scan_char(&ahead, 'Z');
    event->time_ns = (days_of(year, month, day) * 86400 + hours * 3600 +
                      minutes * 60) * 1000000000 + ns;
    *scan = ahead;
    return year < 2262;
}

/* "qemu-system-x86_64: warning: ...", which -msg timestamp=on dates, too. */
static bool is_message(Scan scan)
{
    Word word;

    return scan_word(&scan, &word) && word.text[word.len - 1] == ':';
}

void qemu_log_line(TraceImport *import, void *state, const TraceLine *line)
{
    Scan scan = {line->text, line->end};
    QemuLog *log = state;
    QemuEvent event;

    event.tid = -1;
    event.time_ns = import->place;
    event.time_synth = !scan_thread_stamp(&scan, &event) &&
                       !scan_date_stamp(&scan, &event);
    if (scan_at_end(&scan)) {
        trace_import_skip(import, REASON_BLANK);
    } else if (line->cut) {
        trace_import_skip(import, REASON_CUT); /* its values may be, too */
    } else if (qemu_event_scan(scan, &event)) {
        if (event.time_synth && import->clock != TRACE_CLOCK_NONE) {
            import->clock = TRACE_CLOCK_NONE;
        }
        qemu_trace_add(log->trace, &event);
    } else if (event.time_synth || is_message(scan)) {
        trace_import_skip(import, REASON_PROSE);
    } else {
        trace_import_reject_line(import, REASON_FIELDS, line);
    }
}

/* ---- simpletrace ---- */

#define SIMPLE_MAGIC 0xf2b177cb0aa429b4
#define SIMPLE_DROPPED (UINT64_MAX - 1)

enum {
    SIMPLE_HEADER = 24,
    SIMPLE_EVENT_HEAD = 24, /* of an event's record, behind its type */
    SIMPLE_VERSION = 4,
    SIMPLE_NAME_MAX = 512,
    SIMPLE_RECORD_MAX = 65536 - 8,
    SIMPLE_EVENTS_MAX = 65536,
};

typedef struct Simple {
    TraceImport *import;
    TraceSource *source;
    QemuTrace *trace;
    GHashTable *names; /* event id -> its name */
    bool swapped;
    uint64_t dropped;
} Simple;

static uint64_t get64(const uint8_t *at, bool swapped)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return swapped ? bswap_64(value) : value;
}

static uint32_t get32(const uint8_t *at, bool swapped)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return swapped ? bswap_32(value) : value;
}

bool simpletrace_recognise(const TraceSample *sample, const char **why)
{
    const uint8_t *at = (const uint8_t *)sample->text;

    *why = "it has simpletrace's header";
    return sample->end - sample->text >= SIMPLE_HEADER &&
           get64(at, false) == UINT64_MAX &&
           (get64(at + 8, false) == SIMPLE_MAGIC ||
            get64(at + 8, true) == SIMPLE_MAGIC);
}

/* A name for an id: the record's size, 0 if the file ends in it. */
static size_t take_mapping(Simple *s, const uint8_t *at, size_t len)
{
    uint32_t name_len = len >= 20 ? get32(at + 16, s->swapped) : 0;
    uint64_t *id;

    if (len < 20 || name_len > SIMPLE_NAME_MAX || len < 20 + name_len) {
        return 0;
    }
    if (g_hash_table_size(s->names) < SIMPLE_EVENTS_MAX) {
        id = g_new(uint64_t, 1);
        *id = get64(at + 8, s->swapped);
        g_hash_table_insert(s->names, id, g_strndup((const char *)at + 20,
                                                    name_len));
    }
    trace_import_skip(s->import, REASON_HEADER);
    return 20 + name_len;
}

/* The payload as a form says it; false if it is of another length. */
static bool unpack(const Simple *s, const uint8_t *at, size_t len,
                   const QemuEventForm *form, QemuEvent *event)
{
    size_t pos = 0;

    qemu_event_begin(event, form);
    for (unsigned i = 0; i < form->n; i++) {
        event->n++;
        if (form->args[i].is_string) {
            uint32_t n = len - pos >= 4 ? get32(at + pos, s->swapped)
                                        : UINT32_MAX;

            if (n > len - pos - MIN(len - pos, 4)) {
                return false;
            }
            event->strings[i] = (Word){(const char *)at + pos + 4, n};
            pos += 4 + n;
        } else if (len - pos < 8) {
            return false;
        } else {
            event->args[i] = get64(at + pos, s->swapped);
            pos += 8;
        }
    }
    return pos == len;
}

static void take_known(Simple *s, QemuEvent *event, const char *name,
                       const uint8_t *at, size_t len)
{
    unsigned n;
    const QemuEventForm *forms = qemu_event_forms((Word){name, strlen(name)},
                                                  &n);

    for (unsigned i = 0; i < n; i++) {
        if (unpack(s, at, len, &forms[i], event)) {
            qemu_trace_add(s->trace, event);
            return;
        }
    }
    trace_import_skip(s->import, REASON_EVENT);
}

/* An event: the record's size, 0 if the file ends in it or it is none. */
static size_t take_event(Simple *s, const uint8_t *at, size_t len)
{
    QemuEvent event = {.tid = -1};
    const char *name;
    uint32_t size;
    uint64_t id;

    if (len < 8 + SIMPLE_EVENT_HEAD) {
        return 0;
    }
    id = get64(at + 8, s->swapped);
    size = get32(at + 24, s->swapped);
    if (size < SIMPLE_EVENT_HEAD || size > SIMPLE_RECORD_MAX ||
        len < 8 + size) {
        return 0;
    }
    event.time_ns = get64(at + 16, s->swapped) & INT64_MAX;
    if (id == SIMPLE_DROPPED) {
        s->dropped += size >= 32 ? get64(at + 32, s->swapped) : 1;
        trace_import_skip(s->import, REASON_LOST);
        return 8 + size;
    }
    name = g_hash_table_lookup(s->names, &id);
    take_known(s, &event, name ? name : "", at + 8 + SIMPLE_EVENT_HEAD,
               size - SIMPLE_EVENT_HEAD);
    return 8 + size;
}

/* False at the end of what can be read. */
static bool take_record(Simple *s)
{
    size_t len, size = 0;
    const uint8_t *at = trace_source_peek(s->source, 8 + SIMPLE_RECORD_MAX,
                                          &len);
    uint64_t type = len >= 8 ? get64(at, s->swapped) : 0;

    if (!len) {
        return false;
    }
    s->import->place = trace_source_offset(s->source);
    if (len >= 8 && type > 1) {
        trace_import_reject(s->import, REASON_MAGIC, "", 0);
        return false; /* nothing says where the next one begins */
    }
    size = type ? take_event(s, at, len) : take_mapping(s, at, len);
    if (!size) {
        if (len < 8 + SIMPLE_RECORD_MAX) {
            trace_import_skip(s->import, REASON_CUT);
        } else {
            trace_import_reject(s->import, REASON_MAGIC, "", 0);
        }
        return false;
    }
    trace_source_skip(s->source, size);
    return true;
}

static bool check_header(Simple *s, Error **errp)
{
    size_t len;
    const uint8_t *at = trace_source_peek(s->source, SIMPLE_HEADER, &len);
    uint64_t version;

    if (len < SIMPLE_HEADER || get64(at, false) != UINT64_MAX) {
        error_setg(errp, "%s: has no header of simpletrace",
                   trace_source_path(s->source));
        return false;
    }
    s->swapped = get64(at + 8, false) != SIMPLE_MAGIC;
    version = get64(at + 16, s->swapped);
    if (version != SIMPLE_VERSION) {
        error_setg(errp, "%s: simpletrace version %" PRIu64 ", and only %d "
                   "has the names of its events in it; use QEMU's "
                   "simpletrace.py", trace_source_path(s->source), version,
                   SIMPLE_VERSION);
        return false;
    }
    trace_source_skip(s->source, SIMPLE_HEADER);
    return true;
}

static bool read_one(TraceImport *import, TraceSource *source, Error **errp)
{
    Simple s = {.import = import, .source = source};

    if (!check_header(&s, errp)) {
        return false;
    }
    s.trace = qemu_trace_new(import);
    s.names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                    g_free);
    while (trace_import_goes_on(import) && take_record(&s)) {
    }
    qemu_trace_end(s.trace);
    g_hash_table_destroy(s.names);
    if (s.dropped) {
        trace_import_note(import, "QEMU dropped %" PRIu64 " events", s.dropped);
    }
    return trace_source_check(source, errp);
}

bool simpletrace_read(TraceImport *import, TraceSource **sources, unsigned n,
                      Error **errp)
{
    for (unsigned i = 0; i < n; i++) {
        import->file = i;
        if (!read_one(import, sources[i], errp)) {
            return false;
        }
    }
    return true;
}
