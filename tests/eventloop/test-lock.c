/* SPDX-License-Identifier: MIT */
/* Recursive mutexes, spin locks, and the guards that hold any lock. */
#include "harness.h"
#include "qemu/lockable.h"

enum { THREADS = 3, ROUNDS = 30 };

static QemuRecMutex rec_mutex;
static QemuSpin spin;
static QemuMutex mutex;
static int n;
static bool inside;

static void run_threads(void *(*fn)(void *))
{
    QemuThread threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        qemu_thread_create(&threads[i], "worker", fn, NULL,
                           QEMU_THREAD_JOINABLE);
    }
    for (int i = 0; i < THREADS; i++) {
        qemu_thread_join(&threads[i]);
    }
}

static void in_section(void)
{
    CHECK(!inside);
    inside = true;
    n++;
    inside = false;
}

/* ---- Recursive mutexes ---- */

static void *rec_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        qemu_rec_mutex_lock(&rec_mutex);
        qemu_rec_mutex_lock(&rec_mutex);
        CHECK_EQ(qemu_rec_mutex_trylock(&rec_mutex), 0);
        in_section();
        qemu_rec_mutex_unlock(&rec_mutex);
        qemu_rec_mutex_unlock(&rec_mutex);
        in_section(); /* still ours */
        qemu_rec_mutex_unlock(&rec_mutex);
    }
    return NULL;
}

static void test_rec_mutex(const ScenarioArgs *args)
{
    n = 0;
    qemu_rec_mutex_init(&rec_mutex);
    run_threads(rec_thread);
    CHECK_EQ(n, 2 * THREADS * ROUNDS);
    qemu_rec_mutex_destroy(&rec_mutex);
}

static void *rec_busy_thread(void *opaque)
{
    CHECK_EQ(qemu_rec_mutex_trylock(&rec_mutex), -EBUSY);
    return NULL;
}

static void test_rec_trylock(const ScenarioArgs *args)
{
    qemu_rec_mutex_init(&rec_mutex);
    CHECK_EQ(qemu_rec_mutex_trylock(&rec_mutex), 0);
    CHECK_EQ(qemu_rec_mutex_trylock(&rec_mutex), 0);
    qemu_rec_mutex_unlock(&rec_mutex);
    run_threads(rec_busy_thread);
    qemu_rec_mutex_unlock(&rec_mutex);
    qemu_rec_mutex_destroy(&rec_mutex);
}

static void test_rec_unlock_not_held(const ScenarioArgs *args)
{
    qemu_rec_mutex_init(&rec_mutex);
    qemu_rec_mutex_unlock(&rec_mutex);
}

static void test_mutex_not_initialised(const ScenarioArgs *args)
{
    static QemuMutex zero;

    qemu_mutex_lock(&zero);
}

/* ---- Spin locks ---- */

static void *spin_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        qemu_spin_lock(&spin);
        CHECK(qemu_spin_locked(&spin));
        in_section();
        qemu_spin_unlock(&spin);
    }
    return NULL;
}

static void test_spin(const ScenarioArgs *args)
{
    n = 0;
    qemu_spin_init(&spin);
    CHECK(!qemu_spin_locked(&spin));
    run_threads(spin_thread);
    CHECK_EQ(n, THREADS * ROUNDS);
    CHECK(!qemu_spin_locked(&spin));
    qemu_spin_destroy(&spin);
}

/* True means busy, as in QEMU. */
static void test_spin_trylock(const ScenarioArgs *args)
{
    qemu_spin_init(&spin);
    CHECK(!qemu_spin_trylock(&spin));
    CHECK(qemu_spin_trylock(&spin));
    qemu_spin_unlock(&spin);
    CHECK(!qemu_spin_trylock(&spin));
    qemu_spin_unlock(&spin);
}

/* The holder waits for something: simulated, those that spin let it. */
static void *slow_spin_thread(void *opaque)
{
    qemu_spin_lock(&spin);
    qemu_mutex_lock(&mutex); /* others run here */
    in_section();
    qemu_mutex_unlock(&mutex);
    qemu_spin_unlock(&spin);
    return NULL;
}

static void test_spin_slow(const ScenarioArgs *args)
{
    n = 0;
    qemu_mutex_init(&mutex);
    qemu_spin_init(&spin);
    run_threads(slow_spin_thread);
    CHECK_EQ(n, THREADS);
    qemu_mutex_destroy(&mutex);
}

/* ---- Guards ---- */

static bool mutex_is_held(void)
{
    bool held = qemu_mutex_trylock(&mutex) == -EBUSY;

    if (!held) {
        qemu_mutex_unlock(&mutex);
    }
    return held;
}

static int guarded(int how)
{
    QEMU_LOCK_GUARD(&mutex);

    CHECK(mutex_is_held());
    if (how) {
        return how;
    }
    CHECK(mutex_is_held());
    return 0;
}

static int guarded_block(int how)
{
    WITH_QEMU_LOCK_GUARD(&mutex) {
        CHECK(mutex_is_held());
        if (how == 1) {
            return how;
        }
        if (how == 2) {
            break;
        }
        if (how == 3) {
            goto out;
        }
        if (how == 4) {
            continue;
        }
        CHECK(mutex_is_held());
    }
out:
    CHECK(!mutex_is_held());
    return how;
}

