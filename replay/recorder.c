/* SPDX-License-Identifier: MIT */
/*
 * The recorder: calls the host below, and notes what it answered.
 *
 * Each thread has a ring of its own.  Tickets, counted by all threads together,
 * put what they note into one order; recorder-threads.c says why it is the
 * right one.  Here is what concerns one thread and its loop.
 */
#include "recorder-internal.h"

#include "aio-internal.h"
#include "machine.h"
#include "sim.h"

#include <unistd.h>

Recorder rec = {
    .creating = PTHREAD_MUTEX_INITIALIZER, .glib = PTHREAD_MUTEX_INITIALIZER,
};
__thread Ring *rec_ring = &ring_of_nobody;
__thread bool rec_muted;

/* ---- Time, chance, points ---- */

static int64_t rec_clock_ns(QEMUClockType clock)
{
    int64_t now = rec.base->clock_ns(clock);

    if (!rec_muted) {
        rec_put_own(INPUT_CLOCK, clock, now);
    }
    return now;
}

static uint64_t rec_random64(void)
{
    uint64_t value = rec.base->random64();

    rec_put(INPUT_RANDOM, 0, value, 0);
    return value;
}

static void rec_point(HostPoint point, uint64_t object)
{
    if (likely(!rec.simulated)) {
        /* The live host has no points of its own. */
        if (host_point_is_replay(point)) {
            rec_put_own(INPUT_REPLAY_BH, object, 0);
        }
        return;
    }
    rec.base->point(point, object);
    if (host_point_is_replay(point)) {
        rec_put(INPUT_REPLAY_BH, object, 0, 0);
    } else {
        rec_put(INPUT_POINT, object, point, 0);
    }
}

static void rec_turn(uint64_t ctx)
{
    rec.base->turn(ctx);
    rec_put(INPUT_TURN, ctx, probe_digest(), 0);
}

/* ---- Notifiers ---- */

static bool rec_notifier_clear(EventNotifier *e)
{
    bool was_set = rec.base->notifier_clear(e);

    rec_put(INPUT_NOTIFIER, e->id, was_set, 0);
    return was_set;
}

/* ---- What the machine tells ---- */

static void rec_chosen(const Choice *choice, unsigned taken)
{
    rec_put(INPUT_CHOICE, choice->object,
        (uint64_t)choice->kind << 16 | choice->n << 8 | taken,
        choice_detail(choice));
}

static void rec_stuck(uint32_t thread)
{
    rec_put(INPUT_STUCK, thread, 0, 0);
}

static const SimObserver recorder_observer = {
    .chosen = rec_chosen, .stuck = rec_stuck,
};

/* ---- Operations that need no note: the base's own ---- */

static int rec_notifier_init(EventNotifier *e, bool active)
{
    return rec.base->notifier_init(e, active);
}

static void rec_notifier_cleanup(EventNotifier *e)
{
    rec.base->notifier_cleanup(e);
}

static void rec_notifier_set(EventNotifier *e)
{
    rec.base->notifier_set(e);
    if (rec.simulated) {
        rec_put(INPUT_POINT, e->id, HOST_POINT_NOTIFY, 0);
    }
}

static void rec_mutex_init(QemuMutex *mutex)
{
    rec.base->mutex_init(mutex);
}

static void rec_mutex_destroy(QemuMutex *mutex)
{
    rec.base->mutex_destroy(mutex);
}

static void rec_mutex_unlock(QemuMutex *mutex)
{
    rec.base->mutex_unlock(mutex);
}

static void rec_cond_init(QemuCond *cond)
{
    rec.base->cond_init(cond);
}

static void rec_cond_destroy(QemuCond *cond)
{
    rec.base->cond_destroy(cond);
}

static void rec_cond_wake(QemuCond *cond, bool all)
{
    rec.base->cond_wake(cond, all);
}

