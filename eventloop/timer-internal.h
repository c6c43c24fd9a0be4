/* SPDX-License-Identifier: MIT */
/* Timer lists, between timer.c and the clocks that they belong to, clock.c. */
#ifndef EVENTLOOP_TIMER_INTERNAL_H
#define EVENTLOOP_TIMER_INTERNAL_H

#include "aio-internal.h"
#include "qemu/main-loop.h"
#include "timer-heap.h"

typedef struct RunWaiter RunWaiter;

struct QEMUTimerList {
    QEMUClockType clock;
    QemuMutex lock; /* heap, next_seq, waiters; and the timers on the heap */
    TimerHeap heap; /* its n is also read without the lock: is there any? */
    unsigned *group_armed; /* the group's copy of heap.n, or NULL */
    uint64_t next_seq;
    QEMUTimerListNotifyCB *notify_cb;
    void *notify_opaque;
    uint64_t ctx; /* the owner's id, for probes */

    unsigned running; /* how many timerlist_run_timers() are on the stack */
    HostThread *runner; /* of whom */
    QSLIST_HEAD(, RunWaiter) waiters; /* until it is 0 */

    QLIST_ENTRY(QEMUTimerList) node; /* of the clock */
    unsigned refs; /* the owner, and who walks the clock's lists */
};

/* The soonest deadline of a timer that @attr_mask allows, or -1. */
int64_t timerlist_soonest(QEMUTimerList *list, int attr_mask);
/* The last reference is gone. */
void timerlist_destroy(QEMUTimerList *list);

bool clock_is_enabled(QEMUClockType type);
void clock_add_list(QEMUTimerList *list);
void clock_remove_list(QEMUTimerList *list);

/* False if the clock is not enabled; the end is called in any case. */
bool timerlist_begin_run(QEMUTimerList *list);
void timerlist_end_run(QEMUTimerList *list);

#endif
