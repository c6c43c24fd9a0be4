/* SPDX-License-Identifier: MIT */
/*
 * Replaying what --capture=explicit has noted (recorder-explicit.c).
 *
 * What such a log lacks has to come from somewhere: the run is made on the
 * simulated machine, with its default choices.  Clocks are read from the log.
 * Explicit calls are made in the order of the log, as in QEMU: a thread whose
 * call is not next stands aside until it is.  What each thread calls and reads
 * must be what it called and read then, and digests must be equal in the end.
 *
 * So a run that nothing else decided is repeated, and any other is told to
 * differ.  QEMU hangs where this waits in vain; a machine that is stuck, that
 * goes on for too long, or a thread that computes for ever, is a divergence
 * like any other.
 */
#include "replay-explicit.h"

#include "aio-internal.h"
#include "explicit-report.h"
#include "input-chain.h"
#include "machine.h"
#include "sim.h"

#include <signal.h>
#include <sys/time.h>

enum {
    MAX_STEPS = 2000000,
    PATIENCE = 5, /* seconds of computing between two operations */
};

typedef struct Explicit {
    Log *log;
    Input *inputs;
    size_t n;
    InputChains chains;
    size_t next_call;    /* of any thread, or n */
    uint64_t calls, clocks; /* that agreed */
    const Input *last;   /* of any thread that agreed; or NULL */
    size_t end;          /* of the main thread, or n */
    bool stopped;
    uint64_t digest;     /* of the thread, before the machine's choice */
    uint64_t steps;      /* when the watchdog looked last */
    unsigned patience;
    ReplayResult result;

    ProbeSink *sink;
    void *sink_opaque;
} Explicit;

static Explicit ex;

static bool is_call(const Input *in)
{
    return in->kind == INPUT_REPLAY_BH || in->kind == INPUT_REPLAY_ONESHOT;
}

/* ---- Ends ---- */

static void stop(ReplayOutcome outcome)
{
    ex.stopped = true;
    ex.result.outcome = outcome;
    machine_switch(NULL);
    abort();
}

/* @expected is what the log has, or NULL: then @want says what was wanted. */
static void make_report(const Input *expected, const char *want,
                        const char *who, const char *got)
{
    ExplicitReport facts = {
        .path = log_path(ex.log), .at = ex.result.inputs + 1, .n = ex.n,
        .events = ex.result.events, .calls = ex.calls, .clocks = ex.clocks,
        .expected = expected, .want = want, .who = who, .got = got,
        .last = ex.last,
    };

    ex.result.report = explicit_report(&facts);
    ex.result.outcome = REPLAY_DIVERGED;
}

/* The current thread does @got; the log has @expected (or NULL) in its place. */
static void diverge(const Input *expected, const char *got)
{
    g_autofree char *want = expected ? NULL : g_strdup_printf(
        "%s: nothing any more", host_self()->name);

    make_report(expected, want, host_self()->name, got);
    stop(REPLAY_DIVERGED);
}

/* ---- Taking from the log ---- */

static const Input *own_input(void)
{
    uint32_t id = host_self()->id;
    size_t at = id < THREAD_NUMBERS ? ex.chains.cursors[id] : ex.n;

    return at < ex.n ? &ex.inputs[at] : NULL;
}

static void find_next_call(void)
{
    while (ex.next_call < ex.n && !is_call(&ex.inputs[ex.next_call])) {
        ex.next_call++;
    }
}

static Input take(InputKind kind, uint64_t obj)
{
    const Input *in = own_input();

    if (!in && ex.end == ex.n) {
        stop(REPLAY_CUT);
    }
    if (!in || in->kind != kind || in->obj != obj) {
        g_autofree char *got = explicit_text(kind, obj);

        diverge(in, got);
    }
    /* As the recorder did.  Its eight bits are not compared: QEMU has none. */
    if (input_is_checked(kind)) {
        probe_mix(replay_input_digest(kind, obj, in->a, in->b));
    }
    ex.chains.cursors[in->thread] = ex.chains.following[in - ex.inputs];
    ex.last = in;
    ex.result.inputs++;
    return *in;
}

