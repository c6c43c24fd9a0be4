/* SPDX-License-Identifier: MIT */
/* One deadlock of each class, a variant each; none needs a race. */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

#include "aiolab/legacy.h"

static QemuMutex first, second;
static CoMutex co_first, co_second;
static CoQueue queue;
static QemuEvent has_first, has_second, go;
static QemuSemaphore sem;
static bool done;

static void never(void *opaque)
{
}

/* ---- Locks ---- */

static void *second_then_first(void *opaque)
{
    qemu_mutex_lock(&second);
    qemu_event_set(&has_second);
    qemu_event_wait(&has_first);
    qemu_mutex_lock(&first);
    return NULL;
}

static void cross(void)
{
    QemuThread thread;

    qemu_thread_create(&thread, "crosser", second_then_first, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_mutex_lock(&first);
    qemu_event_set(&has_first);
    qemu_event_wait(&has_second);
    qemu_mutex_lock(&second);
}

static void lock_twice(void)
{
    qemu_mutex_lock(&first);
    qemu_mutex_lock(&first);
}

static void coroutine_fn co_cross(void *opaque)
{
    bool forwards = opaque;

    qemu_co_mutex_lock(forwards ? &co_first : &co_second);
    aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_self());
    qemu_coroutine_yield();
    qemu_co_mutex_lock(forwards ? &co_second : &co_first);
}

static void cross_coroutines(void)
{
    qemu_coroutine_enter(qemu_coroutine_create(co_cross, (void *)1));
    qemu_coroutine_enter(qemu_coroutine_create(co_cross, NULL));
    AIO_WAIT_WHILE(NULL, !done);
}

/* As throttle groups did until d481617765: yields with a mutex held. */
static void coroutine_fn yield_with_mutex(void *opaque)
{
    qemu_mutex_lock(&first);
    qemu_co_mutex_lock(&co_first);
}

static void coroutine_fn hold_co_mutex(void *opaque)
{
    qemu_co_mutex_lock(&co_first);
    qemu_coroutine_yield();
}

static void mutex_over_yield(void)
{
    qemu_coroutine_enter(qemu_coroutine_create(hold_co_mutex, NULL));
    qemu_coroutine_enter(qemu_coroutine_create(yield_with_mutex, NULL));
    qemu_coroutine_enter(qemu_coroutine_create(yield_with_mutex, NULL));
}

/* ---- Waits with something held ---- */

static void lock_and_finish(void *opaque)
{
    WITH_QEMU_LOCK_GUARD(&first) {
        done = true;
    }
    aio_wait_kick();
}

static void wait_with_mutex(void)
{
    IOThread *iothread = iothread_create("io0", &error_fatal);
    AioContext *ctx = iothread_get_aio_context(iothread);
    QEMUBH *bh = aio_bh_new(ctx, lock_and_finish, NULL);
    WaitReason reason;

    qemu_mutex_lock(&first);
    wait_reason_init(&reason, "the bottom half's work");
    wait_reason_by_bh(&reason, bh);
    qemu_bh_schedule(bh);
    wait_reason_next(&reason);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&done));
}

/* ---- Nothing wakes the waiter ---- */

/* The waiter sleeps by then. */
static void finish_later(void *opaque)
{
    timer_mod_ns(opaque, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 20000000);
}

static void finish_silently(void *opaque)
{
    WaitReason *reason = opaque;

    qatomic_set(&done, true);
    if (reason) {
        wait_reason_done(reason);
    }
}

static void without_kick(bool named)
{
    IOThread *iothread = iothread_create("io0", &error_fatal);
    AioContext *ctx = iothread_get_aio_context(iothread);
    WaitReason reason;
    QEMUTimer *timer = aio_timer_new(ctx, QEMU_CLOCK_REALTIME, SCALE_NS,
                                     finish_silently, named ? &reason : NULL);

    wait_reason_init(&reason, "the request");
    aio_bh_schedule_oneshot(ctx, finish_later, timer);
    if (named) {
        wait_reason_next(&reason);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qatomic_read(&done));
}

static void no_kick(void)
{
    without_kick(true);
}

static void no_kick_unnamed(void)
{
    without_kick(false);
}

static void *wait_for_go(void *opaque)
{
    qemu_event_wait(&go);
    return NULL;
}

