/* SPDX-License-Identifier: MIT */
/* Threads, mutexes, conditions, semaphores and events. */
#include "harness.h"

enum { THREADS = 3, ROUNDS = 40 };

typedef struct Shared {
    QemuMutex mutex;
    QemuCond cond;
    QemuSemaphore sem, back;
    QemuEvent event;
    int n, turn;
    bool inside;
} Shared;

static Shared shared;

static void shared_init(void)
{
    shared = (Shared){.n = 0};
    qemu_mutex_init(&shared.mutex);
    qemu_cond_init(&shared.cond);
    qemu_sem_init(&shared.sem, 0);
    qemu_sem_init(&shared.back, 0);
    qemu_event_init(&shared.event, false);
}

static void shared_finish(void)
{
    qemu_event_destroy(&shared.event);
    qemu_sem_destroy(&shared.back);
    qemu_sem_destroy(&shared.sem);
    qemu_cond_destroy(&shared.cond);
    qemu_mutex_destroy(&shared.mutex);
}

/* Starts THREADS of them, each with its number, and joins them. */
static void run_threads(void *(*fn)(void *))
{
    QemuThread threads[THREADS];

    for (intptr_t i = 0; i < THREADS; i++) {
        qemu_thread_create(&threads[i], "worker", fn, (void *)i,
                           QEMU_THREAD_JOINABLE);
    }
    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK_EQ((intptr_t)qemu_thread_join(&threads[i]), i + 100);
    }
}

static void *lock_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        qemu_mutex_lock(&shared.mutex);
        CHECK(!shared.inside);
        shared.inside = true;
        shared.n++;
        shared.inside = false;
        qemu_mutex_unlock(&shared.mutex);
    }
    return (char *)opaque + 100;
}

static void test_mutex(const ScenarioArgs *args)
{
    shared_init();
    run_threads(lock_thread);
    CHECK_EQ(shared.n, THREADS * ROUNDS);
    shared_finish();
}

static void *trylock_thread(void *opaque)
{
    CHECK_EQ(qemu_mutex_trylock(&shared.mutex), -EBUSY);
    return (char *)opaque + 100;
}

static void test_trylock(const ScenarioArgs *args)
{
    shared_init();
    CHECK_EQ(qemu_mutex_trylock(&shared.mutex), 0);
    run_threads(trylock_thread);
    qemu_mutex_unlock(&shared.mutex);
    CHECK_EQ(qemu_mutex_trylock(&shared.mutex), 0);
    qemu_mutex_unlock(&shared.mutex);
    shared_finish();
}

/* Each waits for its turn: a lost wake-up would hang it. */
static void *turn_thread(void *opaque)
{
    intptr_t me = (intptr_t)opaque;

    for (int i = 0; i < ROUNDS / 4; i++) {
        qemu_mutex_lock(&shared.mutex);
        while (shared.turn % THREADS != me) {
            qemu_cond_wait(&shared.cond, &shared.mutex);
        }
        shared.turn++;
        qemu_cond_broadcast(&shared.cond);
        qemu_mutex_unlock(&shared.mutex);
    }
    return (char *)opaque + 100;
}

static void test_cond(const ScenarioArgs *args)
{
    shared_init();
    run_threads(turn_thread);
    CHECK_EQ(shared.turn, THREADS * (ROUNDS / 4));
    shared_finish();
}

static void *signal_thread(void *opaque)
{
    qemu_mutex_lock(&shared.mutex);
    while (!shared.n) {
        qemu_cond_wait(&shared.cond, &shared.mutex);
    }
    shared.n--;
    qemu_mutex_unlock(&shared.mutex);
    qemu_sem_post(&shared.back);
    return (char *)opaque + 100;
}

static void *signaller_thread(void *opaque)
{
    for (int i = 0; i < THREADS; i++) {
        qemu_mutex_lock(&shared.mutex);
        shared.n++;
        qemu_cond_signal(&shared.cond);
        qemu_mutex_unlock(&shared.mutex);
        qemu_sem_wait(&shared.back); /* one waiter for each signal */
    }
    return NULL;
}

static void test_cond_signal(const ScenarioArgs *args)
{
    QemuThread signaller;

    shared_init();
    qemu_thread_create(&signaller, "signaller", signaller_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    run_threads(signal_thread);
    qemu_thread_join(&signaller);
    CHECK_EQ(shared.n, 0);
    shared_finish();
}

static void test_cond_timedwait(const ScenarioArgs *args)
{
    shared_init();
    qemu_mutex_lock(&shared.mutex);
    CHECK(!qemu_cond_timedwait(&shared.cond, &shared.mutex, 1));
    CHECK(!qemu_cond_timedwait(&shared.cond, &shared.mutex, 0));
    CHECK(!qemu_cond_timedwait(&shared.cond, &shared.mutex, -1));
    /* The mutex is ours again. */
    CHECK_EQ(qemu_mutex_trylock(&shared.mutex), -EBUSY);
    qemu_mutex_unlock(&shared.mutex);
    shared_finish();
}

static void *sem_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        qemu_sem_wait(&shared.sem);
        qatomic_inc(&shared.n);
        qemu_sem_post(&shared.back);
    }
    return (char *)opaque + 100;
}

