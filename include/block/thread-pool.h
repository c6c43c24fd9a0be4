/* SPDX-License-Identifier: MIT */
/*
 * Work that blocks, in other threads: after QEMU's block/thread-pool.h.
 *
 * ThreadPoolAio belongs to an AioContext: requests are submitted by its home
 * thread, and their callbacks come back to it.  ThreadPool is for everybody
 * else: work goes in, and somebody may wait until all of it is done.
 */
#ifndef BLOCK_THREAD_POOL_H
#define BLOCK_THREAD_POOL_H

#include "qemu/aio.h"

#define THREAD_POOL_MAX_THREADS_DEFAULT 64

/* Runs in a thread of the pool. */
typedef int ThreadPoolFunc(void *opaque);

/* ---- The pool of an AioContext ---- */

typedef struct ThreadPoolAio ThreadPoolAio;

/*
 * A pool beside the one that aio_get_thread_pool() keeps.  @ctx NULL: the main
 * context.  Nothing may be in flight when it is freed; its threads are joined.
 */
ThreadPoolAio *thread_pool_new_aio(AioContext *ctx);
void thread_pool_free_aio(ThreadPoolAio *pool); /* NULL does nothing */

/*
 * Submits to the pool of the current context.  @cb is called from a bottom
 * half with what @func returned, never before this returns; it may be NULL.
 * bdrv_aio_cancel() and bdrv_aio_cancel_async() take back what has not begun;
 * @cb then gets -ECANCELED.
 */
BlockAIOCB *thread_pool_submit_aio(ThreadPoolFunc *func, void *arg,
                                   BlockCompletionFunc *cb, void *opaque);
/* The same from a coroutine, which yields until it is done. */
int coroutine_fn thread_pool_submit_co(ThreadPoolFunc *func, void *arg);
/* Takes over @ctx's minimum and maximum of threads. */
void thread_pool_update_params(ThreadPoolAio *pool, AioContext *ctx);

/* ---- The generic pool; any thread may call these ---- */

typedef struct ThreadPool ThreadPool;

/* Never NULL.  It has no threads until one of the functions below allows it. */
ThreadPool *thread_pool_new(void);
/* Waits for all work first. */
void thread_pool_free(ThreadPool *pool);
/*
 * Queues work.  @opaque_destroy (or NULL) is called with @opaque behind @func,
 * in the same thread.
 */
void thread_pool_submit(ThreadPool *pool, ThreadPoolFunc *func, void *opaque,
                        GDestroyNotify opaque_destroy);
/* The same, and makes sure that a thread takes it at once. */
void thread_pool_submit_immediate(ThreadPool *pool, ThreadPoolFunc *func,
                                  void *opaque, GDestroyNotify opaque_destroy);
/* Waits until nothing is queued or running. */
void thread_pool_wait(ThreadPool *pool);
/* How many threads there may be, from now on; at least 1.  Always true. */
bool thread_pool_set_max_threads(ThreadPool *pool, int max_threads);
/* As many as there is work, queued or running. */
bool thread_pool_adjust_max_threads_to_work(ThreadPool *pool);

#endif
