/* SPDX-License-Identifier: MIT */
/* QemuLockCnt: a list that is walked while others change it. */
#include "harness.h"
#include "qemu/lockcnt.h"
#include "qemu/queue.h"

enum { THREADS = 4, ROUNDS = 30 };

static QemuLockCnt lockcnt;
static QemuSemaphore sem;
static int n_inside, n;

static void run_threads(void *(*fn)(void *))
{
    QemuThread threads[THREADS];

    for (intptr_t i = 0; i < THREADS; i++) {
        qemu_thread_create(&threads[i], "worker", fn, (void *)i,
                           QEMU_THREAD_JOINABLE);
    }
    for (int i = 0; i < THREADS; i++) {
        qemu_thread_join(&threads[i]);
    }
}

static void test_count(const ScenarioArgs *args)
{
    qemu_lockcnt_init(&lockcnt);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 0);
    qemu_lockcnt_inc(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 2);
    CHECK(!qemu_lockcnt_dec_if_lock(&lockcnt));
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 2);
    CHECK(!qemu_lockcnt_dec_and_lock(&lockcnt));
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 1);

    qemu_lockcnt_lock(&lockcnt);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 1);
    qemu_lockcnt_inc_and_unlock(&lockcnt);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 2);
    qemu_lockcnt_dec(&lockcnt);

    CHECK(qemu_lockcnt_dec_if_lock(&lockcnt));
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 0);
    qemu_lockcnt_unlock(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    CHECK(qemu_lockcnt_dec_and_lock(&lockcnt));
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 0);
    qemu_lockcnt_unlock(&lockcnt);
    qemu_lockcnt_destroy(&lockcnt);
}

/* Visitors that are in already are not kept out, nor counted wrongly. */
static void test_inc_while_locked(const ScenarioArgs *args)
{
    qemu_lockcnt_init(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    qemu_lockcnt_lock(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 2);
    qemu_lockcnt_dec(&lockcnt);
    qemu_lockcnt_unlock(&lockcnt);
    qemu_lockcnt_dec(&lockcnt);
    qemu_lockcnt_destroy(&lockcnt);
}

static void *lock_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        qemu_lockcnt_lock(&lockcnt);
        CHECK_EQ(n_inside++, 0);
        if (i % 3 == 0) {
            qemu_sem_post(&sem); /* others run here */
        }
        n++;
        n_inside--;
        qemu_lockcnt_unlock(&lockcnt);
    }
    return NULL;
}

static void test_lock(const ScenarioArgs *args)
{
    n = n_inside = 0;
    qemu_sem_init(&sem, 0);
    qemu_lockcnt_init(&lockcnt);
    run_threads(lock_thread);
    CHECK_EQ(n, THREADS * ROUNDS);
    qemu_lockcnt_destroy(&lockcnt);
    qemu_sem_destroy(&sem);
}

/* The first visitor waits for the lock; then it is inside. */
static void *visit_thread(void *opaque)
{
    qemu_sem_post(&sem);
    qemu_lockcnt_inc(&lockcnt);
    CHECK_EQ(qatomic_read(&n), 1);
    qemu_lockcnt_dec(&lockcnt);
    return NULL;
}

static void test_first_visitor(const ScenarioArgs *args)
{
    QemuThread visitor;

    n = 0;
    qemu_sem_init(&sem, 0);
    qemu_lockcnt_init(&lockcnt);
    qemu_lockcnt_lock(&lockcnt);
    qemu_thread_create(&visitor, "visitor", visit_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_sem_wait(&sem);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 0);
    qatomic_set(&n, 1);
    qemu_lockcnt_unlock(&lockcnt);
    qemu_thread_join(&visitor);
    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 0);
    qemu_lockcnt_destroy(&lockcnt);
    qemu_sem_destroy(&sem);
}

/* ---- What it is for ---- */

typedef struct Item {
    bool dead;
    bool freed; /* not really, so that a reader that is wrong can say so */
    QLIST_ENTRY(Item) next;
} Item;

static QLIST_HEAD(, Item) items;
static Item storage[THREADS * ROUNDS];

static void walk(void)
{
    Item *item;

    QLIST_FOREACH_RCU(item, &items, next) {
        CHECK(!qatomic_read(&item->freed));
    }
}