static void *post_thread(void *opaque)
{
    for (int i = 1; i <= ROUNDS * THREADS; i++) {
        qemu_sem_post(&shared.sem);
        qemu_sem_wait(&shared.back);
        CHECK_EQ(qatomic_read(&shared.n), i);
    }
    return NULL;
}

static void test_sem(const ScenarioArgs *args)
{
    QemuThread poster;

    shared_init();
    qemu_thread_create(&poster, "poster", post_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    run_threads(sem_thread);
    qemu_thread_join(&poster);
    CHECK_EQ(shared.n, THREADS * ROUNDS);
    shared_finish();
}

static void test_sem_timedwait(const ScenarioArgs *args)
{
    shared_init();
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, 0), -1);
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, 1), -1);
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, -1), -1);
    qemu_sem_post(&shared.sem);
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, 0), 0);
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, 0), -1);
    shared_finish();
}

/* Woken by the posts, long before the time is over. */
static void *sem_timed_thread(void *opaque)
{
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, 1000000), 0);
    return (char *)opaque + 100;
}

static void *sem_timed_poster(void *opaque)
{
    for (int i = 0; i < THREADS; i++) {
        qemu_sem_post(&shared.sem);
    }
    return NULL;
}

static void test_sem_timedwait_post(const ScenarioArgs *args)
{
    QemuThread poster;

    shared_init();
    qemu_thread_create(&poster, "poster", sem_timed_poster, NULL,
                       QEMU_THREAD_JOINABLE);
    run_threads(sem_timed_thread);
    qemu_thread_join(&poster);
    CHECK_EQ(qemu_sem_timedwait(&shared.sem, 0), -1);
    shared_finish();
}

static void *event_thread(void *opaque)
{
    qemu_event_wait(&shared.event);
    CHECK_EQ(qatomic_read(&shared.n), 1);
    return (char *)opaque + 100;
}

static void *set_thread(void *opaque)
{
    qatomic_set(&shared.n, 1);
    qemu_event_set(&shared.event);
    return NULL;
}

static void test_event(const ScenarioArgs *args)
{
    QemuThread setter;

    shared_init();
    for (int i = 0; i < 3; i++) {
        qemu_event_reset(&shared.event);
        shared.n = 0;
        qemu_thread_create(&setter, "setter", set_thread, NULL,
                           QEMU_THREAD_JOINABLE);
        run_threads(event_thread);
        qemu_thread_join(&setter);
        qemu_event_wait(&shared.event); /* stays set */
    }
    shared_finish();
}

static void test_event_init(const ScenarioArgs *args)
{
    QemuEvent event;

    qemu_event_init(&event, true);
    qemu_event_wait(&event);
    qemu_event_wait(&event);
    qemu_event_reset(&event);
    qemu_event_reset(&event);
    qemu_event_set(&event);
    qemu_event_set(&event);
    qemu_event_wait(&event);
    qemu_event_destroy(&event);
}

/* The waiter's stack is the event's home; the setter may be late. */
static void *own_event_setter(void *opaque)
{
    qemu_event_set(opaque);
    return NULL;
}

static void test_event_on_stack(const ScenarioArgs *args)
{
    for (int i = 0; i < 10; i++) {
        QemuEvent *event = g_new(QemuEvent, 1);
        QemuThread setter;

        qemu_event_init(event, false);
        qemu_thread_create(&setter, "setter", own_event_setter, event,
                           QEMU_THREAD_JOINABLE);
        qemu_event_wait(event);
        qemu_event_destroy(event);
        g_free(event);
        qemu_thread_join(&setter);
    }
}

/* Reset, test, wait: no set is lost, and none is seen twice for nothing. */
static void *ping_thread(void *opaque)
{
    for (int i = 1; i <= ROUNDS; i++) {
        qatomic_set(&shared.n, i);
        qemu_event_set(&shared.event);
        qemu_sem_wait(&shared.back);
    }
    return NULL;
}

static void test_event_reset(const ScenarioArgs *args)
{
    QemuThread pinger;

    shared_init();
    qemu_thread_create(&pinger, "pinger", ping_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    for (int i = 1; i <= ROUNDS; i++) {
        for (;;) {
            qemu_event_reset(&shared.event);
            if (qatomic_read(&shared.n) == i) {
                break;
            }
            qemu_event_wait(&shared.event);
        }
        qemu_sem_post(&shared.back);
    }
    qemu_thread_join(&pinger);
    shared_finish();
}

static const LoopTest tests[] = {
    {"/thread/mutex", test_mutex, TEST_THREADS},
    {"/thread/trylock", test_trylock, TEST_THREADS},
    {"/thread/cond", test_cond, TEST_THREADS},
    {"/thread/cond/signal", test_cond_signal, TEST_THREADS},
    {"/thread/cond/timedwait", test_cond_timedwait},
    {"/thread/sem", test_sem, TEST_THREADS},
    {"/thread/sem/timedwait", test_sem_timedwait},
    {"/thread/sem/timedwait/post", test_sem_timedwait_post, TEST_THREADS},
    {"/thread/event", test_event, TEST_THREADS},
    {"/thread/event/init", test_event_init},
    {"/thread/event/on-stack", test_event_on_stack, TEST_THREADS},
    {"/thread/event/reset", test_event_reset, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
