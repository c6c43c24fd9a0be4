/* SPDX-License-Identifier: MIT */
/* What virtual threads do, told to the follower. */
#include "follow-internal.h"

#include "aio-internal.h"

/* Whoever publishes tells it right behind that. */
static void follow_tell(void)
{
    Follower *f = follow_self();

    f->wanted = -1;
    f->turn = f->publishes ? f->turn : TURN_NOW;
}

static void follow_point(HostPoint point, uint64_t object)
{
    Follower *f = follow_self();

    switch (point) {
    case HOST_POINT_BH_PUBLISH:
    case HOST_POINT_CO_PUBLISH:
        follow_publish(object);
        break;
    case HOST_POINT_REPLAY_BH:
        follow_begin(INPUT_REPLAY_BH, object);
        break;
    case HOST_POINT_SPIN:
        follow_spins();
        break;
    case HOST_POINT_NOTIFY:
        follow_tell();
        break;
    default:
        f->wanted = -1;
        f->turn = TURN_NOW;
        break;
    }
    sim_host.point(point, object);
    if (point == HOST_POINT_REPLAY_BH) {
        follow_end();
    }
}

static void follow_monitor_wait(HostMonitor *monitor, int64_t timeout_ns,
                                HostBatch *batch)
{
    Follower *f = follow_self();
    HostWatch *watch;
    CqeHandler *handler;

    follow_begin_wait(timeout_ns);
    f->monitor = monitor;
    sim_host.monitor_wait(monitor, timeout_ns, batch);
    f->monitor = NULL;
    follow_end();
    QSIMPLEQ_FOREACH(watch, &batch->watches, next) {
        follow_note(INPUT_READY, watch->id);
    }
    QSIMPLEQ_FOREACH(handler, &batch->cqes, next) {
        follow_note(INPUT_CQE, handler->cqe.user_data);
    }
}

static int follow_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    int ready;

    follow_begin(INPUT_POLL, 0);
    ready = sim_host.poll(fds, n, timeout_ns);
    follow_end();
    return ready;
}

static void follow_busy_poll(HostMonitor *monitor, int64_t max_ns,
                             HostBusyPoll *poll)
{
    follow_begin(INPUT_BUSY_POLL, 0);
    sim_host.busy_poll(monitor, max_ns, poll);
    follow_end();
    for (unsigned i = 0; i < poll->n_found; i++) {
        follow_note(INPUT_FOUND, poll->found[i]);
    }
}

static void follow_bh_detached(uint64_t ctx, BHList *slice, BHList *left)
{
    QEMUBH *bh;

    QSLIST_FOREACH(bh, slice, next) {
        follow_note(INPUT_BH, bh->id);
    }
}

static void follow_co_detached(uint64_t ctx, CoroutineList *taken,
                               CoroutineList *left)
{
    Coroutine *co;

    QSLIST_FOREACH(co, taken, co_scheduled_next) {
        follow_note(INPUT_CO, co->id);
    }
}

static void follow_word_begin(const volatile void *word, unsigned how)
{
    if (!machine_current()->looking) {
        follow_begin(INPUT_WORD, 0);
    }
    sim_host.word_begin(word, how);
}

static void follow_word_end(const volatile void *word, uint64_t value)
{
    if (!machine_current()->looking) {
        follow_end();
    }
}

static void follow_turn(uint64_t ctx)
{
    follow_turn_ends();
    sim_host.turn(ctx);
}

static uint64_t follow_observe(HostSight what, uint64_t value)
{
    if (!machine_current()->looking) {
        follow_observed(what, value);
    }
    return sim_host.observe(what, value);
}

static void follow_notifier_set(EventNotifier *e)
{
    if (follow_is_taken(e->id)) {
        follow_publish(e->id);
    } else {
        follow_tell();
    }
    sim_host.notifier_set(e);
}

static bool follow_notifier_clear(EventNotifier *e)
{
    follow_note(INPUT_NOTIFIER, e->id);
    return sim_host.notifier_clear(e);
}

/* ---- Locks and threads ---- */

static void follow_mutex_lock(QemuMutex *mutex)
{
    follow_begin(INPUT_LOCK, mutex->id);
    sim_host.mutex_lock(mutex);
    follow_end();
}