/* Stands aside until the log says that it is the thread's turn to call. */
static void await_turn(const Input *own, InputKind kind, uint64_t obj)
{
    while (ex.next_call < ex.n && &ex.inputs[ex.next_call] != own) {
        if (!sim_spin(INT64_MAX)) {
            g_autofree char *call = explicit_text(kind, obj);
            g_autofree char *got = g_strdup_printf(
                "%s, which waits for its turn, and nobody else goes on", call);

            diverge(&ex.inputs[ex.next_call], got);
        }
    }
}

static void take_call(InputKind kind, uint64_t obj)
{
    const Input *own = own_input();

    if (own && own->kind == kind && own->obj == obj) {
        await_turn(own, kind, obj);
    }
    take(kind, obj);
    ex.calls++;
    ex.next_call++;
    find_next_call();
}

static void take_digest(InputKind kind, uint64_t obj)
{
    const Input *last = ex.last;
    Input in = take(kind, obj);

    if (in.a != probe_digest()) {
        ex.last = last;
        ex.result.inputs--;
        diverge(&in, "the same, after other events than then: the digests "
                "differ");
    }
    ex.result.digests++;
}

/* ---- The host ---- */

static int64_t explicit_clock_ns(QEMUClockType clock)
{
    int64_t now = sim_host.clock_ns(clock);

    if (clock == QEMU_CLOCK_REALTIME) {
        return now;
    }
    now = take(INPUT_CLOCK, clock).a;
    ex.clocks++;
    return now;
}

static void explicit_point(HostPoint point, uint64_t object)
{
    sim_host.point(point, object);
    if (point == HOST_POINT_REPLAY_BH) {
        take_call(INPUT_REPLAY_BH, object);
    } else if (point == HOST_POINT_REPLAY_ONESHOT) {
        take_call(INPUT_REPLAY_ONESHOT, object);
    }
}

static void explicit_thread_ends(void)
{
    take_digest(INPUT_THREAD_END, host_self()->id);
}

static HostOps *make_host(void)
{
    static HostOps ops;

    ops = sim_host;
    ops.name = "explicit replay";
    ops.clock_ns = explicit_clock_ns;
    ops.point = explicit_point;
    ops.thread_ends = explicit_thread_ends;
    return &ops;
}

/* ---- The machine's choices are no events of the recorded run ---- */

static unsigned choose_first(Oracle *oracle, const Choice *choice)
{
    ex.digest = probe_digest();
    return 0;
}

static void forget_choice(const Choice *choice, unsigned taken)
{
    probe_digest_ = ex.digest;
}

static void ignore_stuck(uint32_t thread)
{
}

static Oracle oracle = {.choose = choose_first};
static const SimObserver observer = {
    .chosen = forget_choice, .stuck = ignore_stuck,
};

/* ---- A thread that computes for ever ---- */

/* In the middle of it: its stack is left behind, like that of a stuck one. */
static void look_for_progress(int signal_number)
{
    if (ex.stopped || !machine_current()) {
        return;
    }
    if (sim_steps() != ex.steps) {
        ex.steps = sim_steps();
        ex.patience = PATIENCE;
    } else if (--ex.patience == 0) {
        diverge(own_input(), "a loop without any operation of the host's");
    }
}

