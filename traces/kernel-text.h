/* SPDX-License-Identifier: MIT */
/*
 * Lines of events as tracefs, trace-cmd report and perf script print them: what
 * stands before the event, and those of io_uring.
 */
#ifndef TRACES_KERNEL_TEXT_H
#define TRACES_KERNEL_TEXT_H

#include "import.h"

typedef struct KernelPrefix {
    Word comm;
    int64_t pid, tid;
    uint64_t cpu;
    int64_t time_ns;
    bool counted; /* the time is a count of something else than time */
} KernelPrefix;

/* Takes it, and the spaces behind it; false if the line begins otherwise. */
bool kernel_prefix(Scan *scan, KernelPrefix *prefix);

/*
 * Requests of io_uring, which its events tell without offset, and without size
 * until they are done.  @block: block events tell of the same I/O better.
 */
typedef struct KernelUring KernelUring;

KernelUring *kernel_uring_new(void);
void kernel_uring_end(TraceImport *import, KernelUring *uring);
/* REASON_STORED if the event is accounted for. */
TraceReason kernel_uring_take(TraceImport *import, KernelUring *uring,
                              bool block, const KernelPrefix *prefix,
                              Word name, Scan *scan);

#endif
