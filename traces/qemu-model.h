/* SPDX-License-Identifier: MIT */
/*
 * QEMU's trace events as probe events: of coroutines, CoMutexes, polling, the
 * thread pool, io_uring, requests and jobs.
 *
 * Pointers become objects; a pointer that is used again is another object.
 * Where the trace has no thread ids, threads are told by the leader coroutine
 * that each enters others from.
 */
#ifndef TRACES_QEMU_MODEL_H
#define TRACES_QEMU_MODEL_H

#include "qemu-events.h"

typedef struct QemuModel QemuModel;

/* @import: its log gets the events, if it is not only tried. */
QemuModel *qemu_model_new(TraceImport *import);
void qemu_model_add(QemuModel *model, const QemuEvent *event);
void qemu_model_end(QemuModel *model);

/* The coroutine that runs on the event's thread, or 0. */
uint64_t qemu_model_coroutine(const QemuModel *model);
/* The one at @pointer, or 0 if it has not been seen. */
uint64_t qemu_model_coroutine_at(QemuModel *model, uint64_t pointer);
/* When it was entered last; it has not ended yet. */
int64_t qemu_model_entered_ns(const QemuModel *model, uint64_t coroutine);

#endif