static void join_waiter(void)
{
    QemuThread thread;

    qemu_thread_create(&thread, "waiter", wait_for_go, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_thread_join(&thread);
}

static void semaphore(void)
{
    qemu_sem_wait(&sem);
}

static void coroutine_fn wait_in_queue(void *opaque)
{
    qemu_co_queue_wait(&queue, NULL);
    done = true;
}

static void co_queue(void)
{
    Coroutine *co = qemu_coroutine_create(wait_in_queue, NULL);
    WaitReason reason;

    wait_reason_init(&reason, "the queued request");
    wait_reason_by_coroutine(&reason, co);
    qemu_coroutine_enter(co);
    wait_reason_next(&reason);
    AIO_WAIT_WHILE(NULL, !done);
}

/* ---- Contexts and handlers ---- */

static void wait_for_context(AioContext *ctx)
{
    QEMUBH *bh = aio_bh_new(ctx, never, NULL);
    WaitReason reason;

    wait_reason_init(&reason, "the command");
    wait_reason_by_bh(&reason, bh);
    qemu_bh_schedule(bh);
    wait_reason_next(&reason);
    AIO_WAIT_WHILE_UNLOCKED(NULL, !done);
}

static void dead_context(void)
{
    wait_for_context(aio_context_new(&error_fatal));
}

static void other_context(void)
{
    AioContext *ctx = iohandler_get_aio_context();

    aio_poll(ctx, false);
    wait_for_context(ctx);
}

static void on_event(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    done = true;
}

static void disabled_handler(void)
{
    AioContext *ctx = qemu_get_aio_context();
    EventNotifier e;
    WaitReason reason;

    event_notifier_init(&e, false);
    aio_set_event_notifier(ctx, &e, true, on_event, NULL, NULL);
    aio_disable_external(ctx);
    event_notifier_set(&e);
    wait_reason_init(&reason, "the guest's kick");
    wait_reason_by_notifier(&reason, ctx, &e);
    wait_reason_next(&reason);
    AIO_WAIT_WHILE(ctx, !done);
}

/* ---- Nested loops ---- */

static void wait_for_myself(void *opaque)
{
    wait_reason_next(opaque);
    AIO_WAIT_WHILE(NULL, !done);
    done = true;
}

static void own_bottom_half(void)
{
    WaitReason reason;
    QEMUBH *bh = aio_bh_new(qemu_get_aio_context(), wait_for_myself, &reason);

    wait_reason_init(&reason, "the bottom half");
    wait_reason_by_bh(&reason, bh);
    qemu_bh_schedule(bh);
    aio_poll(qemu_get_aio_context(), true);
}

static void coroutine_fn poll_inside(void *opaque)
{
    Coroutine *other = opaque;
    WaitReason reason;

    qemu_co_mutex_lock(&co_first);
    qemu_coroutine_enter(other); /* it waits for the mutex */
    qemu_co_mutex_unlock(&co_first);
    wait_reason_init(&reason, "the other coroutine");
    wait_reason_by_coroutine(&reason, other);
    wait_reason_next(&reason);
    AIO_WAIT_WHILE(NULL, !done);
}

static void coroutine_fn lock_and_end(void *opaque)
{
    qemu_co_mutex_lock(&co_first);
    done = true;
    qemu_co_mutex_unlock(&co_first);
}

/* As mirror did until a77fd4bb29, without the drain. */
static void poll_in_coroutine(void)
{
    Coroutine *other = qemu_coroutine_create(lock_and_end, NULL);

    qemu_coroutine_enter(qemu_coroutine_create(poll_inside, other));
}

/* ---- Drains ---- */

static void drain_own(void *opaque, int ret)
{
    blk_drain(opaque);
    done = true;
}

static void drain_cycle(void)
{
    BlockdevOptions options = {.driver = "null-co", .size = 1 << 20};
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk0");
    static uint8_t buf[512];
    QEMUIOVector qiov;

    blk_insert_bs(blk, bs);
    qemu_iovec_init_buf(&qiov, buf, sizeof(buf));
    blk_aio_preadv(blk, 0, &qiov, 0, drain_own, blk);
    AIO_WAIT_WHILE(NULL, !done);
}

/* ---- Two are stuck, the rest runs ---- */

static void *first_then_second(void *opaque)
{
    qemu_mutex_lock(&first);
    qemu_event_set(&has_first);
    qemu_event_wait(&has_second);
    qemu_mutex_lock(&second);
    return NULL;
}

typedef struct Ticker {
    QEMUTimer *timer;
    unsigned left;
} Ticker;

static void tick(void *opaque)
{
    Ticker *ticker = opaque;

    if (--ticker->left) {
        timer_mod_ns(ticker->timer,
                     qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 10000);
    }
}

static void local(void)
{
    AioContext *ctx = qemu_get_aio_context();
    QemuThread threads[2];
    Ticker ticker = {.left = 20};

    ticker.timer = aio_timer_new(ctx, QEMU_CLOCK_REALTIME, SCALE_NS, tick,
                                 &ticker);
    timer_mod_ns(ticker.timer, 0);

    qemu_thread_create(&threads[0], "one", first_then_second, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_thread_create(&threads[1], "two", second_then_first, NULL,
                       QEMU_THREAD_JOINABLE);
    while (ticker.left) {
        aio_poll(ctx, true);
    }
    scenario_note("still running");
    qemu_thread_join(&threads[0]);
}

static const struct Act {
    const char *name;
    void (*run)(void);
} acts[] = {
    {"lock-cycle", cross}, {"self", lock_twice},
    {"co-lock-cycle", cross_coroutines}, {"mutex-over-yield", mutex_over_yield},
    {"while-holding", wait_with_mutex}, {"no-kick", no_kick},
    {"no-kick-unnamed", no_kick_unnamed}, {"join", join_waiter},
    {"semaphore", semaphore}, {"co-queue", co_queue},
    {"dead-context", dead_context}, {"other-context", other_context},
    {"disabled", disabled_handler}, {"own-bh", own_bottom_half},
    {"poll-in-coroutine", poll_in_coroutine}, {"drain", drain_cycle},
    {"local", local},
};

static void run(const ScenarioArgs *args)
{
    const char *what = scenario_param(args, "act");

    qemu_mutex_init(&first);
    qemu_mutex_init(&second);
    qemu_co_mutex_init(&co_first);
    qemu_co_mutex_init(&co_second);
    qemu_co_queue_init(&queue);
    qemu_event_init(&has_first, false);
    qemu_event_init(&has_second, false);
    qemu_event_init(&go, false);
    qemu_sem_init(&sem, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(acts); i++) {
        if (g_str_equal(what, acts[i].name)) {
            acts[i].run();
            return;
        }
    }
    scenario_bad_input("act %s: there is none", what);
}

SCENARIO(stuck) = {
    .name = "stuck",
    .summary = "a deadlock of each class",
    .params = (const ScenarioParam[]){
        {"act", "lock-cycle", "which one"}, {NULL}},
    .run = run,
};
