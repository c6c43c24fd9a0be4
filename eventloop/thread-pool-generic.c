/* SPDX-License-Identifier: MIT */
/*
 * The generic thread pool: work without a context to report to.
 *
 * QEMU wraps a GThreadPool, whose threads neither a recorder nor the simulated
 * machine could see, so this one is made of our own.  As there, a new pool may
 * have no threads at all, until somebody sets a maximum.
 */
#include "block/thread-pool.h"
#include "pool-worker.h"

typedef struct Work {
    ThreadPoolFunc *func;
    void *opaque;
    GDestroyNotify opaque_destroy;
    QSIMPLEQ_ENTRY(Work) next;
} Work;

struct ThreadPool {
    QemuMutex lock; /* of everything below */
    QemuCond work_cond;
    QemuCond all_finished_cond;
    QemuCond worker_stopped;
    QSIMPLEQ_HEAD(, Work) queue;
    PoolWorkerList ended;
    int queued;     /* on the queue */
    int unfinished; /* queued or running */
    int threads;
    int idle_threads;
    int starting;   /* threads that have not looked at the queue yet */
    int max_threads;
    bool ending;
};

/* Under the lock, which is given up while the function runs. */
static void worker_perform(ThreadPool *pool)
{
    Work *work = QSIMPLEQ_FIRST(&pool->queue);

    QSIMPLEQ_REMOVE_HEAD(&pool->queue, next);
    pool->queued--;
    qemu_mutex_unlock(&pool->lock);
    work->func(work->opaque);
    if (work->opaque_destroy) {
        work->opaque_destroy(work->opaque);
    }
    g_free(work);
    qemu_mutex_lock(&pool->lock);
    if (--pool->unfinished == 0) {
        qemu_cond_broadcast(&pool->all_finished_cond);
    }
}

static void *worker_run(void *opaque)
{
    PoolWorker *worker = opaque;
    ThreadPool *pool = worker->pool;

    qemu_mutex_lock(&pool->lock);
    pool->starting--;
    while (pool->threads <= pool->max_threads) {
        if (pool->queued) {
            worker_perform(pool);
        } else if (pool->ending) {
            break;
        } else {
            pool->idle_threads++;
            qemu_cond_wait(&pool->work_cond, &pool->lock);
            pool->idle_threads--;
        }
    }
    pool->threads--;
    pool_worker_ended(&pool->ended, worker);
    qemu_cond_signal(&pool->worker_stopped);
    qemu_cond_signal(&pool->work_cond); /* it may have been meant for another */
    qemu_mutex_unlock(&pool->lock);
    return NULL;
}

/* Under the lock: a thread for each that is queued, as far as there may be. */
static void start_workers(ThreadPool *pool)
{
    int wanted;

    pool_workers_join(&pool->ended, &pool->lock); /* gives up the lock */
    wanted = pool->queued - pool->idle_threads - pool->starting;
    for (; wanted > 0 && pool->threads < pool->max_threads; wanted--) {
        pool->threads++;
        pool->starting++;
        pool_worker_start(pool, worker_run);
    }
}

static void set_max_threads(ThreadPool *pool, int max_threads)
{
    pool->max_threads = max_threads;
    start_workers(pool);
    qemu_cond_broadcast(&pool->work_cond); /* who is idle and too many ends */
}

static void enqueue(ThreadPool *pool, ThreadPoolFunc *func, void *opaque,
                    GDestroyNotify opaque_destroy)
{
    Work *work = g_new(Work, 1);

    *work = (Work){func, opaque, opaque_destroy};
    QSIMPLEQ_INSERT_TAIL(&pool->queue, work, next);
    pool->queued++;
    pool->unfinished++;
}

void thread_pool_submit(ThreadPool *pool, ThreadPoolFunc *func, void *opaque,
                        GDestroyNotify opaque_destroy)
{
    qemu_mutex_lock(&pool->lock);
    enqueue(pool, func, opaque, opaque_destroy);
    start_workers(pool);
    qemu_cond_signal(&pool->work_cond);
    qemu_mutex_unlock(&pool->lock);
}

/*
 * In one piece: between QEMU's two steps the work may end, and then it asks
 * for a maximum of no threads.
 */
void thread_pool_submit_immediate(ThreadPool *pool, ThreadPoolFunc *func,
                                  void *opaque, GDestroyNotify opaque_destroy)
{
    qemu_mutex_lock(&pool->lock);
    enqueue(pool, func, opaque, opaque_destroy);
    set_max_threads(pool, pool->unfinished);
    qemu_mutex_unlock(&pool->lock);
}

void thread_pool_wait(ThreadPool *pool)
{
    qemu_mutex_lock(&pool->lock);
    while (pool->unfinished) {
        qemu_cond_wait(&pool->all_finished_cond, &pool->lock);
    }
    qemu_mutex_unlock(&pool->lock);
}

bool thread_pool_set_max_threads(ThreadPool *pool, int max_threads)
{
    assert(max_threads > 0);
    qemu_mutex_lock(&pool->lock);
    set_max_threads(pool, max_threads);
    qemu_mutex_unlock(&pool->lock);
    return true;
}

bool thread_pool_adjust_max_threads_to_work(ThreadPool *pool)
{
    qemu_mutex_lock(&pool->lock);
    if (pool->unfinished) {
        set_max_threads(pool, pool->unfinished);
    }
    qemu_mutex_unlock(&pool->lock);
    return true;
}

ThreadPool *thread_pool_new(void)
{
    ThreadPool *pool = g_new0(ThreadPool, 1);

    qemu_mutex_init(&pool->lock);
    qemu_cond_init(&pool->work_cond);
    qemu_cond_init(&pool->all_finished_cond);
    qemu_cond_init(&pool->worker_stopped);
    QSIMPLEQ_INIT(&pool->queue);
    return pool;
}

void thread_pool_free(ThreadPool *pool)
{
    qemu_mutex_lock(&pool->lock);
    pool->ending = true;
    /* Work that no thread was ever allowed for is done now, too. */
    set_max_threads(pool, MAX(pool->max_threads, 1));
    while (pool->threads) {
        qemu_cond_wait(&pool->worker_stopped, &pool->lock);
    }
    assert(!pool->unfinished);
    pool_workers_join(&pool->ended, &pool->lock);
    qemu_mutex_unlock(&pool->lock);
    qemu_cond_destroy(&pool->worker_stopped);
    qemu_cond_destroy(&pool->all_finished_cond);
    qemu_cond_destroy(&pool->work_cond);
    qemu_mutex_destroy(&pool->lock);
    g_free(pool);
}
