/* SPDX-License-Identifier: MIT */
/*
 * b36-root-replaced: a node is freed by the drain of itself.
 *
 * QEMU 1e3552dbd2, "block-backend: prevent dangling BDS pointers across
 * aio_poll()" (2022).  blk_drain() looks up the root node and drains it; in the
 * nested poll a job completes, puts another node into its place, and drops the
 * last reference to the first.  The end of the drained section then works on a
 * node that is gone.
 *
 *   buggy  the pointer alone
 *   fixed  a reference across the poll
 *
 * "Freed" is a flag here, so that bdrv_drained_end() can tell.
 */
#include "aiolab/scenario.h"

typedef struct Node {
    int refcnt;
    bool freed;
    bool in_flight;
} Node;

typedef struct Backend {
    Node *root;
    Node old, new;
    bool holds_ref;
} Backend;

static void old_bdrv_unref(Node *bs)
{
    if (--bs->refcnt == 0) {
        bs->freed = true;
    }
}

/* bdrv_replace_node(), at the end of a mirror job */
static void mirror_exit(void *opaque)
{
    Backend *blk = opaque;

    blk->root = &blk->new;
    blk->old.in_flight = false;
    old_bdrv_unref(&blk->old);
    aio_wait_kick();
}

static void old_blk_drain(Backend *blk)
{
    Node *bs = blk->root;

    if (blk->holds_ref) {
        bs->refcnt++;
    }
    AIO_WAIT_WHILE(qemu_get_aio_context(), bs->in_flight);
    SCENARIO_CHECK(!bs->freed, "bdrv_drained_end() of a node that was freed");
    if (blk->holds_ref) {
        old_bdrv_unref(bs);
    }
}

static void run(const ScenarioArgs *args)
{
    Backend blk = {
        .old = {.refcnt = 1, .in_flight = true}, .new = {.refcnt = 1},
        .holds_ref = scenario_is_variant(args, "fixed"),
    };

    blk.root = &blk.old;
    aio_bh_schedule_oneshot(qemu_get_aio_context(), mirror_exit, &blk);
    old_blk_drain(&blk);
    SCENARIO_CHECK(blk.old.freed && blk.root == &blk.new,
                   "the node was not replaced");
}

SCENARIO(b36_root_replaced) = {
    .name = "b36-root-replaced",
    .summary = "blk_drain() goes on with a root node that was replaced and "
               "freed while it polled (QEMU 1e3552dbd2)",
    .shows = "the job's last act in the nested poll drops the last reference "
             "to the node that is being drained; the fix holds one meanwhile",
    .variants = (const ScenarioVariant[]){
        {"buggy", "no reference"},
        {"fixed", "a reference across the poll"},
        {NULL}},
    .run = run,
};
