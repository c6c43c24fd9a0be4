/* SPDX-License-Identifier: MIT */
/*
 * b09-context-lock-twice: waiting gives up once a lock that is held twice.
 *
 * QEMU 49880165a4, "job: Fix nested aio_poll() hanging in job_txn_apply"
 * (2018), and 644f3a29bd, the same in job_completed_txn_abort().  An
 * AioContext's lock is recursive.  The caller has it, job_txn_apply() takes it
 * again, and AIO_WAIT_WHILE() releases it once: the job's IOThread never gets
 * it.
 *
 *   buggy  job_txn_apply() takes the lock of each job, held or not
 *   fixed  it gives up the caller's before, and takes it back after
 */
#include "aiolab/scenario.h"
#include "aiolab/legacy.h"
#include "aiolab/wait-reason.h"

typedef struct TxnJob {
    AioContext *aio_context;
    bool completed; /* under the context's lock */
    bool releases_first;
} TxnJob;

/* What the job's IOThread has to do for it. */
static void *job_progress(void *opaque)
{
    TxnJob *job = opaque;

    aio_context_acquire(job->aio_context);
    job->completed = true;
    aio_context_release(job->aio_context);
    aio_wait_kick();
    return NULL;
}

static void job_prepare(TxnJob *job)
{
    WaitReason completion;
    QemuThread iothread;

    wait_reason_init(&completion, "the job's completion");
    qemu_thread_create(&iothread, "iothread", job_progress, job,
                       QEMU_THREAD_JOINABLE);
    wait_reason_by_thread(&completion, &iothread);
    wait_reason_next(&completion);
    AIO_WAIT_WHILE(job->aio_context, !job->completed);
    qemu_thread_join(&iothread);
}

static void job_txn_apply(TxnJob *job)
{
    if (job->releases_first) {
        aio_context_release(job->aio_context);
    }
    aio_context_acquire(job->aio_context);
    job_prepare(job);
    aio_context_release(job->aio_context);
    if (job->releases_first) {
        aio_context_acquire(job->aio_context);
    }
}

static void run(const ScenarioArgs *args)
{
    TxnJob job = {
        .aio_context = aio_context_new(&error_abort),
        .releases_first = scenario_is_variant(args, "fixed"),
    };

    aio_context_acquire(job.aio_context); /* the QMP command */
    job_txn_apply(&job);
    aio_context_release(job.aio_context);
    aio_context_unref(job.aio_context);
}

SCENARIO(b09_context_lock_twice) = {
    .name = "b09-context-lock-twice",
    .summary = "AIO_WAIT_WHILE() releases an AioContext lock once that its "
               "callers have taken twice (QEMU 49880165a4)",
    .shows = "the main thread waits for the job with the context's lock still "
             "held, the job's IOThread waits for the lock; the fix releases "
             "the caller's lock before it is taken again",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the lock is held twice around the wait"},
        {"fixed", "once"},
        {NULL}},
    .run = run,
};
