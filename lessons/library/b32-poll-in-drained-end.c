/* SPDX-License-Identifier: MIT */
/*
 * b32-poll-in-drained-end: a list changes under who walks it, and polls.
 *
 * QEMU e037c09c78, "block: Do not poll in bdrv_do_drained_end()" (2019).  The
 * end of a drained section walks the parents of a node, and polled for each.
 * A job that is woken so finishes inside that poll and takes its links out of
 * the graph: the next parent of the walk does not exist any more.
 *
 *   buggy  polls for each parent, during the walk
 *   fixed  tells all parents, and polls after the walk
 *
 * "Freed" is a flag here, so that the walk can tell.
 */
#include "aiolab/scenario.h"

typedef struct Child {
    bool freed;
    bool busy;
    QLIST_ENTRY(Child) next_parent;
} Child;

typedef struct Node {
    QLIST_HEAD(, Child) parents;
    bool polls_after;
    Child job, overlay; /* in the order of the list */
} Node;

/* The job was all that held the overlay. */
static void job_exit(void *opaque)
{
    Node *bs = opaque;

    QLIST_REMOVE(&bs->overlay, next_parent);
    bs->overlay.freed = true;
    bs->job.busy = false;
    aio_wait_kick();
}

static void old_parent_drained_end_single(Node *bs, Child *c)
{
    SCENARIO_CHECK(!c->freed, "the walk goes on to a parent that was freed");
    if (c == &bs->job) {
        c->busy = true; /* job_resume(): it goes on, and finishes */
        aio_bh_schedule_oneshot(qemu_get_aio_context(), job_exit, bs);
    }
    if (!bs->polls_after) {
        AIO_WAIT_WHILE(qemu_get_aio_context(), c->busy);
    }
}

static void old_bdrv_do_drained_end(Node *bs)
{
    Child *c, *next;

    QLIST_FOREACH_SAFE(c, &bs->parents, next_parent, next) {
        old_parent_drained_end_single(bs, c);
    }
    AIO_WAIT_WHILE(qemu_get_aio_context(), bs->job.busy);
}

static void run(const ScenarioArgs *args)
{
    Node bs = {.polls_after = scenario_is_variant(args, "fixed")};

    QLIST_INIT(&bs.parents);
    QLIST_INSERT_HEAD(&bs.parents, &bs.overlay, next_parent);
    QLIST_INSERT_HEAD(&bs.parents, &bs.job, next_parent);
    old_bdrv_do_drained_end(&bs);
}

SCENARIO(b32_poll_in_drained_end) = {
    .name = "b32-poll-in-drained-end",
    .summary = "the end of a drained section polls while it walks a node's "
               "parents (QEMU e037c09c78)",
    .shows = "a job finishes in the nested poll and removes the parent that "
             "the walk goes to next; the fix does not poll during the walk",
    .variants = (const ScenarioVariant[]){
        {"buggy", "polls for each parent"},
        {"fixed", "polls after the walk"},
        {NULL}},
    .run = run,
};
