/* SPDX-License-Identifier: MIT */
/*
 * A place to sleep for locks that are a word (QEMU uses futexes).
 *
 * The word says whether somebody sleeps; only then is there anything to do
 * here.  The place outlives its lock: who wakes takes a reference *before* the
 * word is given up, because from then on another thread may destroy the lock.
 */
#ifndef EVENTLOOP_PARKING_H
#define EVENTLOOP_PARKING_H

#include "qemu/thread.h"

typedef struct ParkingPlace {
    QemuMutex mutex;
    QemuCond cond;
    unsigned refs;
} ParkingPlace;

ParkingPlace *parking_new(void);
ParkingPlace *parking_ref(ParkingPlace *place);
void parking_unref(ParkingPlace *place);

/*
 * To sleep: take the mutex, look at the word, write into it that somebody
 * sleeps, and wait; look again afterwards.  To wake: change the word first.
 */
void parking_wake_all(ParkingPlace *place);

#endif
