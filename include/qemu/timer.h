/* SPDX-License-Identifier: MIT */
/*
 * Clocks and timers, after QEMU's qemu/timer.h.
 *
 * A timer belongs to one list: one clock of one AioContext, or of the main
 * loop.  Deadlines are nanoseconds of that clock; a scale only says in which
 * unit timer_mod() is given its time.  Timers with equal deadlines run in the
 * order in which they were armed.  A callback runs in the thread that runs the
 * list, never in timer_mod().
 *
 * Lists and timers may be used from any thread, but not while they are freed.
 */
#ifndef QEMU_TIMER_H
#define QEMU_TIMER_H

#include "qemu/osdep.h"
#include "qemu/thread.h"

#define NANOSECONDS_PER_SECOND 1000000000LL
#define SCALE_MS 1000000
#define SCALE_US 1000
#define SCALE_NS 1

typedef enum QEMUClockType {
    QEMU_CLOCK_REALTIME = 0,   /* monotonic, runs always */
    /*
     * Runs while the machine runs.  There is no machine here, so it runs from
     * the start, until qemu_clock_enable() stops its timers; in QEMU they wait
     * for the first qemu_clock_enable().
     */
    QEMU_CLOCK_VIRTUAL = 1,
    QEMU_CLOCK_HOST = 2,       /* wall clock, may jump */
    QEMU_CLOCK_VIRTUAL_RT = 3, /* as VIRTUAL, for icount users */
    QEMU_CLOCK_MAX
} QEMUClockType;

/*
 * What a timer does not do: an external one does not change what the guest
 * sees, so a replay need not wait for it.
 */
#define QEMU_TIMER_ATTR_EXTERNAL ((int)(1U << 0))
#define QEMU_TIMER_ATTR_ALL 0xffffffff

typedef void QEMUTimerCB(void *opaque);
/* The soonest deadline of a list of that clock has changed. */
typedef void QEMUTimerListNotifyCB(void *opaque, QEMUClockType type);

struct QEMUTimer {
    int64_t expire_time; /* ns, or -1 if not armed */
    QEMUTimerList *timer_list;
    QEMUTimerCB *cb;
    void *opaque;
    uint64_t armed_seq; /* breaks ties between equal deadlines */
    unsigned heap_index;
    int attributes;
    int scale;
    uint64_t id;
};

struct QEMUTimerListGroup {
    QEMUTimerList *tl[QEMU_CLOCK_MAX];
    unsigned armed[QEMU_CLOCK_MAX]; /* how many each has: ours */
};

/* The main loop's: timers that belong to no context. */
extern QEMUTimerListGroup main_loop_tlg;

/* ---- Clocks ---- */

/*
 * Makes main_loop_tlg; once, before its timers.  @notify_cb is called with a
 * NULL opaque; NULL stands for qemu_notify_event().  qemu_init_main_loop()
 * does it.
 */
void qemu_init_clocks(QEMUTimerListNotifyCB *notify_cb);
static inline void init_clocks(QEMUTimerListNotifyCB *notify_cb)
{
    qemu_init_clocks(notify_cb);
}
/* Ours: undoes it.  Main timers that are armed are dropped. */
void qemu_finish_clocks(void);

int64_t qemu_clock_get_ns(QEMUClockType type);
static inline int64_t qemu_clock_get_us(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_US;
}
static inline int64_t qemu_clock_get_ms(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_MS;
}
/* The monotonic clock, and the wall clock; nanoseconds. */
static inline int64_t get_clock(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
}
static inline int64_t get_clock_realtime(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_HOST);
}

static inline QEMUTimerList *
qemu_clock_get_main_loop_timerlist(QEMUClockType type)
{
    return main_loop_tlg.tl[type];
}

/* Of the main loop's list of that clock: is any timer armed, expired? */
bool qemu_clock_has_timers(QEMUClockType type);
bool qemu_clock_expired(QEMUClockType type);
/* True if its deadlines limit how long a loop may wait; here always. */
bool qemu_clock_use_for_deadline(QEMUClockType type);
/*
 * Nanoseconds until the soonest deadline on any list of that clock, 0 if it
 * has passed, -1 if there is none; timers with attributes other than those of
 * @attr_mask do not count.
 */
int64_t qemu_clock_deadline_ns_all(QEMUClockType type, int attr_mask);
/* Tells the owner of each list of that clock to look again. */
void qemu_clock_notify(QEMUClockType type);
/*
 * Timers of a clock that is not enabled do not run and are no deadlines.
 * Disabling it waits until none of its callbacks runs any more, so it must not
 * be called from one: that aborts.
 */
void qemu_clock_enable(QEMUClockType type, bool enabled);
/* Runs what has expired on the main loop's lists; true if anything ran. */
bool qemu_clock_run_timers(QEMUClockType type);
bool qemu_clock_run_all_timers(void);

/* ---- Lists ---- */

QEMUTimerList *timerlist_new(QEMUClockType type, QEMUTimerListNotifyCB *cb,
                             void *opaque);
