/* SPDX-License-Identifier: MIT */
/*
 * Locks of coroutines: CoQueue, CoMutex and CoRwlock, in one context and over
 * several threads; sleeps that are ended early.
 */
#include "harness.h"

#include "qemu/lockable.h"

static Trace order;
static CoMutex mutex;
static CoRwlock rwlock;
static CoQueue queue;

static Coroutine *create(CoroutineEntry *entry, const void *opaque)
{
    return qemu_coroutine_create(entry, (void *)opaque);
}

static void start(CoroutineEntry *entry, const void *opaque)
{
    qemu_coroutine_enter(create(entry, opaque));
}

/* ---- CoQueue ---- */

static void coroutine_fn wait_in_queue(void *opaque)
{
    qemu_co_queue_wait(&queue, NULL);
    trace(&order, *(char *)opaque);
}

static void coroutine_fn restart_all(void *opaque)
{
    trace(&order, '(');
    qemu_co_queue_restart_all(&queue);
    trace(&order, ')');
}

static void fill_queue(void)
{
    order = (Trace){.n = 0};
    qemu_co_queue_init(&queue);
    CHECK(qemu_co_queue_empty(&queue));
    start(wait_in_queue, "1");
    start(wait_in_queue, "2");
    start(wait_in_queue, "3");
    CHECK(!qemu_co_queue_empty(&queue));
}

static void test_queue(const ScenarioArgs *args)
{
    fill_queue();
    start(restart_all, NULL);
    CHECK_STR(order.text, "()123"); /* when the waker ends, in order */
    fill_queue();
    CHECK(qemu_co_enter_next(&queue, NULL));
    CHECK_STR(order.text, "1"); /* outside coroutines: at once */
    qemu_co_enter_all(&queue, NULL);
    CHECK_STR(order.text, "123");
    CHECK(!qemu_co_enter_next(&queue, NULL));
}

static void coroutine_fn wait_in_front(void *opaque)
{
    qemu_co_queue_wait_flags(&queue, NULL, CO_QUEUE_WAIT_FRONT);
    trace(&order, 'F');
}

static void test_queue_front(const ScenarioArgs *args)
{
    fill_queue();
    start(wait_in_front, NULL);
    qemu_co_enter_all(&queue, NULL);
    CHECK_STR(order.text, "F123");
}

static void coroutine_fn wait_with_lock(void *opaque)
{
    qemu_co_mutex_lock(&mutex);
    qemu_co_queue_wait(&queue, &mutex);
    qemu_co_mutex_assert_locked(&mutex);
    trace(&order, 'w');
    qemu_co_mutex_unlock(&mutex);
}

static void coroutine_fn wake_with_lock(void *opaque)
{
    qemu_co_mutex_lock(&mutex); /* free: the waiter gave it up */
    qemu_co_queue_next(&queue);
    trace(&order, 'k');
    qemu_co_mutex_unlock(&mutex);
}

static void test_queue_lock(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    qemu_co_mutex_init(&mutex);
    qemu_co_queue_init(&queue);
    start(wait_with_lock, NULL);
    start(wake_with_lock, NULL);
    CHECK_STR(order.text, "kw");
    CHECK(!mutex.locked);
}

/* ---- CoMutex ---- */

static void coroutine_fn hold_over_yield(void *opaque)
{
    qemu_co_mutex_lock(&mutex);
    trace(&order, 'a');
    qemu_coroutine_yield();
    trace(&order, 'b');
    qemu_co_mutex_unlock(&mutex);
}

static void coroutine_fn lock_once(void *opaque)
{
    qemu_co_mutex_lock(&mutex);
    trace(&order, *(char *)opaque);
    qemu_co_mutex_unlock(&mutex);
}

