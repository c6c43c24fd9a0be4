/* SPDX-License-Identifier: MIT */
/*
 * b47-old-thread: a job is moved to another context, and goes on in the old.
 *
 * QEMU 13726123ba, "blockjob: Fix coroutine thread after AioContext change"
 * (2019).  A job is paused, its node moves to another AioContext, and the job
 * is resumed.  aio_co_wake() enters the coroutine where it yielded, in a thread
 * that the node does not belong to any more.
 *
 *   buggy  job_enter() wakes the coroutine where it was
 *   fixed  it enters it in job->aio_context
 */
#include "aiolab/scenario.h"
#include "iothread.h"

typedef struct MovedJob {
    AioContext *aio_context;
    Coroutine *co;
    bool follows;
    bool finished;
} MovedJob;

static void coroutine_fn job_run(void *opaque)
{
    MovedJob *job = opaque;

    qemu_coroutine_yield(); /* job_pause_point() */
    SCENARIO_CHECK(qemu_get_current_aio_context() == job->aio_context,
                   "the job runs in a context that its node has left");
    qatomic_set(&job->finished, true);
    aio_wait_kick();
}

static void job_enter(MovedJob *job)
{
    if (job->follows) {
        aio_co_enter(job->aio_context, job->co);
    } else {
        aio_co_wake(job->co);
    }
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    MovedJob job = {
        .aio_context = qemu_get_aio_context(),
        .follows = scenario_is_variant(args, "fixed"),
    };

    job.co = qemu_coroutine_create(job_run, &job);
    qemu_coroutine_enter(job.co);
    /* bdrv_set_aio_context(), in a drained section: the job is paused */
    job.aio_context = iothread_get_aio_context(iothread);
    job_enter(&job);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&job.finished));
    iothread_join(iothread);
}

SCENARIO(b47_old_thread) = {
    .name = "b47-old-thread",
    .summary = "a job whose node was moved goes on in its old thread "
               "(QEMU 13726123ba)",
    .shows = "aio_co_wake() enters a coroutine in the context in which it "
             "yielded; the fix enters the job in job->aio_context",
    .variants = (const ScenarioVariant[]){
        {"buggy", "aio_co_wake()"},
        {"fixed", "aio_co_enter() with the job's context"},
        {NULL}},
    .run = run,
};
