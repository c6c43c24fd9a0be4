/* SPDX-License-Identifier: MIT */
/*
 * linux-aio below the block layer: how many io_submit() there are, what
 * happens when the kernel takes few requests, or none, and that a batch of
 * completions survives an inner loop.
 *
 * A host of ours stands before the real one.  It counts, refuses and holds
 * back, the same way in a recording and its replay.
 */
#include "harness.h"

#include "host.h"
#include "linux-aio.h"
#include "qemu/defer-call.h"

#include <fcntl.h>
#include <unistd.h>

enum { BLOCK = 4096, MAX_REQS = 64 };

typedef struct Fake {
    const HostOps *base;
    HostOps ops;
    unsigned submits, sizes[MAX_REQS * 2];
    unsigned refusals; /* the next that many calls get... */
    int refusal;       /* ...this */
    unsigned most;     /* take no more than that of one call; 0: all */
    bool hold;         /* give no completions, until later */
    bool at_once;      /* complete in io_submit(), without a kernel */
    HostLaioRequest *held[MAX_REQS];
    unsigned n_held;
} Fake;

static Fake fake;

/* How deep the stack is at io_submit(), but for coroutines on their own. */
static uintptr_t lowest, highest;

static __attribute__((noinline)) void note_depth(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (!qemu_in_coroutine()) {
        lowest = MIN(lowest, here);
        highest = MAX(highest, here);
    }
}

static int fake_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    note_depth();
    CHECK(fake.submits < ARRAY_SIZE(fake.sizes) || fake.at_once);
    fake.sizes[fake.submits++ % ARRAY_SIZE(fake.sizes)] = n;
    if (fake.refusals) {
        fake.refusals--;
        return fake.refusal;
    }
    n = fake.most ? MIN(fake.most, n) : n;
    if (!fake.at_once) {
        return fake.base->laio_submit(laio, requests, n);
    }
    for (unsigned i = 0; i < n; i++) {
        requests[i]->handler.cqe.res = BLOCK;
        CHECK(fake.n_held < MAX_REQS);
        fake.held[fake.n_held++] = requests[i];
    }
    return n;
}

static unsigned fake_getevents(HostLaio *laio, HostLaioRequest **done,
                               unsigned n)
{
    unsigned taken;

    if (!fake.at_once) {
        fake.n_held += fake.base->laio_getevents(laio, fake.held + fake.n_held,
                                                 MAX_REQS - fake.n_held);
    }
    if (fake.hold) {
        return 0;
    }
    taken = MIN(n, fake.n_held);
    memcpy(done, fake.held, taken * sizeof(done[0]));
    fake.n_held -= taken;
    memmove(fake.held, fake.held + taken, fake.n_held * sizeof(done[0]));
    return taken;
}

static AioContext *ctx;
static int fd;
static unsigned dev_max_batch;
static unsigned polling; /* the one that is done as this runs the loop once */

/* False where there is no O_DIRECT; then there is nothing to test. */
static bool setup(Fake how)
{
    g_autofree char *path = g_build_filename(harness_dir(), "disk", NULL);
    g_autofree uint8_t *zeroes = g_malloc0(MAX_REQS * BLOCK);
    int file = open(path, O_RDWR | O_CREAT, 0600);

    CHECK(file >= 0);
    /* No hole: those are read without the disk, inside io_submit(). */
    CHECK_EQ(write(file, zeroes, MAX_REQS * BLOCK), MAX_REQS * BLOCK);
    fsync(file);
    close(file);
    dev_max_batch = polling = 0;
    lowest = UINTPTR_MAX;
    highest = 0;
    ctx = qemu_get_current_aio_context();
    fd = host->file_open(path, true, true);
    if (fd < 0) {
        return false;
    }
    CHECK(aio_setup_linux_aio(ctx, &error_abort));
    CHECK(aio_setup_linux_aio(ctx, NULL) == aio_get_linux_aio(ctx));
    fake = how;
    fake.base = host;
    fake.ops = *host;
    fake.ops.laio_submit = fake_submit;
    fake.ops.laio_getevents = fake_getevents;
    host_set(&fake.ops, host_mode);
    return true;
}

static void finish(void)
{
    host_set(fake.base, host_mode);
    host->file_close(fd);
}

typedef struct Req {
    unsigned number;
    uint8_t *buf;
    bool done;
    int ret;
} Req;

static Req reqs[MAX_REQS];
static unsigned n_done;

