/* SPDX-License-Identifier: MIT */
/* A coroutine that waits for time to pass (util/qemu-coroutine-sleep.c). */
#include "coroutine-internal.h"

static const char sleeping[] = "qemu_co_sleep_ns";

void qemu_co_sleep_wake(QemuCoSleep *w)
{
    Coroutine *co = w->to_wake;

    w->to_wake = NULL;
    if (co) {
        /* Until now nobody else could have entered it. */
        const char *scheduled = raw_cmpxchg(&co->scheduled, sleeping, NULL);

        if (scheduled != sleeping) {
            coroutine_misuse_other("qemu_co_sleep_wake() of one that does not "
                                   "sleep", "was to be woken", co);
        }
        aio_co_wake(co);
    }
}

static void sleep_cb(void *opaque)
{
    qemu_co_sleep_wake(opaque);
}

void coroutine_fn qemu_co_sleep(QemuCoSleep *w)
{
    Coroutine *co = qemu_coroutine_self();
    const char *scheduled;

    coroutine_check_inside(co, "qemu_co_sleep()");
    scheduled = raw_cmpxchg(&co->scheduled, NULL, sleeping);
    if (scheduled) {
        coroutine_misuse_scheduled(__func__, co, scheduled);
    }
    w->to_wake = co;
    qemu_coroutine_yield();
    /* The wake-up has taken it out. */
    assert(w->to_wake == NULL);
}

void coroutine_fn qemu_co_sleep_ns_wakeable(QemuCoSleep *w, QEMUClockType type,
                                            int64_t ns)
{
    AioContext *ctx = qemu_get_current_aio_context();
    QEMUTimer ts;

    PROBE(CO_SLEEP, qemu_coroutine_self()->id, ns, 0, 0);
    aio_timer_init(ctx, &ts, type, SCALE_NS, sleep_cb, w);
    timer_mod(&ts, qemu_clock_get_ns(type) + ns);
    /* The timer fires in the loop, so not before we have yielded. */
    qemu_co_sleep(w);
    timer_del(&ts);
}
