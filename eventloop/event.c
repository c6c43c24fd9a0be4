/* SPDX-License-Identifier: MIT */
/*
 * QemuEvent: a word with three values, and a place to sleep.
 *
 *          set          reset            wait
 *   SET    nothing      becomes FREE     returns
 *   FREE   becomes SET  nothing          becomes BUSY, sleeps
 *   BUSY   becomes SET, nothing          sleeps
 *          wakes all
 *
 * So only a set with sleepers, and a wait for an event that is not set, do
 * more than look at the word.
 */
#include "host.h"
#include "parking.h"

enum { EVENT_SET, EVENT_FREE, EVENT_BUSY };

void qemu_event_init(QemuEvent *ev, bool init)
{
    *ev = (QemuEvent){
        .parking = parking_new(), .value = init ? EVENT_SET : EVENT_FREE,
        .initialized = true,
    };
}

void qemu_event_destroy(QemuEvent *ev)
{
    assert(ev->initialized);
    ev->initialized = false;
    parking_unref(ev->parking);
    ev->parking = NULL;
}

static void event_point(QemuEvent *ev)
{
    assert(ev->initialized);
    host_point(HOST_POINT_WORD, ev->parking->mutex.id);
}

void qemu_event_set(QemuEvent *ev)
{
    ParkingPlace *place;

    event_point(ev);
    /*
     * What was written before the call is seen by who resets the event after
     * our read of it and then tests its condition.
     */
    smp_mb();
    if (qatomic_read(&ev->value) == EVENT_SET ||
        qatomic_cmpxchg(&ev->value, EVENT_FREE, EVENT_SET) != EVENT_BUSY) {
        return;
    }
    place = parking_ref(ev->parking);
    /* From here on the event may be gone. */
    if (qatomic_xchg(&ev->value, EVENT_SET) == EVENT_BUSY) {
        parking_wake_all(place);
    }
    parking_unref(place);
}

void qemu_event_reset(QemuEvent *ev)
{
    event_point(ev);
    qatomic_cmpxchg(&ev->value, EVENT_SET, EVENT_FREE);
    smp_mb__after_rmw();
}

/* With the place's mutex held: says that somebody sleeps. */
static bool event_must_sleep(QemuEvent *ev)
{
    return qatomic_cmpxchg(&ev->value, EVENT_FREE, EVENT_BUSY) != EVENT_SET;
}

void qemu_event_wait_at(QemuEvent *ev, const LockSite *at)
{
    event_point(ev);
    if (qatomic_load_acquire(&ev->value) == EVENT_SET) {
        return;
    }
    qemu_mutex_lock(&ev->parking->mutex);
    while (event_must_sleep(ev)) {
        qemu_cond_wait_at(&ev->parking->cond, &ev->parking->mutex, at);
    }
    qemu_mutex_unlock(&ev->parking->mutex);
}

void (qemu_event_wait)(QemuEvent *ev)
{
    qemu_event_wait_at(ev, LOCK_SITE_(NULL));
}
