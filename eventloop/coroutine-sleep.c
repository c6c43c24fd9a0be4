/* SPDX-License-Identifier: MIT */
/* A coroutine that waits for time to pass (util/qemu-coroutine-sleep.c). */
#include "aio-internal.h"

static void sleep_cb(void *opaque)
{
    Coroutine *co = opaque;

    /* Until now nobody else could have entered it. */
    qatomic_set(&co->scheduled, NULL);
    aio_co_wake(co);
}

void coroutine_fn qemu_co_sleep_ns(QEMUClockType type, int64_t ns)
{
    AioContext *ctx = qemu_get_current_aio_context();
    Coroutine *co = qemu_coroutine_self();
    const char *scheduled = qatomic_cmpxchg(&co->scheduled, NULL, __func__);
    QEMUTimer ts;

    if (scheduled) {
        fprintf(stderr,
                "%s: Co-routine '%s' was already scheduled in '%s'\n",
                __func__, co->name, scheduled);
        abort();
    }
    PROBE(CO_SLEEP, co->id, ns, 0, 0);
    aio_timer_init(ctx, &ts, type, SCALE_NS, sleep_cb, co);
    timer_mod(&ts, qemu_clock_get_ns(type) + ns);
    qemu_coroutine_yield();
    timer_del(&ts);
}
