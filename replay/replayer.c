/* SPDX-License-Identifier: MIT */
/*
 * The replayer: a host whose answers come from a log.
 *
 * It runs on the virtual threads of the simulated machine, by turn-taking: a
 * thread runs until it arrives at a host operation that takes an input.  If
 * the next input of the log is another thread's, that one goes first.  If it
 * is ours, it must be of the kind that we need, for the object that we have;
 * then we take its values and go on.
 *
 * Nothing is guessed and nothing waits: the first thing that does not match
 * stops the replay with a report (diverge()).
 */
#include "replayer.h"

#include "aio-internal.h"
#include "machine.h"
#include "pending.h"
#include "replay-file.h"
#include "sim.h"

enum { REPLAY_FD_FILE = 1 << 21, REPLAY_FD_NOTIFIER = 1 << 20 };

struct HostMonitor {
    uint64_t ctx;
    GHashTable *watches; /* handler's id -> HostWatch */
};

static struct {
    Log *log;
    Input *inputs;
    size_t n, at;        /* the next input */
    bool simulated;      /* the recorded host was */
    int next_notifier;
    PendingTable pending;
    ReplayFiles *files;
    uint64_t last_digest_at; /* input of the last digest that was equal */
    ReplayResult result;
    bool over;

    ProbeSink *sink;
    void *sink_opaque;
    ProbeEvent last_event; /* the newest of any thread, for reports */
} rp;

/* ---- Ends ---- */

static void stop(ReplayOutcome outcome)
{
    rp.over = true;
    rp.result.outcome = outcome;
    machine_switch(NULL);
    abort(); /* nobody goes on after the end */
}

static void stop_bad_log(Error *err)
{
    rp.result.report = g_strdup(error_get_pretty(err));
    error_free(err);
    stop(REPLAY_BAD_LOG);
}

static char *object_name(uint64_t id)
{
    return id >> 32 ? g_strdup_printf("%u.%u", (unsigned)(id >> 32),
                                      (unsigned)id)
                    : g_strdup_printf("%" PRIu64, id);
}

static char *describe(const Input *in)
{
    const InputInfo *info = &input_table[in->kind];
    GString *text = g_string_new(info->name);
    g_autofree char *name = object_name(in->obj);

    if (info->obj) {
        g_string_append_printf(text, " %s %s", info->obj, name);
    }
    if (info->a) {
        g_string_append_printf(text, info->packing[1] == 'x' ?
                               " %s %016" PRIx64 : " %s %" PRId64, info->a,
                               in->a);
    }
    if (info->b) {
        g_string_append_printf(text, info->packing[2] == 'x' ?
                               " %s %016" PRIx64 : " %s %" PRId64, info->b,
                               in->b);
    }
    return g_string_free(text, false);
}

static char *thread_name(uint32_t id)
{
    VThread *thread = machine_thread_by_id(id);

    return thread ? g_strdup(thread->name) : g_strdup_printf("thread %u", id);
}

/*
 * Stops with a report.  @got says what this thread wants to do; @why adds a
 * sentence, or is NULL.
 */
static void diverge(const char *got, const char *why)
{
    bool at_end = rp.at >= rp.n;
    const Input *expected = &rp.inputs[MIN(rp.at, rp.n - 1)];
    const Input *last = rp.at ? &rp.inputs[rp.at - 1] : NULL;
    g_autofree char *want = at_end ? g_strdup("the end of the log")
                                   : describe(expected);
    g_autofree char *want_thread = thread_name(expected->thread);
    g_autofree char *agreed = last ? describe(last) : g_strdup("none");
    GString *text = g_string_new(NULL);

    g_string_append_printf(
        text,
        "DIVERGENCE at input %zu of %zu, event %" PRIu64 "   log: %s\n"
        "  expected        %s: %s\n"
        "  got             %s: %s\n"
        "  last agreement  input %zu: %s\n"
        "  state digests   %" PRIu64 " were equal, the last at input %" PRIu64
        "\n",
        rp.at + 1, rp.n, rp.result.events, log_path(rp.log), want_thread, want,
        host_self()->name, got, rp.at, agreed, rp.result.digests,
        rp.last_digest_at);
    if (rp.last_event.site) {
        g_string_append_printf(
            text, "  last event      %s at %s:%d (%s)\n",
            probe_table[rp.last_event.kind].name, rp.last_event.site->file,
            rp.last_event.site->line, rp.last_event.site->func);
    }
    if (why) {
        g_string_append_printf(text, "  hint            %s\n", why);
    }
    rp.result.report = g_string_free(text, false);
    stop(REPLAY_DIVERGED);
}

/* ---- Taking inputs ---- */

