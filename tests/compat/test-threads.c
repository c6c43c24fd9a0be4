/* SPDX-License-Identifier: MIT */
/*
 * Threads, most of which the library did not start: locks, contexts polled by
 * a plain pthread, coroutines that move, the thread pool, the BQL, fork().
 */
#include "qemu/osdep.h"
#include "qemu/aio-wait.h"
#include "block/block.h"
#include "block/thread-pool.h"
#include "iothread.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/coroutine.h"
#include "qemu/futex.h"
#include "qemu/lockable.h"
#include "qemu/lockcnt.h"
#include "qemu/main-loop.h"
#include "qemu/notify.h"
#include "qemu/thread.h"

#include <pthread.h>

enum { THREADS = 6, ROUNDS = 1000 };

static void count(void *opaque)
{
    qatomic_inc((int *)opaque);
    aio_wait_kick();
}

/* ---- Locks ---- */

static struct {
    QemuMutex mutex;
    QemuRecMutex rec;
    QemuSpin spin;
    QemuLockCnt lockcnt;
    QemuSemaphore sem;
    int n;
} locks;

static void *use_locks(void *opaque)
{
    QemuThread self;

    qemu_thread_get_self(&self);
    g_assert_true(qemu_thread_is_self(&self));
    for (int i = 0; i < ROUNDS; i++) {
        QEMU_LOCK_GUARD(&locks.rec);
        WITH_QEMU_LOCK_GUARD(&locks.rec) {
            qemu_spin_lock(&locks.spin);
            qemu_spin_unlock(&locks.spin);
        }
        WITH_QEMU_LOCK_GUARD(&locks.mutex) {
            locks.n++;
        }
        qemu_lockcnt_inc(&locks.lockcnt);
        if (qemu_lockcnt_dec_and_lock(&locks.lockcnt)) {
            qemu_lockcnt_unlock(&locks.lockcnt);
        }
    }
    qemu_sem_post(&locks.sem);
    return opaque;
}

static void test_locks(void)
{
    pthread_t posix[THREADS / 3];
    GThread *glib[THREADS / 3];
    QemuThread qemu[THREADS / 3];

    qemu_mutex_init(&locks.mutex);
    qemu_rec_mutex_init(&locks.rec);
    qemu_spin_init(&locks.spin);
    qemu_lockcnt_init(&locks.lockcnt);
    qemu_sem_init(&locks.sem, 0);
    for (int i = 0; i < THREADS / 3; i++) {
        pthread_create(&posix[i], NULL, use_locks, NULL);
        glib[i] = g_thread_new("glib", use_locks, NULL);
        qemu_thread_create(&qemu[i], "qemu", use_locks, &qemu[i],
                           QEMU_THREAD_JOINABLE);
    }
    for (int i = 0; i < THREADS; i++) {
        qemu_sem_wait(&locks.sem);
    }
    for (int i = 0; i < THREADS / 3; i++) {
        pthread_join(posix[i], NULL);
        g_thread_join(glib[i]);
        g_assert_true(qemu_thread_join(&qemu[i]) == &qemu[i]);
    }
    g_assert_cmpint(locks.n, ==, THREADS * ROUNDS);
    g_assert_cmpint(qemu_lockcnt_count(&locks.lockcnt), ==, 0);
}

static int word;

static void *set_word(void *opaque)
{
    qatomic_set(&word, 1);
    qemu_futex_wake_all(&word);
    return NULL;
}

static void test_futex(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, set_word, NULL);
    while (!qatomic_read(&word)) {
        qemu_futex_wait(&word, 0);
    }
    pthread_join(thread, NULL);
}

/* ---- Contexts of plain threads ---- */

typedef struct Loop {
    pthread_t thread;
    AioContext *ctx;
    QemuEvent ready;
    bool stop;
} Loop;

static void *run_loop(void *opaque)
{
    Loop *loop = opaque;

    loop->ctx = aio_context_new(&error_abort);
    qemu_set_current_aio_context(loop->ctx);
    qemu_event_set(&loop->ready);
    while (!loop->stop) {
        aio_poll(loop->ctx, true);
    }
    return NULL;
}

static void stop_loop(void *opaque)
{
    ((Loop *)opaque)->stop = true;
}

static void loop_start(Loop *loop)
{
    loop->stop = false;
    qemu_event_init(&loop->ready, false);
    pthread_create(&loop->thread, NULL, run_loop, loop);
    qemu_event_wait(&loop->ready);
}

