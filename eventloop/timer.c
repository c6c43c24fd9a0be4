/* SPDX-License-Identifier: MIT */
/*
 * Timers: one binary heap for each clock of each context.
 *
 * QEMU keeps a sorted list (util/qemu-timer.c); with many timers armed that
 * makes timer_mod() linear.  A heap ordered by (deadline, arming order) runs
 * them in the same order for O(log n).  Each timer knows its index, so that it
 * can be removed from the middle.
 */
#include "aio-internal.h"

struct QEMUTimerList {
    QEMUClockType clock;
    QemuMutex lock; /* heap, n, next_seq */
    QEMUTimer **heap;
    unsigned n; /* also read without the lock: is there any? */
    unsigned allocated;
    uint64_t next_seq;
    QEMUTimerListNotifyCB *notify_cb;
    void *notify_opaque;
    uint64_t ctx;
};

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    return host_clock_ns(type);
}

/* ---- The heap ---- */

static bool sooner(const QEMUTimer *x, const QEMUTimer *y)
{
    return x->expire_time != y->expire_time ? x->expire_time < y->expire_time
                                            : x->armed_seq < y->armed_seq;
}

static void heap_place(QEMUTimerList *list, unsigned index, QEMUTimer *ts)
{
    list->heap[index] = ts;
    ts->heap_index = index;
}

static void heap_up(QEMUTimerList *list, unsigned index, QEMUTimer *ts)
{
    while (index > 0 && sooner(ts, list->heap[(index - 1) / 2])) {
        heap_place(list, index, list->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    heap_place(list, index, ts);
}

static void heap_down(QEMUTimerList *list, unsigned index, QEMUTimer *ts)
{
    for (;;) {
        unsigned child = 2 * index + 1;

        if (child + 1 < list->n &&
            sooner(list->heap[child + 1], list->heap[child])) {
            child++;
        }
        if (child >= list->n || !sooner(list->heap[child], ts)) {
            break;
        }
        heap_place(list, index, list->heap[child]);
        index = child;
    }
    heap_place(list, index, ts);
}

static void heap_insert(QEMUTimerList *list, QEMUTimer *ts)
{
    if (list->n == list->allocated) {
        list->allocated = MAX(16, list->allocated * 2);
        list->heap = g_renew(QEMUTimer *, list->heap, list->allocated);
    }
    qatomic_set(&list->n, list->n + 1);
    heap_up(list, list->n - 1, ts);
}

static void heap_remove(QEMUTimerList *list, QEMUTimer *ts)
{
    unsigned index = ts->heap_index;
    QEMUTimer *last = list->heap[list->n - 1];

    qatomic_set(&list->n, list->n - 1);
    if (last == ts) {
        return;
    }
    if (index > 0 && sooner(last, list->heap[(index - 1) / 2])) {
        heap_up(list, index, last);
    } else {
        heap_down(list, index, last);
    }
}

/* ---- Lists and groups ---- */

void timerlistgroup_init(QEMUTimerListGroup *tlg, QEMUTimerListNotifyCB *cb,
                         void *opaque)
{
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        QEMUTimerList *list = g_new0(QEMUTimerList, 1);

        list->clock = type;
        list->notify_cb = cb;
        list->notify_opaque = opaque;
        qemu_mutex_init(&list->lock);
        tlg->tl[type] = list;
    }
}

void timerlistgroup_set_owner(QEMUTimerListGroup *tlg, uint64_t ctx)
{
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        tlg->tl[type]->ctx = ctx;
    }
}

void timerlistgroup_deinit(QEMUTimerListGroup *tlg)
{
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        QEMUTimerList *list = tlg->tl[type];

        assert(list->n == 0);
        qemu_mutex_destroy(&list->lock);
        g_free(list->heap);
        g_free(list);
    }
}

static int64_t timerlist_deadline_ns(QEMUTimerList *list)
{
    int64_t expire, left;

    if (!qatomic_read(&list->n)) {
        return -1;
    }
    qemu_mutex_lock(&list->lock);
    expire = list->n ? list->heap[0]->expire_time : -1;
    qemu_mutex_unlock(&list->lock);
    if (expire < 0) {
        return -1;
    }
    left = expire - qemu_clock_get_ns(list->clock);
    return MAX(0, left);
}

int64_t timerlistgroup_deadline_ns(QEMUTimerListGroup *tlg)
{
    int64_t deadline = -1;

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        deadline = qemu_soonest_timeout(deadline,
                                        timerlist_deadline_ns(tlg->tl[type]));
    }
    return deadline;
}

/* Takes the first timer off the heap if it has expired at @now. */
static QEMUTimer *timerlist_pop(QEMUTimerList *list, int64_t now)
{
    QEMUTimer *ts = NULL;

    qemu_mutex_lock(&list->lock);
    if (list->n && list->heap[0]->expire_time <= now) {
        ts = list->heap[0];
        heap_remove(list, ts);
    }
    qemu_mutex_unlock(&list->lock);
    return ts;
}

