/* SPDX-License-Identifier: MIT */
/*
 * b24-deleted-on-list: a handler is freed while it stands on a list.
 *
 * QEMU dbf70f0a03, "fix race between io_uring CQE and AioHandler deletion"
 * (2025).  To delete a handler another thread marks it REMOVE and puts it on
 * submit_list, for the POLL_ADD that is in flight to be cancelled.  The
 * completion of that POLL_ADD may be there already; who processes it sees
 * REMOVE, knows that nothing is in flight any more, and frees the handler,
 * which is still on submit_list.
 *
 *   buggy  freed when the completion is processed
 *   fixed  marked, and freed when it is taken off submit_list
 *
 * "Freed" is a flag here, so that fill_sq_ring() can tell.
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

enum { PENDING = 1, REMOVE = 2, DELETE_AIO_HANDLER = 4 };

typedef struct OldHandler {
    unsigned flags;
    bool on_submit_list;
    bool freed;
    bool marks;
} OldHandler;

/* aio_set_fd_handler() in another thread */
static void *deleting_thread(void *opaque)
{
    OldHandler *node = opaque;

    qatomic_fetch_or(&node->flags, PENDING | REMOVE);
    qatomic_set(&node->on_submit_list, true);
    return NULL;
}

static void process_cqe(OldHandler *node)
{
    unsigned flags = qatomic_fetch_and(&node->flags, ~REMOVE);

    if (flags & REMOVE && node->marks) {
        qatomic_fetch_or(&node->flags, DELETE_AIO_HANDLER);
    } else if (flags & REMOVE) {
        node->freed = true;
    }
}

static void fill_sq_ring(OldHandler *node)
{
    unsigned flags;

    if (!qatomic_xchg(&node->on_submit_list, false)) {
        return;
    }
    SCENARIO_CHECK(!node->freed, "a handler on submit_list was freed");
    flags = qatomic_fetch_and(&node->flags, ~(PENDING | REMOVE));
    if (flags & DELETE_AIO_HANDLER) {
        node->freed = true;
    }
}

/* The main thread is the loop; the completion of its POLL_ADD is there. */
static void run(const ScenarioArgs *args)
{
    OldHandler node = {.marks = scenario_is_variant(args, "fixed")};
    QemuThread deleting;

    qemu_thread_create(&deleting, "deleting", deleting_thread, &node,
                       QEMU_THREAD_JOINABLE);
    process_cqe(&node);
    qemu_thread_join(&deleting);
    fill_sq_ring(&node);
}

SCENARIO(b24_deleted_on_list) = {
    .name = "b24-deleted-on-list",
    .summary = "a completion frees a handler that another thread has queued to "
               "be removed (QEMU dbf70f0a03)",
    .shows = "the handler is marked REMOVE and on submit_list, or on its way "
             "there, when its last completion is processed; the fix leaves it "
             "to whoever takes it off the list",
    .variants = (const ScenarioVariant[]){
        {"buggy", "freed by the completion"},
        {"fixed", "freed by fill_sq_ring()"},
        {NULL}},
    .run = run,
};
