/* SPDX-License-Identifier: MIT */
/*
 * Clocks and timers, after QEMU's qemu/timer.h.
 *
 * A timer belongs to one list: one clock of one AioContext.  Deadlines are
 * nanoseconds of that clock; a scale only says in which unit timer_mod() is
 * given its time.  Timers with equal deadlines run in the order in which they
 * were armed.
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
    QEMU_CLOCK_VIRTUAL = 1,    /* runs while the machine runs */
    QEMU_CLOCK_HOST = 2,       /* wall clock, may jump */
    QEMU_CLOCK_VIRTUAL_RT = 3, /* as REALTIME, for icount users */
    QEMU_CLOCK_MAX
} QEMUClockType;

typedef void QEMUTimerCB(void *opaque);
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
};

int64_t qemu_clock_get_ns(QEMUClockType type);
static inline int64_t qemu_clock_get_us(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_US;
}
static inline int64_t qemu_clock_get_ms(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_MS;
}

void timerlistgroup_init(QEMUTimerListGroup *tlg, QEMUTimerListNotifyCB *cb,
                         void *opaque);
void timerlistgroup_deinit(QEMUTimerListGroup *tlg);
/* Runs what has expired, clock by clock; true if anything ran. */
bool timerlistgroup_run_timers(QEMUTimerListGroup *tlg);
/* Nanoseconds until the soonest deadline, 0 if it passed, -1 if none. */
int64_t timerlistgroup_deadline_ns(QEMUTimerListGroup *tlg);

void timer_init_full(QEMUTimer *ts, QEMUTimerListGroup *timer_list_group,
                     QEMUClockType type, int scale, int attributes,
                     QEMUTimerCB *cb, void *opaque);
/* The timer must not be armed. */
void timer_deinit(QEMUTimer *ts);
/* Any thread.  Arms or re-arms, in units of the timer's scale. */
void timer_mod(QEMUTimer *ts, int64_t expire_time);
void timer_mod_ns(QEMUTimer *ts, int64_t expire_time);
/* As timer_mod_ns(), but never later than it already is. */
void timer_mod_anticipate_ns(QEMUTimer *ts, int64_t expire_time);
void timer_del(QEMUTimer *ts);
bool timer_pending(QEMUTimer *ts);
int64_t timer_expire_time_ns(QEMUTimer *ts);
static inline void timer_free(QEMUTimer *ts)
{
    if (ts) {
        timer_del(ts);
        g_free(ts);
    }
}

/* Timers of the main thread that belong to no context. */
extern QEMUTimerListGroup main_loop_tlg;
void qemu_init_clocks(QEMUTimerListNotifyCB *notify_cb);
bool qemu_clock_run_all_timers(void);
/* Rounded up; -1 stays -1. */
int qemu_timeout_ns_to_ms(int64_t ns);

#endif
