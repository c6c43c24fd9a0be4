/* SPDX-License-Identifier: MIT */
/*
 * Which virtual thread runs, and what happens when none can.
 *
 * A thread leaves the processor at two places only: sim_point(), where it
 * could go on, and sim_block(), where it cannot.  Both end in pick().
 */
#include "sim-internal.h"
#include "live/live.h"

enum { MAX_OPTIONS = 64 };

/* The runnable threads, the current one (if it is) first. */
static unsigned runnable(VThread **out, uint64_t *ids)
{
    VThread *current = machine_current(), *thread;
    unsigned n = 0;

    if (current && current->state == VTHREAD_RUNNABLE) {
        out[n] = current;
        ids[n++] = current->self.id;
    }
    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread != current && thread->state == VTHREAD_RUNNABLE &&
            n < MAX_OPTIONS) {
            out[n] = thread;
            ids[n++] = thread->self.id;
        }
    }
    return n;
}

static int64_t sooner(int64_t soonest, int64_t event, int64_t after)
{
    return event > after ? qemu_soonest_timeout(soonest, event) : soonest;
}

/* The soonest thing behind @after that can happen by itself, or -1. */
static int64_t next_event(int64_t after)
{
    int64_t soonest = sim_monitor_next_event(after);
    VThread *thread;

    soonest = sooner(soonest, sim_poll_next_event(), after);
    soonest = sooner(soonest, sim_laio_next_event(), after);
    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->state == VTHREAD_BLOCKED) {
            soonest = sooner(soonest, thread->deadline, after);
        }
    }
    return soonest;
}

/* Wakes those whose time has come, or whose requests have. */
static void wake_due(void)
{
    VThread *thread;

    sim_laio_complete_due();
    sim_monitor_wake_ready();
    sim_poll_wake_ready();
    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->state == VTHREAD_BLOCKED && thread->deadline >= 0 &&
            thread->deadline <= sim.now) {
            thread->timed_out = true;
            sim_wake(thread);
        }
    }
}

static bool any_runnable(void)
{
    VThread *thread;

    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->state == VTHREAD_RUNNABLE) {
            return true;
        }
    }
    return false;
}

static void trace_step(uint32_t thread)
{
    if (unlikely(sim.config.tracer)) {
        sim.config.tracer->step(thread);
    }
}

/* Lets time pass until @event; if that is none, false: nobody will ever run. */
static bool advance(int64_t event)
{
    if (event < 0) {
        /* A descriptor of the kernel's may have become readable. */
        sim_poll_wake_ready();
        return any_runnable() || sim_words_recheck();
    }
    trace_step(0);
    sim_access(&sim.now, SIM_OWN_WRITE);
    sim_monitor_touch_due(sim.now, event);
    sim.now = MAX(sim.now, event);
    wake_due();
    return true;
}

/*
 * Nobody else is there to be woken or to go first, and time cannot pass by
 * choice: so it is while a plain run has one thread, and in most of the
 * beginning and end of an explored one.
 */
static bool is_alone(const VThread *thread)
{
    return thread && QTAILQ_FIRST(&machine.threads) == thread &&
           !QTAILQ_NEXT(thread, next) && !sim.abandoned &&
           (!sim.config.fine ||
            (QTAILQ_EMPTY(&sim.laios) && QLIST_EMPTY(&sim.pollers) &&
             sim_monitor_next_event(sim.now) < 0));
}

/*
 * Who runs next, or NULL.  It may be chosen that time passes first, and wakes
 * others, though somebody could run.
 */
static VThread *pick(void)
{
    VThread *threads[MAX_OPTIONS];
    uint64_t ids[MAX_OPTIONS + 1];
    unsigned n, taken;

    if (is_alone(machine_current())) {
        return machine_current()->state == VTHREAD_RUNNABLE
            ? machine_current() : NULL;
    }
    do {
        unsigned options = n = runnable(threads, ids);

        taken = 0;
        if (n && sim.config.fine && next_event(sim.now) > 0) {
            ids[options++] = 0;
        }
        if (options > 1) {
            taken = sim_choose(CHOICE_THREAD, host_self()->id, ids, options);
        }
    } while (taken && taken == n && !sim.abandoned &&
             advance(next_event(sim.now)));
    return n ? threads[taken] : NULL;
}

