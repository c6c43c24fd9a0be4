/* SPDX-License-Identifier: MIT */
/*
 * b38-drain-under-wrlock: draining requests that wait for the drainer's lock.
 *
 * QEMU 91ba0e1c38, "block: move drain outside of bdrv_change_aio_context()"
 * (2025), and the series around it.  The main thread writes the graph and
 * drains.  A request of an IOThread has counted itself in flight and wants to
 * read the graph.
 *
 *   buggy  lock, drain
 *   fixed  drain, lock
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"
#include "iothread.h"
#include "qemu/lockable.h"

typedef struct Graph {
    QemuMutex aio_context_list_lock;
    bool has_writer;
    CoQueue reader_queue;
    unsigned in_flight;
    bool drains_first;
    WaitReason idle;
} Graph;

static void coroutine_fn old_bdrv_graph_co_rdlock(Graph *graph)
{
    qemu_mutex_lock(&graph->aio_context_list_lock);
    while (graph->has_writer) {
        qemu_co_queue_wait(&graph->reader_queue,
                           &graph->aio_context_list_lock);
    }
    qemu_mutex_unlock(&graph->aio_context_list_lock);
}

static void coroutine_fn old_blk_co_preadv(void *opaque)
{
    Graph *graph = opaque;

    wait_reason_by_coroutine(&graph->idle, qemu_coroutine_self());
    qatomic_inc(&graph->in_flight);
    old_bdrv_graph_co_rdlock(graph);
    qatomic_dec(&graph->in_flight);
    aio_wait_kick();
}

static void set_writer(Graph *graph, bool has_writer)
{
    qemu_mutex_lock(&graph->aio_context_list_lock);
    graph->has_writer = has_writer;
    if (!has_writer) {
        qemu_co_enter_all(&graph->reader_queue, &graph->aio_context_list_lock);
    }
    qemu_mutex_unlock(&graph->aio_context_list_lock);
}

static void drain(Graph *graph)
{
    wait_reason_next(&graph->idle);
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&graph->in_flight) > 0);
}

static void old_bdrv_try_change_aio_context(Graph *graph)
{
    if (graph->drains_first) {
        drain(graph);
    }
    set_writer(graph, true);
    if (!graph->drains_first) {
        drain(graph);
    }
    set_writer(graph, false);
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    Graph graph = {.drains_first = scenario_is_variant(args, "fixed")};

    qemu_mutex_init(&graph.aio_context_list_lock);
    qemu_co_queue_init(&graph.reader_queue);
    wait_reason_init(&graph.idle, "the request in flight");
    aio_co_enter(iothread_get_aio_context(iothread),
                 qemu_coroutine_create(old_blk_co_preadv, &graph));
    old_bdrv_try_change_aio_context(&graph);
    drain(&graph);
    iothread_join(iothread);
    qemu_mutex_destroy(&graph.aio_context_list_lock);
}

SCENARIO(b38_drain_under_wrlock) = {
    .name = "b38-drain-under-wrlock",
    .summary = "the main thread drains with the graph locked for writing "
               "(QEMU 91ba0e1c38)",
    .shows = "the drain waits for a request in flight, the request in "
             "bdrv_graph_co_rdlock() for the writer, which drains; the fix "
             "drains before it locks",
    .variants = (const ScenarioVariant[]){
        {"buggy", "locked, then drained"},
        {"fixed", "drained, then locked"},
        {NULL}},
    .run = run,
};
