/* SPDX-License-Identifier: MIT */
/*
 * The thread pool of an AioContext.
 *
 * Models util/thread-pool.c.  A request is QUEUED, then ACTIVE in a worker,
 * then DONE; its callback comes from completion_bh in the home thread:
 *
 *   home thread                          worker
 *     all += request                       take it from the queue: ACTIVE
 *     queue += request, wake one           call its function
 *                                          ret = ..., then state = DONE
 *     completion_bh: for each DONE         schedule completion_bh
 *     of all, newest first: callback
 *
 * A callback may poll the context until another request is done that was done
 * already: so completion_bh is scheduled while a callback runs (3c80ca158c),
 * and looks from the start again after it.
 *
 * Threads come from a bottom half, so that they inherit from the home thread,
 * one at a time: each new worker begins by creating the next that is wanted.
 * One with nothing to do for ten seconds ends, unless the minimum wants it.
 */
#include "aio-internal.h"
#include "block/thread-pool.h"
#include "pool-worker.h"
#include "qemu/defer-call.h"
#include "qemu/main-loop.h"

enum { IDLE_MS = 10000 };

typedef enum RequestState { QUEUED, ACTIVE, DONE } RequestState;

typedef struct PoolRequest {
    BlockAIOCB common;
    ThreadPoolAio *pool;
    uint64_t id;
    ThreadPoolFunc *func;
    void *arg;
    /*
     * Leaves QUEUED under the lock.  DONE is released by the worker, or by a
     * cancel, after ret was stored, and acquired before ret is read.
     */
    RequestState state;
    int ret;
    QTAILQ_ENTRY(PoolRequest) queue; /* under the lock */
    QLIST_ENTRY(PoolRequest) all;    /* home thread only */
} PoolRequest;

struct ThreadPoolAio {
    AioContext *ctx;
    QEMUBH *completion_bh;
    QEMUBH *new_thread_bh;
    QLIST_HEAD(, PoolRequest) all;

    QemuMutex lock;          /* of everything below */
    QemuCond worker_stopped;
    QemuCond request_cond;
    QTAILQ_HEAD(, PoolRequest) queue;
    PoolWorkerList ended;
    int queued;              /* requests on the queue */
    int cur_threads;         /* all that are wanted, and not ending */
    int idle_threads;
    int new_threads;         /* of cur_threads: nobody creates them yet */
    int pending_threads;     /* of cur_threads: created, not running yet */
    int min_threads;
    int max_threads;
};

/* ---- Workers ---- */

static void *worker_run(void *opaque);

/* Under the lock: creates one of the threads that are wanted. */
static void create_thread(ThreadPoolAio *pool)
{
    if (pool->new_threads) {
        pool->new_threads--;
        pool->pending_threads++;
        pool_worker_start(pool, worker_run);
    }
}

/* Waits for work; false if this worker has waited long enough. */
static bool worker_wait(ThreadPoolAio *pool)
{
    bool timed = pool->cur_threads > pool->min_threads, woken = true;

    pool->idle_threads++;
    if (timed) {
        woken = qemu_cond_timedwait(&pool->request_cond, &pool->lock, IDLE_MS);
    } else {
        qemu_cond_wait(&pool->request_cond, &pool->lock);
    }
    pool->idle_threads--;
    return woken || !QTAILQ_EMPTY(&pool->queue) ||
           pool->cur_threads <= pool->min_threads;
}

/* Under the lock, which is given up while the function runs. */
static void worker_perform(ThreadPoolAio *pool)
{
    PoolRequest *req = QTAILQ_FIRST(&pool->queue);

    QTAILQ_REMOVE(&pool->queue, req, queue);
    pool->queued--;
    raw_set(&req->state, ACTIVE);
    qemu_mutex_unlock(&pool->lock);

    PROBE(POOL_BEGIN, req->id, pool->ctx->id, 0, 0);
    req->ret = req->func(req->arg);
    PROBE(POOL_END, req->id, pool->ctx->id, (int64_t)req->ret, 0);
    /* Pairs with the acquire in find_done().  From here it may be gone. */
    raw_store_release(&req->state, DONE);
    qemu_bh_schedule(pool->completion_bh);
    qemu_mutex_lock(&pool->lock);
}

