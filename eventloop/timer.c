/* SPDX-License-Identifier: MIT */
/*
 * Timers and their lists: one for each clock of each context, and of the main
 * loop (util/qemu-timer.c).
 *
 * A list's lock protects its heap and the timers on it.  The thread that runs
 * a list takes timers off it one by one, each before its callback is called
 * without the lock, so a callback may do anything to any timer, its own
 * included.
 */
#include "timer-internal.h"

/* ---- Lists ---- */

QEMUTimerList *timerlist_new(QEMUClockType type, QEMUTimerListNotifyCB *cb,
                             void *opaque)
{
    QEMUTimerList *list = g_new0(QEMUTimerList, 1);

    list->clock = type;
    list->notify_cb = cb;
    list->notify_opaque = opaque;
    qemu_mutex_init(&list->lock);
    clock_add_list(list);
    return list;
}

void timerlist_free(QEMUTimerList *list)
{
    if (timerlist_has_timers(list)) {
        fprintf(stderr, "timerlist_free: %u timers are still armed\n",
                list->heap.n);
        abort();
    }
    clock_remove_list(list);
}

void timerlist_destroy(QEMUTimerList *list)
{
    qemu_mutex_destroy(&list->lock);
    g_aligned_free(list->heap.memory);
    g_free(list);
}

bool timerlist_has_timers(QEMUTimerList *list)
{
    return host_observe(HOST_SIGHT_ARMED, raw_read(&list->heap.n) != 0);
}

int64_t timerlist_soonest(QEMUTimerList *list, int attr_mask)
{
    int64_t expire;

    if (!timerlist_has_timers(list)) {
        return -1;
    }
    qemu_mutex_lock(&list->lock);
    expire = heap_soonest(&list->heap, 0, attr_mask, -1);
    qemu_mutex_unlock(&list->lock);
    return expire;
}

bool timerlist_expired(QEMUTimerList *list)
{
    int64_t expire = timerlist_soonest(list, QEMU_TIMER_ATTR_ALL);

    return expire >= 0 && expire <= qemu_clock_get_ns(list->clock);
}

int64_t timerlist_deadline_ns(QEMUTimerList *list)
{
    int64_t expire = timerlist_soonest(list, QEMU_TIMER_ATTR_ALL);
    int64_t left;

    if (expire < 0 || !clock_is_enabled(list->clock)) {
        return -1;
    }
    left = expire - qemu_clock_get_ns(list->clock);
    return MAX(0, left);
}

QEMUClockType timerlist_get_clock(QEMUTimerList *list)
{
    return list->clock;
}

void timerlist_notify(QEMUTimerList *list)
{
    if (list->notify_cb) {
        list->notify_cb(list->notify_opaque, list->clock);
    } else {
        qemu_notify_event();
    }
}

/* ---- Running ---- */

/* Under the lock; the group's loop looks without it. */
static void note_armed(QEMUTimerList *list)
{
    if (list->group_armed) {
        raw_set(list->group_armed, list->heap.n);
    }
}

/* Takes the first timer off the heap if it has expired at @now. */
static QEMUTimer *timerlist_pop(QEMUTimerList *list, int64_t now,
                                QEMUTimer *copy)
{
    QEMUTimer *ts = NULL;

    qemu_mutex_lock(&list->lock);
    if (list->heap.n && list->heap.entries[0].expire <= now) {
        ts = list->heap.entries[0].ts;
        *copy = *ts;
        heap_remove(&list->heap, ts);
        note_armed(list);
        /* Before the callback, which may arm it again, or free it. */
        raw_set(&ts->expire_time, -1);
    }
    qemu_mutex_unlock(&list->lock);
    return ts;
}

/*
 * The clock is read once, so a callback that re-arms its timer in the past
 * runs again in this call, and one that re-arms it for now + 1 does not.
 */
static bool run_expired(QEMUTimerList *list)
{
    int64_t now = qemu_clock_get_ns(list->clock);
    bool progress = false;
    QEMUTimer copy;

    while (timerlist_pop(list, now, &copy)) {
        PROBE(TIMER_BEGIN, copy.id, now - copy.expire_time, 0, 0);
        copy.cb(copy.opaque);
        PROBE(TIMER_END, copy.id, 0, 0, 0);
        progress = true;
    }
    return progress;
}

bool timerlist_run_timers(QEMUTimerList *list)
{
    bool progress = false;

    if (!timerlist_has_timers(list)) {
        return false;
    }
    if (timerlist_begin_run(list)) {
        progress = run_expired(list);
    }
    timerlist_end_run(list);
    return progress;
}

/* ---- Groups ---- */

void timerlistgroup_init(QEMUTimerListGroup *tlg, QEMUTimerListNotifyCB *cb,
                         void *opaque)
{
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        tlg->tl[type] = timerlist_new(type, cb, opaque);
        tlg->tl[type]->group_armed = &tlg->armed[type];
        tlg->armed[type] = 0;
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
        tlg->tl[type]->group_armed = NULL;
        timerlist_free(tlg->tl[type]);
        tlg->tl[type] = NULL;
    }
}

