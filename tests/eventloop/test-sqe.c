/* SPDX-License-Identifier: MIT */
/*
 * Requests on a context's ring: each completes once, with its own result, also
 * when there are more than the ring holds, when a callback submits the next
 * one, and when it runs the loop itself.
 */
#include "harness.h"

#include "host.h"
#include "iothread.h"
#include "qemu/aio-wait.h"
#include "util/aio-posix.h"

#include <fcntl.h>
#include <unistd.h>

enum { MANY = 300, BLOCK = 512 };

typedef struct Op {
    uint8_t opcode;
    int fd;
    void *buf;
    unsigned len;
    uint64_t offset;
    int n;    /* completions */
    int more; /* its callback submits it again that often */
    bool nest;
    CqeHandler cqe;
} Op;

static unsigned completed;

static void prep_op(struct io_uring_sqe *sqe, void *opaque)
{
    Op *op = opaque;

    switch (op->opcode) {
    case IORING_OP_NOP:
        io_uring_prep_nop(sqe);
        break;
    case IORING_OP_READ:
        io_uring_prep_read(sqe, op->fd, op->buf, op->len, op->offset);
        break;
    case IORING_OP_WRITE:
        io_uring_prep_write(sqe, op->fd, op->buf, op->len, op->offset);
        break;
    default:
        io_uring_prep_fsync(sqe, op->fd, 0);
        break;
    }
}

static void op_done(CqeHandler *cqe)
{
    Op *op = container_of(cqe, Op, cqe);

    op->n++;
    completed++;
    if (op->nest) {
        aio_poll(qemu_get_aio_context(), false);
    }
    if (op->more > 0) {
        op->more--;
        aio_add_sqe(prep_op, op, &op->cqe);
    }
}

static void submit(Op *op)
{
    op->cqe.cb = op_done;
    aio_add_sqe(prep_op, op, &op->cqe);
}

static void wait_for(unsigned n)
{
    AIO_WAIT_WHILE(qemu_get_aio_context(), completed < n);
    CHECK_EQ(completed, n);
    CHECK(!aio_poll(qemu_get_aio_context(), false));
    CHECK_EQ(completed, n);
    completed = 0;
}

static int32_t run_one(Op op)
{
    submit(&op);
    CHECK_EQ(op.n, 0);
    wait_for(1);
    CHECK_EQ(op.n, 1);
    return op.cqe.cqe.res;
}

static void test_nop(const ScenarioArgs *args)
{
    completed = 0;
    CHECK_EQ(aio_has_io_uring(),
             qemu_get_aio_context()->fdmon_ops == &fdmon_io_uring_ops);
    CHECK_EQ(run_one((Op){.opcode = IORING_OP_NOP}), 0);
}

static void test_progress(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    Op op = {.opcode = IORING_OP_NOP};

    completed = 0;
    submit(&op);
    while (!op.n) {
        bool progress = aio_poll(ctx, true);

        CHECK_EQ(progress, op.n > 0);
    }
    CHECK(!aio_poll(ctx, false));
}

static void test_many(const ScenarioArgs *args)
{
    Op *ops = g_new0(Op, MANY);

    completed = 0;
    for (int i = 0; i < MANY; i++) {
        ops[i].more = i % 3;
        submit(&ops[i]);
    }
    wait_for(MANY + MANY / 3 * 3);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(ops[i].n, 1 + i % 3);
    }
    g_free(ops);
}

static void test_nested(const ScenarioArgs *args)
{
    Op ops[5] = {{.nest = true}, {.nest = true}, {.nest = true}};

    completed = 0;
    for (int i = 0; i < 5; i++) {
        submit(&ops[i]);
    }
    wait_for(5);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(ops[i].n, 1);
    }
}

/* One of a batch waits for another of the batch: it is not out of reach. */
static Op *waits_for;

static void waiting_done(CqeHandler *cqe)
{
    completed++;
    AIO_WAIT_WHILE(qemu_get_aio_context(), !waits_for->n);
}

static void test_wait_in_batch(const ScenarioArgs *args)
{
    Op a = {.opcode = IORING_OP_NOP}, b = {.opcode = IORING_OP_NOP};

    completed = 0;
    waits_for = &b;
    a.cqe.cb = waiting_done;
    aio_add_sqe(prep_op, &a, &a.cqe);
    submit(&b);
    wait_for(2);
    CHECK_EQ(b.n, 1);
}

/* ---- Files ---- */

/* A file of 64 KiB; a virtual one on the simulated host. */
static int open_file(void)
{
    g_autofree char *path = g_build_filename(harness_dir(), "file", NULL);
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, 65536), 0);
    close(fd);
    fd = host->file_open(path, true, false);
    CHECK(fd >= 0);
    return fd;
}

