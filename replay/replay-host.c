/* SPDX-License-Identifier: MIT */
/* The host of a replay: each operation takes its answer from the log. */
#include "replay-internal.h"

/* ---- Time, chance, points ---- */

static int64_t replay_clock_ns(QEMUClockType clock)
{
    return replay_take(INPUT_CLOCK, clock).a;
}

static uint64_t replay_random64(void)
{
    return replay_take(INPUT_RANDOM, 0).a;
}

static void replay_point(HostPoint point, uint64_t object)
{
    if (host_point_is_replay(point)) {
        replay_take(INPUT_REPLAY_BH, object);
    } else if (point == HOST_POINT_SLEEP && !rp.simulated) {
        replay_slept();
    } else if (rp.simulated && replay_take(INPUT_POINT, object).a != point) {
        replay_diverge_at_last("another kind of scheduling point", NULL);
    }
}

static void replay_turn(uint64_t ctx)
{
    replay_compare_digest(replay_take(INPUT_TURN, ctx).a, "the end of a turn");
    rp.agreed[host_self()->id].turns++;
}

/* ---- Notifiers ---- */

static int replay_notifier_init(EventNotifier *e, bool active)
{
    e->rfd = e->wfd = REPLAY_FD_NOTIFIER + rp.next_notifier++;
    return 0;
}

static void replay_notifier_cleanup(EventNotifier *e)
{
}

static void replay_notifier_set(EventNotifier *e)
{
    if (rp.simulated) {
        replay_take(INPUT_POINT, e->id);
    }
}

static bool replay_notifier_clear(EventNotifier *e)
{
    return replay_take(INPUT_NOTIFIER, e->id).a;
}

/* ---- Files ---- */

static int replay_file_open(const char *path, bool writable, bool direct)
{
    Input in = replay_take(INPUT_FILE_OPEN, 0);
    int result = (int)in.a;

    if (in.b != content_hash(path, strlen(path))) {
        replay_diverge_at_last("a file of another name", path);
    }
    if (result < 0) {
        return result;
    }
    if (result >= FILES_MAX) {
        replay_diverge_at_last("a file", "the log's number for it is impossible");
    }
    replay_files_open(rp.files, result, path);
    return REPLAY_FD_FILE + result;
}

static void replay_file_close(int fd)
{
}

static int64_t replay_file_size(int fd)
{
    int64_t size = replay_take(INPUT_FILE_SIZE, fd - REPLAY_FD_FILE).a;

    if (size > 1LL << 50) {
        replay_diverge_at_last("a file's size", "the log's is impossible");
    }
    return size;
}

static int32_t replay_file_perform(const struct io_uring_sqe *sqe)
{
    const Input *in = replay_next_input("file.io");
    bool with_data = in->kind == INPUT_FILE_IO_DATA ||
                     in->kind == INPUT_FILE_IO_HASH;
    Pending pending = pending_of(sqe);

    if ((!with_data && in->kind != INPUT_FILE_IO) ||
        in->obj != (uint64_t)(sqe->fd - REPLAY_FD_FILE) ||
        with_data != replay_brings_data(&pending, in)) {
        replay_diverge("another request on a file", NULL);
    }
    replay_accept();
    replay_bring_data(in, &pending, in->kind == INPUT_FILE_IO_DATA);
    return in->a;
}

const HostOps replay_host = {
    .name = "replay",
    .clock_ns = replay_clock_ns,
    .random64 = replay_random64,
    .point = replay_point,
    .turn = replay_turn,
    .monitor_new = replay_monitor_new,
    .monitor_free = replay_monitor_free,
    .monitor_ops = replay_monitor_ops,
    .watch_add = replay_watch_add,
    .watch_remove = replay_watch_remove,
    .watch_freed = replay_watch_freed,
    .add_sqe = replay_add_sqe,
    .monitor_busy = replay_monitor_busy,
    .monitor_wait = replay_monitor_wait,
    .monitor_fd = replay_monitor_fd,
    .monitor_submit = replay_monitor_submit,
    .monitor_pending = replay_monitor_pending,
    .poll = replay_poll,
    .busy_poll = replay_busy_poll,
    .bh_detached = replay_bh_detached,
    .co_detached = replay_co_detached,
    .observe = replay_observe,
    .word_begin = replay_word_begin,
    .word_end = replay_word_end,
    .rec_assert = replay_rec_assert,
    .notifier_init = replay_notifier_init,
    .notifier_cleanup = replay_notifier_cleanup,
    .notifier_set = replay_notifier_set,
    .notifier_clear = replay_notifier_clear,
    .mutex_init = replay_lock_init,
    .mutex_destroy = replay_lock_init,
    .mutex_lock = replay_mutex_lock,
    .mutex_trylock = replay_mutex_trylock,
    .mutex_unlock = replay_mutex_unlock,
    .cond_init = replay_cond_nothing,
    .cond_destroy = replay_cond_nothing,
    .cond_wait = replay_cond_wait,
    .cond_wake = replay_cond_wake,
    .thread_create = replay_thread_create,
    .thread_ends = replay_thread_ends,
    .thread_join = replay_thread_join,
    .thread_attach = machine_no_foreign_thread,
    .file_open = replay_file_open,
    .file_close = replay_file_close,
    .file_size = replay_file_size,
    .file_perform = replay_file_perform,
    .laio_setup = replay_laio_setup,
    .laio_destroy = replay_laio_destroy,
    .laio_submit = replay_laio_submit,
    .laio_getevents = replay_laio_getevents,
    .laio_pending = replay_laio_pending,
    .thread_exit = machine_thread_exit,
    .glib_enter = replay_glib_enter,
    .glib_leave = replay_glib_leave,
    .refuse = machine_refuse,
    .exits = replay_exits,
};
