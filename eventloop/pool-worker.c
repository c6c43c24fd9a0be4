/* SPDX-License-Identifier: MIT */
/* Starting and joining the threads of a pool; see pool-worker.h. */
#include "pool-worker.h"

void pool_worker_start(void *pool, void *(*run)(void *))
{
    PoolWorker *worker = g_new0(PoolWorker, 1);

    worker->pool = pool;
    qemu_thread_create(&worker->thread, "worker", run, worker,
                       QEMU_THREAD_JOINABLE);
}

void pool_workers_join(PoolWorkerList *ended, QemuMutex *lock)
{
    PoolWorker *worker;

    while ((worker = QSLIST_FIRST(ended))) {
        QSLIST_REMOVE_HEAD(ended, next);
        qemu_mutex_unlock(lock);
        qemu_thread_join(&worker->thread);
        g_free(worker);
        qemu_mutex_lock(lock);
    }
}