static bool follow_mutex_trylock(QemuMutex *mutex)
{
    bool taken;

    follow_begin(INPUT_TRYLOCK, mutex->id);
    taken = sim_host.mutex_trylock(mutex);
    follow_end();
    return taken;
}

static bool follow_cond_wait(QemuCond *cond, QemuMutex *mutex,
                             int64_t timeout_ns)
{
    bool woken;

    follow_begin(INPUT_COND, cond->id);
    woken = sim_host.cond_wait(cond, mutex, timeout_ns);
    follow_end();
    return woken;
}

static void follow_thread_begins(void)
{
    follow_end();
}

static void follow_thread_ends(void)
{
    follow_note(INPUT_THREAD_END, host_self()->id);
}

static void follow_thread_create(QemuThread *thread, const char *name,
                                 void *(*start)(void *), void *arg)
{
    Follower *f;

    follow_begin(INPUT_THREAD_CREATE, thread->id);
    sim_host.thread_create(thread, name, start, arg);
    follow_end();
    follow_created(thread->id, thread->number, name);
    f = follow_thread(thread->number);
    if (f->sequence) { /* its first act */
        f->wanted = 0;
        f->turn = turn_of(follow_wanted(f)->ticket);
    }
}

static void *follow_thread_join(QemuThread *thread)
{
    void *ret;

    follow_begin(INPUT_THREAD_JOIN, thread->id);
    ret = sim_host.thread_join(thread);
    follow_end();
    return ret;
}

/* ---- Files ---- */

static int follow_file_open(const char *path, bool writable, bool direct)
{
    follow_note(INPUT_FILE_OPEN, 0);
    return sim_host.file_open(path, writable, direct);
}

static int64_t follow_file_size(int fd)
{
    follow_note(INPUT_FILE_SIZE, 0);
    return sim_host.file_size(fd);
}

static int32_t follow_file_perform(const struct io_uring_sqe *sqe)
{
    int32_t res;

    follow_begin(INPUT_FILE_IO, 0);
    res = sim_host.file_perform(sqe);
    follow_end();
    return res;
}

static int follow_laio_submit(HostLaio *laio, HostLaioRequest **requests,
                              unsigned n)
{
    int taken;

    follow_begin(INPUT_LAIO_SUBMIT, 0);
    taken = sim_host.laio_submit(laio, requests, n);
    follow_end();
    return taken;
}

static unsigned follow_laio_getevents(HostLaio *laio, HostLaioRequest **done,
                                      unsigned n)
{
    unsigned taken;

    follow_begin(INPUT_LAIO_EVENTS, 0);
    taken = sim_host.laio_getevents(laio, done, n);
    follow_end();
    for (unsigned i = 0; i < taken; i++) {
        follow_note(INPUT_CQE, done[i]->handler.cqe.user_data);
    }
    return taken;
}

HostOps follow_host;

void follow_host_init(void)
{
    follow_host = sim_host;
    follow_host.name = "follow";
    follow_host.point = follow_point;
    follow_host.monitor_wait = follow_monitor_wait;
    follow_host.poll = follow_poll;
    follow_host.busy_poll = follow_busy_poll;
    follow_host.bh_detached = follow_bh_detached;
    follow_host.co_detached = follow_co_detached;
    follow_host.turn = follow_turn;
    follow_host.observe = follow_observe;
    follow_host.word_begin = follow_word_begin;
    follow_host.word_end = follow_word_end;
    follow_host.notifier_set = follow_notifier_set;
    follow_host.notifier_clear = follow_notifier_clear;
    follow_host.mutex_lock = follow_mutex_lock;
    follow_host.mutex_trylock = follow_mutex_trylock;
    follow_host.cond_wait = follow_cond_wait;
    follow_host.thread_create = follow_thread_create;
    follow_host.thread_begins = follow_thread_begins;
    follow_host.thread_ends = follow_thread_ends;
    follow_host.thread_join = follow_thread_join;
    follow_host.file_open = follow_file_open;
    follow_host.file_size = follow_file_size;
    follow_host.file_perform = follow_file_perform;
    follow_host.laio_submit = follow_laio_submit;
    follow_host.laio_getevents = follow_laio_getevents;
}
