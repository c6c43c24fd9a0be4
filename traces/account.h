/* SPDX-License-Identifier: MIT */
/*
 * What became of each line or binary record of the files: stored, skipped or
 * rejected, and why.  Their sum is what was read, always.
 */
#ifndef TRACES_ACCOUNT_H
#define TRACES_ACCOUNT_H

#include "qemu/osdep.h"

typedef enum AccountClass {
    ACCOUNT_STORED, ACCOUNT_SKIPPED, ACCOUNT_REJECTED,
} AccountClass;

/* What it says about whether the file is of the format that is tried. */
typedef enum AccountHint {
    HINT_FITS, HINT_NEUTRAL, HINT_FITS_NOT,
} AccountHint;

/* X(ID, class, hint, name, help); names are stored in logs. */
#define TRACE_REASONS(X)                                                       \
    X(STORED, STORED, FITS, "stored", "a request, and a record now")          \
    X(BLANK, SKIPPED, NEUTRAL, "blank", "empty lines")                        \
    X(COMMENT, SKIPPED, NEUTRAL, "comment", "comments")                       \
    X(HEADER, SKIPPED, FITS, "header", "headers and titles")                  \
    X(PROSE, SKIPPED, FITS_NOT, "prose", "text that is not the trace's")      \
    X(FILES, SKIPPED, FITS, "file-state", "files added, opened or closed")    \
    X(WAIT, SKIPPED, FITS, "wait", "waits, which are in the times now")       \
    X(JOINED, SKIPPED, FITS, "joined", "other events of stored requests")     \
    X(ORPHAN, SKIPPED, FITS, "orphan", "events of requests from before")      \
    X(REISSUE, SKIPPED, FITS, "reissue", "issued again after a requeue")      \
    X(REFLUSH, SKIPPED, FITS, "reflush", "flushes of writes that say so")     \
    X(LAYER, SKIPPED, FITS, "other-layer", "the same at another layer")       \
    X(EVENT, SKIPPED, FITS, "other-event", "events that are no requests")     \
    X(CALL, SKIPPED, FITS, "other-call", "system calls that move no data")    \
    X(NOT_A_FILE, SKIPPED, FITS, "not-a-file", "on pipes, sockets and the like") \
    X(FAILED, SKIPPED, FITS, "failed", "calls that failed")                   \
    X(EMPTY, SKIPPED, FITS, "empty", "requests for no bytes")                 \
    X(NO_OP, SKIPPED, NEUTRAL, "no-op", "the operation is left blank")        \
    X(NOTIFY, SKIPPED, FITS, "notify", "notes of the tracer")                 \
    X(LOST, SKIPPED, FITS, "lost", "notes of the tracer that it lost events") \
    X(STACK, SKIPPED, NEUTRAL, "stack", "where an event came from")           \
    X(SUMMARY, SKIPPED, NEUTRAL, "summary", "a summary")                      \
    X(CUT, SKIPPED, NEUTRAL, "cut", "a last one that is not whole")           \
    X(FIELDS, REJECTED, FITS_NOT, "fields", "too many or too few fields")     \
    X(NUMBER, REJECTED, FITS_NOT, "number", "not a number where one must be") \
    X(TIME, REJECTED, FITS_NOT, "time", "not a time where one must be")       \
    X(OP, REJECTED, FITS_NOT, "operation", "an operation that it has not")    \
    X(RANGE, REJECTED, FITS_NOT, "range", "an offset or a size out of range") \
    X(TOO_LONG, REJECTED, FITS_NOT, "too-long", "more than 64 KiB, or 256")   \
    X(MAGIC, REJECTED, FITS_NOT, "magic", "bytes that are no record")

typedef enum TraceReason {
#define X(ID, class, hint, name, help) REASON_##ID,
    TRACE_REASONS(X)
#undef X
    REASON_MAX
} TraceReason;

typedef struct TraceReasonInfo {
    AccountClass class;
    AccountHint hint;
    const char *name, *help;
} TraceReasonInfo;

extern const TraceReasonInfo trace_reasons[REASON_MAX];
extern const char *const account_class_names[3];

typedef struct TraceAccount {
    uint64_t in;            /* lines, or binary records */
    uint64_t n[REASON_MAX]; /* of them */
} TraceAccount;

uint64_t trace_account_total(const TraceAccount *account, AccountClass class);
void trace_account_add(TraceAccount *sum, const TraceAccount *account);

#endif
