/* SPDX-License-Identifier: MIT */
/*
 * file-io: reads and writes a file, and checks every byte that comes back.
 *
 * "depth" coroutines each keep one request in flight.  A block is used by one
 * request at a time.  What a block holds is known from the last write, or from
 * the first read; every later read must find the same.
 */
#include "aiolab/scenario.h"

enum { MAX_VERIFIED = 1 << 24 }; /* blocks; 9 bytes each */

typedef struct FileIo {
    BlockBackend *blk;
    int64_t block_size, step, n_blocks;
    int64_t requests;   /* to submit */
    int64_t submitted, completed, reads, writes, verified;
    int64_t workers;    /* that still run */
    int64_t next_block; /* pattern=seq */
    unsigned write_percent;
    bool random, verify;
    uint64_t rng;
    uint8_t *busy;      /* by block */
    uint64_t *content;  /* by block: checksum of what it holds; 0: unknown */
} FileIo;

static uint64_t next_random(FileIo *io)
{
    io->rng ^= io->rng << 13;
    io->rng ^= io->rng >> 7;
    io->rng ^= io->rng << 17;
    return io->rng;
}

/* Never 0, which means unknown. */
static uint64_t checksum(const uint64_t *words, size_t n)
{
    uint64_t sum = 1;

    for (size_t i = 0; i < n; i++) {
        sum = (sum ^ words[i]) * 0x100000001b3ULL;
    }
    return sum | 1;
}

static void fill(uint64_t *words, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        words[i] = seed + i * 0x9e3779b97f4a7c15ULL;
    }
}

static int64_t pick_block(FileIo *io)
{
    int64_t block;

    if (!io->random) {
        block = io->next_block;
        io->next_block = (io->next_block + io->step / io->block_size) %
                         io->n_blocks;
        return block;
    }
    block = next_random(io) % io->n_blocks;
    while (io->verify && io->busy[block]) {
        block = (block + 1) % io->n_blocks;
    }
    return block;
}

static void coroutine_fn do_write(FileIo *io, int64_t block, uint64_t *buf,
                                  QEMUIOVector *qiov)
{
    size_t words = io->block_size / sizeof(uint64_t);
    int ret;

    fill(buf, words, next_random(io));
    ret = blk_co_pwritev(io->blk, block * io->block_size, io->block_size, qiov,
                         0);
    SCENARIO_CHECK(ret == 0, "writing block %" PRId64 " failed: %s", block,
                   g_strerror(-ret));
    if (io->verify) {
        io->content[block] = checksum(buf, words);
    }
    io->writes++;
}

static void coroutine_fn do_read(FileIo *io, int64_t block, uint64_t *buf,
                                 QEMUIOVector *qiov)
{
    int ret = blk_co_preadv(io->blk, block * io->block_size, io->block_size,
                            qiov, 0);

    SCENARIO_CHECK(ret == 0, "reading block %" PRId64 " failed: %s", block,
                   g_strerror(-ret));
    io->reads++;
    if (io->verify) {
        uint64_t sum = checksum(buf, io->block_size / sizeof(uint64_t));

        if (io->content[block]) {
            SCENARIO_CHECK(io->content[block] == sum,
                           "block %" PRId64 " does not hold what was written",
                           block);
            io->verified++;
        }
        io->content[block] = sum;
    }
}

static void coroutine_fn worker(void *opaque)
{
    FileIo *io = opaque;
    uint64_t *buf = g_aligned_alloc(1, io->block_size, 4096);
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, io->block_size);

    while (io->submitted < io->requests) {
        int64_t block = pick_block(io);

        io->submitted++;
        if (io->verify) {
            io->busy[block] = true;
        }
        if (io->write_percent && next_random(io) % 100 < io->write_percent) {
            do_write(io, block, buf, &qiov);
        } else {
            do_read(io, block, buf, &qiov);
        }
        if (io->verify) {
            io->busy[block] = false;
        }
        io->completed++;
    }
    g_aligned_free(buf);
    io->workers--;
}

static BlockBackend *open_image(const ScenarioArgs *args)
{
    BlockdevOptions options = {
        .driver = "file",
        .filename = scenario_param(args, "image"),
        .read_only = scenario_param_int(args, "write") == 0,
        .cache_direct = scenario_param_int(args, "direct"),
        .aio = scenario_param(args, "aio"),
    };
    Error *err = NULL;
    BlockDriverState *bs = bdrv_open_blockdev(&options, &err);
    BlockBackend *blk;

    if (!bs) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return NULL;
    }
    blk = blk_new(qemu_get_aio_context(), "disk0");
    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    return blk;
}