/* Every turn of a loop comes here, and most have no timer. */
static bool any_armed(QEMUTimerListGroup *tlg)
{
    QEMU_BUILD_BUG_ON(QEMU_CLOCK_MAX != 4);
    return host_observe(HOST_SIGHT_ARMED,
                        (raw_read(&tlg->armed[0]) | raw_read(&tlg->armed[1]) |
                         raw_read(&tlg->armed[2]) |
                         raw_read(&tlg->armed[3])) != 0);
}

int64_t timerlistgroup_deadline_ns(QEMUTimerListGroup *tlg)
{
    int64_t deadline = -1;

    if (likely(!any_armed(tlg))) {
        return -1;
    }
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        QEMUTimerList *list = tlg->tl[type];

        if (timerlist_has_timers(list) && qemu_clock_use_for_deadline(type)) {
            deadline = qemu_soonest_timeout(deadline,
                                            timerlist_deadline_ns(list));
        }
    }
    return deadline;
}

bool timerlistgroup_run_timers(QEMUTimerListGroup *tlg)
{
    bool progress = false;

    if (likely(!any_armed(tlg))) {
        return false;
    }
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        progress |= timerlist_run_timers(tlg->tl[type]);
    }
    return progress;
}

/* ---- One timer ---- */

void timer_init_full(QEMUTimer *ts, QEMUTimerListGroup *timer_list_group,
                     QEMUClockType type, int scale, int attributes,
                     QEMUTimerCB *cb, void *opaque)
{
    QEMUTimerListGroup *tlg = timer_list_group ? timer_list_group
                                               : &main_loop_tlg;

    *ts = (QEMUTimer){
        .expire_time = -1, .timer_list = tlg->tl[type],
        .cb = cb, .opaque = opaque, .attributes = attributes, .scale = scale,
        .id = host_new_id(),
    };
    PROBE(TIMER_NEW, ts->id, ts->timer_list ? ts->timer_list->ctx : 0, type, 0);
}

static void check_unarmed(const QEMUTimer *ts)
{
    if (ts->expire_time != -1) {
        fprintf(stderr, "timer_deinit: the timer is still armed, for %" PRId64
                " ns\n", ts->expire_time);
        abort();
    }
}

void timer_deinit(QEMUTimer *ts)
{
    check_unarmed(ts);
    ts->timer_list = NULL;
}

/* Where the main loop's timers went if there was no main loop yet. */
static QEMUTimerList *list_of(const QEMUTimer *ts)
{
    if (unlikely(!ts->timer_list)) {
        fprintf(stderr, "timer_mod: the timer is on no list: timer_init() was "
                "not called, or not after qemu_init_main_loop()\n");
        abort();
    }
    return ts->timer_list;
}

/* Arms @ts; true if it is now the first, so that the wait is too long. */
static bool arm(QEMUTimerList *list, QEMUTimer *ts, int64_t expire)
{
    bool armed = ts->expire_time >= 0;

    raw_set(&ts->expire_time, MAX(expire, 0));
    ts->armed_seq = list->next_seq++;
    if (armed) {
        heap_update(&list->heap, ts);
    } else {
        heap_insert(&list->heap, ts);
        note_armed(list);
    }
    return ts->heap_index == 0;
}

void timer_mod_ns(QEMUTimer *ts, int64_t expire_time)
{
    QEMUTimerList *list = list_of(ts);
    bool first;

    PROBE(TIMER_ARM, ts->id, expire_time, 0, 0);
    qemu_mutex_lock(&list->lock);
    first = arm(list, ts, expire_time);
    qemu_mutex_unlock(&list->lock);
    if (first) {
        timerlist_notify(list);
    }
}

void timer_mod_anticipate_ns(QEMUTimer *ts, int64_t expire_time)
{
    QEMUTimerList *list = list_of(ts);
    bool first = false;

    qemu_mutex_lock(&list->lock);
    if (ts->expire_time == -1 || ts->expire_time > expire_time) {
        PROBE(TIMER_ARM, ts->id, expire_time, 0, 0);
        first = arm(list, ts, expire_time);
    }
    qemu_mutex_unlock(&list->lock);
    if (first) {
        timerlist_notify(list);
    }
}

void timer_mod(QEMUTimer *ts, int64_t expire_time)
{
    timer_mod_ns(ts, expire_time * ts->scale);
}

void timer_mod_anticipate(QEMUTimer *ts, int64_t expire_time)
{
    timer_mod_anticipate_ns(ts, expire_time * ts->scale);
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
        heap_remove(&list->heap, ts);
        note_armed(list);
        raw_set(&ts->expire_time, -1);
    }
    qemu_mutex_unlock(&list->lock);
}

/* Without the lock. */
static int64_t expiry_of(QEMUTimer *ts)
{
    return (int64_t)host_observe(HOST_SIGHT_EXPIRY,
                                 raw_read(&ts->expire_time) + 2) - 2;
}

bool timer_pending(QEMUTimer *ts)
{
    return expiry_of(ts) >= 0;
}

bool timer_expired(QEMUTimer *timer_head, int64_t current_time)
{
    int64_t expiry = timer_head ? expiry_of(timer_head) : -1;

    return expiry >= 0 && expiry <= current_time * timer_head->scale;
}

int64_t timer_expire_time_ns(QEMUTimer *ts)
{
    return expiry_of(ts);
}
