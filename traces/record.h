/* SPDX-License-Identifier: MIT */
/*
 * The canonical record: one request of a captured trace, whatever format it
 * came from.
 *
 * Times are nanoseconds.  Importers give them on the trace's own clock; whoever
 * reads a log gets them since the trace's start, which is the first request.
 * The clock itself is in the log's meta rows (traces/store.h).
 */
#ifndef TRACES_RECORD_H
#define TRACES_RECORD_H

#include "qemu/osdep.h"

/* X(ID, name, help); the names are those of logs, options and SQL. */
#define TRACE_OPS(X)                                              \
    X(READ, "read", "data is read")                               \
    X(WRITE, "write", "data is written")                          \
    X(FLUSH, "flush", "the device's cache is written back")       \
    X(DISCARD, "discard", "the range is not needed any more")     \
    X(WRITE_ZEROES, "write-zeroes", "the range becomes zero")     \
    X(SYNC, "sync", "fsync(): a file's data and metadata")        \
    X(DATASYNC, "datasync", "fdatasync(): a file's data")

typedef enum TraceOp {
#define X(ID, name, help) TRACE_##ID,
    TRACE_OPS(X)
#undef X
    TRACE_OP_MAX
} TraceOp;

/* What a request asked for besides; bits, X(ID, name, help). */
#define TRACE_FLAGS(X)                                            \
    X(PREFLUSH, "preflush", "a flush comes before the data")      \
    X(FUA, "fua", "done when the data is on the medium")          \
    X(SYNC_IO, "sync", "somebody waits for it")                   \
    X(META, "meta", "metadata of a file system")                  \
    X(AHEAD, "ahead", "read ahead of need")                       \
    X(UNMAP, "unmap", "zeroes that may give space back")          \
    X(SECURE, "secure", "a secure erase")                         \
    X(PRIO, "prio", "marked as urgent")

/* What is not as the trace says, or not in it; bits, X(ID, name, help). */
#define TRACE_QUALITIES(X)                                                   \
    X(TIME_SYNTH, "time-synth", "the format has no times, only an order")    \
    X(TIME_REPAIRED, "time-repaired", "its time was before an earlier one's") \
    X(TIME_COARSE, "time-coarse", "times in whole seconds")                  \
    X(LATENCY_SYNTH, "latency-synth", "times computed from a latency")       \
    X(OP_GUESSED, "op-guessed", "the format knows reads and writes only")    \
    X(OFFSET_GUESSED, "offset-guessed", "the file position was tracked")     \
    X(OFFSET_NONE, "offset-none", "the format has no offsets here")          \
    X(SIZE_NONE, "size-none", "the format has no sizes here")                \
    X(SPLIT, "split", "the device saw it in several pieces")                 \
    X(REISSUED, "reissued", "it went to the device more than once")          \
    X(MERGED, "merged", "it went to the device with others")                 \
    X(REPAIRED, "repaired", "what the format forbids was left out")          \
    X(ISSUE_NONE, "issue-none", "only its end was traced: that is its time")

enum {
#define X(ID, name, help) TRACE_FLAG_BIT_##ID,
    TRACE_FLAGS(X)
#undef X
    TRACE_FLAG_COUNT,
#define X(ID, name, help) TRACE_FLAG_##ID = 1 << TRACE_FLAG_BIT_##ID,
    TRACE_FLAGS(X)
#undef X
};

enum {
#define X(ID, name, help) TRACE_QUALITY_BIT_##ID,
    TRACE_QUALITIES(X)
#undef X
    TRACE_QUALITY_COUNT,
#define X(ID, name, help) TRACE_QUALITY_##ID = 1 << TRACE_QUALITY_BIT_##ID,
    TRACE_QUALITIES(X)
#undef X
};

extern const char *const trace_op_names[TRACE_OP_MAX];
extern const char *const trace_flag_names[TRACE_FLAG_COUNT];
extern const char *const trace_quality_names[TRACE_QUALITY_COUNT];

#define TRACE_NO_TIME INT64_MIN

/* What the trace's own times mean; the log's meta row trace.clock. */
#define TRACE_CLOCKS(X)                                          \
    X(NONE, "none", "no times: the order of the lines")          \
    X(START, "start", "since the capture's start")               \
    X(MONOTONIC, "monotonic", "since the machine's start")       \
    X(UNIX, "unix", "since 1970")

typedef enum TraceClock {
#define X(ID, name, help) TRACE_CLOCK_##ID,
    TRACE_CLOCKS(X)
#undef X
    TRACE_CLOCK_MAX
} TraceClock;

extern const char *const trace_clock_names[TRACE_CLOCK_MAX];

/* Which time a trace is ordered and replayed by (import --at). */
typedef enum TraceAt {
    TRACE_AT_QUEUE, /* when the application asked */
    TRACE_AT_ISSUE, /* when the device was asked */
} TraceAt;

extern const char *const trace_at_names[2];

typedef struct TraceRecord {
    int64_t queue_ns, issue_ns, complete_ns; /* or TRACE_NO_TIME */
    uint64_t offset, bytes; /* of a flush: 0 */
    uint64_t place;   /* in its file: line from 1, or byte from 0 */
    uint32_t device;  /* numbers of names: see TraceNames in store.h */
    uint32_t process;
    uint32_t file;
    int32_t error;    /* 0, or a negative errno that it completed with */
    uint16_t cpu;
    uint16_t quality; /* TRACE_QUALITY_... */
    uint8_t op;       /* TraceOp */
    uint8_t flags;    /* TRACE_FLAG_... */
} TraceRecord;

/* When the request began, by @at or, where that is not known, by the other. */
static inline int64_t trace_record_start(const TraceRecord *record, TraceAt at)
{
    int64_t first = at == TRACE_AT_QUEUE ? record->queue_ns : record->issue_ns;

    return first != TRACE_NO_TIME ? first
         : at == TRACE_AT_QUEUE ? record->issue_ns : record->queue_ns;
}

/* How long it took from then, or TRACE_NO_TIME if its end is not known. */
static inline int64_t trace_record_latency(const TraceRecord *record,
                                           TraceAt at)
{
    return record->complete_ns == TRACE_NO_TIME ? TRACE_NO_TIME
         : record->complete_ns - trace_record_start(record, at);
}

/* Whether it carries or covers a range of the device. */
static inline bool trace_op_has_range(TraceOp op)
{
    return op == TRACE_READ || op == TRACE_WRITE || op == TRACE_DISCARD ||
           op == TRACE_WRITE_ZEROES;
}

/* The op called so, or TRACE_OP_MAX. */
TraceOp trace_op_find(const char *name);
/* "preflush,fua" of the bits that are set; freed with g_free. */
char *trace_bits_text(unsigned bits, const char *const *names, unsigned count);

#endif