static void *worker_run(void *opaque)
{
    PoolWorker *worker = opaque;
    ThreadPoolAio *pool = worker->pool;

    qemu_mutex_lock(&pool->lock);
    pool->pending_threads--;
    create_thread(pool);
    while (pool->cur_threads <= pool->max_threads) {
        if (!QTAILQ_EMPTY(&pool->queue)) {
            worker_perform(pool);
        } else if (!worker_wait(pool)) {
            break;
        }
    }
    pool->cur_threads--;
    pool_worker_ended(&pool->ended, worker);
    qemu_cond_signal(&pool->worker_stopped);
    /*
     * A wake-up that was meant for work may have come to us: pass it on.
     * While we hold the lock, because who frees the pool destroys this
     * condition as soon as it can have it (f4f71363fc).
     */
    qemu_cond_signal(&pool->request_cond);
    qemu_mutex_unlock(&pool->lock);
    return NULL;
}

static void new_thread_bh_cb(void *opaque)
{
    ThreadPoolAio *pool = opaque;

    qemu_mutex_lock(&pool->lock);
    pool_workers_join(&pool->ended, &pool->lock);
    create_thread(pool);
    qemu_mutex_unlock(&pool->lock);
}

/* Under the lock. */
static void want_thread(ThreadPoolAio *pool)
{
    pool->cur_threads++;
    pool->new_threads++;
    /* One that is being created will create this one. */
    if (!pool->pending_threads) {
        qemu_bh_schedule(pool->new_thread_bh);
    }
}

/* ---- Completion ---- */

static PoolRequest *look_for_done(ThreadPoolAio *pool)
{
    PoolRequest *req;

    QLIST_FOREACH(req, &pool->all, all) {
        /* Pairs with the store-release in worker_perform(). */
        if (raw_load_acquire(&req->state) == DONE) {
            break;
        }
    }
    return req;
}

static PoolRequest *find_request(ThreadPoolAio *pool, uint64_t id)
{
    PoolRequest *req;

    QLIST_FOREACH(req, &pool->all, all) {
        if (req->id == id) {
            break;
        }
    }
    return req;
}

static PoolRequest *find_done(ThreadPoolAio *pool)
{
    PoolRequest *req = look_for_done(pool);
    uint64_t id = host_observe(HOST_SIGHT_DONE, req ? req->id : 0);

    /* Workers may be further than this thread has seen. */
    return unlikely(host_mode & HOST_REPLAYS) ? find_request(pool, id) : req;
}

static void completion_bh_cb(void *opaque)
{
    ThreadPoolAio *pool = opaque;
    PoolRequest *req;

    defer_call_begin(); /* callbacks submit the next requests: together */
    while ((req = find_done(pool))) {
        QLIST_REMOVE(req, all);
        if (req->common.cb) {
            /* For an aio_poll() in the callback. */
            qemu_bh_schedule(pool->completion_bh);
            req->common.cb(req->common.opaque, req->ret);
            /* Whoever scheduled it meanwhile is found by our next look. */
            qemu_bh_cancel(pool->completion_bh);
        }
        qemu_aio_unref(req);
    }
    defer_call_end();
}

static void request_cancel_async(BlockAIOCB *acb)
{
    PoolRequest *req = container_of(acb, PoolRequest, common);
    ThreadPoolAio *pool = req->pool;
    bool taken_back;

    qemu_mutex_lock(&pool->lock);
    taken_back = raw_read(&req->state) == QUEUED;
    if (taken_back) {
        QTAILQ_REMOVE(&pool->queue, req, queue);
        pool->queued--;
        req->ret = -ECANCELED;
        raw_store_release(&req->state, DONE);
        qemu_bh_schedule(pool->completion_bh);
    }
    qemu_mutex_unlock(&pool->lock);
    PROBE(POOL_CANCEL, req->id, pool->ctx->id, taken_back, 0);
}

static const AIOCBInfo request_info = {
    .aiocb_size = sizeof(PoolRequest), .cancel_async = request_cancel_async,
};

/* ---- Submission ---- */

