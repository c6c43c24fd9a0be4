/* SPDX-License-Identifier: MIT */
/* Threads: how they begin and end, and who they are. */
#include "harness.h"
#include "qemu/notify.h"
#include "qemu/thread.h"

#include <pthread.h>
#include <signal.h>

static QemuSemaphore done;
static int n_run;

static void *count_thread(void *opaque)
{
    qatomic_inc(&n_run);
    qemu_sem_post(&done);
    return NULL;
}

/* Nobody joins them; the QemuThread is forgotten at once. */
static void test_detached(const ScenarioArgs *args)
{
    enum { N = 20 };

    n_run = 0;
    qemu_sem_init(&done, 0);
    for (int i = 0; i < N; i++) {
        QemuThread thread;

        qemu_thread_create(&thread, "detached", count_thread, NULL,
                           QEMU_THREAD_DETACHED);
    }
    for (int i = 0; i < N; i++) {
        qemu_sem_wait(&done);
    }
    CHECK_EQ(qatomic_read(&n_run), N);
}

/* Must not look at the QemuThread, which is filled in by its creator. */
static void *nameless_thread(void *opaque)
{
    return opaque;
}

static void test_no_name(const ScenarioArgs *args)
{
    QemuThread thread;
    int x;

    qemu_thread_naming(false);
    qemu_thread_create(&thread, NULL, nameless_thread, &x,
                       QEMU_THREAD_JOINABLE);
    CHECK(qemu_thread_join(&thread) == &x);
    qemu_thread_naming(true);
}

static QemuThread first, second;

static void *self_thread(void *opaque)
{
    QemuThread self, *other = opaque == &first ? &second : &first;

    qemu_thread_get_self(&self);
    CHECK(qemu_thread_is_self(&self));
    CHECK(qemu_thread_is_self(opaque));
    qemu_sem_wait(&done); /* both exist */
    CHECK(!qemu_thread_is_self(other));
    return NULL;
}

static void test_self(const ScenarioArgs *args)
{
    QemuThread self;

    qemu_sem_init(&done, 0);
    qemu_thread_get_self(&self);
    CHECK(qemu_thread_is_self(&self));
    qemu_thread_create(&first, "first", self_thread, &first,
                       QEMU_THREAD_JOINABLE);
    qemu_thread_create(&second, "second", self_thread, &second,
                       QEMU_THREAD_JOINABLE);
    CHECK(!qemu_thread_is_self(&first));
    qemu_sem_post(&done);
    qemu_sem_post(&done);
    qemu_thread_join(&first);
    qemu_thread_join(&second);
    CHECK(qemu_thread_is_self(&self));
}

static void QEMU_NORETURN leave(int depth)
{
    static int result;

    if (depth > 0) {
        leave(depth - 1);
    }
    result = 7;
    qemu_thread_exit(&result);
}

static void *exit_thread(void *opaque)
{
    leave(3);
}

static void test_exit(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_thread_create(&thread, "exit", exit_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    CHECK_EQ(*(int *)qemu_thread_join(&thread), 7);
}

static void *exit_detached_thread(void *opaque)
{
    qemu_sem_post(&done);
    qemu_thread_exit(NULL);
}

static void test_exit_detached(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_sem_init(&done, 0);
    qemu_thread_create(&thread, "exit", exit_detached_thread, NULL,
                       QEMU_THREAD_DETACHED);
    qemu_sem_wait(&done);
}

/* ---- Notifiers of a thread's end ---- */

typedef struct Farewell {
    Notifier notifier;
    char letter;
} Farewell;

static Trace said;

static void farewell(Notifier *notifier, void *data)
{
    CHECK(data == NULL);
    trace(&said, container_of(notifier, Farewell, notifier)->letter);
}

static void *atexit_thread(void *opaque)
{
    static Farewell a, b, c;

    a = (Farewell){{.notify = farewell}, 'a'};
    b = (Farewell){{.notify = farewell}, 'b'};
    c = (Farewell){{.notify = farewell}, 'c'};
    qemu_thread_atexit_add(&a.notifier);
    qemu_thread_atexit_add(&b.notifier);
    qemu_thread_atexit_add(&c.notifier);
    qemu_thread_atexit_remove(&b.notifier);
    trace(&said, '.');
    if (opaque) {
        qemu_thread_exit(opaque);
    }
    return NULL;
}

/* The last one added first, in the thread that ends, whichever way it does. */
static void test_atexit(const ScenarioArgs *args)
{
    QemuThread thread;

    for (int by_exit = 0; by_exit < 2; by_exit++) {
        said = (Trace){.n = 0};
        qemu_thread_create(&thread, "atexit", atexit_thread,
                           by_exit ? &said : NULL, QEMU_THREAD_JOINABLE);
        qemu_thread_join(&thread);
        CHECK_STR(said.text, ".ca");
    }
}

/* A thread that another library has started. */
static void *foreign_thread(void *opaque)
{
    QemuThread self;

    qemu_thread_get_self(&self);
    CHECK(qemu_thread_is_self(&self));
    CHECK(!qemu_thread_is_self(opaque));
    atexit_thread(NULL);
    qemu_sem_post(&done);
    return NULL;
}

static void test_foreign(const ScenarioArgs *args)
{
    QemuThread self;
    pthread_t thread;

    said = (Trace){.n = 0};
    qemu_sem_init(&done, 0);
    qemu_thread_get_self(&self);
    CHECK_EQ(pthread_create(&thread, NULL, foreign_thread, &self), 0);
    qemu_sem_wait(&done);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STR(said.text, ".ca");
}

static void *signals_thread(void *opaque)
{
    pthread_sigmask(SIG_SETMASK, NULL, opaque);
    return NULL;
}

/* Signals are the main thread's. */
static void test_signals(const ScenarioArgs *args)
{
    QemuThread thread;
    sigset_t set, mine;

    sigemptyset(&set);
    qemu_thread_create(&thread, "signals", signals_thread, &set,
                       QEMU_THREAD_JOINABLE);
    qemu_thread_join(&thread);
    CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGALRM));
    CHECK(!sigismember(&set, SIGSEGV));
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    CHECK(!sigismember(&mine, SIGUSR1));
}

static void test_join_detached(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_sem_init(&done, 0);
    qemu_thread_create(&thread, "detached", count_thread, NULL,
                       QEMU_THREAD_DETACHED);
    qemu_thread_join(&thread);
}

static const LoopTest tests[] = {
    {"/thread/detached", test_detached, TEST_THREADS},
    {"/thread/no-name", test_no_name, TEST_THREADS},
    {"/thread/self", test_self, TEST_THREADS},
    {"/thread/exit", test_exit, TEST_THREADS},
    {"/thread/exit/detached", test_exit_detached, TEST_THREADS},
    {"/thread/atexit", test_atexit, TEST_THREADS},
    {"/thread/signals", test_signals, TEST_THREADS | TEST_LIVE_ONLY},
    {"/thread/foreign", test_foreign, TEST_THREADS | TEST_LIVE_ONLY},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/thread/join-detached", test_join_detached, "detached"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