static bool init(FileIo *io, const ScenarioArgs *args)
{
    const char *pattern = scenario_param(args, "pattern");

    *io = (FileIo){
        .block_size = scenario_param_int(args, "block"),
        .step = scenario_param_int(args, "step"),
        .requests = scenario_param_int(args, "requests"),
        .workers = scenario_param_int(args, "depth"),
        .write_percent = scenario_param_int(args, "write"),
        .verify = scenario_param_int(args, "verify"),
        .random = g_str_equal(pattern, "random"),
        .rng = scenario_param_int(args, "seed") * 2654435761u + 88172645463325252u,
    };
    if (!io->random && !g_str_equal(pattern, "seq")) {
        scenario_bad_input("pattern='%s' is neither random nor seq", pattern);
        return false;
    }
    if (io->block_size < 512 || io->block_size % 512) {
        scenario_bad_input("block=%" PRId64 " is not a multiple of 512",
                           io->block_size);
        return false;
    }
    if (io->step < 0 || io->step % io->block_size) {
        scenario_bad_input("step=%" PRId64 " is not a multiple of the block "
                           "size", io->step);
        return false;
    }
    if (io->workers < 1 || io->workers > 4096 || io->requests < 0 ||
        io->write_percent > 100) {
        scenario_bad_input("depth goes from 1 to 4096, requests from 0, and "
                           "write from 0 to 100");
        return false;
    }
    if (g_str_equal(scenario_param(args, "aio"), "native") &&
        !scenario_param_int(args, "direct")) {
        scenario_bad_input("aio=native is for O_DIRECT; give -p direct=1, too");
        return false;
    }
    io->step = io->step ? io->step : io->block_size;
    io->blk = open_image(args);
    if (!io->blk) {
        return false;
    }
    io->n_blocks = blk_getlength(io->blk) / io->block_size;
    if (io->n_blocks <= io->workers) {
        scenario_bad_input("the image has %" PRId64 " blocks, too few for that "
                           "depth", io->n_blocks);
    } else if (io->verify && io->n_blocks > MAX_VERIFIED) {
        scenario_bad_input("verify=1 remembers at most %d blocks, and the image "
                           "has %" PRId64 "; give verify=0 or larger blocks",
                           MAX_VERIFIED, io->n_blocks);
        return false;
    }
    return io->n_blocks > io->workers;
}

static void run_workers(FileIo *io)
{
    int64_t depth = io->workers;
    int64_t begin = qemu_clock_get_ns(QEMU_CLOCK_REALTIME), end;

    if (io->verify) {
        io->busy = g_new0(uint8_t, io->n_blocks);
        io->content = g_new0(uint64_t, io->n_blocks);
    }
    for (int64_t i = 0; i < depth; i++) {
        qemu_coroutine_enter(qemu_coroutine_create(worker, io));
    }
    /* Not AIO_WAIT_WHILE(): each request would kick us, for nothing. */
    while (io->workers > 0) {
        aio_poll(qemu_get_aio_context(), true);
    }
    end = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    SCENARIO_CHECK(io->completed == io->submitted,
                   "%" PRId64 " of %" PRId64 " requests completed",
                   io->completed, io->submitted);
    scenario_result("submitted", io->submitted);
    scenario_result("completed", io->completed);
    scenario_result("reads", io->reads);
    scenario_result("writes", io->writes);
    scenario_result("verified", io->verified);
    scenario_result("elapsed_ns", end - begin);
    g_free(io->busy);
    g_free(io->content);
}

static void run(const ScenarioArgs *args)
{
    FileIo io;

    if (init(&io, args)) {
        run_workers(&io);
    }
    if (io.blk) {
        if (scenario_param_int(args, "flush")) {
            SCENARIO_CHECK(blk_flush(io.blk) == 0, "the flush failed");
        }
        blk_drain(io.blk);
        blk_unref(io.blk);
    }
}

SCENARIO(file_io) = {
    .name = "file-io",
    .summary = "random or sequential reads and writes of a file, verified",
    .shows = "one request's way: coroutine, file driver, ring, completion, "
             "and back into the coroutine",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"image", "disk.img", "the file (simulated: any name, in memory)"},
        {"requests", "1000", "how many requests"},
        {"depth", "32", "how many in flight"},
        {"block", "4k", "bytes a request"},
        {"pattern", "random", "random or seq"},
        {"step", "0", "pattern=seq: bytes from one request to the next"},
        {"write", "30", "percent of the requests that write"},
        {"verify", "1", "check what is read"},
        {"direct", "0", "1: O_DIRECT"},
        {"aio", "io_uring", "io_uring, native (with direct=1) or threads"},
        {"flush", "0", "1: flush at the end, one request more"},
        {"seed", "1", "of the offsets and the data"},
        {NULL}},
    .run = run,
};
