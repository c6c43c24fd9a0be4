/* SPDX-License-Identifier: MIT */
/*
 * b34-notifications-off: a guest is told not to kick, and nobody looks.
 *
 * QEMU 5bdbaebcce, "virtio: Re-enable notifications after drain" (2024).  While
 * a loop polls a virtqueue, the guest need not notify: io_poll_begin() turns
 * that off, and io_poll_end() on again.  A drained section removes the handler
 * in the middle of that; its io_poll_end() is never called.  Afterwards the
 * handler is back, and waits for a kick that the guest does not give.
 *
 *   buggy  attaching the handler leaves notifications as they are
 *   fixed  it turns them on, and kicks once for what has come meanwhile
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct Virtqueue {
    ModelEventfd host_notifier;
    bool notification; /* the guest is to kick */
    unsigned avail;    /* requests that the guest has put there */
    bool reenables;
} Virtqueue;

static void *guest_thread(void *opaque)
{
    Virtqueue *vq = opaque;

    qatomic_inc(&vq->avail);
    wait_reason_done(&vq->host_notifier.event);
    if (qatomic_read(&vq->notification)) {
        model_eventfd_set(&vq->host_notifier);
    }
    return NULL;
}

static void virtio_queue_set_notification(Virtqueue *vq, bool enable)
{
    qatomic_set_mb(&vq->notification, enable);
}

static void virtio_queue_aio_attach_host_notifier(Virtqueue *vq)
{
    if (vq->reenables) {
        virtio_queue_set_notification(vq, true);
        model_eventfd_set(&vq->host_notifier);
    }
}

static void run(const ScenarioArgs *args)
{
    Virtqueue vq = {
        .notification = true, .reenables = scenario_is_variant(args, "fixed"),
    };
    QemuThread guest;

    model_eventfd_init(&vq.host_notifier, "the guest's request");
    qemu_thread_create(&guest, "guest", guest_thread, &vq,
                       QEMU_THREAD_JOINABLE);
    virtio_queue_set_notification(&vq, false); /* io_poll_begin() */
    /* virtio_blk_drained_begin(): the handler is gone, and its io_poll_end() */
    virtio_queue_aio_attach_host_notifier(&vq); /* virtio_blk_drained_end() */
    while (qatomic_xchg(&vq.avail, 0) == 0) {
        model_eventfd_poll(&vq.host_notifier);
        model_eventfd_test_and_clear(&vq.host_notifier);
    }
    qemu_thread_join(&guest);
    model_eventfd_destroy(&vq.host_notifier);
}

SCENARIO(b34_notifications_off) = {
    .name = "b34-notifications-off",
    .summary = "a drain ends a loop's polling without turning the guest's "
               "notifications on (QEMU 5bdbaebcce)",
    .shows = "the guest has a request and was told not to kick, the loop waits "
             "for a kick; the fix turns notifications on when the handler is "
             "attached again",
    .variants = (const ScenarioVariant[]){
        {"buggy", "notifications stay off"},
        {"fixed", "they are turned on, with one kick"},
        {NULL}},
    .run = run,
};