static void coroutine_fn read_entry(void *opaque)
{
    Req *req = opaque;
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, req->buf, BLOCK);

    req->ret = laio_co_submit(fd, req->number * BLOCK, &qiov, QEMU_AIO_READ, 0,
                              dev_max_batch);
    req->done = true;
    n_done++;
    if (n_done == polling) {
        aio_poll(ctx, true);
    }
}

/* In one section: what can go out together does. */
static void submit_from(unsigned first, unsigned n)
{
    defer_call_begin();
    for (unsigned i = first; i < first + n; i++) {
        reqs[i] = (Req){.number = i, .buf = g_aligned_alloc0(1, BLOCK, BLOCK)};
        qemu_coroutine_enter(qemu_coroutine_create(read_entry, &reqs[i]));
    }
    defer_call_end();
}

static void submit(unsigned n)
{
    n_done = 0;
    submit_from(0, n);
}

static void wait_all(unsigned n)
{
    while (n_done < n) {
        aio_poll(ctx, true);
    }
    for (unsigned i = 0; i < n; i++) {
        g_aligned_free(reqs[i].buf);
    }
}

static void expect_all_ok(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        CHECK(reqs[i].done);
        CHECK_EQ(reqs[i].ret, 0);
    }
}

/* ---- Out ---- */

static void test_batch(const ScenarioArgs *args)
{
    if (!setup((Fake){.n_held = 0})) {
        return;
    }
    submit(40);
    CHECK_EQ(fake.submits, 2); /* a full batch, and the end of the section */
    CHECK_EQ(fake.sizes[0], 32);
    CHECK_EQ(fake.sizes[1], 8);
    wait_all(40);
    expect_all_ok(40);
    CHECK_EQ(fake.submits, 2);
    finish();
}

static void test_max_batch(const ScenarioArgs *args)
{
    if (!setup((Fake){.n_held = 0})) {
        return;
    }
    aio_context_set_aio_params(ctx, 5);
    submit(20);
    CHECK_EQ(fake.submits, 4);
    wait_all(20);
    dev_max_batch = 2; /* the device's is lower */
    submit(20);
    CHECK_EQ(fake.submits, 14);
    wait_all(20);
    dev_max_batch = 100; /* the context's is */
    submit(20);
    CHECK_EQ(fake.submits, 18);
    wait_all(20);
    expect_all_ok(20);
    aio_context_set_aio_params(ctx, 0);
    finish();
}

static void test_partly_taken(const ScenarioArgs *args)
{
    if (!setup((Fake){.most = 3})) {
        return;
    }
    submit(10);
    CHECK_EQ(fake.submits, 1); /* three of ten; then it waits */
    wait_all(10);
    expect_all_ok(10);
    CHECK_EQ(fake.submits, 4);
    finish();
}

/* Nothing is in flight, so nothing will come back to try again. */
static void test_eagain(const ScenarioArgs *args)
{
    if (!setup((Fake){.refusals = 3, .refusal = -EAGAIN})) {
        return;
    }
    submit(6);
    CHECK_EQ(fake.submits, 1);
    wait_all(6);
    expect_all_ok(6);
    CHECK_EQ(fake.submits, 4);
    finish();
}

static void test_error(const ScenarioArgs *args)
{
    if (!setup((Fake){.refusals = 2, .refusal = -EBADF})) {
        return;
    }
    submit(6);
    CHECK_EQ(fake.submits, 3);
    wait_all(6);
    CHECK_EQ(reqs[0].ret, -EBADF); /* the first of each call is to blame */
    CHECK_EQ(reqs[1].ret, -EBADF);
    for (int i = 2; i < 6; i++) {
        CHECK_EQ(reqs[i].ret, 0);
    }
    finish();
}

/* ---- Back ---- */

/*
 * Four come in one batch, and the first of them that is resumed runs the loop.
 * It must find the other three: nothing else is going to happen, because the
 * eventfd is clear.  What makes us take the batch is a fifth request, which
 * fails at once.
 */
static void test_nested(const ScenarioArgs *args)
{
    if (!setup((Fake){.hold = true})) {
        return;
    }
    submit(4);
    while (fake.n_held < 4) {
        aio_poll(ctx, true);
    }
    poll_until_idle(ctx);
    fake.hold = false;
    fake.refusals = 1;
    fake.refusal = -EBADF;
    polling = 2;
    submit_from(4, 1);
    CHECK_EQ(n_done, 5);
    CHECK_EQ(reqs[4].ret, -EBADF);
    wait_all(5);
    expect_all_ok(4);
    finish();
}