static void test_guard(const ScenarioArgs *args)
{
    qemu_mutex_init(&mutex);
    for (int how = 0; how <= 4; how++) {
        CHECK_EQ(guarded(how), how);
        CHECK(!mutex_is_held());
        CHECK_EQ(guarded_block(how), how);
        CHECK(!mutex_is_held());
    }
    qemu_mutex_destroy(&mutex);
}

/* Several in one scope, and one inside the other. */
static void test_guard_nested(const ScenarioArgs *args)
{
    QemuMutex other;

    qemu_mutex_init(&mutex);
    qemu_mutex_init(&other);
    qemu_rec_mutex_init(&rec_mutex);
    qemu_spin_init(&spin);
    {
        QEMU_LOCK_GUARD(&mutex);
        QEMU_LOCK_GUARD(&rec_mutex);

        WITH_QEMU_LOCK_GUARD(&other) {
            WITH_QEMU_LOCK_GUARD(&rec_mutex) {
                QEMU_LOCK_GUARD(&spin);

                CHECK(mutex_is_held());
                CHECK_EQ(qemu_mutex_trylock(&other), -EBUSY);
                CHECK_EQ(rec_mutex.depth, 2);
                CHECK(qemu_spin_locked(&spin));
            }
            CHECK(!qemu_spin_locked(&spin));
            CHECK_EQ(rec_mutex.depth, 1);
        }
        CHECK_EQ(qemu_mutex_trylock(&other), 0);
        qemu_mutex_unlock(&other);
        CHECK(mutex_is_held());
    }
    CHECK(!mutex_is_held());
    qemu_rec_mutex_destroy(&rec_mutex);
    qemu_mutex_destroy(&other);
    qemu_mutex_destroy(&mutex);
}

static void coroutine_fn co_guard(void *opaque)
{
    CoMutex *co_mutex = opaque;

    WITH_QEMU_LOCK_GUARD(co_mutex) {
        qemu_co_mutex_assert_locked(co_mutex);
    }
    CHECK(!co_mutex->locked);
}

static void test_guard_coroutine(const ScenarioArgs *args)
{
    CoMutex co_mutex;

    qemu_co_mutex_init(&co_mutex);
    qemu_coroutine_enter(qemu_coroutine_create(co_guard, &co_mutex));
}

static void test_lockable(const ScenarioArgs *args)
{
    QemuMutex *no_mutex = NULL;
    QemuLockable *lockable;

    qemu_mutex_init(&mutex);
    CHECK(!QEMU_MAKE_LOCKABLE(no_mutex));
    CHECK(!QEMU_MAKE_LOCKABLE(NULL));
    lockable = QEMU_MAKE_LOCKABLE(&mutex);
    CHECK(QEMU_MAKE_LOCKABLE(lockable) == lockable);
    CHECK(lockable->object == &mutex);
    qemu_lockable_lock(lockable);
    CHECK(mutex_is_held());
    qemu_lockable_unlock(lockable);
    {
        g_autoptr(QemuLockable) held = qemu_lockable_auto_lock(lockable);

        CHECK(held && mutex_is_held());
    }
    WITH_QEMU_LOCK_GUARD(lockable) {
        CHECK(mutex_is_held());
    }
    CHECK(!mutex_is_held());
    qemu_mutex_destroy(&mutex);
}

/* ---- Futexes: live only ---- */

static unsigned word;

static void *futex_thread(void *opaque)
{
    while (qatomic_load_acquire(&word) == 0) {
        qemu_futex_wait(&word, 0);
    }
    return NULL;
}

static void test_futex(const ScenarioArgs *args)
{
    QemuThread threads[2];

    word = 0;
    for (int i = 0; i < 2; i++) {
        qemu_thread_create(&threads[i], "waiter", futex_thread, NULL,
                           QEMU_THREAD_JOINABLE);
    }
    qatomic_store_release(&word, 1);
    qemu_futex_wake_single(&word);
    qemu_futex_wake_all(&word);
    qemu_futex_wait(&word, 0); /* it is not 0 any more */
    for (int i = 0; i < 2; i++) {
        qemu_thread_join(&threads[i]);
    }
}

static const LoopTest tests[] = {
    {"/lock/rec", test_rec_mutex, TEST_THREADS},
    {"/lock/rec/trylock", test_rec_trylock, TEST_THREADS},
    {"/lock/spin", test_spin, TEST_THREADS},
    {"/lock/spin/trylock", test_spin_trylock},
    {"/lock/spin/slow", test_spin_slow, TEST_THREADS},
    {"/lock/guard", test_guard},
    {"/lock/guard/nested", test_guard_nested},
    {"/lock/guard/coroutine", test_guard_coroutine},
    {"/lock/lockable", test_lockable},
    {"/lock/futex", test_futex, TEST_THREADS | TEST_LIVE_ONLY},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/lock/rec/unlock-not-held", test_rec_unlock_not_held,
     "rec_mutex_is_ours"},
    {"/lock/not-initialised", test_mutex_not_initialised, "initialized"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
