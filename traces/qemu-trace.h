/* SPDX-License-Identifier: MIT */
/*
 * A QEMU trace being imported: its events become records of requests, and probe
 * events of a model.
 *
 * By the time of queue, requests are those of BlockBackends (or of virtio-blk
 * where only that was traced); by the time of issue, those that went to
 * io_uring or to the pool of threads.  The same request at other layers is
 * counted as such.
 */
#ifndef TRACES_QEMU_TRACE_H
#define TRACES_QEMU_TRACE_H

#include "qemu-events.h"

typedef struct QemuTrace QemuTrace;

QemuTrace *qemu_trace_new(TraceImport *import);
/* Accounts for the event, whose place is the import's. */
void qemu_trace_add(QemuTrace *trace, const QemuEvent *event);
void qemu_trace_end(QemuTrace *trace);

#endif
