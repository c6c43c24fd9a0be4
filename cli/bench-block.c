/* SPDX-License-Identifier: MIT */
/*
 * 4 KiB reads through a BlockBackend, one after the other in a file or on a
 * device without data, with a number of them in flight: what qemu-img bench
 * does, and in the way it does it, with callbacks that submit the next one.
 */
#include "bench.h"
#include "cli.h"

#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "system/block-backend.h"

enum { BLOCK = 4096 };

typedef struct Reader Reader;

typedef struct Slot {
    Reader *reader;
    QEMUIOVector qiov;
} Slot;

struct Reader {
    BlockBackend *blk;
    int64_t length, offset;
    uint64_t to_submit, to_complete;
    int error;
};

static void slot_submit(Slot *slot);

static void slot_done(void *opaque, int ret)
{
    Slot *slot = opaque;
    Reader *reader = slot->reader;

    if (ret < 0) {
        reader->error = ret;
    }
    reader->to_complete--;
    if (reader->to_submit) {
        slot_submit(slot);
    }
}

static void slot_submit(Slot *slot)
{
    Reader *reader = slot->reader;
    int64_t offset = reader->offset;

    reader->to_submit--;
    reader->offset += BLOCK;
    if (reader->offset + BLOCK > reader->length) {
        reader->offset = 0;
    }
    blk_aio_preadv(reader->blk, offset, &slot->qiov, 0, slot_done, slot);
}

static BlockBackend *open_device(const BlockdevOptions *options)
{
    Error *err = NULL;
    BlockDriverState *bs = bdrv_open_blockdev(options, &err);
    BlockBackend *blk;

    if (!bs) {
        exit(cli_fail(err, STATUS_BAD_INPUT));
    }
    blk = blk_new(qemu_get_aio_context(), "bench");
    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    return blk;
}

static void read_all(BenchRun *run, const BlockdevOptions *options)
{
    AioContext *ctx = qemu_get_aio_context();
    unsigned depth = run->arg;
    Reader reader = {
        .blk = open_device(options), .to_submit = run->n,
        .to_complete = run->n,
    };
    g_autofree Slot *slots = g_new0(Slot, depth);
    char *memory = g_aligned_alloc(depth, BLOCK, BLOCK);

    reader.length = blk_getlength(reader.blk);
    assert(reader.length >= BLOCK);
    for (unsigned i = 0; i < depth; i++) {
        slots[i].reader = &reader;
        qemu_iovec_init_buf(&slots[i].qiov, memory + i * BLOCK, BLOCK);
    }
    bench_begin(run);
    for (unsigned i = 0; i < depth && reader.to_submit; i++) {
        slot_submit(&slots[i]);
    }
    while (reader.to_complete) {
        aio_poll(ctx, true);
    }
    bench_end(run);
    blk_drain(reader.blk);
    blk_unref(reader.blk);
    g_aligned_free(memory);
    if (reader.error) {
        cli_error("a read failed: %s", g_strerror(-reader.error));
        exit(STATUS_BAD_INPUT);
    }
}

void bench_null_co(BenchRun *run)
{
    BlockdevOptions options = {.driver = "null-co"};

    read_all(run, &options);
}

static void read_file(BenchRun *run, bool direct)
{
    BlockdevOptions options = {
        .driver = "file", .filename = run->options->file, .read_only = true,
        .cache_direct = direct,
    };

    read_all(run, &options);
}

void bench_file_buffered(BenchRun *run)
{
    read_file(run, false);
}

void bench_file_direct(BenchRun *run)
{
    read_file(run, true);
}

/* ---- A coroutine that waits for each of its requests ---- */

typedef struct Awaiting {
    BlockBackend *blk;
    uint64_t n;
} Awaiting;

static void coroutine_fn await_reads(void *opaque)
{
    Awaiting *io = opaque;
    char buf[BLOCK];
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, sizeof(buf));

    for (uint64_t i = 0; i < io->n; i++) {
        blk_co_preadv(io->blk, 0, sizeof(buf), &qiov, 0);
    }
}

void bench_null_co_await(BenchRun *run)
{
    BlockdevOptions options = {.driver = "null-co"};
    Awaiting io = {open_device(&options), run->n};

    bench_begin(run);
    qemu_coroutine_enter(qemu_coroutine_create(await_reads, &io));
    bench_end(run);
    blk_unref(io.blk);
}
