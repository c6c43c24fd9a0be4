/* SPDX-License-Identifier: MIT */
/*
 * b02-pool-completion: the thread pool's callback polls for another request.
 *
 * QEMU 3c80ca158c, "thread-pool: avoid deadlock in nested aio_poll() calls"
 * (2014).  Both requests were done before the completion bottom half ran, so
 * it was scheduled once for both.  While it calls back the first, nobody will
 * schedule it for the second, and the callback polls for that one.
 *
 *   buggy  the bottom half runs, and is not scheduled
 *   fixed  it schedules itself before each callback, and cancels that after
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef enum ThreadState { THREAD_ACTIVE, THREAD_DONE } ThreadState;

typedef struct PoolAio PoolAio;

typedef struct ThreadPoolElement {
    struct ThreadPoolElement *needs; /* its callback waits for that one */
    ThreadState state;               /* the worker's until it is DONE */
    bool called_back;
    WaitReason completion;
    QLIST_ENTRY(ThreadPoolElement) all;
} ThreadPoolElement;

struct PoolAio {
    QEMUBH *completion_bh;
    bool reschedules;
    QLIST_HEAD(, ThreadPoolElement) head;
    ThreadPoolElement *request_list[2];
};

static void complete(ThreadPoolElement *elem)
{
    QLIST_REMOVE(elem, all);
    if (elem->needs) {
        wait_reason_next(&elem->needs->completion);
        AIO_WAIT_WHILE(qemu_get_aio_context(), !elem->needs->called_back);
    }
    elem->called_back = true;
    wait_reason_done(&elem->completion);
}

static void thread_pool_completion_bh(void *opaque)
{
    PoolAio *pool = opaque;
    ThreadPoolElement *elem;

restart:
    QLIST_FOREACH(elem, &pool->head, all) {
        if (qatomic_load_acquire(&elem->state) != THREAD_DONE) {
            continue;
        }
        if (pool->reschedules) {
            qemu_bh_schedule(pool->completion_bh);
        }
        complete(elem);
        if (pool->reschedules) {
            qemu_bh_cancel(pool->completion_bh);
        }
        goto restart;
    }
}

static void *worker_thread(void *opaque)
{
    PoolAio *pool = opaque;

    for (unsigned i = 0; i < ARRAY_SIZE(pool->request_list); i++) {
        qatomic_store_release(&pool->request_list[i]->state, THREAD_DONE);
        qemu_bh_schedule(pool->completion_bh);
    }
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    PoolAio pool = {.reschedules = scenario_is_variant(args, "fixed")};
    ThreadPoolElement b = {.state = THREAD_ACTIVE};
    ThreadPoolElement a = {.state = THREAD_ACTIVE, .needs = &b};
    QemuThread worker;

    pool.request_list[0] = &a;
    pool.request_list[1] = &b;
    QLIST_INIT(&pool.head);
    QLIST_INSERT_HEAD(&pool.head, &b, all);
    QLIST_INSERT_HEAD(&pool.head, &a, all);
    pool.completion_bh = qemu_bh_new(thread_pool_completion_bh, &pool);
    wait_reason_init(&a.completion, "request A");
    wait_reason_init(&b.completion, "request B");
    wait_reason_by_bh(&a.completion, pool.completion_bh);
    wait_reason_by_bh(&b.completion, pool.completion_bh);
    qemu_thread_create(&worker, "worker", worker_thread, &pool,
                       QEMU_THREAD_JOINABLE);
    AIO_WAIT_WHILE(qemu_get_aio_context(), !a.called_back || !b.called_back);
    qemu_thread_join(&worker);
    qemu_bh_delete(pool.completion_bh);
    aio_poll(qemu_get_aio_context(), false);
}

SCENARIO(b02_pool_completion) = {
    .name = "b02-pool-completion",
    .summary = "two requests of a thread pool are done at once; the callback "
               "of one polls for the other (QEMU 3c80ca158c)",
    .shows = "the nested aio_poll() waits for a bottom half that runs already "
             "and is not scheduled again; the fix schedules it before each "
             "callback",
    .variants = (const ScenarioVariant[]){
        {"buggy", "the completion bottom half is not scheduled while it runs"},
        {"fixed", "it schedules itself before it calls back"},
        {NULL}},
    .run = run,
};