static void take_choice(const Input *in)
{
    sim_emit_choice(MIN(in->a >> 16, CHOICE_KIND_MAX - 1), in->obj,
                    in->a >> 8 & 0xff, in->a & 0xff, in->b);
}

static void take_stuck(void)
{
    for (; rp.at < rp.n && rp.inputs[rp.at].kind == INPUT_STUCK; rp.at++) {
        VThread *thread = machine_thread_by_id(rp.inputs[rp.at].obj);

        if (thread) {
            sim_emit_stuck(thread);
        }
    }
    stop(REPLAY_STUCK);
}

/* Lets threads run until the next input is the calling thread's. */
static const Input *next_input(const char *wanted)
{
    for (;;) {
        const Input *in;
        VThread *thread;

        while (rp.at < rp.n && rp.inputs[rp.at].kind == INPUT_PREIMAGE) {
            rp.at++;
        }
        if (rp.at >= rp.n) {
            stop(REPLAY_CUT);
        }
        in = &rp.inputs[rp.at];
        if (in->kind == INPUT_STUCK) {
            take_stuck();
        }
        if (in->thread == host_self()->id) {
            if (in->kind != INPUT_CHOICE) {
                return in;
            }
            rp.at++;
            take_choice(in);
            continue;
        }
        thread = machine_thread_by_id(in->thread);
        if (!thread || thread->state == VTHREAD_DONE) {
            diverge(wanted, "the thread that should go on does not exist, or "
                            "has ended");
        }
        machine_switch(thread);
    }
}

/* The next input, which must be of this kind and object. */
static Input take(InputKind kind, uint64_t obj)
{
    Input want = {.kind = kind, .obj = obj};
    const Input *in = next_input(input_table[kind].name);

    if (in->kind != kind || in->obj != obj) {
        g_autofree char *name = object_name(obj);
        g_autofree char *got = g_strdup_printf(
            "%s %s %s", input_table[kind].name,
            input_table[kind].obj ? input_table[kind].obj : "", name);

        diverge(got, NULL);
    }
    want = *in;
    rp.at++;
    return want;
}

/* True, and taken, if the next input is of this kind. */
static bool take_if(InputKind kind)
{
    bool is = next_input(input_table[kind].name)->kind == kind;

    rp.at += is;
    return is;
}

/* ---- Time, chance, points ---- */

static int64_t replay_clock_ns(QEMUClockType clock)
{
    return take(INPUT_CLOCK, clock).a;
}

static uint64_t replay_random64(void)
{
    return take(INPUT_RANDOM, 0).a;
}

static void replay_point(HostPoint point, uint64_t object)
{
    if (point == HOST_POINT_REPLAY_BH) {
        take(INPUT_REPLAY_BH, object);
    } else if (rp.simulated && take(INPUT_POINT, object).a != point) {
        rp.at--;
        diverge("another kind of scheduling point", NULL);
    }
}

static void replay_turn(uint64_t ctx)
{
    Input in = take(INPUT_TURN, ctx);

    if (in.a != host_self()->digest) {
        g_autofree char *got = g_strdup_printf("digest %016" PRIx64,
                                               host_self()->digest);

        rp.at--;
        diverge(got, "the inputs were the same, and the events are not: state "
                     "that no input covers, or another version of the code");
    }
    rp.result.digests++;
    rp.last_digest_at = rp.at;
}

/* ---- Monitors ---- */

static HostMonitor *replay_monitor_new(uint64_t ctx, Error **errp)
{
    HostMonitor *m = g_new0(HostMonitor, 1);

    m->ctx = ctx;
    m->watches = g_hash_table_new(g_int64_hash, g_int64_equal);
    return m;
}

static void replay_monitor_free(HostMonitor *m)
{
    g_hash_table_destroy(m->watches);
    g_free(m);
}

static HostWatch *replay_watch_add(HostMonitor *m, int fd, short events,
                                   bool drained, uint64_t id, void *opaque)
{
    HostWatch *watch = g_new0(HostWatch, 1);

    *watch = (HostWatch){
        .fd = fd, .events = events, .id = id, .opaque = opaque,
    };
    g_hash_table_insert(m->watches, &watch->id, watch);
    return watch;
}

static void replay_watch_remove(HostMonitor *m, HostWatch *watch)
{
    g_hash_table_remove(m->watches, &watch->id);
    g_free(watch);
}

static void replay_add_sqe(HostMonitor *m, HostPrepSqe *prep, void *opaque,
                           CqeHandler *handler)
{
    struct io_uring_sqe sqe = {.opcode = 0};

    prep(&sqe, opaque);
    pending_add(&rp.pending, handler, &sqe);
}

static bool replay_monitor_busy(HostMonitor *m)
{
    return take_if(INPUT_BUSY);
}

