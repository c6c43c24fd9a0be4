/* SPDX-License-Identifier: MIT */
/*
 * b39-wrlock-under-context-lock: waiting for a reader that needs our lock.
 *
 * QEMU 31b2ddfea3, "graph-lock: Unlock the AioContext while polling" (2023),
 * after 80fc5d2600 had disabled the graph lock for a release.  The main thread
 * has the lock of an IOThread's context, and waits for readers of the graph to
 * leave.  Such a reader's request completes in the IOThread by a handler that
 * takes the context's lock first.
 *
 *   buggy  bdrv_graph_wrlock() polls with the lock held
 *   fixed  it gives it up for that time
 */
#include "aiolab/scenario.h"
#include "aiolab/legacy.h"
#include "aiolab/wait-reason.h"

typedef struct Graph {
    AioContext *ctx;
    unsigned reader_count; /* a request has locked the graph */
    bool unlocks;
    WaitReason no_readers;
} Graph;

static void request_completed(Graph *graph)
{
    qatomic_dec(&graph->reader_count); /* bdrv_graph_co_rdunlock() */
    aio_wait_kick();
}

/* A completion is called with the context's lock held. */
static void *iothread_run(void *opaque)
{
    Graph *graph = opaque;

    aio_context_acquire(graph->ctx);
    request_completed(graph);
    aio_context_release(graph->ctx);
    return NULL;
}

static void old_bdrv_graph_wrlock(Graph *graph)
{
    if (graph->unlocks) {
        aio_context_release(graph->ctx);
    }
    wait_reason_next(&graph->no_readers);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&graph->reader_count) > 0);
    if (graph->unlocks) {
        aio_context_acquire(graph->ctx);
    }
}

static void run(const ScenarioArgs *args)
{
    Graph graph = {
        .ctx = aio_context_new(&error_abort), .reader_count = 1,
        .unlocks = scenario_is_variant(args, "fixed"),
    };
    QemuThread iothread;

    aio_context_acquire(graph.ctx); /* bdrv_replace_child() and its callers */
    qemu_thread_create(&iothread, "iothread", iothread_run, &graph,
                       QEMU_THREAD_JOINABLE);
    wait_reason_init(&graph.no_readers, "the reader's request");
    wait_reason_by_thread(&graph.no_readers, &iothread);
    old_bdrv_graph_wrlock(&graph);
    aio_context_release(graph.ctx);
    qemu_thread_join(&iothread);
    aio_context_unref(graph.ctx);
}

SCENARIO(b39_wrlock_under_context_lock) = {
    .name = "b39-wrlock-under-context-lock",
    .summary = "bdrv_graph_wrlock() polls with an AioContext lock held that "
               "the reader's completion takes (QEMU 31b2ddfea3)",
    .shows = "the writer waits for the reader, the reader for its completion, "
             "that for the lock which the writer holds; the fix gives the lock "
             "up while it polls",
    .variants = (const ScenarioVariant[]){
        {"buggy", "polls with the lock"},
        {"fixed", "polls without it"},
        {NULL}},
    .run = run,
};
