/* SPDX-License-Identifier: MIT */
/*
 * Where there is no io_uring: a few threads perform requests with plain system
 * calls, and the loop above sees a ring all the same.
 *
 * The threads serve all monitors.  Each monitor has a JobList: what it has not
 * submitted yet, what is done, and an eventfd that says so.  A monitor that
 * ends forgets its requests, as a ring does: what has not begun will not, and
 * what a thread is in the middle of ends without anybody to tell.
 */
#include "live.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_WORKERS = 8 };

struct Job {
    JobList *list; /* NULL: its monitor has ended */
    struct io_uring_sqe sqe;
    CqeHandler *handler;
    int32_t res;
    QTAILQ_ENTRY(Job) next; /* of the one list that it is on */
};

static struct {
    pthread_mutex_t lock; /* everything here, and each list's done */
    pthread_cond_t work;
    JobQueue jobs;    /* nobody has begun these */
    JobQueue running;
    unsigned queued;  /* how many jobs are */
    unsigned threads, idle;
} pool;

/* A child of fork() has none of the threads. */
static void pool_init(void)
{
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work, NULL);
    QTAILQ_INIT(&pool.jobs);
    QTAILQ_INIT(&pool.running);
    pool.queued = pool.threads = pool.idle = 0;
}

static __attribute__((constructor)) void pool_init_once(void)
{
    pool_init();
    pthread_atfork(NULL, NULL, pool_init);
}

/* ---- Workers ---- */

/* Under the lock. */
static void job_done(Job *job)
{
    static const uint64_t one = 1;

    QTAILQ_REMOVE(&pool.running, job, next);
    if (!job->list) {
        g_free(job);
        return;
    }
    QTAILQ_INSERT_TAIL(&job->list->done, job, next);
    if (write(job->list->done_fd, &one, sizeof(one)) < 0) {
        abort(); /* an eventfd cannot fail so */
    }
}

static Job *take_job(void)
{
    Job *job;

    while (!(job = QTAILQ_FIRST(&pool.jobs))) {
        pool.idle++;
        pthread_cond_wait(&pool.work, &pool.lock);
        pool.idle--;
    }
    QTAILQ_REMOVE(&pool.jobs, job, next);
    pool.queued--;
    QTAILQ_INSERT_TAIL(&pool.running, job, next);
    return job;
}

static void *worker(void *opaque)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        Job *job = take_job();

        pthread_mutex_unlock(&pool.lock);
        job->res = live_perform_sqe(&job->sqe);
        pthread_mutex_lock(&pool.lock);
        job_done(job);
    }
    return NULL;
}

/* As many as there is work for: a request may wait for another one. */
static void one_more_worker(void)
{
    pthread_t thread;

    if (pool.idle < pool.queued && pool.threads < MAX_WORKERS &&
        live_pthread_create(&thread, NULL, worker, NULL) == 0) {
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
    QTAILQ_INIT(&list->queued);
    QTAILQ_INIT(&list->done);
    return 0;
}

static void free_jobs(JobQueue *jobs)
{
    Job *job, *next;

    QTAILQ_FOREACH_SAFE(job, jobs, next, next) {
        g_free(job);
    }
}

void job_list_finish(JobList *list)
{
    Job *job, *next;

    pthread_mutex_lock(&pool.lock);
    QTAILQ_FOREACH_SAFE(job, &pool.jobs, next, next) {
        if (job->list == list) {
            QTAILQ_REMOVE(&pool.jobs, job, next);
            pool.queued--;
            g_free(job);
        }
    }
    QTAILQ_FOREACH(job, &pool.running, next) {
        if (job->list == list) {
            job->list = NULL;
        }
    }
    pthread_mutex_unlock(&pool.lock);
    free_jobs(&list->queued);
    free_jobs(&list->done);
    close(list->done_fd);
}

void job_list_add(JobList *list, HostPrepSqe *prep, void *opaque,
                  CqeHandler *handler)
{
    Job *job = g_new0(Job, 1);

    job->list = list;
    job->handler = handler;
    prep(&job->sqe, opaque);
    QTAILQ_INSERT_TAIL(&list->queued, job, next);
    list->unfinished++;
}

void job_list_submit(JobList *list)
{
    Job *job;

    if (QTAILQ_EMPTY(&list->queued)) {
        return;
    }
    pthread_mutex_lock(&pool.lock);
    while ((job = QTAILQ_FIRST(&list->queued))) {
        QTAILQ_REMOVE(&list->queued, job, next);
        QTAILQ_INSERT_TAIL(&pool.jobs, job, next);
        pool.queued++;
        one_more_worker();
    }
    if (!pool.threads) {
        fprintf(stderr, "aiolab: cannot create a thread for I/O\n");
        abort();
    }
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

bool job_list_busy(const JobList *list)
{
    return list->unfinished;
}

void job_list_take_done(JobList *list, HostBatch *batch)
{
    uint64_t count;
    Job *job;

    if (read(list->done_fd, &count, sizeof(count)) < 0) {
        return;
    }
    pthread_mutex_lock(&pool.lock);
    while ((job = QTAILQ_FIRST(&list->done))) {
        QTAILQ_REMOVE(&list->done, job, next);
        list->unfinished--;
        host_batch_cqe(batch, job->handler, job->res, 0);
        g_free(job);
    }
    pthread_mutex_unlock(&pool.lock);
}
