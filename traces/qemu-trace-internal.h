/* SPDX-License-Identifier: MIT */
/* The inside of a QEMU trace, for the files qemu-trace.c and qemu-records.c. */
#ifndef TRACES_QEMU_TRACE_INTERNAL_H
#define TRACES_QEMU_TRACE_INTERNAL_H

#include "qemu-model.h"
#include "qemu-trace.h"

/* Nearest to who asks first. */
typedef enum Layer {
    LAYER_UNKNOWN, LAYER_BLK, LAYER_GUEST, LAYER_PROTOCOL, LAYER_NODE,
} Layer;

/* An event that was read ahead, with its place. */
typedef struct Ahead {
    QemuEvent event;
    uint64_t place;
} Ahead;

/* What was last asked of a node, which may be given to the thread pool. */
typedef struct LastIo {
    bool valid;
    uint8_t op;
    uint64_t bs, offset, bytes;
} LastIo;

struct QemuTrace {
    TraceImport *import;
    QemuModel *model;
    Layer layer;
    GArray *ahead;
    GStringChunk *strings;   /* of the events that were read ahead */
    GHashTable *in_flight;   /* pointer, or coroutine -> TraceRecord */
    GHashTable *node_names;  /* bs -> file name */
    struct {
        bool valid;
        uint64_t bs;
        const char *what;
        uint32_t device;
    } last_device;           /* that had no name */
    LastIo last_io;
};

/* ---- qemu-records.c ---- */

/* The number of a node; @what it is, static, if it has no name. */
uint32_t qemu_record_device(QemuTrace *t, uint64_t bs, const char *what);
void qemu_record_init(QemuTrace *t, const QemuEvent *e, uint8_t op,
                      TraceRecord *record);
/* False, and rejected or skipped, if there is no such range. */
bool qemu_record_range(QemuTrace *t, TraceRecord *r, uint64_t offset,
                       uint64_t bytes);
/* It waits for its end, or is put at once if there are too many. */
void qemu_record_begin(QemuTrace *t, uint64_t key, const TraceRecord *record);
/* False if no such request is known. */
bool qemu_record_finish(QemuTrace *t, uint64_t key, int64_t time_ns,
                        int64_t ret);

#endif
