/* SPDX-License-Identifier: MIT */
/*
 * Where there is no io_uring: a few threads perform requests with plain system
 * calls, and the loop above sees a ring all the same.
 *
 * The threads serve all monitors.  Each monitor has a JobList: what it has not
 * submitted yet, what is done, and an eventfd that says so.
 */
#include "live.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_WORKERS = 8 };

typedef struct Job {
    JobList *list;
    struct io_uring_sqe sqe;
    CqeHandler *handler;
    int32_t res;
    QSIMPLEQ_ENTRY(Job) next;
} Job;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    QSIMPLEQ_HEAD(, Job) jobs;
    unsigned threads, idle;
} pool = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER,
    .jobs = QSIMPLEQ_HEAD_INITIALIZER(pool.jobs),
};

/* ---- Workers ---- */

static void job_done(Job *job)
{
    static const uint64_t one = 1;
    JobList *list = job->list;

    pthread_mutex_lock(&list->lock);
    QSIMPLEQ_INSERT_TAIL(&list->done, job, next);
    if (write(list->done_fd, &one, sizeof(one)) < 0) {
        abort(); /* an eventfd cannot fail so */
    }
    pthread_mutex_unlock(&list->lock);
}

static void *worker(void *opaque)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        Job *job;

        while (!(job = QSIMPLEQ_FIRST(&pool.jobs))) {
            pool.idle++;
            pthread_cond_wait(&pool.work, &pool.lock);
            pool.idle--;
        }
        QSIMPLEQ_REMOVE_HEAD(&pool.jobs, next);
        pthread_mutex_unlock(&pool.lock);
        job->res = live_perform_sqe(&job->sqe);
        job_done(job);
        pthread_mutex_lock(&pool.lock);
    }
    return NULL;
}

static void one_more_worker(void)
{
    pthread_t thread;

    if (!pool.idle && pool.threads < MAX_WORKERS &&
        pthread_create(&thread, NULL, worker, NULL) == 0) {
        pthread_detach(thread);
        pool.threads++;
    }
}

/* ---- Lists ---- */

int job_list_init(JobList *list)
{
    list->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (list->done_fd < 0) {
        return -errno;
    }
    pthread_mutex_init(&list->lock, NULL);
    QSIMPLEQ_INIT(&list->queued);
    QSIMPLEQ_INIT(&list->done);
    return 0;
}

void job_list_finish(JobList *list)
{
    close(list->done_fd);
    pthread_mutex_destroy(&list->lock);
}

void job_list_add(JobList *list, HostPrepSqe *prep, void *opaque,
                  CqeHandler *handler)
{
    Job *job = g_new0(Job, 1);

    job->list = list;
    job->handler = handler;
    prep(&job->sqe, opaque);
    QSIMPLEQ_INSERT_TAIL(&list->queued, job, next);
}

void job_list_submit(JobList *list)
{
    Job *job;

    if (QSIMPLEQ_EMPTY(&list->queued)) {
        return;
    }
    pthread_mutex_lock(&pool.lock);
    while ((job = QSIMPLEQ_FIRST(&list->queued))) {
        QSIMPLEQ_REMOVE_HEAD(&list->queued, next);
        QSIMPLEQ_INSERT_TAIL(&pool.jobs, job, next);
        one_more_worker();
    }
    assert(pool.threads);
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

void job_list_take_done(JobList *list, HostBatch *batch)
{
    uint64_t count;
    Job *job;

    if (read(list->done_fd, &count, sizeof(count)) < 0) {
        return;
    }
    pthread_mutex_lock(&list->lock);
    while ((job = QSIMPLEQ_FIRST(&list->done))) {
        QSIMPLEQ_REMOVE_HEAD(&list->done, next);
        host_batch_cqe(batch, job->handler, job->res, 0);
        g_free(job);
    }
    pthread_mutex_unlock(&list->lock);
}
