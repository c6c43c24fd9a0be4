/* SPDX-License-Identifier: MIT */
/*
 * The threads of a pool, from their creation to their join.
 *
 * QEMU's workers are detached, and the pool waits until a counter says that
 * they are gone.  Ours are joined, so that nothing of a pool runs when it is
 * freed: a worker that ends puts itself on a list, from which the next who
 * needs a worker, or frees the pool, takes and joins it.
 */
#ifndef EVENTLOOP_POOL_WORKER_H
#define EVENTLOOP_POOL_WORKER_H

#include "host.h"

typedef struct PoolWorker {
    QemuThread thread;
    void *pool;
    QSLIST_ENTRY(PoolWorker) next;
} PoolWorker;

typedef QSLIST_HEAD(PoolWorkerList, PoolWorker) PoolWorkerList;

/* @run gets the PoolWorker, and ends with pool_worker_ended(). */
void pool_worker_start(void *pool, void *(*run)(void *));

/* The worker's last act under the pool's lock. */
static inline void pool_worker_ended(PoolWorkerList *ended, PoolWorker *worker)
{
    QSLIST_INSERT_HEAD(ended, worker, next);
}

/* Joins those on @ended, whose lock the caller holds; gives it up meanwhile. */
void pool_workers_join(PoolWorkerList *ended, QemuMutex *lock);

#endif
