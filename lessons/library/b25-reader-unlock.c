/* SPDX-License-Identifier: MIT */
/*
 * b25-reader-unlock: a reader kicks only a writer that it can see.
 *
 * QEMU e3082ab3b3, "block/graph-lock: fix missed wakeup in
 * bdrv_graph_co_rdunlock()" (2026).  While a writer waits for readers it sets
 * has_writer to 0, so that nested readers can pass.  A reader that leaves kicks
 * if has_writer is 1; it reads 0, and the writer, who has counted it, sleeps in
 * the main thread with the BQL held.
 *
 *   buggy  bdrv_graph_co_rdunlock() kicks if has_writer
 *   fixed  always
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct GraphLock {
    unsigned reader_count;
    bool has_writer;
    bool kicks_always;
    WaitReason no_readers;
} GraphLock;

static void old_bdrv_graph_co_rdunlock(GraphLock *lock)
{
    qatomic_dec(&lock->reader_count);
    wait_reason_done(&lock->no_readers);
    smp_mb();
    if (lock->kicks_always || qatomic_read(&lock->has_writer)) {
        aio_wait_kick();
    }
}

static void old_bdrv_graph_wrlock(GraphLock *lock)
{
    do {
        qatomic_set(&lock->has_writer, false);
        wait_reason_next(&lock->no_readers);
        AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&lock->reader_count) >= 1);
        qatomic_set(&lock->has_writer, true);
        smp_mb();
    } while (qatomic_read(&lock->reader_count) >= 1);
}

/* A request of the IOThread: it has locked, and is at its end. */
static void *iothread_run(void *opaque)
{
    old_bdrv_graph_co_rdunlock(opaque);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    QemuThread iothread;
    GraphLock lock = {
        .reader_count = 1, .kicks_always = scenario_is_variant(args, "fixed"),
    };

    wait_reason_init(&lock.no_readers, "the last reader's unlock");
    qemu_thread_create(&iothread, "iothread", iothread_run, &lock,
                       QEMU_THREAD_JOINABLE);
    old_bdrv_graph_wrlock(&lock);
    qatomic_set(&lock.has_writer, false); /* bdrv_graph_wrunlock() */
    qemu_thread_join(&iothread);
}

SCENARIO(b25_reader_unlock) = {
    .name = "b25-reader-unlock",
    .summary = "the last reader does not kick, because a writer that waits "
               "does not show (QEMU e3082ab3b3)",
    .shows = "the writer sleeps until reader_count is 0; the reader has made "
             "it 0, and read has_writer as 0; the fix kicks in every "
             "bdrv_graph_co_rdunlock()",
    .variants = (const ScenarioVariant[]){
        {"buggy", "a kick if has_writer"},
        {"fixed", "a kick in any case"},
        {NULL}},
    .run = run,
};