static void test_mutex_fifo(const ScenarioArgs *args)
{
    Coroutine *holder = qemu_coroutine_create(hold_over_yield, NULL);

    order = (Trace){.n = 0};
    qemu_co_mutex_init(&mutex);
    qemu_coroutine_enter(holder);
    start(lock_once, "1");
    start(lock_once, "2");
    start(lock_once, "3");
    CHECK_STR(order.text, "a");
    qemu_coroutine_enter(holder);
    CHECK_STR(order.text, "ab123");
    CHECK(!mutex.locked);
}

typedef struct Crowd {
    int64_t counter; /* under mutex, or under rwlock */
    int inside;      /* writers that hold it now */
    int left;        /* coroutines that still run; any thread */
    AioContext *ctx[3];
} Crowd;

enum { MEMBERS = 6, ROUNDS = 20 };

static Crowd crowd;

static void leave(void)
{
    qatomic_dec(&crowd.left);
    aio_wait_kick();
}

static void coroutine_fn count_under_mutex(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        qemu_co_mutex_lock(&mutex);
        CHECK(crowd.inside++ == 0);
        crowd.counter++;
        if (i % 4 == 0) {
            qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 1000);
        }
        crowd.inside--;
        qemu_co_mutex_unlock(&mutex);
        aio_co_reschedule_self(crowd.ctx[i % 3]); /* hop to another thread */
    }
    leave();
}

static void coroutine_fn count_under_rwlock(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 3) {
            qemu_co_rwlock_rdlock(&rwlock);
            CHECK(qatomic_read(&crowd.inside) == 0);
        } else {
            qemu_co_rwlock_wrlock(&rwlock);
            CHECK(crowd.inside++ == 0);
            crowd.counter++;
            crowd.inside--;
        }
        qemu_co_rwlock_unlock(&rwlock);
        aio_co_reschedule_self(crowd.ctx[i % 3]);
    }
    leave();
}

static void run_crowd(CoroutineEntry *entry, int64_t expected)
{
    IOThread *threads[3];

    crowd = (Crowd){.left = MEMBERS};
    qemu_co_mutex_init(&mutex);
    qemu_co_rwlock_init(&rwlock);
    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("io%d", i);

        threads[i] = iothread_create(name, &error_abort);
        crowd.ctx[i] = iothread_get_aio_context(threads[i]);
    }
    for (int i = 0; i < MEMBERS; i++) {
        aio_co_schedule(crowd.ctx[i % 3], qemu_coroutine_create(entry, NULL));
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_load_acquire(&crowd.left) > 0);
    CHECK(crowd.counter == expected);
    for (int i = 0; i < 3; i++) {
        iothread_destroy(threads[i]);
    }
}

static void test_mutex_threads(const ScenarioArgs *args)
{
    run_crowd(count_under_mutex, MEMBERS * ROUNDS);
    CHECK(!mutex.locked);
}

static void test_rwlock_threads(const ScenarioArgs *args)
{
    run_crowd(count_under_rwlock, MEMBERS * ((ROUNDS + 2) / 3));
    CHECK(rwlock.owners == 0);
}

/* ---- CoRwlock ---- */

static void coroutine_fn read_over_yield(void *opaque)
{
    qemu_co_rwlock_rdlock(&rwlock);
    trace(&order, *(char *)opaque);
    qemu_coroutine_yield();
    qemu_co_rwlock_unlock(&rwlock);
}

static void coroutine_fn write_once(void *opaque)
{
    qemu_co_rwlock_wrlock(&rwlock);
    trace(&order, 'W');
    qemu_co_rwlock_unlock(&rwlock);
}

static void coroutine_fn read_once(void *opaque)
{
    qemu_co_rwlock_rdlock(&rwlock);
    trace(&order, *(char *)opaque);
    qemu_co_rwlock_unlock(&rwlock);
}