/* The machine stops here, and its threads stay where they are. */
static void stop(SimOutcome outcome)
{
    sim.outcome = outcome;
    machine_switch(NULL);
}

void sim_exits(int status, int signum)
{
    sim.exit_status = status;
    sim.exit_signal = signum;
    stop(SIM_EXITED);
    abort(); /* the machine goes on after its end */
}

/* In the name of the thread, which cannot do it itself any more. */
void sim_emit_stuck(VThread *thread)
{
    HostThread *self = host_self();

    host_set_self(&thread->self);
    if (thread->self.waits_at) { /* there, and for that lock */
        probe_emit(PROBE_STUCK, thread->self.waits_at, thread->self.id,
                   thread->self.waits_mutex, thread->self.waits_cond, 0,
                   thread->name);
    } else {
        PROBE_TEXT(STUCK, thread->self.id, 0, 0, 0, thread->name);
    }
    host_set_self(self);
}

static void report_stuck(void)
{
    VThread *thread;

    if (unlikely(sim.config.tracer)) {
        sim.config.tracer->stuck();
    }
    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->state == VTHREAD_BLOCKED) {
            sim_emit_stuck(thread);
            if (sim_observer) {
                sim_observer->stuck(thread->self.id);
            }
        }
    }
}

static void reschedule(void)
{
    VThread *next;

    while (!(next = pick()) && !sim.abandoned) {
        if (!advance(next_event(-1))) {
            report_stuck();
            stop(SIM_STUCK);
            return;
        }
    }
    if (!sim.abandoned) {
        trace_step(next->self.id);
    }
    if (unlikely(sim.abandoned)) {
        stop(SIM_ABANDONED);
        return;
    }
    machine_switch(next);
}

/* Whoever looks at memory in a loop looks again after another's step. */
static void wake_spinning(void)
{
    VThread *thread;

    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->spinning) {
            sim_wake(thread);
        }
    }
}

void sim_abandon(void)
{
    sim.abandoned = true;
}

static void go_on_alone(void)
{
    trace_step(machine_current()->self.id);
    if (unlikely(sim.abandoned)) {
        stop(SIM_ABANDONED);
    }
}

void sim_point(void)
{
    VThread *self = machine_current();

    sim_tick();
    sim.steps++;
    self->points++;
    if (sim.config.max_steps && sim.steps > sim.config.max_steps) {
        stop(SIM_BUDGET);
    }
    if (is_alone(self)) {
        sim_laio_complete_due();
        go_on_alone();
        return;
    }
    wake_spinning();
    wake_due();
    reschedule();
}

bool sim_is_alone(void)
{
    return !sim.config.fine && is_alone(machine_current()) &&
           QTAILQ_EMPTY(&sim.laios) && QLIST_EMPTY(&sim.pollers) &&
           !sim.config.tracer;
}

bool sim_block(int64_t deadline)
{
    VThread *self = machine_current();

    self->state = VTHREAD_BLOCKED;
    self->deadline = deadline;
    self->timed_out = false;
    if (deadline >= 0) {
        sim_access(&sim.now, SIM_OWN_READ);
    }
    reschedule();
    sim_access(&self->state, SIM_OWN_READ);
    self->deadline = -1;
    return !self->timed_out;
}

/*
 * A thread that looks at memory until it changes would look for ever if nobody
 * else ran, so it stands aside; time passes only if nobody can run at all.
 */
bool sim_spin(int64_t deadline)
{
    VThread *self = machine_current();

    if (sim.now >= deadline) {
        return false;
    }
    self->spinning = true;
    sim_block(deadline);
    self->spinning = false;
    sim_access(&sim.now, SIM_OWN_READ);
    return sim.now < deadline;
}

uint64_t sim_steps(void)
{
    return sim.steps;
}