/* No timer on it may be armed. */
void timerlist_free(QEMUTimerList *timer_list);
bool timerlist_has_timers(QEMUTimerList *timer_list);
bool timerlist_expired(QEMUTimerList *timer_list);
/* Nanoseconds until the soonest deadline, 0 if it passed, -1 if none. */
int64_t timerlist_deadline_ns(QEMUTimerList *timer_list);
QEMUClockType timerlist_get_clock(QEMUTimerList *timer_list);
/* Runs what has expired; true if anything ran. */
bool timerlist_run_timers(QEMUTimerList *timer_list);
void timerlist_notify(QEMUTimerList *timer_list);

void timerlistgroup_init(QEMUTimerListGroup *tlg, QEMUTimerListNotifyCB *cb,
                         void *opaque);
void timerlistgroup_deinit(QEMUTimerListGroup *tlg);
/* Clock by clock, in the order of their numbers. */
bool timerlistgroup_run_timers(QEMUTimerListGroup *tlg);
int64_t timerlistgroup_deadline_ns(QEMUTimerListGroup *tlg);

/* ---- One timer ---- */

/*
 * On the list of @type in @timer_list_group, or in main_loop_tlg if that is
 * NULL.  @scale is how many nanoseconds a unit of timer_mod() has.
 */
void timer_init_full(QEMUTimer *ts, QEMUTimerListGroup *timer_list_group,
                     QEMUClockType type, int scale, int attributes,
                     QEMUTimerCB *cb, void *opaque);
static inline void timer_init(QEMUTimer *ts, QEMUClockType type, int scale,
                              QEMUTimerCB *cb, void *opaque)
{
    timer_init_full(ts, NULL, type, scale, 0, cb, opaque);
}
static inline void timer_init_ns(QEMUTimer *ts, QEMUClockType type,
                                 QEMUTimerCB *cb, void *opaque)
{
    timer_init(ts, type, SCALE_NS, cb, opaque);
}
static inline void timer_init_us(QEMUTimer *ts, QEMUClockType type,
                                 QEMUTimerCB *cb, void *opaque)
{
    timer_init(ts, type, SCALE_US, cb, opaque);
}
static inline void timer_init_ms(QEMUTimer *ts, QEMUClockType type,
                                 QEMUTimerCB *cb, void *opaque)
{
    timer_init(ts, type, SCALE_MS, cb, opaque);
}

/* The same, allocated; timer_free() frees it. */
static inline QEMUTimer *timer_new_full(QEMUTimerListGroup *timer_list_group,
                                        QEMUClockType type, int scale,
                                        int attributes, QEMUTimerCB *cb,
                                        void *opaque)
{
    QEMUTimer *ts = g_new0(QEMUTimer, 1);

    timer_init_full(ts, timer_list_group, type, scale, attributes, cb, opaque);
    return ts;
}
static inline QEMUTimer *timer_new(QEMUClockType type, int scale,
                                   QEMUTimerCB *cb, void *opaque)
{
    return timer_new_full(NULL, type, scale, 0, cb, opaque);
}
static inline QEMUTimer *timer_new_ns(QEMUClockType type, QEMUTimerCB *cb,
                                      void *opaque)
{
    return timer_new(type, SCALE_NS, cb, opaque);
}
static inline QEMUTimer *timer_new_us(QEMUClockType type, QEMUTimerCB *cb,
                                      void *opaque)
{
    return timer_new(type, SCALE_US, cb, opaque);
}
static inline QEMUTimer *timer_new_ms(QEMUClockType type, QEMUTimerCB *cb,
                                      void *opaque)
{
    return timer_new(type, SCALE_MS, cb, opaque);
}

/* The timer must not be armed. */
void timer_deinit(QEMUTimer *ts);

/* Arms or re-arms, in units of the timer's scale, or in nanoseconds. */
void timer_mod(QEMUTimer *ts, int64_t expire_time);
void timer_mod_ns(QEMUTimer *ts, int64_t expire_time);
/* The same, but never to a later time than it is armed for. */
void timer_mod_anticipate(QEMUTimer *ts, int64_t expire_time);
void timer_mod_anticipate_ns(QEMUTimer *ts, int64_t expire_time);
/* Disarms.  Its callback may still run in another thread. */
void timer_del(QEMUTimer *ts);
/* Disarms and frees; NULL is nothing. */
static inline void timer_free(QEMUTimer *ts)
{
    if (ts) {
        timer_del(ts);
        g_free(ts);
    }
}

/* Is it armed? */
bool timer_pending(QEMUTimer *ts);
/* Is it armed for @current_time, in units of its scale, or sooner? */
bool timer_expired(QEMUTimer *timer_head, int64_t current_time);
/* Nanoseconds of its clock, or -1 if it is not armed. */
int64_t timer_expire_time_ns(QEMUTimer *ts);

/* ---- Timeouts ---- */

/* Rounded up, at most INT32_MAX; -1 stays -1. */
int qemu_timeout_ns_to_ms(int64_t ns);
/* ppoll(): returns how many are ready, or -1 and errno.  -1 ns: for ever. */
int qemu_poll_ns(GPollFD *fds, guint nfds, int64_t timeout);

#endif
