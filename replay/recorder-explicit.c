/* SPDX-License-Identifier: MIT */
/*
 * --capture=explicit: a recorder that notes what QEMU's own record/replay
 * would have.
 *
 * There a bottom half is captured only if its caller uses replay_bh_*(), and a
 * clock only if the guest can see it.  So this host is the live one, with
 * those two operations noted.  What a thread and the main thread end with is
 * noted besides: no input, but what a replay has to arrive at.
 *
 * It exists to show what is missing then: replay-explicit.c.
 */
#include "recorder-internal.h"

#include "live/live.h"

/* A thread that notes nothing needs no ring. */
static void put(InputKind kind, uint64_t obj, uint64_t a)
{
    uint32_t id = host_self()->id;

    if (unlikely(rec_ring == &ring_of_nobody)) {
        if (id >= THREAD_NUMBERS) {
            rec_too_many_threads();
        }
        rec_ring = ringset_attach(rec.rings);
    }
    rec_put(kind, obj, a, 0);
}

/*
 * QEMU lets the real-time clock through, because no guest sees it.  Its virtual
 * clock counts instructions, whose number is in its log; here there are none to
 * count, so what was read stands for it.
 */
static int64_t explicit_clock_ns(QEMUClockType clock)
{
    int64_t now = rec.base->clock_ns(clock);

    if (clock != QEMU_CLOCK_REALTIME) {
        put(INPUT_CLOCK, clock, now);
    }
    return now;
}

static void explicit_point(HostPoint point, uint64_t object)
{
    if (point == HOST_POINT_REPLAY_BH) {
        put(INPUT_REPLAY_BH, object, 0);
    } else if (point == HOST_POINT_REPLAY_ONESHOT) {
        put(INPUT_REPLAY_ONESHOT, object, 0);
    }
}

/*
 * A look that finds nothing is an event, too, and the simulated machine looks
 * in each turn; so that a run in which nothing is decided can be repeated there,
 * this one does, too.
 */
static bool explicit_monitor_busy(HostMonitor *monitor)
{
    return rec.base->monitor_ops(monitor)->visible ||
           rec.base->monitor_busy(monitor);
}

/* ---- Threads: how each ends ---- */

static void explicit_thread_ends(void)
{
    put(INPUT_THREAD_END, host_self()->id, probe_digest());
    ringset_detach(rec.rings, rec_ring);
    rec_ring = &ring_of_nobody;
}

/* ---- The table ---- */

const HostOps *recorder_explicit_host(void)
{
    static HostOps ops;

    ops = live_host;
    ops.name = "explicit recorder";
    ops.clock_ns = explicit_clock_ns;
    ops.point = explicit_point;
    ops.monitor_busy = explicit_monitor_busy;
    ops.thread_ends = explicit_thread_ends;
    return &ops;
}