/*
 * For the tracer.  Who wakes a thread decides what it does next.  To wake it
 * twice is to wake it once, unless it would have gone on by itself in time: then
 * it matters who came first, and that time has one thing less to wait for.
 */
static void trace_wake(VThread *thread)
{
    bool wakes = thread->state == VTHREAD_BLOCKED;

    if (thread->spinning) {
        return; /* any step wakes it */
    }
    if (thread->deadline >= 0) {
        sim_access(&sim.now, SIM_OWN_READ);
    }
    if (wakes || thread->deadline >= 0) {
        sim_access(&thread->state, wakes ? SIM_OWN_WRITE : SIM_OWN_READ);
    }
    if (wakes) {
        sim.config.tracer->wake(thread->self.id);
    }
}

void sim_wake(VThread *thread)
{
    if (unlikely(sim.config.tracer)) {
        trace_wake(thread);
    }
    if (thread->state == VTHREAD_BLOCKED) {
        thread->state = VTHREAD_RUNNABLE;
    }
}

/* A thread's last act; the main thread's ends the run. */
static void ended(VThread *thread)
{
    sim_thread_ended(thread);
    if (thread->self.id == 1) {
        stop(SIM_DONE);
    } else {
        reschedule();
    }
}

typedef struct MainCall {
    SimMain *fn;
    void *opaque;
} MainCall;

static void *call_main(void *opaque)
{
    MainCall *call = opaque;

    call->fn(call->opaque);
    return NULL;
}

Sim sim;

static void set_up(const SimConfig *config, const HostOps *ops)
{
    sim = (Sim){.config = *config, .rng = config->seed};
    sim.config.oracle = config->oracle ? config->oracle : &oracle_default;
    sim.config.device = config->device ? config->device : &sim_device_ssd;
    if (!sim.config.file_size) {
        sim.config.file_size = 64 << 20;
    }
    QTAILQ_INIT(&sim.monitors);
    QLIST_INIT(&sim.pollers);
    if (!sim.config.fdmon) {
        sim.config.fdmon = &fdmon_io_uring_ops;
    }
    QTAILQ_INIT(&sim.laios);
    sim.notifiers = g_ptr_array_new();
    sim.files = g_ptr_array_new();
    host_set(ops, HOST_POINTS | HOST_TIMES | HOST_OBSERVE | HOST_LISTS |
             (config->fine ? HOST_SIGHTS : 0));
    machine_init();
    machine.ended = ended;
}

static void take_down(void)
{
    machine_finish();
    sim_files_finish();
    g_ptr_array_free(sim.notifiers, true);
    g_ptr_array_free(sim.files, true);
    live_stop(); /* the live host is who is there when nobody else is */
}

static SimResult result(void)
{
    return (SimResult){sim.outcome, sim.steps, sim.now, sim.exit_status,
                       sim.exit_signal};
}

SimResult sim_run(const SimConfig *config, const HostOps *ops, SimMain *fn,
                  void *opaque)
{
    MainCall call = {fn, opaque};

    set_up(config, ops);
    trace_step(1);
    machine_switch(machine_thread_new("main", call_main, &call));
    take_down();
    return result();
}

/* ---- Runs that begin in the middle ---- */

void sim_rest(void)
{
    sim.rests = true;
    machine_switch(NULL);
    sim.rests = false;
}

bool sim_run_to_rest(const SimConfig *config, const HostOps *ops, SimMain *fn,
                     void *opaque)
{
    MainCall call = {fn, opaque};

    set_up(config, ops);
    trace_step(1);
    machine_switch(machine_thread_new("main", call_main, &call));
    if (!sim.rests) {
        take_down();
    }
    return sim.rests;
}

SimResult sim_go_on(Oracle *oracle, const SimTracer *tracer)
{
    sim.config.oracle = oracle;
    sim.config.tracer = tracer;
    machine_switch(machine_thread_by_id(1));
    take_down();
    return result();
}

const void *sim_resting_stack(size_t *size)
{
    const Stack *stack = machine_thread_stack(machine_thread_by_id(1));

    *size = (const char *)stack->limit + stack->size - (char *)stack->sp;
    return stack->sp;
}
