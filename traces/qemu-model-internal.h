/* SPDX-License-Identifier: MIT */
/* The inside of a QEMU's model, for the files qemu-*.c. */
#ifndef TRACES_QEMU_MODEL_INTERNAL_H
#define TRACES_QEMU_MODEL_INTERNAL_H

#include "log-events.h"
#include "qemu-model.h"

/* What a pointer is of; the same one may be of several classes. */
typedef enum PointerClass {
    OF_CONTEXT, OF_COROUTINE, OF_MUTEX, OF_NODE, OF_HANDLER, OF_POOL_REQUEST,
    OF_URING_REQUEST, OF_BLK, OF_GUEST_REQUEST, OF_JOB,
} PointerClass;

enum { POINTERS_MAX = 1 << 20 }; /* beyond that, none is told from another */

typedef struct QemuThread {
    int64_t tid;
    uint64_t running;  /* the innermost coroutine, or 0 */
    unsigned ordinal;  /* of its next object */
} QemuThread;

typedef struct QemuCoroutine {
    uint64_t id, caller; /* who entered it, or 0 */
    unsigned thread;     /* where it runs, or ran last */
    GArray *requests;    /* ids of BlockBackends' requests and their owners */
    int64_t entered_ns;
} QemuCoroutine;

typedef struct OpenRequest {
    uint64_t id, blk;
} OpenRequest;

struct QemuModel {
    TraceImport *import;
    EventWriter *writer; /* or NULL */
    GHashTable *pointers;   /* class and pointer -> id */
    GHashTable *coroutines; /* id -> QemuCoroutine */
    GHashTable *leaders;    /* pointer -> 1 + index of a thread */
    GHashTable *by_tid;     /* tid -> 1 + index */
    GArray *threads;        /* of QemuThread */
    unsigned now;           /* the thread of the event */
    const char *file;
    const QemuEvent *event;
};

/* ---- qemu-model.c: events, threads and objects ---- */

void qemu_emit(QemuModel *m, ProbeKind kind, uint64_t obj, uint64_t a,
               uint64_t b, uint64_t c, const char *text);
QemuThread *qemu_thread_now(QemuModel *m);
/* The id behind a pointer, or NULL. */
uint64_t *qemu_find_pointer(QemuModel *m, PointerClass class,
                            uint64_t pointer);
void qemu_forget(QemuModel *m, PointerClass class, uint64_t pointer);
/* The pointer is of something new from now on. */
uint64_t qemu_new_object(QemuModel *m, PointerClass class, uint64_t pointer);
/* The object behind a pointer, which comes into being by @kind if it must. */
uint64_t qemu_object_of(QemuModel *m, PointerClass class, uint64_t pointer,
                        ProbeKind kind, uint64_t a);
uint64_t qemu_context_of(QemuModel *m, uint64_t pointer);

/* ---- qemu-coroutines.c ---- */

QemuCoroutine *qemu_coroutine_by_id(const QemuModel *m, uint64_t id);
/* The one at @pointer, or NULL; and one that is made if it must. */
QemuCoroutine *qemu_coroutine_at(QemuModel *m, uint64_t pointer);
QemuCoroutine *qemu_coroutine_of(QemuModel *m, uint64_t pointer);
void qemu_enter(QemuModel *m, const QemuEvent *e);
void qemu_yield(QemuModel *m, const QemuEvent *e);
void qemu_terminate(QemuModel *m, const QemuEvent *e);
void qemu_schedule(QemuModel *m, const QemuEvent *e);
void qemu_take_lock(QemuModel *m, const QemuEvent *e);

/* ---- qemu-requests.c ---- */

/* Request @i of the coroutine's is over. */
void qemu_end_request(QemuModel *m, QemuCoroutine *co, unsigned i);
void qemu_begin_request(QemuModel *m, const QemuEvent *e);
void qemu_node_io(QemuModel *m, const QemuEvent *e);
void qemu_uring_request(QemuModel *m, const QemuEvent *e);
void qemu_pool_request(QemuModel *m, const QemuEvent *e);
void qemu_guest_request(QemuModel *m, const QemuEvent *e);

#endif
