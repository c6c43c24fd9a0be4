/* SPDX-License-Identifier: MIT */
/* GLib's own threads, locks, queues and thread variables. */
#include "harness.h"
#include "qemu/thread.h"

enum { THREADS = 3, ROUNDS = 10 };

static GMutex mutex;
static GCond cond;
static GRecMutex rec_mutex;
static GRWLock rw_lock;
static int turn, n_done;

static void run_threads(GThreadFunc fn)
{
    GThread *threads[THREADS];

    turn = n_done = 0;
    for (int i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new("worker", fn, GINT_TO_POINTER(i));
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(GPOINTER_TO_INT(g_thread_join(threads[i])), 10 * i);
    }
    CHECK_EQ(n_done, THREADS * ROUNDS);
}

/* ---- GMutex and GCond ---- */

static gpointer take_turns(gpointer opaque)
{
    int me = GPOINTER_TO_INT(opaque);

    for (int i = 0; i < ROUNDS; i++) {
        g_mutex_lock(&mutex);
        while (turn % THREADS != me) {
            g_cond_wait(&cond, &mutex);
        }
        turn++;
        n_done++;
        g_cond_broadcast(&cond);
        g_mutex_unlock(&mutex);
    }
    return GINT_TO_POINTER(10 * me);
}

static void test_cond(const ScenarioArgs *args)
{
    g_mutex_init(&mutex);
    g_cond_init(&cond);
    run_threads(take_turns);
    CHECK(g_mutex_trylock(&mutex));
    CHECK(!g_cond_wait_until(&cond, &mutex, g_get_monotonic_time() + 500));
    g_mutex_unlock(&mutex);
    g_cond_clear(&cond);
    g_mutex_clear(&mutex);
}

/* ---- GRecMutex and GRWLock ---- */

static gpointer count_recursively(gpointer opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        g_rec_mutex_lock(&rec_mutex);
        CHECK(g_rec_mutex_trylock(&rec_mutex));
        turn = n_done + 1;
        n_done = turn;
        g_rec_mutex_unlock(&rec_mutex);
        g_rec_mutex_unlock(&rec_mutex);
    }
    return GINT_TO_POINTER(10 * GPOINTER_TO_INT(opaque));
}

static void test_rec_mutex(const ScenarioArgs *args)
{
    run_threads(count_recursively);
    g_rec_mutex_clear(&rec_mutex);
}

static gpointer read_and_write(gpointer opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        g_rw_lock_reader_lock(&rw_lock);
        CHECK_EQ(turn, n_done);
        g_rw_lock_reader_unlock(&rw_lock);
        g_rw_lock_writer_lock(&rw_lock);
        turn++;
        CHECK(!g_rw_lock_reader_trylock(&rw_lock));
        n_done++;
        g_rw_lock_writer_unlock(&rw_lock);
    }
    return GINT_TO_POINTER(10 * GPOINTER_TO_INT(opaque));
}

static void test_rw_lock(const ScenarioArgs *args)
{
    run_threads(read_and_write);
    CHECK(g_rw_lock_writer_trylock(&rw_lock));
    g_rw_lock_writer_unlock(&rw_lock);
    g_rw_lock_clear(&rw_lock);
}

/* ---- GAsyncQueue ---- */

static GAsyncQueue *queue;

static gpointer push_all(gpointer opaque)
{
    for (int i = 1; i <= ROUNDS; i++) {
        g_async_queue_push(queue, GINT_TO_POINTER(i));
    }
    return NULL;
}

static void test_queue(const ScenarioArgs *args)
{
    GThread *threads[THREADS];
    int sum = 0;

    queue = g_async_queue_new();
    CHECK(!g_async_queue_try_pop(queue));
    CHECK(!g_async_queue_timeout_pop(queue, 200));
    for (int i = 0; i < THREADS; i++) {
        threads[i] = g_thread_try_new("pusher", push_all, NULL, NULL);
    }
    for (int i = 0; i < THREADS * ROUNDS; i++) {
        sum += GPOINTER_TO_INT(g_async_queue_pop(queue));
    }
    CHECK_EQ(sum, THREADS * ROUNDS * (ROUNDS + 1) / 2);
    CHECK_EQ(g_async_queue_length(queue), 0);
    for (int i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    g_async_queue_unref(queue);
}

/* ---- What is a thread's own ---- */

static int destroyed;

static void count_destroyed(gpointer value)
{
    qatomic_add(&destroyed, GPOINTER_TO_INT(value));
}

static GPrivate own = G_PRIVATE_INIT(count_destroyed);
static GThread *creator;

static gpointer keep_own(gpointer opaque)
{
    QemuThread self;

    CHECK(!g_private_get(&own));
    g_private_set(&own, opaque);
    for (int i = 0; i < ROUNDS; i++) {
        g_mutex_lock(&mutex);
        g_mutex_unlock(&mutex);
        CHECK(g_private_get(&own) == opaque);
    }
    g_private_replace(&own, GINT_TO_POINTER(100));
    CHECK(g_thread_self() != creator);
    qemu_thread_get_self(&self);
    CHECK(qemu_thread_is_self(&self));
    g_thread_exit(GINT_TO_POINTER(7));
    return NULL;
}

/* A thread of GLib's is one of the host's like another. */
static void test_own(const ScenarioArgs *args)
{
    GThread *threads[THREADS];

    destroyed = 0;
    creator = g_thread_self();
    CHECK(creator == g_thread_self());
    for (int i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new("own", keep_own, GINT_TO_POINTER(1));
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(GPOINTER_TO_INT(g_thread_join(threads[i])), 7);
    }
    CHECK(qatomic_read(&destroyed) >= THREADS); /* those of the end may come */
    CHECK(!g_private_get(&own));
}

static const LoopTest tests[] = {
    {"cond", test_cond, TEST_THREADS},
    {"rec mutex", test_rec_mutex, TEST_THREADS},
    {"rw lock", test_rw_lock, TEST_THREADS},
    {"queue", test_queue, TEST_THREADS},
    {"own", test_own, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