static void take_ready(HostMonitor *m, HostBatch *batch)
{
    const Input *in = next_input("ready");
    HostWatch *watch = in->kind == INPUT_READY
                           ? g_hash_table_lookup(m->watches, &in->obj)
                           : NULL;

    if (!watch) {
        diverge("a wait that finds a descriptor ready",
                "no such descriptor is watched here");
    }
    rp.at++;
    host_batch_watch(batch, watch, in->a);
}

static void bring_data(const Input *in, const Pending *pending)
{
    unsigned ordinal = pending->fd - REPLAY_FD_FILE;
    Error *err = NULL;

    if ((int32_t)in->a <= 0 || ordinal > 1 << 20) {
        return;
    }
    if (in->kind == INPUT_CQE && pending_is_write(pending)) {
        replay_files_write(rp.files, ordinal, pending, in->a);
    } else if (in->kind == INPUT_CQE_DATA &&
               !replay_files_read(rp.files, ordinal, pending, in->a, in->b,
                                  &err)) {
        stop_bad_log(err);
    }
}

static void take_cqe(HostBatch *batch)
{
    const Input *in = next_input("cqe");
    bool with_data = in->kind == INPUT_CQE_DATA;
    Pending *pending = with_data || in->kind == INPUT_CQE
                           ? pending_find(&rp.pending, in->obj)
                           : NULL;

    if (!pending || with_data != (pending_is_read(pending) &&
                                  (int32_t)in->a > 0)) {
        diverge("a wait that takes a completion",
                "no such request is on the ring");
    }
    rp.at++;
    bring_data(in, pending);
    host_batch_cqe(batch, pending->handler, in->a, 0);
    pending_remove(&rp.pending, in->obj);
}

static void replay_monitor_wait(HostMonitor *m, int64_t timeout_ns,
                                HostBatch *batch)
{
    Input in = take(INPUT_WAIT, 0);

    for (unsigned n = in.a >> 16 & 0xffffff; n > 0; n--) {
        take_ready(m, batch);
    }
    for (unsigned n = in.a & 0xffff; n > 0; n--) {
        take_cqe(batch);
    }
    batch->now_ns = in.b;
}

/* Puts the slice into the recorded order; all of it must be there. */
static void replay_bh_detached(uint64_t ctx, QEMUBHList *slice)
{
    QEMUBH *sorted = NULL, **tail = &sorted;
    Input in;

    if (!slice->slh_first) {
        return;
    }
    in = take(INPUT_BH_SLICE, ctx);
    for (uint64_t i = 0; i < in.a; i++) {
        const Input *next = next_input("bh");
        QEMUBH **link = &slice->slh_first;

        while (*link && (*link)->id != next->obj) {
            link = &(*link)->next.sle_next;
        }
        if (next->kind != INPUT_BH || !*link) {
            diverge("a turn without that bottom half", NULL);
        }
        rp.at++;
        *tail = *link;
        *link = (*link)->next.sle_next;
        tail = &(*tail)->next.sle_next;
    }
    if (slice->slh_first) {
        diverge("a turn with one more bottom half", slice->slh_first->name);
    }
    *tail = NULL;
    slice->slh_first = sorted;
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
        take(INPUT_POINT, e->id);
    }
}

static bool replay_notifier_clear(EventNotifier *e)
{
    return take(INPUT_NOTIFIER, e->id).a;
}

/* ---- Locks and threads: whose turn it is has the lock ---- */

static void replay_lock_init(QemuMutex *mutex)
{
    mutex->host = NULL;
}

static void lock_taken(QemuMutex *mutex)
{
    if (mutex->host) {
        diverge("a lock that another thread holds", NULL);
    }
    mutex->host = machine_current();
}

static void replay_mutex_lock(QemuMutex *mutex)
{
    take(INPUT_LOCK, mutex->id);
    lock_taken(mutex);
}

static bool replay_mutex_trylock(QemuMutex *mutex)
{
    bool taken = take(INPUT_TRYLOCK, mutex->id).a;

    if (taken) {
        lock_taken(mutex);
    }
    return taken;
}

static void replay_mutex_unlock(QemuMutex *mutex)
{
    mutex->host = NULL;
}

static void replay_cond_nothing(QemuCond *cond)
{
}

static bool replay_cond_wait(QemuCond *cond, QemuMutex *mutex,
                             int64_t timeout_ns)
{
    bool woken;

    mutex->host = NULL;
    woken = take(INPUT_COND, cond->id).a;
    lock_taken(mutex);
    return woken;
}

static void replay_cond_wake(QemuCond *cond, bool all)
{
}

