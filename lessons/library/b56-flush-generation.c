/* SPDX-License-Identifier: MIT */
/*
 * b56-flush-generation: a flush is overtaken, and no other one ever begins.
 *
 * QEMU ce83ee57f6, "block: fix deadlock in bdrv_co_flush" (2016).  A flush
 * waits until the one before it is done: until flush_started_gen is
 * flushed_gen.  A flush that has nothing new to write starts the generation
 * that is flushed already, so the two are equal while it runs, and the next
 * flush does not wait for it.  If that one is done first, the first one sets
 * flushed_gen back, and the two numbers stay different.
 *
 *   buggy  the two generations tell whether a flush runs
 *   fixed  a flag does
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct FlushedNode {
    unsigned write_gen, flush_started_gen, flushed_gen;
    bool active_flush_req;
    bool has_flag;
    CoQueue flush_queue;
    Coroutine *at_device[2]; /* the newest is done first */
    unsigned n_at_device;
    unsigned done;
    WaitReason flushed;
} FlushedNode;

static bool must_wait(FlushedNode *bs)
{
    return bs->has_flag ? bs->active_flush_req
                        : bs->flush_started_gen != bs->flushed_gen;
}

static void coroutine_fn old_bdrv_co_flush(void *opaque)
{
    FlushedNode *bs = opaque;
    unsigned current_gen = bs->write_gen;

    wait_reason_by_coroutine(&bs->flushed, qemu_coroutine_self());
    while (must_wait(bs)) {
        qemu_co_queue_wait(&bs->flush_queue, NULL);
    }
    bs->active_flush_req = true;
    bs->flush_started_gen = current_gen;
    bs->at_device[bs->n_at_device++] = qemu_coroutine_self();
    qemu_coroutine_yield();
    bs->flushed_gen = current_gen;
    bs->active_flush_req = false;
    bs->done++;
    qemu_co_queue_restart_all(&bs->flush_queue);
}

static void start_flush(FlushedNode *bs)
{
    qemu_coroutine_enter(qemu_coroutine_create(old_bdrv_co_flush, bs));
}

static void finish_flushes(FlushedNode *bs)
{
    while (bs->n_at_device > 0) {
        qemu_coroutine_enter(bs->at_device[--bs->n_at_device]);
    }
}

static void run(const ScenarioArgs *args)
{
    FlushedNode bs = {
        .write_gen = 1, .flush_started_gen = 1, .flushed_gen = 1,
        .has_flag = scenario_is_variant(args, "fixed"),
    };

    qemu_co_queue_init(&bs.flush_queue);
    wait_reason_init(&bs.flushed, "the latest flush");
    start_flush(&bs);
    bs.write_gen++; /* something is written */
    start_flush(&bs);
    finish_flushes(&bs);
    start_flush(&bs);
    finish_flushes(&bs);
    wait_reason_next(&bs.flushed);
    AIO_WAIT_WHILE(qemu_get_aio_context(), bs.done < 3); /* bdrv_drain() */
}

SCENARIO(b56_flush_generation) = {
    .name = "b56-flush-generation",
    .summary = "a flush that was overtaken leaves generations behind that no "
               "later flush gets past (QEMU ce83ee57f6)",
    .shows = "the third flush waits in flush_queue for a flush to end, and "
             "none runs; the fix keeps a flag for the flush that does",
    .variants = (const ScenarioVariant[]){
        {"buggy", "two generations are compared"},
        {"fixed", "an explicit flag"},
        {NULL}},
    .run = run,
};
