/* SPDX-License-Identifier: MIT */
/*
 * A coroutine that is waited for no longer than some time
 * (util/qemu-co-timeout.c).
 *
 * It is not cancelled: who is late, the time or the coroutine, finds that the
 * other was first, and cleans up.
 */
#include "coroutine-internal.h"

typedef struct CoTimeout {
    CoroutineEntry *entry;
    void *opaque;
    CleanupFunc *clean;
    QemuCoSleep sleep;
    bool over; /* one of the two was there */
} CoTimeout;

static void coroutine_fn run_entry(void *opaque)
{
    CoTimeout *t = opaque;

    t->entry(t->opaque);
    if (!t->over) {
        t->over = true;
        qemu_co_sleep_wake(&t->sleep);
        return;
    }
    if (t->clean) {
        t->clean(t->opaque);
    }
    g_free(t);
}

int coroutine_fn qemu_co_timeout(CoroutineEntry *entry, void *opaque,
                                 uint64_t timeout_ns, CleanupFunc clean)
{
    CoTimeout *t;

    coroutine_check_inside(qemu_coroutine_self(), "qemu_co_timeout()");
    if (!timeout_ns) {
        entry(opaque);
        return 0;
    }
    t = g_new0(CoTimeout, 1);
    *t = (CoTimeout){.entry = entry, .opaque = opaque, .clean = clean};
    /* Begins when we yield, so it cannot end before we sleep. */
    aio_co_enter(qemu_get_current_aio_context(),
                 qemu_coroutine_create(run_entry, t));
    qemu_co_sleep_ns_wakeable(&t->sleep, QEMU_CLOCK_REALTIME,
                              MIN(timeout_ns, INT64_MAX / 2));
    if (!t->over) {
        t->over = true;
        return -ETIMEDOUT;
    }
    g_free(t);
    return 0;
}
