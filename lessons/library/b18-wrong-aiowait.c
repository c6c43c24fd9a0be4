/* SPDX-License-Identifier: MIT */
/*
 * b18-wrong-aiowait: the kick goes to a node that nobody waits for.
 *
 * QEMU cfe29d8294, "block: Use a single global AioWait" (2018), after
 * 34dc97b9a0, "blockjob: Wake up BDS when job becomes idle".  Each node had an
 * AioWait of its own.  A drain of the base waits for all its parents to be
 * quiet, the job on the overlay among them; the job, when it pauses, kicks its
 * own node's waiters, of which there are none.
 *
 *   buggy  an AioWait for each node
 *   fixed  one for all
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct Node {
    unsigned own_num_waiters;
    unsigned *num_waiters; /* of its AioWait */
} Node;

typedef struct Chain {
    Node base, overlay;
    bool job_busy; /* the job runs on the overlay */
    WaitReason job_idle;
} Chain;

static void dummy_bh_cb(void *opaque)
{
    /* aio_poll() returns */
}

static void old_aio_wait_kick(Node *bs)
{
    if (qatomic_read(bs->num_waiters)) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), dummy_bh_cb, NULL);
    }
}

/* The job's thread; it reaches its pause point. */
static void *job_pause_point(void *opaque)
{
    Chain *chain = opaque;

    qatomic_set(&chain->job_busy, false);
    wait_reason_done(&chain->job_idle);
    smp_mb();
    old_aio_wait_kick(&chain->overlay);
    return NULL;
}

/*
 * BDRV_POLL_WHILE(bs, bdrv_drain_poll(bs)) of then.  Today's AIO_WAIT_WHILE()
 * has a counter of its own, which nobody here looks at.
 */
static void old_bdrv_drain_poll(Chain *chain, Node *bs)
{
    qatomic_inc(bs->num_waiters);
    wait_reason_next(&chain->job_idle);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&chain->job_busy));
    qatomic_dec(bs->num_waiters);
}

static void run(const ScenarioArgs *args)
{
    QemuThread iothread;
    Chain chain = {.job_busy = true};

    chain.base.num_waiters = &chain.base.own_num_waiters;
    chain.overlay.num_waiters = scenario_is_variant(args, "fixed")
                                    ? chain.base.num_waiters
                                    : &chain.overlay.own_num_waiters;
    wait_reason_init(&chain.job_idle, "job_pause_point()");
    qemu_thread_create(&iothread, "iothread", job_pause_point, &chain,
                       QEMU_THREAD_JOINABLE);
    old_bdrv_drain_poll(&chain, &chain.base);
    qemu_thread_join(&iothread);
}

SCENARIO(b18_wrong_aiowait) = {
    .name = "b18-wrong-aiowait",
    .summary = "a drain waits on one node's AioWait, the job that it waits for "
               "kicks another's (QEMU cfe29d8294)",
    .shows = "the job is idle and the main thread sleeps: the condition spans "
             "nodes, the wake-up did not; the fix is one global AioWait",
    .variants = (const ScenarioVariant[]){
        {"buggy", "an AioWait for each node"},
        {"fixed", "one for all nodes"},
        {NULL}},
    .run = run,
};