static void replay_thread_create(QemuThread *thread, const char *name,
                                 void *(*start)(void *), void *arg)
{
    take(INPUT_THREAD_CREATE, thread->id);
    thread->host = machine_thread_new(name, start, arg);
}

static void *replay_thread_join(QemuThread *qemu_thread)
{
    VThread *thread = qemu_thread->host;

    take(INPUT_THREAD_JOIN, qemu_thread->id);
    if (thread->state != VTHREAD_DONE) {
        diverge("a join of a thread that has not ended", NULL);
    }
    return thread->ret;
}

static void thread_started(VThread *thread)
{
    if (thread->self.id != 1) {
        take(INPUT_THREAD_START, thread->self.id);
    }
}

/* A thread has ended: the next input says who goes on. */
static void thread_ended(VThread *thread)
{
    if (thread->self.id == 1) {
        stop(rp.result.outcome);
    }
    next_input("the end of a thread");
    diverge("the end of a thread", NULL);
}

/* ---- Files ---- */

static int replay_file_open(const char *path, bool writable, bool direct)
{
    Input in = take(INPUT_FILE_OPEN, 0);
    int result = (int)in.a;

    if (in.b != content_hash(path, strlen(path))) {
        rp.at--;
        diverge("a file of another name", path);
    }
    if (result < 0) {
        return result;
    }
    if (result > 1024) {
        rp.at--;
        diverge("a file", "the log's number for it is impossible");
    }
    replay_files_open(rp.files, result, path);
    return REPLAY_FD_FILE + result;
}

static void replay_file_close(int fd)
{
}

static int64_t replay_file_size(int fd)
{
    return take(INPUT_FILE_SIZE, fd - REPLAY_FD_FILE).a;
}

static const HostOps replay_host = {
    .name = "replay",
    .clock_ns = replay_clock_ns,
    .random64 = replay_random64,
    .point = replay_point,
    .turn = replay_turn,
    .monitor_new = replay_monitor_new,
    .monitor_free = replay_monitor_free,
    .watch_add = replay_watch_add,
    .watch_remove = replay_watch_remove,
    .add_sqe = replay_add_sqe,
    .monitor_busy = replay_monitor_busy,
    .monitor_wait = replay_monitor_wait,
    .bh_detached = replay_bh_detached,
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
    .thread_join = replay_thread_join,
    .file_open = replay_file_open,
    .file_close = replay_file_close,
    .file_size = replay_file_size,
};

/* ---- Running ---- */

static void count_event(const ProbeEvent *event, void *opaque)
{
    rp.result.events++;
    rp.last_event = *event;
    if (rp.sink) {
        rp.sink(event, rp.sink_opaque);
    }
}

static void *run_main(void *opaque)
{
    const ScenarioSpec *spec = opaque;
    HostThread *self = host_self();
    Input in;

    scenario_run(spec, &rp.result.scenario, NULL);
    in = take(INPUT_END, 0);
    if (in.a != self->digest || in.b != self->events) {
        rp.at--;
        diverge("another digest at the end", NULL);
    }
    rp.result.digests++;
    rp.result.outcome = REPLAY_IDENTICAL;
    return NULL;
}

ReplayResult replay_run(Log *log, const ScenarioSpec *spec, ProbeSink *sink,
                        void *opaque)
{
    Error *err = NULL;

    memset(&rp, 0, sizeof(rp));
    rp.log = log;
    rp.sink = sink;
    rp.sink_opaque = opaque;
    rp.simulated = g_strcmp0(log_meta(log, "host"), "sim") == 0;
    rp.result.outcome = REPLAY_BAD_LOG;
    rp.inputs = log_inputs(log, &rp.n, &err);
    if (!rp.inputs || !rp.n) {
        rp.result.report = err ? g_strdup(error_get_pretty(err))
                               : g_strdup_printf("%s: holds no inputs, so it "
                                                 "cannot be replayed",
                                                 log_path(log));
        error_free(err);
        return rp.result;
    }
    rp.files = replay_files_new(log, rp.inputs, rp.n);
    host_set(&replay_host, HOST_POINTS | HOST_TIMES | HOST_OBSERVE | HOST_LISTS);
    probe_start(count_event, NULL);
    machine_init();
    machine.started = thread_started;
    machine.ended = thread_ended;
    machine_switch(machine_thread_new("main", run_main, (void *)spec));
    probe_stop();
    machine_finish();
    host_set(NULL, 0);
    replay_files_free(rp.files);
    pending_finish(&rp.pending);
    g_free(rp.inputs);
    rp.result.inputs = rp.at;
    return rp.result;
}

void replay_result_finish(ReplayResult *result)
{
    g_free(result->report);
    scenario_outcome_finish(&result->scenario);
}
