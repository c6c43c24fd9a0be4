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
#include "iothread.h"

typedef struct Graph {
    AioContext *ctx;
    unsigned reader_count;
    bool unlocks;
    Coroutine *reader;
} Graph;

static void coroutine_fn reader_entry(void *opaque)
{
    Graph *graph = opaque;

    qatomic_inc(&graph->reader_count); /* bdrv_graph_co_rdlock() */
    aio_wait_kick();
    qemu_coroutine_yield(); /* its I/O */
    qatomic_dec(&graph->reader_count);
    aio_wait_kick();
}

/* A completion is called with the context's lock held. */
static void io_completed_bh(void *opaque)
{
    Graph *graph = opaque;

    aio_context_acquire(graph->ctx);
    aio_co_wake(graph->reader);
    aio_context_release(graph->ctx);
}

static void old_bdrv_graph_wrlock(Graph *graph)
{
    if (graph->unlocks) {
        aio_context_release(graph->ctx);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&graph->reader_count) > 0);
    if (graph->unlocks) {
        aio_context_acquire(graph->ctx);
    }
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    Graph graph = {
        .ctx = iothread_get_aio_context(iothread),
        .unlocks = scenario_is_variant(args, "fixed"),
    };

    graph.reader = qemu_coroutine_create(reader_entry, &graph);
    aio_co_enter(graph.ctx, graph.reader);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&graph.reader_count) == 0);

    aio_context_acquire(graph.ctx); /* bdrv_replace_child() and its callers */
    aio_bh_schedule_oneshot(graph.ctx, io_completed_bh, &graph);
    old_bdrv_graph_wrlock(&graph);
    aio_context_release(graph.ctx);
    iothread_join(iothread);
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
