/* SPDX-License-Identifier: MIT */
/*
 * b50-signal-after-unlock: a condition is destroyed before it is signalled.
 *
 * QEMU f4f71363fc, "thread-pool: signal request_cond while locked" (2023).  A
 * worker that ends tells so under the pool's lock, gives the lock up, and then
 * signals request_cond.  thread_pool_free() waits for the first; when it has
 * it, it destroys request_cond.
 *
 *   buggy  the signal comes after the unlock
 *   fixed  before it
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

typedef struct WorkerPool {
    QemuMutex lock;
    QemuCond worker_stopped, request_cond;
    int cur_threads;     /* under the lock */
    bool signals_locked;
    bool idle_handed_on; /* what other workers would see */
} WorkerPool;

static void *worker_thread(void *opaque)
{
    WorkerPool *pool = opaque;

    qemu_mutex_lock(&pool->lock);
    pool->cur_threads--;
    qemu_cond_signal(&pool->worker_stopped);
    if (pool->signals_locked) {
        qemu_cond_signal(&pool->request_cond);
    }
    qemu_mutex_unlock(&pool->lock);
    if (!pool->signals_locked) {
        qatomic_set(&pool->idle_handed_on, true);
        qemu_cond_signal(&pool->request_cond);
    }
    return NULL;
}

static void old_thread_pool_free(WorkerPool *pool)
{
    qemu_mutex_lock(&pool->lock);
    while (pool->cur_threads > 0) {
        qemu_cond_wait(&pool->worker_stopped, &pool->lock);
    }
    qemu_mutex_unlock(&pool->lock);
    qemu_cond_destroy(&pool->request_cond);
    qemu_cond_destroy(&pool->worker_stopped);
    qemu_mutex_destroy(&pool->lock);
}

static void run(const ScenarioArgs *args)
{
    WorkerPool pool = {
        .cur_threads = 1, .signals_locked = scenario_is_variant(args, "fixed"),
    };
    QemuThread worker;

    qemu_mutex_init(&pool.lock);
    qemu_cond_init(&pool.worker_stopped);
    qemu_cond_init(&pool.request_cond);
    qemu_thread_create(&worker, "worker", worker_thread, &pool,
                       QEMU_THREAD_JOINABLE);
    old_thread_pool_free(&pool);
    qemu_thread_join(&worker);
}

SCENARIO(b50_signal_after_unlock) = {
    .name = "b50-signal-after-unlock",
    .summary = "a worker signals a condition that thread_pool_free() has "
               "destroyed (QEMU f4f71363fc)",
    .shows = "the pool is freed when the worker has given up its lock, and the "
             "worker's last signal aborts; the fix signals with the lock held",
    .variants = (const ScenarioVariant[]){
        {"buggy", "unlock, then signal"},
        {"fixed", "signal, then unlock"},
        {NULL}},
    .run = run,
};
