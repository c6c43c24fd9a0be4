/* SPDX-License-Identifier: MIT */
/* Locks in two orders: of which one is a potential deadlock, the others not. */
#include "aiolab/scenario.h"

static QemuMutex first, second, gate;
static CoMutex co_first, co_second;
static const char *act;

static bool is(const char *name)
{
    return g_str_equal(act, name);
}

static void forwards(void)
{
    if (is("gate")) {
        qemu_mutex_lock(&gate);
    }
    qemu_mutex_lock(&first);
    if (!is("trylock")) {
        qemu_mutex_lock(&second);
        qemu_mutex_unlock(&second);
    } else if (!qemu_mutex_trylock(&second)) {
        qemu_mutex_unlock(&second);
    }
    qemu_mutex_unlock(&first);
    if (is("gate")) {
        qemu_mutex_unlock(&gate);
    }
}

static void backwards(void)
{
    if (is("gate")) {
        qemu_mutex_lock(&gate);
    }
    qemu_mutex_lock(&second);
    qemu_mutex_lock(&first);
    qemu_mutex_unlock(&first);
    qemu_mutex_unlock(&second);
    if (is("gate")) {
        qemu_mutex_unlock(&gate);
    }
}

static void *thread_backwards(void *opaque)
{
    backwards();
    return NULL;
}

/* They never meet here, because the second begins late; or can they? */
static void with_thread(void)
{
    QemuThread thread;

    if (is("created-after")) {
        forwards();
    }
    qemu_thread_create(&thread, "worker", thread_backwards, NULL,
                       QEMU_THREAD_JOINABLE);
    if (!is("created-after") && !is("joined-before")) {
        forwards();
    }
    qemu_thread_join(&thread);
    if (is("joined-before")) {
        forwards();
    }
}

static void coroutine_fn co_order(void *opaque)
{
    bool order = opaque;

    qemu_co_mutex_lock(order ? &co_first : &co_second);
    qemu_co_mutex_lock(order ? &co_second : &co_first);
    qemu_co_mutex_unlock(order ? &co_second : &co_first);
    qemu_co_mutex_unlock(order ? &co_first : &co_second);
    if (is("coroutines")) {
        aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_self());
        qemu_coroutine_yield();
    }
}

static void with_coroutines(void)
{
    qemu_coroutine_enter(qemu_coroutine_create(co_order, (void *)1));
    qemu_coroutine_enter(qemu_coroutine_create(co_order, NULL));
    while (aio_poll(qemu_get_aio_context(), false)) {
    }
}

/* ---- Waits for an event with a lock held ---- */

static QemuMutex event_lock;
static QemuCond event_set;
static bool is_set;

static void bring(void)
{
    qemu_mutex_lock(&event_lock);
    is_set = true;
    qemu_cond_broadcast(&event_set);
    qemu_mutex_unlock(&event_lock);
}

static void *bringer(void *opaque)
{
    if (!is("wait-only") && !opaque) {
        qemu_mutex_lock(&first);
        qemu_mutex_unlock(&first);
    }
    bring();
    return NULL;
}

/* It is well if the bringer has its lock first. */
static void with_event(void)
{
    int n = is("wait-for-either") ? 2 : 1;
    QemuThread threads[2];

    qemu_mutex_init(&event_lock);
    qemu_cond_init(&event_set);
    for (int i = 0; i < n; i++) {
        qemu_thread_create(&threads[i], i ? "other" : "bringer", bringer,
                           i ? threads : NULL, QEMU_THREAD_JOINABLE);
    }
    qemu_mutex_lock(&first);
    qemu_mutex_lock(&event_lock);
    while (!is_set) {
        qemu_cond_wait(&event_set, &event_lock);
    }
    qemu_mutex_unlock(&event_lock);
    qemu_mutex_unlock(&first);
    for (int i = 0; i < n; i++) {
        qemu_thread_join(&threads[i]);
    }
}

static void run(const ScenarioArgs *args)
{
    act = scenario_param(args, "act");
    qemu_mutex_init(&first);
    qemu_mutex_init(&second);
    qemu_mutex_init(&gate);
    qemu_co_mutex_init(&co_first);
    qemu_co_mutex_init(&co_second);
    if (is("same-thread")) {
        forwards();
        backwards();
    } else if (g_str_has_prefix(act, "wait")) {
        with_event();
    } else if (g_str_has_prefix(act, "coroutines")) {
        with_coroutines();
    } else {
        with_thread();
    }
}

SCENARIO(order) = {
    .name = "order",
    .summary = "locks in two orders",
    .params = (const ScenarioParam[]){{"act", "meet", "how"}, {NULL}},
    .run = run,
};