static void start_watchdog(bool on)
{
    struct itimerval timer = {{on, 0}, {on, 0}};

    ex.patience = PATIENCE;
    signal(SIGVTALRM, look_for_progress);
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

/* ---- Running ---- */

static void see_event(const ProbeEvent *event, void *opaque)
{
    ex.result.events++;
    explicit_report_see(event);
    if (ex.sink) {
        ex.sink(event, ex.sink_opaque);
    }
}

/* What was noted of other threads before the run's end, and did not happen. */
static const Input *first_left_over(void)
{
    size_t first = ex.end;

    for (unsigned i = 2; i < THREAD_NUMBERS; i++) {
        if (ex.chains.cursors[i] < first &&
            ex.inputs[ex.chains.cursors[i]].kind != INPUT_THREAD_END) {
            first = ex.chains.cursors[i];
        }
    }
    return first < ex.end ? &ex.inputs[first] : NULL;
}

static void run_main(void *opaque)
{
    const ScenarioSpec *spec = opaque;
    bool failed = g_strcmp0(log_meta(ex.log, "outcome"), "failed") == 0;
    const Input *left;

    scenario_run(spec, &ex.result.scenario, NULL);
    left = first_left_over();
    if (left && ex.end < ex.n) {
        diverge(left, "the end of the run");
    }
    if (!failed && ex.result.scenario.failed_checks && ex.end < ex.n) {
        g_autofree char *got = g_strdup_printf(
            "a check that fails: %s", ex.result.scenario.first_failure);

        diverge(own_input(), got);
    }
    take_digest(INPUT_END, 0);
    ex.result.outcome = REPLAY_IDENTICAL;
    ex.result.report = g_strdup("by luck: nothing else decided here");
}

static void find_end(void)
{
    for (ex.end = 0; ex.end < ex.n && ex.inputs[ex.end].kind != INPUT_END;
         ex.end++) {
    }
}

/* The machine ended by itself, and not the run. */
static void report_sim(SimOutcome outcome)
{
    const Input *expected = ex.next_call < ex.n ? &ex.inputs[ex.next_call]
                                                : NULL;

    make_report(expected, "the end of the run", NULL,
                outcome == SIM_STUCK
                    ? "a machine that is stuck: all threads wait, and what "
                      "ended their waits then does not come"
                    : "a machine that goes on and on");
}

static ReplayResult bad_log(char *report)
{
    ex.result.outcome = REPLAY_BAD_LOG;
    ex.result.report = report;
    return ex.result;
}

static void run_machine(const ScenarioSpec *spec)
{
    SimConfig config = {
        .oracle = &oracle, .max_steps = MAX_STEPS,
        .fdmon = log_meta_int(ex.log, "io_uring", 1) ? &fdmon_io_uring_ops
                                                     : &fdmon_poll_ops,
    };
    SimResult result;

    explicit_report_begin();
    sim_observer = &observer;
    probe_start(see_event, NULL);
    start_watchdog(true);
    result = sim_run(&config, make_host(), run_main, (void *)spec);
    start_watchdog(false);
    if (!ex.stopped && result.outcome != SIM_DONE) {
        report_sim(result.outcome);
    }
    probe_stop();
    sim_observer = NULL;
    explicit_report_end();
}

bool log_is_explicit(Log *log)
{
    return g_strcmp0(log_meta(log, "capture"), "explicit") == 0;
}

ReplayResult replay_explicit_run(Log *log, const ScenarioSpec *spec,
                                 ProbeSink *sink, void *opaque)
{
    Error *err = NULL;

    memset(&ex, 0, sizeof(ex));
    ex.log = log;
    ex.sink = sink;
    ex.sink_opaque = opaque;
    ex.inputs = log_inputs(log, &ex.n, &err);
    if (!ex.inputs) {
        char *report = g_strdup(error_get_pretty(err));

        error_free(err);
        return bad_log(report);
    }
    if (input_chains_init(&ex.chains, ex.inputs, ex.n)) {
        find_end();
        find_next_call();
        run_machine(spec);
    } else {
        bad_log(g_strdup_printf("%s: damaged log (a thread's number is "
                                "impossible)", log_path(log)));
    }
    input_chains_finish(&ex.chains);
    g_free(ex.inputs);
    return ex.result;
}