const HostOps recorder_host = {
    .name = "recorder",
    .clock_ns = rec_clock_ns,
    .random64 = rec_random64,
    .point = rec_point,
    .turn = rec_turn,
    .monitor_new = rec_monitor_new,
    .monitor_free = rec_monitor_free,
    .monitor_ops = rec_monitor_ops,
    .watch_add = rec_watch_add,
    .watch_remove = rec_watch_remove,
    .add_sqe = rec_add_sqe,
    .monitor_busy = rec_monitor_busy,
    .monitor_wait = rec_monitor_wait,
    .monitor_fd = rec_monitor_fd,
    .monitor_submit = rec_monitor_submit,
    .monitor_pending = rec_monitor_pending,
    .poll = rec_poll,
    .busy_poll = rec_busy_poll,
    .bh_detached = rec_bh_detached,
    .co_detached = rec_co_detached,
    .observe = rec_observe,
    .word_begin = rec_word_begin,
    .word_end = rec_word_end,
    .rec_assert = rec_assert,
    .notifier_init = rec_notifier_init,
    .notifier_cleanup = rec_notifier_cleanup,
    .notifier_set = rec_notifier_set,
    .notifier_clear = rec_notifier_clear,
    .mutex_init = rec_mutex_init,
    .mutex_destroy = rec_mutex_destroy,
    .mutex_lock = rec_mutex_lock,
    .mutex_trylock = rec_mutex_trylock,
    .mutex_unlock = rec_mutex_unlock,
    .cond_init = rec_cond_init,
    .cond_destroy = rec_cond_destroy,
    .cond_wait = rec_cond_wait,
    .cond_wake = rec_cond_wake,
    .thread_create = rec_thread_create,
    .thread_begins = rec_thread_begins,
    .thread_ends = rec_thread_ends,
    .thread_join = rec_thread_join,
    .thread_attach = rec_thread_attach,
    .file_open = rec_file_open,
    .file_close = rec_file_close,
    .file_size = rec_file_size,
    .file_perform = rec_file_perform,
    .laio_setup = rec_laio_setup,
    .laio_destroy = rec_laio_destroy,
    .laio_submit = rec_laio_submit,
    .laio_getevents = rec_laio_getevents,
    .laio_pending = rec_laio_pending,
    .thread_exit = rec_thread_exit,
    .glib_enter = rec_glib_enter,
    .glib_leave = rec_glib_leave,
    .refuse = rec_refuse,
    .exits = rec_exits,
};

/* ---- Begin and end ---- */

void rec_stop(const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    blackbox_stop(rec.box, reason);
    abort(); /* it has ended the process */
}

bool recorder_start(const HostOps *base, Log *log, BlackBox *box,
                    DataPolicy policy, Error **errp)
{
    rec.own_box = box ? NULL : blackbox_new(log_path(log), errp);
    box = box ? box : rec.own_box;
    if (!box) {
        return false;
    }
    rec.rings = ringset_new(log, box);
    rec.base = base;
    rec.box = ringset_box(rec.rings);
    rec.last_ticket = &rec.box->last_ticket;
    rec.log = log;
    rec.policy = policy;
    rec.simulated = base == &sim_host;
    fd_table_init(&rec.fds);
    rec_files_init();
    ring_nobody = rec_no_ring;
    rec_ring = ringset_attach(rec.rings);
    front_listen();
    if (rec.simulated) {
        sim_observer = &recorder_observer;
    }
    probe_start(NULL, NULL);
    return true;
}

void recorder_end(void)
{
    rec_put(INPUT_END, 0, probe_digest(), 0);
}

void recorder_put_stuck(const uint32_t *threads, unsigned n)
{
    Ring *ring = ringset_attach(rec.rings);

    for (unsigned i = 0; i < n; i++) {
        Slot *slot;

        ring_wait(ring, 1);
        slot = ring_slot(ring, ring->head);
        *slot = (Slot){
            .head = rec_take_tickets(1) << 24 | (uint64_t)threads[i] << 8 |
                    INPUT_STUCK,
            .obj = threads[i],
        };
        qatomic_store_release(&ring->head, ring->head + 1);
    }
}

void recorder_stop_writing(void)
{
    ringset_stop_writer(rec.rings);
}

void recorder_stop(void)
{
    uint64_t inputs, stalls;

    probe_stop();
    sim_observer = NULL;
    rec_ring = &ring_of_nobody;
    stalls = ringset_finish(rec.rings, &inputs);
    blackbox_free(rec.own_box);
    log_set_meta_int(rec.log, "inputs", inputs);
    log_set_meta_int(rec.log, "stalls", stalls);
    rec_files_finish();
    fd_table_finish(&rec.fds);
}
