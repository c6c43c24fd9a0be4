/* SPDX-License-Identifier: MIT */
/*
 * What was not over when a QEMU's trace ended: requests in flight, coroutines
 * that never came back, and jobs.
 */
#ifndef TRACES_QEMU_FINDINGS_H
#define TRACES_QEMU_FINDINGS_H

#include "session.h"

/* A request whose end is not in the trace. */
typedef struct PendingRequest {
    uint64_t id, seq;     /* the event that it began with */
    char *name;           /* "write (req3)" */
    char *what;           /* "write 4096 at 65536 of 0x55... (blk0)" */
    int64_t age_ns;       /* at the end of the trace */
    uint64_t coroutine;   /* that it was made in, or 0 */
    char *coroutine_name; /* or NULL */
} PendingRequest;

/* A coroutine that yielded and was not entered again, nor ended. */
typedef struct LostCoroutine {
    uint64_t id, seq;      /* of its yield */
    char *name;
    int64_t age_ns;        /* since then */
    uint64_t last_seq;     /* the last event in it before the yield */
    char *last_text;       /* that, in words */
    const ProbeSite *site; /* where in the trace that stands */
    char *waits_for;       /* "CoMutex 0x55...", or NULL */
    char *held_by;         /* the coroutine that has it, or NULL */
    uint64_t answered_seq; /* its request was done then, and it not entered */
} LostCoroutine;

typedef struct QemuFindings {
    GArray *requests;   /* of PendingRequest */
    GArray *coroutines; /* of LostCoroutine */
    bool any_coroutine_events;
} QemuFindings;

QemuFindings *qemu_findings_new(Session *session);
void qemu_findings_free(QemuFindings *findings);

/* What QEMU has no trace events for: a sentence each, up to NULL. */
extern const char *const qemu_unknowable[];

#endif
