/* SPDX-License-Identifier: MIT */
/*
 * An import in progress: what a format tells while it reads.
 *
 * Each line or binary record ends in exactly one call of trace_import_stored(),
 * _skip() or _reject(); the sums are checked in the end.  One thread.
 */
#ifndef TRACES_IMPORT_H
#define TRACES_IMPORT_H

#include "account.h"
#include "record.h"
#include "scan.h"
#include "source.h"
#include "store.h"

typedef struct TraceImport TraceImport;

struct TraceImport {
    TraceWriter *writer; /* NULL: the format is only tried */
    Log *log;
    TraceAt at;
    bool at_given;       /* --at, else what the format has */
    const char *columns; /* --columns, or NULL */
    TraceAccount account; /* of the file being read */
    uint32_t file;        /* its number */
    const char *path;     /* its name */
    bool has_events;      /* some file's probe events are in the log */
    uint64_t place;       /* of the line or record being read */
    uint64_t rejects_kept;
    uint64_t ops[TRACE_OP_MAX], preflush_writes; /* records */
    uint64_t largest_end; /* of their ranges */
    const volatile int *stop; /* set when the user wants it to end; or NULL */
    void (*tell_progress)(void *opaque);
    void *opaque;         /* its */
    TraceClock clock;     /* what the format's times are */
    GPtrArray *notes;     /* of char *: what else a person should know */
    struct LogSql *put_reject;
    struct {              /* names of late, which come again and again */
        char text[64];
        size_t len;
        uint32_t number;
        bool valid;
    } devices[64];        /* by a hash */
    struct {
        uint64_t major, minor;
        uint32_t number;
        bool valid;
    } block_devices[64];  /* likewise */
    struct {
        char text[32];
        size_t len;
        int64_t pid, tid;
        uint32_t number;
        bool valid;
    } processes[64];      /* likewise */
};

/* A record with nothing known but the place. */
static inline TraceRecord trace_import_record(const TraceImport *import)
{
    return (TraceRecord){
        .queue_ns = TRACE_NO_TIME, .issue_ns = TRACE_NO_TIME,
        .complete_ns = TRACE_NO_TIME, .place = import->place,
        .file = import->file,
    };
}

/* What was just read is this record; or one that is put later. */
void trace_import_store(TraceImport *import, const TraceRecord *record);
void trace_import_stored(TraceImport *import);
void trace_import_put(TraceImport *import, const TraceRecord *record);
void trace_import_skip(TraceImport *import, TraceReason reason);
/* @text, of @len bytes, is what stands there; the log keeps its beginning. */
void trace_import_reject(TraceImport *import, TraceReason reason,
                         const char *text, size_t len);
/* The same, of a line: if the file ends in it, it is only cut. */
void trace_import_reject_line(TraceImport *import, TraceReason reason,
                              const TraceLine *line);

/* What is no request: skipped or rejected, whichever the reason is of. */
void trace_import_leave_out(TraceImport *import, TraceReason reason,
                            const TraceLine *line);

/* To be asked before each line: false if the log cannot be written any more. */
bool trace_import_goes_on(TraceImport *import);

/* Numbers of names. */
uint32_t trace_import_device(TraceImport *import, Word name);
/* That of "MAJOR,MINOR". */
uint32_t trace_import_block_device(TraceImport *import, uint64_t major,
                                   uint64_t minor);
uint32_t trace_import_process(TraceImport *import, Word comm, int64_t pid,
                              int64_t tid);
/* Something that the user should know, once for each text. */
void trace_import_note(TraceImport *import, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);

#endif
