/* SPDX-License-Identifier: MIT */
/*
 * Clocks: what time it is, and which lists of timers each has.
 *
 * A clock can be disabled, which waits for the callbacks that run.  Running a
 * list therefore is:
 *
 *   running++                       enabled = false
 *   smp_mb()                        smp_mb()
 *   run, if enabled                 wait until running is 0
 *   running--, wake who waits
 *
 * so either the run sees that the clock is disabled, or it is waited for.
 *
 * The registry of lists is guarded by a lock that spins, held for a few
 * instructions.  Who walks it holds a reference to the list that it looks at,
 * and no lock meanwhile.
 */
#include "timer-internal.h"

typedef struct QEMUClock {
    bool disabled;
    QLIST_HEAD(, QEMUTimerList) lists;
} QEMUClock;

struct RunWaiter {
    QemuCond cond;
    QSLIST_ENTRY(RunWaiter) next;
};

static QEMUClock clocks[QEMU_CLOCK_MAX];
static unsigned registry_lock;
static QEMUTimerListNotifyCB *main_loop_notify;

QEMUTimerListGroup main_loop_tlg;

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    return host_clock_ns(type);
}

bool qemu_clock_use_for_deadline(QEMUClockType type)
{
    return true; /* all count nanoseconds: there is no icount */
}

bool clock_is_enabled(QEMUClockType type)
{
    return !host_observe(HOST_SIGHT_CLOCK_OFF, raw_read(&clocks[type].disabled));
}

/* ---- The registry ---- */

static void registry_begin(void)
{
    while (qatomic_xchg(&registry_lock, 1)) {
        cpu_relax();
    }
}

static void registry_end(void)
{
    qatomic_store_release(&registry_lock, 0);
}

void clock_add_list(QEMUTimerList *list)
{
    list->refs = 1;
    registry_begin();
    QLIST_INSERT_HEAD(&clocks[list->clock].lists, list, node);
    registry_end();
}

/* Under the registry's lock; true if it was the last. */
static bool unref(QEMUTimerList *list)
{
    if (--list->refs) {
        return false;
    }
    QLIST_REMOVE(list, node);
    return true;
}

void clock_remove_list(QEMUTimerList *list)
{
    bool last;

    registry_begin();
    last = unref(list);
    registry_end();
    if (last) {
        timerlist_destroy(list);
    }
}

/* The list after @list, or the first; takes a reference, and drops @list's. */
static QEMUTimerList *next_list(QEMUClockType type, QEMUTimerList *list)
{
    QEMUTimerList *next;
    bool last = false;

    registry_begin();
    next = list ? QLIST_NEXT(list, node) : QLIST_FIRST(&clocks[type].lists);
    if (next) {
        next->refs++;
    }
    if (list) {
        last = unref(list);
    }
    registry_end();
    if (last) {
        timerlist_destroy(list);
    }
    return next;
}

#define FOR_EACH_LIST(type, list) \
    for ((list) = next_list(type, NULL); (list); (list) = next_list(type, list))

int64_t qemu_clock_deadline_ns_all(QEMUClockType type, int attr_mask)
{
    int64_t soonest = -1, left;
    QEMUTimerList *list;

    if (!clock_is_enabled(type)) {
        return -1;
    }
    FOR_EACH_LIST(type, list) {
        soonest = qemu_soonest_timeout(soonest,
                                       timerlist_soonest(list, attr_mask));
    }
    if (soonest < 0) {
        return -1;
    }
    left = soonest - qemu_clock_get_ns(type);
    return MAX(0, left);
}

void qemu_clock_notify(QEMUClockType type)
{
    QEMUTimerList *list;

    FOR_EACH_LIST(type, list) {
        timerlist_notify(list);
    }
}

/* ---- Enabling and disabling ---- */

bool timerlist_begin_run(QEMUTimerList *list)
{
    raw_set(&list->runner, host_self());
    raw_set(&list->running, list->running + 1);
    /* Pairs with smp_mb() in qemu_clock_enable(). */
    smp_mb();
    return clock_is_enabled(list->clock);
}

