/* SPDX-License-Identifier: MIT */
/*
 * b40-throttle-yield: a coroutine yields with a thread's mutex held.
 *
 * QEMU d481617765, "block/throttle-groups: fix deadlock with iolimits and
 * multiple iothreads" (2026).  With tg->lock, a QemuMutex, held a coroutine
 * schedules the next request, which takes the CoMutex throttled_reqs_lock.  A
 * coroutine of another thread has that, so the first one yields, and the next
 * coroutine of its thread wants tg->lock, which its own thread has.
 *
 *   buggy  throttled_reqs has a CoMutex of its own
 *   fixed  tg->lock protects it, too
 *
 * The CoMutex is a small one: it has one waiter, and does not spin.
 */
#include "aiolab/scenario.h"
#include "iothread.h"

typedef struct SmallCoMutex {
    QemuMutex guard;
    bool locked;
    Coroutine *waiter;
} SmallCoMutex;

typedef struct ThrottleGroup {
    QemuMutex lock;
    SmallCoMutex throttled_reqs_lock;
    bool one_lock;
    unsigned left; /* coroutines */
} ThrottleGroup;

static void coroutine_fn small_co_mutex_lock(SmallCoMutex *mutex)
{
    bool was_locked;

    qemu_mutex_lock(&mutex->guard);
    was_locked = mutex->locked;
    mutex->locked = true;
    mutex->waiter = was_locked ? qemu_coroutine_self() : NULL;
    qemu_mutex_unlock(&mutex->guard);
    if (was_locked) {
        qemu_coroutine_yield();
    }
}

static void coroutine_fn small_co_mutex_unlock(SmallCoMutex *mutex)
{
    Coroutine *next;

    qemu_mutex_lock(&mutex->guard);
    next = mutex->waiter;
    mutex->waiter = NULL;
    mutex->locked = next != NULL;
    qemu_mutex_unlock(&mutex->guard);
    if (next) {
        aio_co_wake(next);
    }
}

static void coroutine_fn done(ThrottleGroup *tg)
{
    qatomic_dec(&tg->left);
    aio_wait_kick();
}

static void coroutine_fn throttle_group_co_io_limits_intercept(void *opaque)
{
    ThrottleGroup *tg = opaque;

    qemu_mutex_lock(&tg->lock);
    if (!tg->one_lock) { /* schedule_next_request() */
        small_co_mutex_lock(&tg->throttled_reqs_lock);
        small_co_mutex_unlock(&tg->throttled_reqs_lock);
    }
    qemu_mutex_unlock(&tg->lock);
    done(tg);
}

/* In the other thread: a timer lets a throttled request go on. */
static void coroutine_fn throttle_group_restart_queue_entry(void *opaque)
{
    ThrottleGroup *tg = opaque;

    if (tg->one_lock) {
        qemu_mutex_lock(&tg->lock);
        qemu_mutex_unlock(&tg->lock);
    } else {
        small_co_mutex_lock(&tg->throttled_reqs_lock);
        small_co_mutex_unlock(&tg->throttled_reqs_lock);
    }
    done(tg);
}

static void run(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_new();
    AioContext *ctx = iothread_get_aio_context(iothread);
    ThrottleGroup tg = {
        .one_lock = scenario_is_variant(args, "fixed"), .left = 3,
    };

    qemu_mutex_init(&tg.lock);
    qemu_mutex_init(&tg.throttled_reqs_lock.guard);
    for (unsigned i = 0; i < 2; i++) {
        aio_co_enter(ctx, qemu_coroutine_create(
                              throttle_group_co_io_limits_intercept, &tg));
    }
    qemu_coroutine_enter(qemu_coroutine_create(
                             throttle_group_restart_queue_entry, &tg));
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&tg.left) > 0);
    iothread_join(iothread);
    qemu_mutex_destroy(&tg.throttled_reqs_lock.guard);
    qemu_mutex_destroy(&tg.lock);
}

SCENARIO(b40_throttle_yield) = {
    .name = "b40-throttle-yield",
    .summary = "a coroutine waits for a CoMutex with a QemuMutex held, and the "
               "next one of its thread wants that (QEMU d481617765)",
    .shows = "the IOThread waits for tg->lock, which its own suspended "
             "coroutine holds until the IOThread enters it again; the fix has "
             "one lock for both",
    .variants = (const ScenarioVariant[]){
        {"buggy", "a CoMutex inside a QemuMutex"},
        {"fixed", "the QemuMutex alone"},
        {NULL}},
    .run = run,
};