static unsigned seen_by_polling;

static bool fake_pending(HostLaio *laio)
{
    bool pending = fake.base->laio_pending(laio);

    seen_by_polling += pending;
    return pending;
}

/* With adaptive polling, completions can be seen before the eventfd is. */
static void test_polling(const ScenarioArgs *args)
{
    if (!setup((Fake){.n_held = 0})) {
        return;
    }
    fake.ops.laio_pending = fake_pending;
    seen_by_polling = 0;
    aio_context_set_poll_params(ctx, 50 * SCALE_MS, 0, 0, 0, &error_abort);
    for (int i = 0; i < 20; i++) {
        submit(2);
        wait_all(2);
        expect_all_ok(2);
    }
    /* Live it is a race, and a replay has the outcome in its log. */
    CHECK(seen_by_polling || !g_str_equal(fake.base->name, "sim"));
    aio_context_set_poll_params(ctx, 0, 0, 0, 0, &error_abort);
    finish();
}

typedef struct Chain {
    unsigned left;
    uint8_t *buf;
} Chain;

static unsigned running;

static void coroutine_fn chain_entry(void *opaque)
{
    Chain *chain = opaque;
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, chain->buf, BLOCK);

    while (chain->left--) {
        CHECK_EQ(laio_co_submit(fd, 0, &qiov, QEMU_AIO_READ, 0, 0), 0);
    }
    running--;
}

/* A device that completes at once does not recurse deeper and deeper. */
static void test_at_once(const ScenarioArgs *args)
{
    Chain chains[3];

    if (!setup((Fake){.at_once = true})) {
        return;
    }
    running = 3;
    defer_call_begin();
    for (int i = 0; i < 3; i++) {
        chains[i] = (Chain){1000, g_aligned_alloc0(1, BLOCK, BLOCK)};
        qemu_coroutine_enter(qemu_coroutine_create(chain_entry, &chains[i]));
    }
    defer_call_end();
    while (running) {
        aio_poll(ctx, true);
    }
    CHECK(fake.submits >= 1000);
    CHECK(highest - lowest < 65536);
    for (int i = 0; i < 3; i++) {
        g_aligned_free(chains[i].buf);
    }
    finish();
}

/* ---- The host's queue ---- */

static bool was_set;

static void notified(EventNotifier *e)
{
    was_set = event_notifier_test_and_clear(e);
}

static void test_queue(const ScenarioArgs *args)
{
    uint8_t *buf = g_aligned_alloc0(1, BLOCK, BLOCK);
    struct iovec iov = {buf, BLOCK};
    HostLaioRequest req, *batch = &req, *done[2];
    EventNotifier e;
    HostLaio *laio;

    if (!setup((Fake){.n_held = 0})) {
        return;
    }
    CHECK(laio_has_fua());
    CHECK(laio_has_fdsync(fd));
    CHECK_EQ(event_notifier_init(&e, false), 0);
    was_set = false;
    aio_set_event_notifier(ctx, &e, notified, NULL, NULL);
    CHECK_EQ(fake.base->laio_setup(host_new_id(), 4, &e, &laio), 0);
    CHECK_EQ(fake.base->laio_getevents(laio, done, 2), 0);
    req.handler.cqe.user_data = host_new_id();
    io_uring_prep_readv(&req.sqe, fd, &iov, 1, 0);
    CHECK_EQ(fake.base->laio_submit(laio, &batch, 1), 1);
    while (!was_set) {
        aio_poll(ctx, true);
    }
    CHECK_EQ(fake.base->laio_getevents(laio, done, 2), 1);
    CHECK(done[0] == &req);
    CHECK_EQ(req.handler.cqe.res, BLOCK);
    CHECK_EQ(fake.base->laio_getevents(laio, done, 2), 0);
    fake.base->laio_destroy(laio);
    aio_set_event_notifier(ctx, &e, NULL, NULL, NULL);
    event_notifier_cleanup(&e);
    g_aligned_free(buf);
    finish();
}

static const LoopTest tests[] = {
    {"/linux-aio/batch", test_batch},
    {"/linux-aio/max-batch", test_max_batch},
    {"/linux-aio/partly-taken", test_partly_taken},
    {"/linux-aio/eagain", test_eagain},
    {"/linux-aio/error", test_error},
    {"/linux-aio/nested", test_nested},
    {"/linux-aio/polling", test_polling},
    {"/linux-aio/at-once", test_at_once},
    {"/linux-aio/queue", test_queue},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