/* The last reference goes in another thread than the first. */
static void loop_finish(Loop *loop)
{
    aio_bh_schedule_oneshot(loop->ctx, stop_loop, loop);
    pthread_join(loop->thread, NULL);
    aio_context_unref(loop->ctx);
    qemu_event_destroy(&loop->ready);
}

typedef struct Travel {
    Loop loops[2];
    int hops;
    bool done;
} Travel;

static void coroutine_fn travel(void *opaque)
{
    Travel *t = opaque;

    for (int i = 0; i < ROUNDS; i++) {
        AioContext *ctx = t->loops[i % 2].ctx;

        aio_co_reschedule_self(ctx);
        g_assert_true(qemu_get_current_aio_context() == ctx);
        t->hops++;
    }
    aio_co_reschedule_self(qemu_get_aio_context());
    t->done = true;
}

static void test_travel(void)
{
    Travel t = {.hops = 0};
    int n = 0;

    for (int i = 0; i < 2; i++) {
        loop_start(&t.loops[i]);
        aio_bh_schedule_oneshot(t.loops[i].ctx, count, &n);
    }
    aio_co_enter(t.loops[0].ctx, qemu_coroutine_create(travel, &t));
    AIO_WAIT_WHILE_UNLOCKED(NULL, !t.done || qatomic_read(&n) < 2);
    g_assert_cmpint(t.hops, ==, ROUNDS);
    loop_finish(&t.loops[0]);
    loop_finish(&t.loops[1]);
}

/* ---- The pool ---- */

static int fetch_inc(void *opaque)
{
    return qatomic_fetch_inc((int *)opaque);
}

static void pool_done(void *opaque, int ret)
{
    g_assert_cmpint(ret, >=, 0);
    count(opaque);
}

static void coroutine_fn submit_some(void *opaque)
{
    int n = 0;

    for (int i = 0; i < 20; i++) {
        g_assert_cmpint(thread_pool_submit_co(fetch_inc, &n), ==, i);
    }
    count(opaque);
}

static void test_pool(void)
{
    IOThread *iothread = iothread_new();
    AioContext *ctx = iothread_get_aio_context(iothread);
    int called = 0, done = 0;

    for (int i = 0; i < 50; i++) {
        thread_pool_submit_aio(fetch_inc, &called, pool_done, &done);
    }
    aio_co_enter(ctx, qemu_coroutine_create(submit_some, &done));
    aio_co_enter(qemu_get_aio_context(),
                 qemu_coroutine_create(submit_some, &done));
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&done) < 52);
    g_assert_cmpint(called, ==, 50);
    aio_context_ref(ctx);
    iothread_join(iothread);
    aio_context_unref(ctx);
}

/* ---- The BQL, and fork() ---- */

static void *take_bql(void *opaque)
{
    for (int i = 0; i < 50; i++) {
        BQL_LOCK_GUARD();
        g_assert_true(qemu_in_main_thread());
        g_assert_true(qemu_get_current_aio_context() ==
                      qemu_get_aio_context());
        aio_bh_schedule_oneshot(qemu_get_aio_context(), count, opaque);
    }
    g_assert_null(qemu_get_current_aio_context());
    return NULL;
}

static void test_bql(void)
{
    GThread *threads[3];
    int n = 0;

    bql_lock();
    for (int i = 0; i < 3; i++) {
        threads[i] = g_thread_new("vcpu", take_bql, &n);
    }
    while (qatomic_read(&n) < 150) {
        main_loop_wait(false);
        g_assert_true(bql_locked());
    }
    bql_unlock();
    for (int i = 0; i < 3; i++) {
        g_thread_join(threads[i]);
    }
}

static void test_fork(void)
{
    int status, n = 0;
    pid_t pid = fork();

    if (!pid) {
        AioContext *ctx = aio_context_new(&error_abort);

        qemu_set_current_aio_context(NULL);
        qemu_set_current_aio_context(ctx);
        aio_bh_schedule_oneshot(ctx, count, &n);
        aio_poll(ctx, true);
        _exit(n);
    }
    g_assert_true(waitpid(pid, &status, 0) == pid);
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_fatal);
    g_test_add_func("/threads/locks", test_locks);
    g_test_add_func("/threads/futex", test_futex);
    g_test_add_func("/threads/travel", test_travel);
    g_test_add_func("/threads/pool", test_pool);
    g_test_add_func("/threads/bql", test_bql);
    g_test_add_func("/threads/fork", test_fork);
    return g_test_run();
}
