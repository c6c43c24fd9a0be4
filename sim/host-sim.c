/* SPDX-License-Identifier: MIT */
/* The simulated machine as a host: its table. */
#include "sim-internal.h"

/* Wall time starts here; the other clocks start at 0. */
static const int64_t epoch_ns = 1767225600LL * NANOSECONDS_PER_SECOND;

static int64_t sim_clock_ns(QEMUClockType clock)
{
    sim_tick();
    sim_access(&sim.now, SIM_OWN_READ);
    return clock == QEMU_CLOCK_HOST ? epoch_ns + sim.now : sim.now;
}

static uint64_t sim_random64(void)
{
    sim_access(&sim.rng, SIM_OWN_WRITE);
    return sim_random(&sim.rng);
}

/* What follows is a read-modify-write or a barrier of the loop's own. */
static void sim_host_point(HostPoint point, uint64_t object)
{
    if (point == HOST_POINT_SLEEP) {
        sim_fence();
        sim_block(sim.now + (int64_t)object);
        return;
    }
    sim_point();
    sim_fence();
}

static void sim_turn(uint64_t ctx)
{
    if (sim.config.fine) {
        sim_point();
    }
}

static void sim_bh_detached(uint64_t ctx, BHList *slice, BHList *left)
{
}

/* ---- SimConfig.fine ---- */

static void sim_co_detached(uint64_t ctx, CoroutineList *taken,
                            CoroutineList *left)
{
}

/* A loop that has seen whether it was notified goes on to take its lists. */
static uint64_t sim_observe(HostSight what, uint64_t value)
{
    if (sim_observe_is_point(what)) {
        sim_point();
    }
    return value;
}

const HostOps sim_host = {
    .name = "sim",
    .clock_ns = sim_clock_ns,
    .random64 = sim_random64,
    .point = sim_host_point,
    .turn = sim_turn,
    .monitor_new = sim_monitor_new,
    .monitor_free = sim_monitor_free,
    .monitor_ops = sim_monitor_ops,
    .watch_add = sim_watch_add,
    .watch_remove = sim_watch_remove,
    .add_sqe = sim_add_sqe,
    .monitor_busy = sim_monitor_busy,
    .monitor_wait = sim_monitor_wait,
    .monitor_fd = sim_monitor_fd,
    .monitor_submit = sim_monitor_submit,
    .monitor_pending = sim_monitor_pending,
    .poll = sim_poll,
    .busy_poll = sim_busy_poll,
    .bh_detached = sim_bh_detached,
    .co_detached = sim_co_detached,
    .observe = sim_observe,
    .word_begin = sim_word_begin,
    .word_end = sim_word_end,
    .fence = sim_fence,
    .notifier_init = sim_notifier_init,
    .notifier_cleanup = sim_notifier_cleanup,
    .notifier_set = sim_notifier_set,
    .notifier_clear = sim_notifier_clear,
    .mutex_init = sim_mutex_init,
    .mutex_destroy = sim_mutex_destroy,
    .mutex_lock = sim_mutex_lock,
    .mutex_trylock = sim_mutex_trylock,
    .mutex_unlock = sim_mutex_unlock,
    .cond_init = sim_cond_init,
    .cond_destroy = sim_cond_destroy,
    .cond_wait = sim_cond_wait,
    .cond_wake = sim_cond_wake,
    .thread_create = sim_thread_create,
    .thread_join = sim_thread_join,
    .thread_attach = machine_no_foreign_thread,
    .file_open = sim_file_open,
    .file_close = sim_file_close,
    .file_size = sim_file_size,
    .file_perform = sim_file_wait_and_perform,
    .laio_setup = sim_laio_setup,
    .laio_destroy = sim_laio_destroy,
    .laio_submit = sim_laio_submit,
    .laio_getevents = sim_laio_getevents,
    .laio_pending = sim_laio_pending,
    .thread_exit = machine_thread_exit,
    .refuse = machine_refuse,
    .exits = sim_exits,
};
