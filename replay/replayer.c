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
 * So what a thread publishes is there early: right after its last input, and
 * not when it was published in the recording.  Nobody sees it before its time,
 * because what is seen is in the log.  Some operations are in the log only if
 * they found something; then the thread's own next input tells, and nobody has
 * to wait for a turn (replay_own_input()).
 *
 * Nothing is guessed and nothing waits: the first thing that does not match
 * stops the replay with a report (diverge()).
 */
#include "replay-internal.h"

#include "live/live.h"
#include "sim.h"

Replay rp;

/* ---- Ends ---- */

void replay_stop(ReplayOutcome outcome)
{
    rp.result.outcome = outcome;
    machine_switch(NULL);
    abort(); /* nobody goes on after the end */
}

void replay_stop_bad_log(Error *err)
{
    rp.result.report = g_strdup(error_get_pretty(err));
    error_free(err);
    replay_stop(REPLAY_BAD_LOG);
}

char *replay_object_name(uint64_t id)
{
    return id >> 32 ? g_strdup_printf("%u.%u", (unsigned)(id >> 32),
                                      (unsigned)id)
                    : g_strdup_printf("%" PRIu64, id);
}

static char *describe(const Input *in)
{
    const InputInfo *info = &input_table[in->kind];
    GString *text = g_string_new(info->name);
    g_autofree char *name = replay_object_name(in->obj);

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
    VThread *thread = id < REPLAY_THREADS_MAX ? rp.threads[id] : NULL;

    return thread ? g_strdup(thread->name) : g_strdup_printf("thread %u", id);
}

static void step_back(void)
{
    rp.at--;
    rp.cursors[rp.inputs[rp.at].thread] = rp.at;
}

void replay_diverge_at_last(const char *got, const char *why)
{
    step_back();
    replay_diverge(got, why);
}

void replay_diverge(const char *got, const char *why)
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
    replay_stop(REPLAY_DIVERGED);
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
        uint64_t id = rp.inputs[rp.at].obj;
        VThread *thread = id < REPLAY_THREADS_MAX ? rp.threads[id] : NULL;

        if (thread) {
            sim_emit_stuck(thread);
        }
    }
    replay_stop(REPLAY_STUCK);
}

/* Where the log goes on; never returns to a thread that has ended. */
static void let_others_run(const char *wanted)
{
    const Input *in = &rp.inputs[rp.at];
    VThread *thread = in->thread < REPLAY_THREADS_MAX ? rp.threads[in->thread]
                                                      : NULL;

    if (!thread || thread->state == VTHREAD_DONE) {
        replay_diverge(wanted, "the thread that should go on does not exist, "
                       "or has ended");
    }
    machine_switch(thread);
}

/* Inputs that are nobody's operation; ends the run at the end of the log. */
static void skip_to_operation(void)
{
    while (rp.at < rp.n && rp.inputs[rp.at].kind == INPUT_PREIMAGE) {
        rp.at++;
    }
    if (rp.at >= rp.n) {
        replay_stop(rp.main_ended ? rp.result.outcome : REPLAY_CUT);
    }
    if (rp.inputs[rp.at].kind == INPUT_STUCK) {
        take_stuck();
    }
}

void replay_accept(void)
{
    rp.cursors[rp.inputs[rp.at].thread] = rp.following[rp.at];
    rp.at++;
}

const Input *replay_next_input(const char *wanted)
{
    for (;;) {
        const Input *in;

        skip_to_operation();
        in = &rp.inputs[rp.at];
        if (in->thread != host_self()->id) {
            let_others_run(wanted);
        } else if (in->kind == INPUT_CHOICE) {
            replay_accept();
            take_choice(in);
        } else {
            return in;
        }
    }
}

const Input *replay_own_input(void)
{
    uint32_t at = rp.cursors[host_self()->id];

    return at < rp.n ? &rp.inputs[at] : NULL;
}

