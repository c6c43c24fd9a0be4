/* SPDX-License-Identifier: MIT */
/*
 * b04-nested-poll-handler: a poll handler that polls is called by itself.
 *
 * QEMU 6d740fb01b, "aio-posix: do not nest poll handlers" (2023).  A handler's
 * io_poll() says that there is something; its io_poll_ready() runs the loop
 * before it has taken it, so the nested loop finds the same and calls
 * io_poll_ready() again, until the stack ends.
 *
 * The loop below is util/aio-posix.c in small: a list of polled handlers, and
 * whatever is ready is called.
 *
 *   buggy  a handler stays on the list of polled ones while it is called
 *   fixed  it is taken off the list for that time
 */
#include "aiolab/scenario.h"

enum { STACK_ENDS = 8 }; /* calls inside each other */

typedef struct PolledHandler {
    bool (*io_poll)(void *opaque);
    void (*io_poll_ready)(void *opaque);
    void *opaque;
    QLIST_ENTRY(PolledHandler) node_poll;
} PolledHandler;

typedef struct Loop {
    QLIST_HEAD(, PolledHandler) poll_aio_handlers;
    bool takes_off;
    unsigned depth;
} Loop;

/* A virtqueue: its handler waits for something else before it looks. */
typedef struct Virtqueue {
    Loop *loop;
    bool has_request;
    bool backend_done;
} Virtqueue;

static void old_aio_dispatch_handler(Loop *loop, PolledHandler *node)
{
    if (loop->takes_off) {
        QLIST_REMOVE(node, node_poll);
    }
    node->io_poll_ready(node->opaque);
    if (loop->takes_off) {
        QLIST_INSERT_HEAD(&loop->poll_aio_handlers, node, node_poll);
    }
}

/* One turn; it calls the first handler that is ready, which is enough here. */
static void old_aio_poll(Loop *loop)
{
    PolledHandler *node;

    loop->depth++;
    QLIST_FOREACH(node, &loop->poll_aio_handlers, node_poll) {
        if (node->io_poll(node->opaque)) {
            old_aio_dispatch_handler(loop, node);
            break;
        }
    }
    loop->depth--;
}

static bool virtio_queue_host_notifier_aio_poll(void *opaque)
{
    return ((Virtqueue *)opaque)->has_request;
}

static void virtio_queue_host_notifier_aio_poll_ready(void *opaque)
{
    Virtqueue *vq = opaque;

    SCENARIO_CHECK(vq->loop->depth < STACK_ENDS, "the handler has called "
                   "itself %u times: the stack ends", vq->loop->depth);
    if (vq->loop->depth < STACK_ENDS) {
        while (!vq->backend_done) {
            old_aio_poll(vq->loop);
        }
    }
    vq->has_request = false;
}

static bool backend_poll(void *opaque)
{
    return !((Virtqueue *)opaque)->backend_done;
}

static void backend_poll_ready(void *opaque)
{
    ((Virtqueue *)opaque)->backend_done = true;
}

static void run(const ScenarioArgs *args)
{
    Loop loop = {.takes_off = scenario_is_variant(args, "fixed")};
    Virtqueue vq = {.loop = &loop, .has_request = true};
    PolledHandler backend = {backend_poll, backend_poll_ready, &vq};
    PolledHandler queue = {
        virtio_queue_host_notifier_aio_poll,
        virtio_queue_host_notifier_aio_poll_ready, &vq,
    };

    QLIST_INIT(&loop.poll_aio_handlers);
    QLIST_INSERT_HEAD(&loop.poll_aio_handlers, &backend, node_poll);
    QLIST_INSERT_HEAD(&loop.poll_aio_handlers, &queue, node_poll);
    old_aio_poll(&loop);
}

SCENARIO(b04_nested_poll_handler) = {
    .name = "b04-nested-poll-handler",
    .summary = "io_poll_ready() polls before it clears its condition, and is "
               "called again by itself (QEMU 6d740fb01b)",
    .shows = "each nested aio_poll() finds the same handler ready, so none of "
             "them returns; the fix takes a handler off the list of polled "
             "ones while it is called",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the handler is still polled while it is called"},
        {"fixed", "it is not"},
        {NULL}},
    .run = run,
};
