/* SPDX-License-Identifier: MIT */
/*
 * b42-cancel-under-lock: a callback takes the lock of the list it is called
 * from.
 *
 * QEMU 6910f04aa6, "hw/scsi: avoid deadlock upon TMF request cancelling"
 * (2025).  A task management function cancels all requests of a device and
 * walks their list with requests_lock held.  To cancel a request is to take it
 * off the list, which takes requests_lock.
 *
 *   buggy  requests are cancelled during the walk
 *   fixed  the walk collects them; they are cancelled when the lock is free
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

enum { REQUESTS = 2 };

typedef struct SCSIDevice SCSIDevice;

typedef struct SCSIRequest {
    SCSIDevice *dev;
    bool cancelled;
    QTAILQ_ENTRY(SCSIRequest) next;
} SCSIRequest;

struct SCSIDevice {
    QemuMutex requests_lock;
    QTAILQ_HEAD(, SCSIRequest) requests;
    bool collects;
};

static void scsi_req_dequeue(SCSIRequest *req)
{
    qemu_mutex_lock(&req->dev->requests_lock);
    QTAILQ_REMOVE(&req->dev->requests, req, next);
    qemu_mutex_unlock(&req->dev->requests_lock);
}

static void scsi_req_cancel_async(SCSIRequest *req)
{
    scsi_req_dequeue(req);
    req->cancelled = true;
}

static void cancel_during_walk(SCSIDevice *d)
{
    SCSIRequest *req, *next;

    qemu_mutex_lock(&d->requests_lock);
    QTAILQ_FOREACH_SAFE(req, &d->requests, next, next) {
        scsi_req_cancel_async(req);
    }
    qemu_mutex_unlock(&d->requests_lock);
}

static void cancel_after_walk(SCSIDevice *d)
{
    SCSIRequest *reqs[REQUESTS], *req;
    unsigned n = 0;

    qemu_mutex_lock(&d->requests_lock);
    QTAILQ_FOREACH(req, &d->requests, next) {
        reqs[n++] = req;
    }
    qemu_mutex_unlock(&d->requests_lock);
    while (n > 0) {
        scsi_req_cancel_async(reqs[--n]);
    }
}

static void virtio_scsi_do_tmf_aio_context(void *opaque)
{
    SCSIDevice *d = opaque;

    if (d->collects) {
        cancel_after_walk(d);
    } else {
        cancel_during_walk(d);
    }
}

static void run(const ScenarioArgs *args)
{
    SCSIDevice d = {.collects = scenario_is_variant(args, "fixed")};
    SCSIRequest reqs[REQUESTS] = {{.dev = &d}, {.dev = &d}};

    qemu_mutex_init(&d.requests_lock);
    QTAILQ_INIT(&d.requests);
    for (unsigned i = 0; i < REQUESTS; i++) {
        QTAILQ_INSERT_TAIL(&d.requests, &reqs[i], next);
    }
    aio_bh_schedule_oneshot(qemu_get_aio_context(),
                            virtio_scsi_do_tmf_aio_context, &d);
    AIO_WAIT_WHILE(qemu_get_aio_context(),
                   !reqs[0].cancelled || !reqs[1].cancelled);
    qemu_mutex_destroy(&d.requests_lock);
}

SCENARIO(b42_cancel_under_lock) = {
    .name = "b42-cancel-under-lock",
    .summary = "requests are cancelled under requests_lock, which cancelling "
               "takes (QEMU 6910f04aa6)",
    .shows = "scsi_req_dequeue() waits for a mutex that its own thread holds, "
             "in the walk that called it; the fix collects the requests first",
    .variants = (const ScenarioVariant[]){
        {"buggy", "cancelled during the walk"},
        {"fixed", "collected, then cancelled"},
        {NULL}},
    .run = run,
};