static void wake_waiters(QEMUTimerList *list)
{
    RunWaiter *waiter;

    qemu_mutex_lock(&list->lock);
    QSLIST_FOREACH(waiter, &list->waiters, next) {
        qemu_cond_signal(&waiter->cond);
    }
    qemu_mutex_unlock(&list->lock);
}

void timerlist_end_run(QEMUTimerList *list)
{
    raw_store_release(&list->running, list->running - 1);
    /* Pairs with the lock in wait_for_run(): it sees 0, or we see it. */
    smp_mb();
    if (unlikely(host_observe(HOST_SIGHT_WAITERS,
                              raw_read(&list->waiters.slh_first) != NULL))) {
        wake_waiters(list);
    }
}

static bool run_is_over(QEMUTimerList *list)
{
    return host_observe(HOST_SIGHT_RUN_OVER, !raw_load_acquire(&list->running));
}

static void wait_for_run(QEMUTimerList *list)
{
    RunWaiter waiter, **link;

    if (run_is_over(list)) {
        return;
    }
    if (raw_read(&list->runner) == host_self()) {
        fprintf(stderr, "qemu_clock_enable: a timer's callback disables its "
                "own clock, and would wait for itself\n");
        abort();
    }
    qemu_cond_init(&waiter.cond);
    qemu_mutex_lock(&list->lock);
    waiter.next.sle_next = list->waiters.slh_first;
    raw_set(&list->waiters.slh_first, &waiter);
    smp_mb();
    while (!run_is_over(list)) {
        qemu_cond_wait(&waiter.cond, &list->lock);
    }
    for (link = &list->waiters.slh_first; *link != &waiter;
         link = &(*link)->next.sle_next) {
    }
    raw_set(link, waiter.next.sle_next);
    qemu_mutex_unlock(&list->lock);
    qemu_cond_destroy(&waiter.cond);
}

void qemu_clock_enable(QEMUClockType type, bool enabled)
{
    bool was_enabled = clock_is_enabled(type);
    QEMUTimerList *list;

    raw_set(&clocks[type].disabled, !enabled);
    /* Pairs with smp_mb() in timerlist_begin_run(). */
    smp_mb();
    if (enabled && !was_enabled) {
        qemu_clock_notify(type);
    } else if (!enabled && was_enabled) {
        FOR_EACH_LIST(type, list) {
            wait_for_run(list);
        }
    }
}

/* ---- The main loop's lists ---- */

static void notify_main_loop(void *opaque, QEMUClockType type)
{
    if (main_loop_notify) {
        main_loop_notify(NULL, type);
    } else {
        qemu_notify_event();
    }
}

void qemu_init_clocks(QEMUTimerListNotifyCB *notify_cb)
{
    main_loop_notify = notify_cb;
    if (!main_loop_tlg.tl[0]) {
        timerlistgroup_init(&main_loop_tlg, notify_main_loop, NULL);
    }
}

void qemu_finish_clocks(void)
{
    for (int type = 0; type < QEMU_CLOCK_MAX && main_loop_tlg.tl[0]; type++) {
        TimerHeap *heap = &main_loop_tlg.tl[type]->heap;

        while (heap->n) {
            timer_del(heap->entries[0].ts);
        }
    }
    if (main_loop_tlg.tl[0]) {
        timerlistgroup_deinit(&main_loop_tlg);
    }
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        clocks[type].disabled = false;
    }
}

bool qemu_clock_has_timers(QEMUClockType type)
{
    return timerlist_has_timers(main_loop_tlg.tl[type]);
}

bool qemu_clock_expired(QEMUClockType type)
{
    return timerlist_expired(main_loop_tlg.tl[type]);
}

bool qemu_clock_run_timers(QEMUClockType type)
{
    return timerlist_run_timers(main_loop_tlg.tl[type]);
}

bool qemu_clock_run_all_timers(void)
{
    return timerlistgroup_run_timers(&main_loop_tlg);
}

int qemu_timeout_ns_to_ms(int64_t ns)
{
    int64_t ms = ns < 0 ? -1 : ns / SCALE_MS + (ns % SCALE_MS != 0);

    return ms > INT32_MAX ? INT32_MAX : ms;
}
