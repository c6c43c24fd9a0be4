/* SPDX-License-Identifier: MIT */
/* The generic thread pool: who runs when, who waits, and who cleans up. */
#include "harness.h"

#include "block/thread-pool.h"

enum { MANY = 20 };

static int done, destroyed;
static char text[MANY + 1];

static int append(void *opaque)
{
    int at = qatomic_fetch_inc(&done);

    text[at] = *(char *)opaque;
    return 0;
}

static void destroy(void *opaque)
{
    qatomic_inc(&destroyed);
    g_free(opaque);
}

static char *letter(int i)
{
    return g_strdup_printf("%c", 'A' + i);
}

static ThreadPool *new_pool(void)
{
    done = destroyed = 0;
    memset(text, 0, sizeof(text));
    return thread_pool_new();
}

static void submit_letters(ThreadPool *pool, int from, int n)
{
    for (int i = from; i < from + n; i++) {
        thread_pool_submit(pool, append, letter(i), destroy);
    }
}

static void test_wait(const ScenarioArgs *args)
{
    ThreadPool *pool = new_pool();

    thread_pool_wait(pool); /* nothing to wait for */
    submit_letters(pool, 0, 5);
    CHECK_EQ(qatomic_read(&done), 0); /* it may have no thread */
    CHECK(thread_pool_set_max_threads(pool, 1));
    thread_pool_wait(pool);
    CHECK_STR(text, "ABCDE"); /* one thread: first in, first out */
    CHECK_EQ(destroyed, 5);
    submit_letters(pool, 5, 3);
    thread_pool_wait(pool);
    CHECK_STR(text, "ABCDEFGH");
    thread_pool_free(pool);
}

static void test_free(const ScenarioArgs *args)
{
    ThreadPool *pool = new_pool();

    submit_letters(pool, 0, MANY);
    thread_pool_free(pool); /* runs what nobody was allowed to run before */
    CHECK_EQ(done, MANY);
    CHECK_EQ(destroyed, MANY);
    thread_pool_free(new_pool());
}

typedef struct Meeting {
    QemuSemaphore arrived, leave;
} Meeting;

static int meet(void *opaque)
{
    Meeting *meeting = opaque;

    qemu_sem_post(&meeting->arrived);
    qemu_sem_wait(&meeting->leave);
    return 0;
}

static void meeting_init(Meeting *meeting)
{
    qemu_sem_init(&meeting->arrived, 0);
    qemu_sem_init(&meeting->leave, 0);
}

static void all_have_met(Meeting *meeting, int n)
{
    for (int i = 0; i < n; i++) {
        qemu_sem_wait(&meeting->arrived);
    }
    for (int i = 0; i < n; i++) {
        qemu_sem_post(&meeting->leave);
    }
}

static void meeting_finish(Meeting *meeting)
{
    qemu_sem_destroy(&meeting->arrived);
    qemu_sem_destroy(&meeting->leave);
}

/* Each begins at once, although none of the others ends. */
static void test_immediate(const ScenarioArgs *args)
{
    ThreadPool *pool = new_pool();
    Meeting meeting;

    meeting_init(&meeting);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) {
            thread_pool_submit_immediate(pool, meet, &meeting, NULL);
        }
        all_have_met(&meeting, 4);
        thread_pool_wait(pool);
    }
    thread_pool_free(pool);
    meeting_finish(&meeting);
}

static void test_adjust(const ScenarioArgs *args)
{
    ThreadPool *pool = new_pool();
    Meeting meeting;

    meeting_init(&meeting);
    CHECK(thread_pool_adjust_max_threads_to_work(pool)); /* there is none */
    for (int i = 0; i < 3; i++) {
        thread_pool_submit(pool, meet, &meeting, NULL);
    }
    CHECK(thread_pool_adjust_max_threads_to_work(pool));
    all_have_met(&meeting, 3);
    thread_pool_wait(pool);
    /* Fewer from now on; two of the three end. */
    CHECK(thread_pool_set_max_threads(pool, 1));
    submit_letters(pool, 0, 6);
    thread_pool_wait(pool);
    CHECK_EQ(done, 6);
    thread_pool_free(pool);
    meeting_finish(&meeting);
}

static int submit_more(void *opaque)
{
    submit_letters(opaque, 0, 3);
    return 0;
}

static void test_from_worker(const ScenarioArgs *args)
{
    ThreadPool *pool = new_pool();

    CHECK(thread_pool_set_max_threads(pool, 2));
    thread_pool_submit(pool, submit_more, pool, NULL);
    thread_pool_wait(pool);
    CHECK_EQ(done, 3);
    thread_pool_free(pool);
}

static void abort_no_threads(const ScenarioArgs *args)
{
    thread_pool_set_max_threads(new_pool(), 0);
}

static const LoopTest tests[] = {
    {"/thread-pool/generic/wait", test_wait, TEST_THREADS},
    {"/thread-pool/generic/free", test_free, TEST_THREADS},
    {"/thread-pool/generic/immediate", test_immediate, TEST_THREADS},
    {"/thread-pool/generic/adjust", test_adjust, TEST_THREADS},
    {"/thread-pool/generic/from-worker", test_from_worker, TEST_THREADS},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/thread-pool/generic/no-threads", abort_no_threads, "max_threads > 0"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