Input replay_take(InputKind kind, uint64_t obj)
{
    const Input *in = replay_next_input(input_table[kind].name);

    if (in->kind != kind || in->obj != obj) {
        g_autofree char *name = replay_object_name(obj);
        g_autofree char *got = g_strdup_printf(
            "%s %s %s", input_table[kind].name,
            input_table[kind].obj ? input_table[kind].obj : "", name);

        replay_diverge(got, NULL);
    }
    replay_accept();
    return *in;
}

bool replay_take_if(InputKind kind)
{
    const Input *own = replay_own_input();

    /*
     * Of a simulated run, a choice may be next: it belongs to a later
     * operation then, and the events in between come first.
     */
    if (!own || own->kind != kind) {
        return false;
    }
    replay_next_input(input_table[kind].name);
    replay_accept();
    return true;
}

/* Chains the inputs of each thread; false if there are impossible ones. */
static bool chain_inputs(void)
{
    rp.following = g_new(uint32_t, rp.n + 1);
    rp.cursors = g_new(uint32_t, REPLAY_THREADS_MAX);
    rp.threads = g_new0(VThread *, REPLAY_THREADS_MAX);
    for (unsigned i = 0; i < REPLAY_THREADS_MAX; i++) {
        rp.cursors[i] = rp.n;
    }
    for (size_t i = rp.n; i-- > 0;) {
        uint32_t thread = rp.inputs[i].thread;

        if (thread >= REPLAY_THREADS_MAX) {
            return false;
        }
        rp.following[i] = rp.cursors[thread];
        if (rp.inputs[i].kind != INPUT_PREIMAGE &&
            rp.inputs[i].kind != INPUT_STUCK) {
            rp.cursors[thread] = i;
        }
    }
    return true;
}

/* ---- Running ---- */

static void count_event(const ProbeEvent *event, void *opaque)
{
    rp.result.events++;
    rp.last_event = *event;
    rp.sink(event, rp.sink_opaque);
}

static void *run_main(void *opaque)
{
    const ScenarioSpec *spec = opaque;
    Input in;

    scenario_run(spec, &rp.result.scenario, NULL);
    in = replay_take(INPUT_END, 0);
    if (in.a != probe_digest()) {
        replay_diverge_at_last("another digest at the end", NULL);
    }
    rp.result.digests++;
    rp.result.outcome = REPLAY_IDENTICAL;
    rp.main_ended = true;
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
    if (!rp.inputs) {
        rp.result.report = g_strdup(error_get_pretty(err));
        error_free(err);
        return rp.result;
    }
    if (!chain_inputs()) {
        rp.result.report = g_strdup_printf("%s: damaged log (a thread's number "
                                           "is impossible)", log_path(log));
        return rp.result;
    }
    pending_init(&rp.pending);
    fd_table_init(&rp.fds);
    rp.files = replay_files_new(log, rp.inputs, rp.n);
    host_set(&replay_host, HOST_POINTS | HOST_TIMES | HOST_OBSERVE | HOST_LISTS |
             (rp.simulated ? 0 : HOST_SIGHTS | HOST_REPLAYS));
    probe_start(sink ? count_event : NULL, NULL);
    machine_init();
    machine.started = replay_thread_started;
    machine.ended = replay_thread_ended;
    rp.threads[1] = machine_thread_new("main", run_main, (void *)spec);
    machine_switch(rp.threads[1]);
    probe_stop();
    machine_finish();
    live_stop();
    replay_files_free(rp.files);
    pending_finish(&rp.pending);
    fd_table_finish(&rp.fds);
    g_free(rp.following);
    g_free(rp.cursors);
    g_free(rp.threads);
    g_free(rp.inputs);
    rp.result.inputs = rp.at;
    return rp.result;
}

void replay_result_finish(ReplayResult *result)
{
    g_free(result->report);
    scenario_outcome_finish(&result->scenario);
}
