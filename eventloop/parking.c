/* SPDX-License-Identifier: MIT */
/* A place to sleep for locks that are a word; see parking.h. */
#include "parking.h"

#include "raw-atomic.h"

ParkingPlace *parking_new(void)
{
    ParkingPlace *place = g_new0(ParkingPlace, 1);

    qemu_mutex_init(&place->mutex);
    qemu_cond_init(&place->cond);
    place->refs = 1;
    return place;
}

ParkingPlace *parking_ref(ParkingPlace *place)
{
    raw_inc(&place->refs);
    return place;
}

void parking_unref(ParkingPlace *place)
{
    if (raw_fetch_dec(&place->refs) == 1) {
        qemu_cond_destroy(&place->cond);
        qemu_mutex_destroy(&place->mutex);
        g_free(place);
    }
}

/* The mutex: who has said that it sleeps, but does not yet, holds it. */
void parking_wake_all(ParkingPlace *place)
{
    qemu_mutex_lock(&place->mutex);
    qemu_cond_broadcast(&place->cond);
    qemu_mutex_unlock(&place->mutex);
}