static void enqueue(ThreadPoolAio *pool, PoolRequest *req)
{
    qemu_mutex_lock(&pool->lock);
    /*
     * QEMU looks whether any worker is idle.  A worker that was woken stays
     * idle until it runs, so of two requests the second may find it taken,
     * and wait although there could be another thread.
     */
    if (pool->queued >= pool->idle_threads &&
        pool->cur_threads < pool->max_threads) {
        want_thread(pool);
    }
    QTAILQ_INSERT_TAIL(&pool->queue, req, queue);
    pool->queued++;
    qemu_cond_signal(&pool->request_cond);
    qemu_mutex_unlock(&pool->lock);
}

BlockAIOCB *thread_pool_submit_aio(ThreadPoolFunc *func, void *arg,
                                   BlockCompletionFunc *cb, void *opaque)
{
    AioContext *ctx = qemu_get_current_aio_context();
    ThreadPoolAio *pool;
    PoolRequest *req;

    assert(ctx);
    pool = aio_get_thread_pool(ctx);
    assert(pool->ctx == ctx);
    req = qemu_aio_get(&request_info, NULL, cb, opaque);
    req->pool = pool;
    req->id = host_new_id();
    req->func = func;
    req->arg = arg;
    req->state = QUEUED;
    QLIST_INSERT_HEAD(&pool->all, req, all);
    PROBE(POOL_SUBMIT, req->id, ctx->id, 0, 0);
    enqueue(pool, req);
    return &req->common;
}

typedef struct PoolCoroutine {
    Coroutine *co;
    int ret;
} PoolCoroutine;

static void wake_coroutine(void *opaque, int ret)
{
    PoolCoroutine *waiting = opaque;

    waiting->ret = ret;
    aio_co_wake(waiting->co);
}

int coroutine_fn thread_pool_submit_co(ThreadPoolFunc *func, void *arg)
{
    PoolCoroutine self = {qemu_coroutine_self(), -EINPROGRESS};

    assert(qemu_in_coroutine());
    thread_pool_submit_aio(func, arg, wake_coroutine, &self);
    qemu_coroutine_yield();
    return self.ret;
}

/* ---- Life ---- */

void thread_pool_update_params(ThreadPoolAio *pool, AioContext *ctx)
{
    qemu_mutex_lock(&pool->lock);
    pool->min_threads = ctx->thread_pool_min;
    pool->max_threads = ctx->thread_pool_max;
    while (pool->cur_threads < pool->min_threads) {
        want_thread(pool);
    }
    /* Those that wait look again whether they are too many. */
    qemu_cond_broadcast(&pool->request_cond);
    qemu_mutex_unlock(&pool->lock);
}

ThreadPoolAio *thread_pool_new_aio(AioContext *ctx)
{
    ThreadPoolAio *pool = g_new0(ThreadPoolAio, 1);

    pool->ctx = ctx ? ctx : qemu_get_aio_context();
    pool->completion_bh = aio_bh_new(pool->ctx, completion_bh_cb, pool);
    pool->new_thread_bh = aio_bh_new(pool->ctx, new_thread_bh_cb, pool);
    qemu_mutex_init(&pool->lock);
    qemu_cond_init(&pool->worker_stopped);
    qemu_cond_init(&pool->request_cond);
    QLIST_INIT(&pool->all);
    QTAILQ_INIT(&pool->queue);
    thread_pool_update_params(pool, pool->ctx);
    return pool;
}

void thread_pool_free_aio(ThreadPoolAio *pool)
{
    if (!pool) {
        return;
    }
    assert(QLIST_EMPTY(&pool->all));
    qemu_bh_delete(pool->new_thread_bh);
    qemu_mutex_lock(&pool->lock);
    pool->cur_threads -= pool->new_threads;
    pool->new_threads = 0;
    pool->min_threads = pool->max_threads = 0;
    qemu_cond_broadcast(&pool->request_cond);
    while (pool->cur_threads > 0) {
        qemu_cond_wait(&pool->worker_stopped, &pool->lock);
    }
    pool_workers_join(&pool->ended, &pool->lock);
    qemu_mutex_unlock(&pool->lock);
    qemu_bh_delete(pool->completion_bh);
    qemu_cond_destroy(&pool->request_cond);
    qemu_cond_destroy(&pool->worker_stopped);
    qemu_mutex_destroy(&pool->lock);
    g_free(pool);
}

ThreadPoolAio *aio_get_thread_pool(AioContext *ctx)
{
    if (!ctx->thread_pool) {
        ctx->thread_pool = thread_pool_new_aio(ctx);
    }
    return ctx->thread_pool;
}