/* With the lock held and no visitor inside. */
static void collect(void)
{
    Item *item, *next;

    CHECK_EQ(qemu_lockcnt_count(&lockcnt), 0);
    QLIST_FOREACH_SAFE(item, &items, next, next) {
        if (qatomic_read(&item->dead)) {
            QLIST_REMOVE(item, next);
            qatomic_set(&item->freed, true);
            n++;
        }
    }
}

static void leave(int how)
{
    if (how % 3 == 0) {
        if (qemu_lockcnt_dec_if_lock(&lockcnt)) {
            collect();
            qemu_lockcnt_unlock(&lockcnt);
        } else {
            qemu_lockcnt_dec(&lockcnt);
        }
    } else if (qemu_lockcnt_dec_and_lock(&lockcnt)) {
        collect();
        if (how % 3 == 1) {
            qemu_lockcnt_inc_and_unlock(&lockcnt);
            walk();
            qemu_lockcnt_dec(&lockcnt);
        } else {
            qemu_lockcnt_unlock(&lockcnt);
        }
    }
}

static void *list_thread(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        Item *item = &storage[(intptr_t)opaque * ROUNDS + i];

        qemu_lockcnt_lock(&lockcnt);
        QLIST_INSERT_HEAD_RCU(&items, item, next);
        qemu_lockcnt_unlock(&lockcnt);

        qemu_lockcnt_inc(&lockcnt);
        walk();
        qatomic_set(&item->dead, true);
        leave(i);
    }
    return NULL;
}

static void test_list(const ScenarioArgs *args)
{
    memset(storage, 0, sizeof(storage));
    n = 0;
    QLIST_INIT(&items);
    qemu_lockcnt_init(&lockcnt);
    run_threads(list_thread);
    qemu_lockcnt_lock(&lockcnt);
    collect();
    qemu_lockcnt_unlock(&lockcnt);
    CHECK(QLIST_EMPTY(&items));
    CHECK_EQ(n, THREADS * ROUNDS);
    qemu_lockcnt_destroy(&lockcnt);
}

/* The last one out destroys it, at once, under the others' feet. */
static void *last_thread(void *opaque)
{
    QemuLockCnt *shared = opaque;

    if (qemu_lockcnt_dec_and_lock(shared)) {
        qemu_lockcnt_unlock(shared);
        qemu_lockcnt_destroy(shared);
        g_free(shared);
        return shared;
    }
    return NULL;
}

static void test_last_destroys(const ScenarioArgs *args)
{
    for (int i = 0; i < 5; i++) {
        QemuThread threads[THREADS];
        QemuLockCnt *shared = g_new(QemuLockCnt, 1);
        int last = 0;

        qemu_lockcnt_init(shared);
        for (int t = 0; t < THREADS; t++) {
            qemu_lockcnt_inc(shared);
        }
        for (int t = 0; t < THREADS; t++) {
            qemu_thread_create(&threads[t], "worker", last_thread, shared,
                               QEMU_THREAD_JOINABLE);
        }
        for (int t = 0; t < THREADS; t++) {
            last += qemu_thread_join(&threads[t]) != NULL;
        }
        CHECK_EQ(last, 1);
    }
}

static void test_unlock_unlocked(const ScenarioArgs *args)
{
    qemu_lockcnt_init(&lockcnt);
    qemu_lockcnt_unlock(&lockcnt);
}

static void test_dec_below(const ScenarioArgs *args)
{
    qemu_lockcnt_init(&lockcnt);
    qemu_lockcnt_dec(&lockcnt);
}

static const LoopTest tests[] = {
    {"/lockcnt/count", test_count},
    {"/lockcnt/inc-while-locked", test_inc_while_locked},
    {"/lockcnt/lock", test_lock, TEST_THREADS},
    {"/lockcnt/first-visitor", test_first_visitor, TEST_THREADS},
    {"/lockcnt/list", test_list, TEST_THREADS},
    {"/lockcnt/last-destroys", test_last_destroys, TEST_THREADS},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/lockcnt/unlock-unlocked", test_unlock_unlocked, "seen & LOCKED"},
    {"/lockcnt/dec-below-zero", test_dec_below, "seen >= VISITOR"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
