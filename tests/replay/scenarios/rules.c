/* SPDX-License-Identifier: MIT */
/* Each rule broken once, and once kept; every run ends well. */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

static QemuMutex mutex;
static bool done, keep;
static unsigned left;

/* ---- Mutexes ---- */

static void coroutine_fn yield_once(void *opaque)
{
    qemu_mutex_lock(&mutex);
    if (keep) {
        qemu_mutex_unlock(&mutex);
    }
    aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_self());
    qemu_coroutine_yield();
    if (!keep) {
        qemu_mutex_unlock(&mutex);
    }
    done = true;
}

static void yields(void)
{
    qemu_coroutine_enter(qemu_coroutine_create(yield_once, NULL));
    AIO_WAIT_WHILE(NULL, !done);
}

static void coroutine_fn nothing(void *opaque)
{
}

static void enters(void)
{
    qemu_mutex_lock(&mutex);
    if (keep) {
        qemu_mutex_unlock(&mutex);
    }
    qemu_coroutine_enter(qemu_coroutine_create(nothing, NULL));
    if (!keep) {
        qemu_mutex_unlock(&mutex);
    }
}

/* ---- Loops and drains ---- */

static void coroutine_fn poll_inside(void *opaque)
{
    aio_poll(qemu_get_aio_context(), false);
}

static void polls(void)
{
    if (keep) {
        poll_inside(NULL);
    } else {
        qemu_coroutine_enter(qemu_coroutine_create(poll_inside, NULL));
    }
}

static void coroutine_fn drain_inside(void *opaque)
{
    blk_drain(opaque);
}

static void drains(void)
{
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk0");

    if (keep) {
        blk_drain(blk);
    } else {
        qemu_coroutine_enter(qemu_coroutine_create(drain_inside, blk));
    }
    blk_unref(blk);
}

/* ---- Wake-ups ---- */

static void finish(void *opaque)
{
    WaitReason *reason = opaque;

    if (!keep) {
        aio_wait_kick(); /* before the change */
    }
    qatomic_set(&done, true);
    wait_reason_done(reason);
    if (keep) {
        aio_wait_kick();
    }
}

static void nudge(void *opaque)
{
}

static void kicks(void)
{
    IOThread *iothread = iothread_create("io0", &error_fatal);
    QEMUTimer *timer = aio_timer_new(qemu_get_aio_context(),
                                     QEMU_CLOCK_REALTIME, SCALE_MS, nudge,
                                     NULL);
    WaitReason reason;

    wait_reason_init(&reason, "the request");
    wait_reason_next(&reason);
    /* It ends the wait in any case. */
    timer_mod_ns(timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 100000000);
    aio_bh_schedule_oneshot(iothread_get_aio_context(iothread), finish,
                            &reason);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&done));
    timer_free(timer);
    iothread_stop(iothread);
    iothread_destroy(iothread);
}

static AioContext *elsewhere;

static void coroutine_fn schedule_myself(void *opaque)
{
    AioContext *ctx = keep ? qemu_get_aio_context() : elsewhere;

    aio_co_schedule(ctx, qemu_coroutine_self());
    qemu_coroutine_yield();
    qatomic_set(&done, true);
    aio_wait_kick();
}

static void schedules(void)
{
    IOThread *iothread = iothread_create("io0", &error_fatal);

    elsewhere = iothread_get_aio_context(iothread);
    qemu_coroutine_enter(qemu_coroutine_create(schedule_myself, NULL));
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&done));
    iothread_stop(iothread);
    iothread_destroy(iothread);
}

/* ---- Recursion ---- */

static QEMUBH *again;

static void call_again(void *opaque)
{
    if (left--) {
        qemu_bh_schedule(again);
        if (!keep) {
            aio_poll(qemu_get_aio_context(), true);
        }
    } else {
        done = true;
    }
}

static void recurses(void)
{
    left = 40;
    again = aio_bh_new(qemu_get_aio_context(), call_again, NULL);
    qemu_bh_schedule(again);
    AIO_WAIT_WHILE(NULL, !done);
    qemu_bh_delete(again);
    aio_poll(qemu_get_aio_context(), false);
}

/* ---- Requests ---- */

typedef struct Timeout {
    struct __kernel_timespec ts;
    CqeHandler handler;
} Timeout;

static void prep(struct io_uring_sqe *sqe, void *opaque)
{
    sqe->opcode = IORING_OP_NOP;
    sqe->addr = (uintptr_t)opaque;
}

static void timed_out(CqeHandler *handler)
{
    done = true;
}

static __attribute__((noinline)) void add_timeout(Timeout *timeout)
{
    struct __kernel_timespec ts = {.tv_sec = 0};

    timeout->handler.cb = timed_out;
    aio_add_sqe(prep, keep ? &timeout->ts : &ts, &timeout->handler);
}

static void adds(void)
{
    Timeout timeout;

    add_timeout(&timeout);
    AIO_WAIT_WHILE(NULL, !done);
}

static void read_done(void *opaque, int ret)
{
}

/* It waits for the end of a drained section that never comes. */
static void loses(void)
{
    BlockdevOptions options = {.driver = "null-co"};
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk");
    static char buffer[512];
    static QEMUIOVector qiov;

    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    qemu_iovec_init_buf(&qiov, buffer, sizeof(buffer));
    blk_drained_begin(blk);
    blk_aio_preadv(blk, 0, &qiov, 0, read_done, NULL);
    if (keep) {
        blk_drained_end(blk);
        blk_drain(blk);
        blk_unref(blk);
    }
}

static const struct Act {
    const char *name;
    void (*run)(void);
} acts[] = {
    {"yields", yields}, {"enters", enters}, {"polls", polls},
    {"drains", drains}, {"kicks", kicks}, {"schedules", schedules},
    {"recurses", recurses}, {"adds", adds}, {"loses", loses},
};

static void run(const ScenarioArgs *args)
{
    const char *what = scenario_param(args, "act");

    keep = scenario_is_variant(args, "kept");
    qemu_mutex_init(&mutex);
    for (unsigned i = 0; i < ARRAY_SIZE(acts); i++) {
        if (g_str_equal(what, acts[i].name)) {
            acts[i].run();
            return;
        }
    }
    scenario_bad_input("act %s: there is none", what);
}

SCENARIO(rules) = {
    .name = "rules",
    .summary = "a rule that is broken, or kept",
    .variants = (const ScenarioVariant[]){
        {"broken", "it is broken"}, {"kept", "it is kept"}, {NULL}},
    .params = (const ScenarioParam[]){
        {"act", "yields", "which one"}, {NULL}},
    .run = run,
};