static void test_file(const ScenarioArgs *args)
{
    uint8_t out[BLOCK], in[BLOCK] = {0};
    int fd = open_file();
    Op op = {.fd = fd, .buf = out, .len = BLOCK, .offset = 3 * BLOCK};

    completed = 0;
    for (int i = 0; i < BLOCK; i++) {
        out[i] = i * 7 + 1;
    }
    op.opcode = IORING_OP_WRITE;
    CHECK_EQ(run_one(op), BLOCK);
    op.opcode = IORING_OP_FSYNC;
    CHECK_EQ(run_one(op), 0);
    op.opcode = IORING_OP_READ;
    op.buf = in;
    CHECK_EQ(run_one(op), BLOCK);
    CHECK(memcmp(in, out, BLOCK) == 0);
    op.offset = 4 * BLOCK;
    CHECK_EQ(run_one(op), BLOCK);
    CHECK(memcmp(in, out, BLOCK) != 0);
    op.offset = 1LL << 40; /* far beyond the end */
    CHECK_EQ(run_one(op), 0);
    host->file_close(fd);
}

static void test_many_file(const ScenarioArgs *args)
{
    static uint8_t buf[MANY][16];
    Op *ops = g_new0(Op, MANY);
    int fd = open_file();

    completed = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < MANY; i++) {
            memset(buf[i], pass ? 0 : i + 1, sizeof(buf[i]));
            ops[i] = (Op){
                .opcode = pass ? IORING_OP_READ : IORING_OP_WRITE, .fd = fd,
                .buf = buf[i], .len = sizeof(buf[i]),
                .offset = i * sizeof(buf[i]),
            };
            submit(&ops[i]);
        }
        wait_for(MANY);
        for (int i = 0; i < MANY; i++) {
            CHECK_EQ(ops[i].n, 1);
            CHECK_EQ(ops[i].cqe.cqe.res, (int)sizeof(buf[i]));
            CHECK_EQ(buf[i][15], (i + 1) & 0xff);
        }
    }
    host->file_close(fd);
    g_free(ops);
}

static uint8_t abandoned_buf[MANY][512];
static Op abandoned[MANY];

static void bh_abandon(void *opaque)
{
    for (int i = 0; i < MANY; i++) {
        abandoned[i] = (Op){
            .opcode = IORING_OP_WRITE, .fd = *(int *)opaque,
            .buf = abandoned_buf[i], .len = 512, .offset = i * 512,
        };
        submit(&abandoned[i]);
    }
}

/*
 * The context goes while its requests are on their way.  The file stays open:
 * where threads perform them, one may be using it still.
 */
static void test_abandoned(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    int fd = open_file();

    aio_wait_bh_oneshot(iothread_get_aio_context(iothread), bh_abandon, &fd);
    iothread_join(iothread);
}

static void test_bad_fd(const ScenarioArgs *args)
{
    uint8_t buf[16];

    completed = 0;
    CHECK_EQ(run_one((Op){.opcode = IORING_OP_READ, .fd = -1, .buf = buf,
                          .len = sizeof(buf)}), -EBADF);
}

/* A read that waits for a write; the offsets of a pipe mean nothing. */
static void test_pipe(const ScenarioArgs *args)
{
    char in[3], out[3] = "abc";
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    for (int offset = -1; offset <= 0; offset++) {
        Op r = {.opcode = IORING_OP_READ, .fd = fds[0], .buf = in, .len = 3,
                .offset = offset};
        Op w = {.opcode = IORING_OP_WRITE, .fd = fds[1], .buf = out, .len = 3,
                .offset = offset};

        completed = 0;
        submit(&r);
        CHECK(!aio_poll(qemu_get_aio_context(), false));
        submit(&w);
        wait_for(2);
        CHECK_EQ(w.cqe.cqe.res, 3);
        CHECK_EQ(r.cqe.cqe.res, 3);
        CHECK(memcmp(in, "abc", 3) == 0);
    }
    close(fds[0]);
    close(fds[1]);
}

static void never_done(CqeHandler *cqe)
{
    CHECK(false);
}

/* A context that ends forgets its requests, begun or not. */
static void test_dropped(const ScenarioArgs *args)
{
    static char byte;
    static Op ops[20];
    AioContext *ctx = aio_context_new(&error_abort), *old;
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    old = qemu_get_current_aio_context();
    qemu_set_current_aio_context(NULL);
    qemu_set_current_aio_context(ctx);
    for (int i = 0; i < 20; i++) {
        ops[i] = (Op){
            .opcode = IORING_OP_READ, .fd = fds[0], .buf = &byte, .len = 1,
            .cqe.cb = never_done,
        };
        aio_add_sqe(prep_op, &ops[i], &ops[i].cqe);
        if (i == 10) {
            aio_poll(ctx, false);
        }
    }
    qemu_set_current_aio_context(NULL);
    qemu_set_current_aio_context(old);
    aio_context_unref(ctx);
    close(fds[1]); /* so that who has begun ends, with nothing */
    poll_until_idle(old);
    close(fds[0]);
}

static const LoopTest tests[] = {
    {"/aio/sqe/nop", test_nop},
    {"/aio/sqe/progress", test_progress},
    {"/aio/sqe/many", test_many},
    {"/aio/sqe/nested", test_nested},
    {"/aio/sqe/wait-in-batch", test_wait_in_batch},
    {"/aio/sqe/file", test_file},
    {"/aio/sqe/file/many", test_many_file},
    {"/aio/sqe/bad-fd", test_bad_fd},
    {"/aio/sqe/abandoned", test_abandoned, TEST_THREADS},
    {"/aio/sqe/pipe", test_pipe, TEST_LIVE_ONLY},
    {"/aio/sqe/dropped", test_dropped, TEST_LIVE_ONLY},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