static void test_rwlock_fair(const ScenarioArgs *args)
{
    Coroutine *reader = create(read_over_yield, "r");

    order = (Trace){.n = 0};
    qemu_co_rwlock_init(&rwlock);
    qemu_coroutine_enter(reader);
    start(read_once, "s"); /* readers share */
    start(write_once, NULL);
    start(read_once, "t"); /* behind the writer, though a reader is in */
    start(read_once, "u");
    CHECK_STR(order.text, "rs");
    qemu_coroutine_enter(reader);
    CHECK_STR(order.text, "rsWtu");
    CHECK(rwlock.owners == 0);
}

static void coroutine_fn upgrade_alone(void *opaque)
{
    qemu_co_rwlock_rdlock(&rwlock);
    qemu_co_rwlock_upgrade(&rwlock);
    CHECK(rwlock.owners == -1);
    qemu_co_rwlock_downgrade(&rwlock);
    CHECK(rwlock.owners == 1);
    qemu_co_rwlock_unlock(&rwlock);
    trace(&order, 'd');
}

static void coroutine_fn upgrade_in_line(void *opaque)
{
    qemu_co_rwlock_rdlock(&rwlock);
    qemu_co_rwlock_upgrade(&rwlock);
    trace(&order, 'U');
    qemu_co_rwlock_unlock(&rwlock);
}

static void test_rwlock_upgrade(const ScenarioArgs *args)
{
    Coroutine *reader = create(read_over_yield, "r");

    order = (Trace){.n = 0};
    qemu_co_rwlock_init(&rwlock);
    start(upgrade_alone, NULL);
    CHECK_STR(order.text, "d");
    qemu_coroutine_enter(reader);
    start(upgrade_in_line, NULL);
    start(write_once, NULL);
    CHECK_STR(order.text, "dr");
    qemu_coroutine_enter(reader);
    CHECK_STR(order.text, "drUW");
}

/* ---- Sleeps ---- */

static QemuCoSleep sleeper;

static void coroutine_fn sleep_long(void *opaque)
{
    qemu_co_sleep_ns_wakeable(&sleeper, QEMU_CLOCK_REALTIME,
                              1000 * NANOSECONDS_PER_SECOND);
    trace(&order, 'z');
}

static void test_sleep_wake(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    sleeper.to_wake = NULL;
    qemu_co_sleep_wake(&sleeper); /* nobody sleeps: nothing happens */
    start(sleep_long, NULL);
    CHECK_STR(order.text, "");
    qemu_co_sleep_wake(&sleeper);
    CHECK_STR(order.text, "z");
    CHECK(!sleeper.to_wake);
}

/* ---- Guards ---- */

static void test_guards(const ScenarioArgs *args)
{
    QemuMutex thread_mutex;

    qemu_mutex_init(&thread_mutex);
    WITH_QEMU_LOCK_GUARD(&thread_mutex) {
        CHECK(qemu_mutex_trylock(&thread_mutex) == -EBUSY);
    }
    {
        QEMU_LOCK_GUARD(&thread_mutex);
        CHECK(qemu_mutex_trylock(&thread_mutex) == -EBUSY);
    }
    CHECK(qemu_mutex_trylock(&thread_mutex) == 0);
    qemu_mutex_unlock(&thread_mutex);
    qemu_mutex_destroy(&thread_mutex);
}

int main(int argc, char **argv)
{
    static const LoopTest tests[] = {
        {"/co-queue/order", test_queue, 0, 0},
        {"/co-queue/front", test_queue_front, 0, 0},
        {"/co-queue/lock", test_queue_lock, 0, 0},
        {"/co-mutex/fifo", test_mutex_fifo, 0, 0},
        {"/co-mutex/threads", test_mutex_threads, TEST_THREADS, 0},
        {"/co-rwlock/fair", test_rwlock_fair, 0, 0},
        {"/co-rwlock/upgrade", test_rwlock_upgrade, 0, 0},
        {"/co-rwlock/threads", test_rwlock_threads, TEST_THREADS, 0},
        {"/co-sleep/wake", test_sleep_wake, 0, 0},
        {"/lockable/guards", test_guards, 0, 0},
        {NULL}};

    return harness_main(argc, argv, tests, NULL);
}
