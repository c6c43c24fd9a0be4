/* SPDX-License-Identifier: MIT */
/* Requests of a QEMU, at each of the layers that it tells of. */
#include "qemu-model-internal.h"

void qemu_end_request(QemuModel *m, QemuCoroutine *co, unsigned i)
{
    OpenRequest request = g_array_index(co->requests, OpenRequest, i);

    qemu_emit(m, PROBE_REQ_END, request.id, request.blk, 0, 0, NULL);
    g_array_remove_index(co->requests, i);
}

static const char *kind_of_flags(bool write, uint64_t flags)
{
    enum { ZERO_WRITE = 2 };

    return !write ? "read" : flags & ZERO_WRITE ? "write-zeroes" : "write";
}

/* Its end is the coroutine's: nothing else tells it. */
void qemu_begin_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t blk = qemu_object_of(m, OF_BLK, qemu_event_arg(e, "blk"),
                             PROBE_BLK_NEW, 0);
    QemuCoroutine *co = qemu_coroutine_by_id(m, qemu_thread_now(m)->running);
    OpenRequest request = {
        (uint64_t)(m->now + 1) << 32 | qemu_thread_now(m)->ordinal++, blk,
    };

    for (unsigned i = 0; co && i < co->requests->len; i++) {
        if (g_array_index(co->requests, OpenRequest, i).blk == blk) {
            qemu_end_request(m, co, i--); /* it makes one after the other */
        }
    }
    qemu_emit(m, PROBE_REQ_BEGIN, request.id, blk, qemu_event_arg(e, "offset"),
         qemu_event_arg(e, "bytes"),
         kind_of_flags(e->id == QEMU_BLK_WRITE, qemu_event_arg(e, "flags")));
    if (co) {
        g_array_append_val(co->requests, request);
    } else {
        qemu_emit(m, PROBE_REQ_END, request.id, blk, 0, 0, NULL);
    }
}

void qemu_node_io(QemuModel *m, const QemuEvent *e)
{
    uint64_t node = qemu_object_of(m, OF_NODE, qemu_event_arg(e, "bs"),
                              PROBE_KIND_MAX, 0);
    QemuCoroutine *co = qemu_coroutine_by_id(m, qemu_thread_now(m)->running);
    uint64_t request = co && co->requests->len
        ? g_array_index(co->requests, OpenRequest, co->requests->len - 1).id
        : 0;

    qemu_emit(m, PROBE_NODE_IO, node, qemu_event_arg(e, "offset"),
         qemu_event_arg(e, "bytes"), request,
         e->id == QEMU_BDRV_ZEROES ? "write-zeroes"
         : kind_of_flags(e->id == QEMU_BDRV_WRITE,
                         qemu_event_arg(e, "flags")));
}

/* QEMU_AIO_READ and its like. */
static const char *kind_of_type(uint64_t type)
{
    switch (type & 0xff) {
    case 1:
        return "read";
    case 2:
        return "write";
    case 8:
        return "flush";
    case 0x10:
        return "discard";
    case 0x20:
        return "write-zeroes";
    default:
        return "request";
    }
}

/* Newer and older QEMUs call a request of io_uring differently. */
static uint64_t uring_pointer(const QemuEvent *e)
{
    uint64_t req = qemu_event_arg(e, "req");

    return req ? req : qemu_event_arg(e, "luringcb");
}

void qemu_uring_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = uring_pointer(e), id;
    uint64_t *known;

    if (e->id == QEMU_URING_SUBMIT) {
        id = qemu_new_object(m, OF_URING_REQUEST, pointer);
        qemu_emit(m, PROBE_SQE, id, 0, 0, 0,
             kind_of_type(qemu_event_arg(e, "type")));
        return;
    }
    known = qemu_find_pointer(m, OF_URING_REQUEST, pointer);
    if (known) {
        id = *known;
        qemu_emit(m, PROBE_CQE, id, 0, qemu_event_arg(e, "ret"), 0, NULL);
        qemu_emit(m, PROBE_CQE_END, id, 0, 0, 0, NULL);
        qemu_forget(m, OF_URING_REQUEST, pointer);
    }
}

void qemu_pool_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = qemu_event_arg(e, "req"), id;
    uint64_t *known;

    if (e->id == QEMU_POOL_SUBMIT) {
        id = qemu_new_object(m, OF_POOL_REQUEST, pointer);
        qemu_emit(m, PROBE_POOL_SUBMIT, id, 0, 0, 0, "thread pool");
        return;
    }
    known = qemu_find_pointer(m, OF_POOL_REQUEST, pointer);
    if (known) {
        id = *known;
        qemu_emit(m, e->id == QEMU_POOL_CANCEL ? PROBE_POOL_CANCEL
                                               : PROBE_POOL_END,
             id, 0, qemu_event_arg(e, "ret"), 0, NULL);
        if (e->id == QEMU_POOL_DONE) {
            qemu_forget(m, OF_POOL_REQUEST, pointer);
        }
    }
}

/* A request of the guest, which has a device in place of a BlockBackend. */
void qemu_guest_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t device = qemu_object_of(m, OF_BLK, qemu_event_arg(e, "vdev"),
                                PROBE_BLK_NEW, 0);
    uint64_t pointer = qemu_event_arg(e, "req"), id;
    uint64_t *known;

    if (e->id != QEMU_VIRTIO_DONE) {
        id = qemu_new_object(m, OF_GUEST_REQUEST, pointer);
        qemu_emit(m, PROBE_REQ_BEGIN, id, device,
                  qemu_event_arg(e, "sector") * 512,
             qemu_event_arg(e, "nsectors") * 512,
             e->id == QEMU_VIRTIO_READ ? "guest read" : "guest write");
        return;
    }
    known = qemu_find_pointer(m, OF_GUEST_REQUEST, pointer);
    if (known) {
        id = *known;
        qemu_emit(m, PROBE_REQ_END, id, device, qemu_event_arg(e, "status"), 0,
             NULL);
        qemu_forget(m, OF_GUEST_REQUEST, pointer);
    }
}
