/* SPDX-License-Identifier: MIT */
/*
 * b51-handler-in-place: a handler is changed while another thread calls it.
 *
 * QEMU fef1660132, "Fix concurrent aio_poll/set_fd_handler" (2019).
 * aio_set_fd_handler() wrote the new callback and its argument into the handler
 * that the descriptor has.  A thread that polls at the time reads one of them
 * new and the other one old, or a callback that is not there any more.
 *
 *   buggy  the handler is changed in place
 *   fixed  a new one is put into its place, complete
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

typedef bool PollFn(void *opaque);

typedef struct OldHandler {
    PollFn *io_poll;
    void *opaque;
} OldHandler;

typedef struct OldContext {
    OldHandler first, second;
    OldHandler *handler; /* the list */
    bool replaces;
} OldContext;

static char device_a, device_b;

static bool device_poll(char *device, void *opaque)
{
    SCENARIO_CHECK(opaque == device,
                   "one device's io_poll() gets the argument of the other's");
    return false;
}

static bool device_a_poll(void *opaque)
{
    return device_poll(&device_a, opaque);
}

static bool device_b_poll(void *opaque)
{
    return device_poll(&device_b, opaque);
}

static void *iothread_run(void *opaque)
{
    OldContext *ctx = opaque;
    OldHandler *node = qatomic_rcu_read(&ctx->handler);
    PollFn *io_poll = qatomic_read(&node->io_poll);

    io_poll(qatomic_read(&node->opaque)); /* run_poll_handlers_once() */
    return NULL;
}

static void old_aio_set_fd_handler(OldContext *ctx, PollFn *io_poll,
                                   void *opaque)
{
    OldHandler *node = ctx->replaces ? &ctx->second : ctx->handler;

    qatomic_set(&node->io_poll, io_poll);
    qatomic_set(&node->opaque, opaque);
    qatomic_rcu_set(&ctx->handler, node);
}

static void run(const ScenarioArgs *args)
{
    OldContext ctx = {
        .first = {device_a_poll, &device_a},
        .replaces = scenario_is_variant(args, "fixed"),
    };
    QemuThread iothread;

    ctx.handler = &ctx.first;
    qemu_thread_create(&iothread, "iothread", iothread_run, &ctx,
                       QEMU_THREAD_JOINABLE);
    old_aio_set_fd_handler(&ctx, device_b_poll, &device_b);
    qemu_thread_join(&iothread);
}

SCENARIO(b51_handler_in_place) = {
    .name = "b51-handler-in-place",
    .summary = "aio_set_fd_handler() changes a handler that another thread is "
               "about to call (QEMU fef1660132)",
    .shows = "the callback is the new one and its argument the old one, or the "
             "other way round; the fix inserts a new handler when it is "
             "complete",
    .variants = (const ScenarioVariant[]){
        {"buggy", "changed in place"},
        {"fixed", "replaced"},
        {NULL}},
    .run = run,
};
