/* SPDX-License-Identifier: MIT */
/*
 * b37-pause-under-lock: a job pauses with the lock that the pauser wants.
 *
 * QEMU ae5a40e858, "mirror: Don't call job_pause_point() under graph lock"
 * (2024).  To change the graph the main thread drains first, which pauses jobs,
 * and then waits for readers of the graph to leave.  The mirror job reached its
 * pause point as such a reader; it goes on when the drained section ends, and
 * that is when the graph has been changed.
 *
 *   buggy  the pause point is inside the reader's section
 *   fixed  the job leaves the section before it pauses
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct MirrorJob {
    unsigned reader_count; /* of the graph */
    bool unlocks_to_pause;
    bool paused, busy;
    Coroutine *co;
    bool finished;
    WaitReason no_readers, resumed;
} MirrorJob;

static void old_bdrv_graph_co_rdunlock(MirrorJob *job)
{
    job->reader_count--;
    aio_wait_kick();
}

static void coroutine_fn job_pause_point(MirrorJob *job)
{
    if (job->paused) {
        job->busy = false;
        aio_wait_kick();
        wait_reason_next(&job->resumed);
        qemu_coroutine_yield(); /* until job_resume() */
        job->busy = true;
    }
}

static void coroutine_fn mirror_run(void *opaque)
{
    MirrorJob *job = opaque;

    job->reader_count++;
    qemu_coroutine_yield(); /* a block was read; goes on by mirror_bh() */
    if (job->unlocks_to_pause) {
        old_bdrv_graph_co_rdunlock(job);
        job_pause_point(job);
        job->reader_count++;
    } else {
        job_pause_point(job);
    }
    old_bdrv_graph_co_rdunlock(job);
    job->busy = false;
    job->finished = true;
}

static void mirror_bh(void *opaque)
{
    aio_co_wake(((MirrorJob *)opaque)->co);
}

static void old_bdrv_graph_wrlock_drained(MirrorJob *job)
{
    job->paused = true; /* bdrv_drain_all_begin(): child_job_drained_begin() */
    AIO_WAIT_WHILE_UNLOCKED(NULL, job->busy);
    wait_reason_next(&job->no_readers);
    AIO_WAIT_WHILE_UNLOCKED(NULL, job->reader_count > 0);
}

static void run(const ScenarioArgs *args)
{
    MirrorJob job = {
        .unlocks_to_pause = scenario_is_variant(args, "fixed"), .busy = true,
    };
    QemuThread self;

    job.co = qemu_coroutine_create(mirror_run, &job);
    wait_reason_init(&job.no_readers, "the reader of the graph");
    wait_reason_by_coroutine(&job.no_readers, job.co);
    wait_reason_init(&job.resumed, "the drained section");
    qemu_thread_get_self(&self);
    wait_reason_by_thread(&job.resumed, &self);
    qemu_coroutine_enter(job.co);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), mirror_bh, &job);

    old_bdrv_graph_wrlock_drained(&job);
    job.paused = false; /* bdrv_graph_wrunlock(): the section ends */
    qemu_coroutine_enter(job.co);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !job.finished);
}

SCENARIO(b37_pause_under_lock) = {
    .name = "b37-pause-under-lock",
    .summary = "the mirror job pauses for a drain with the graph lock that the "
               "drain's caller wants to write (QEMU ae5a40e858)",
    .shows = "the writer waits for the job to leave the graph, the job in "
             "job_pause_point() for the writer's drained section to end; the "
             "fix unlocks the graph before the pause point",
    .variants = (const ScenarioVariant[]){
        {"buggy", "pauses as a reader"},
        {"fixed", "leaves, pauses, and enters again"},
        {NULL}},
    .run = run,
};