/*
 * The clock is read once, so a callback that re-arms its timer in the past
 * runs again in this call, and one that re-arms it for now + 1 does not.
 */
static bool timerlist_run(QEMUTimerList *list)
{
    bool progress = false;
    QEMUTimer *ts;
    int64_t now;

    if (!qatomic_read(&list->n)) {
        return false;
    }
    now = qemu_clock_get_ns(list->clock);
    while ((ts = timerlist_pop(list, now))) {
        uint64_t id = ts->id;
        QEMUTimerCB *cb = ts->cb;
        void *opaque = ts->opaque;
        int64_t late = now - ts->expire_time;

        /* Before the callback, which may arm it again, or free it. */
        ts->expire_time = -1;
        PROBE(TIMER_BEGIN, id, late, 0, 0);
        cb(opaque);
        PROBE(TIMER_END, id, 0, 0, 0);
        progress = true;
    }
    return progress;
}

bool timerlistgroup_run_timers(QEMUTimerListGroup *tlg)
{
    bool progress = false;

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        progress |= timerlist_run(tlg->tl[type]);
    }
    return progress;
}

/* ---- One timer ---- */

void timer_init_full(QEMUTimer *ts, QEMUTimerListGroup *timer_list_group,
                     QEMUClockType type, int scale, int attributes,
                     QEMUTimerCB *cb, void *opaque)
{
    if (!timer_list_group) {
        timer_list_group = &main_loop_tlg;
    }
    *ts = (QEMUTimer){
        .expire_time = -1, .timer_list = timer_list_group->tl[type],
        .cb = cb, .opaque = opaque, .attributes = attributes, .scale = scale,
        .id = host_new_id(),
    };
    PROBE(TIMER_NEW, ts->id, ts->timer_list->ctx, type, 0);
}

void timer_deinit(QEMUTimer *ts)
{
    assert(ts->expire_time == -1);
    ts->timer_list = NULL;
}

/* Arms @ts; true if it is now the first, so that the wait is too long. */
static bool timerlist_arm(QEMUTimerList *list, QEMUTimer *ts, int64_t expire)
{
    if (ts->expire_time >= 0) {
        heap_remove(list, ts);
    }
    ts->expire_time = MAX(expire, 0);
    ts->armed_seq = list->next_seq++;
    heap_insert(list, ts);
    return list->heap[0] == ts;
}

void timer_mod_ns(QEMUTimer *ts, int64_t expire_time)
{
    QEMUTimerList *list = ts->timer_list;
    bool first;

    PROBE(TIMER_ARM, ts->id, expire_time, 0, 0);
    qemu_mutex_lock(&list->lock);
    first = timerlist_arm(list, ts, expire_time);
    qemu_mutex_unlock(&list->lock);
    if (first) {
        list->notify_cb(list->notify_opaque, list->clock);
    }
}

void timer_mod(QEMUTimer *ts, int64_t expire_time)
{
    timer_mod_ns(ts, expire_time * ts->scale);
}

void timer_mod_anticipate_ns(QEMUTimer *ts, int64_t expire_time)
{
    QEMUTimerList *list = ts->timer_list;
    bool first = false;

    qemu_mutex_lock(&list->lock);
    if (ts->expire_time == -1 || ts->expire_time > expire_time) {
        PROBE(TIMER_ARM, ts->id, expire_time, 0, 0);
        first = timerlist_arm(list, ts, expire_time);
    }
    qemu_mutex_unlock(&list->lock);
    if (first) {
        list->notify_cb(list->notify_opaque, list->clock);
    }
}

void timer_del(QEMUTimer *ts)
{
    QEMUTimerList *list = ts->timer_list;

    if (!list) {
        return;
    }
    qemu_mutex_lock(&list->lock);
    if (ts->expire_time >= 0) {
        PROBE(TIMER_DEL, ts->id, 0, 0, 0);
        heap_remove(list, ts);
        ts->expire_time = -1;
    }
    qemu_mutex_unlock(&list->lock);
}

bool timer_pending(QEMUTimer *ts)
{
    return ts->expire_time >= 0;
}

int64_t timer_expire_time_ns(QEMUTimer *ts)
{
    return ts->expire_time;
}

QEMUTimerListGroup main_loop_tlg;

void qemu_init_clocks(QEMUTimerListNotifyCB *notify_cb)
{
    timerlistgroup_init(&main_loop_tlg, notify_cb, NULL);
}

bool qemu_clock_run_all_timers(void)
{
    return timerlistgroup_run_timers(&main_loop_tlg);
}

int qemu_timeout_ns_to_ms(int64_t ns)
{
    int64_t ms = ns < 0 ? -1 : DIV_ROUND_UP(ns, SCALE_MS);

    return ms > INT32_MAX ? INT32_MAX : ms;
}
