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
 * stops the replay with a report (replay_diverge(), divergence.c).
 */
#include "input-text.h"
#include "replay-internal.h"

#include "live/live.h"
#include "sim.h"
#include "stacks.h"

Replay rp;
uint64_t replay_watched_input;

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

void replay_step_back(void)
{
    rp.at--;
    rp.chains.cursors[rp.inputs[rp.at].thread] = rp.at;
}

/* ---- Taking inputs ---- */

static void take_choice(const Input *in)
{
    sim_emit_choice(MIN(in->a >> 16, CHOICE_KIND_MAX - 1), in->obj,
                    in->a >> 8 & 0xff, in->a & 0xff, in->b);
}

/* The last inputs of a run that is stuck, one for each thread. */
static void take_stuck(const char *wanted)
{
    size_t end = rp.at;

    while (end < rp.n && rp.inputs[end].kind == INPUT_STUCK) {
        end++;
    }
    if (end < rp.n) {
        replay_diverge(wanted, "threads are stuck at the end of a run, and "
                       "nowhere else");
    }
    for (; rp.at < rp.n && rp.inputs[rp.at].kind == INPUT_STUCK; rp.at++) {
        VThread *thread = replay_thread(rp.inputs[rp.at].obj);

        if (thread) {
            sim_emit_stuck(thread);
        }
    }
    replay_stop(REPLAY_STUCK);
}

/* Where the log goes on; never returns to a thread that has ended. */
static void let_others_run(const char *wanted)
{
    VThread *thread = replay_thread(rp.inputs[rp.at].thread);

    if (!thread || thread->state == VTHREAD_DONE) {
        replay_diverge(wanted, "the thread that should go on does not exist, "
                       "or has ended");
    }
    machine_switch(thread);
}

/* A thread has ended the process, where the recorded one ended. */
static void stop_at_exit(void)
{
    if (g_strcmp0(rp.exit, log_meta(rp.log, "exit")) != 0) {
        return;
    }
    rp.result.report = g_strdup_printf("the scenario ended its process: %s, as "
                                       "recorded", rp.exit);
    replay_stop(REPLAY_IDENTICAL);
}

void replay_exits(int status, int signum)
{
    rp.exit = signum ? g_strdup_printf("signal %d", signum)
                     : g_strdup_printf("exit(%d)", status);
    replay_next_input("the end of the process");
    replay_diverge("the end of the process", NULL);
}

/* Inputs that are nobody's operation; ends the run at the end of the log. */
static void skip_to_operation(const char *wanted)
{
    while (rp.at < rp.n && input_is_skipped(rp.inputs[rp.at].kind)) {
        rp.at++;
    }
    if (rp.at >= rp.n && rp.main_ended) {
        replay_stop(rp.result.outcome);
    }
    if (rp.at >= rp.n && rp.exit) {
        stop_at_exit();
    }
    if (rp.at >= rp.n && rp.complete) {
        replay_diverge(wanted, "the log is complete, but ends before the "
                       "scenario does");
    }
    if (rp.at >= rp.n) {
        replay_stop(REPLAY_CUT);
    }
    if (rp.inputs[rp.at].kind == INPUT_STUCK) {
        take_stuck(wanted);
    }
}

/* Does all that the thread has done and seen so far agree, and this? */
static void check_input(const Input *in)
{
    uint64_t digest;

    if (!input_is_checked(in->kind)) {
        return;
    }
    digest = probe_mix(replay_input_digest(in->kind, in->obj, in->a, in->b));
    if (input_check(digest) != in->check) {
        g_autofree char *text = input_text(in);
        g_autofree char *got = g_strdup_printf("%s, in another state", text);

        replay_diverge(got, NULL);
    }
}

void replay_accept(void)
{
    check_input(&rp.inputs[rp.at]);
    if (unlikely(rp.at + 1 == replay_watched_input)) {
        rp.watched = stacks_call_chain(REPLAY_CHAIN);
    }
    rp.chains.cursors[rp.inputs[rp.at].thread] = rp.chains.following[rp.at];
    rp.at++;
}

const Input *replay_next_input(const char *wanted)
{
    for (;;) {
        const Input *in;

        skip_to_operation(wanted);
        in = &rp.inputs[rp.at];
        if (in->thread != host_self()->id) {
            let_others_run(wanted);
        } else if (in->kind == INPUT_CHOICE) {
            take_choice(in);
            replay_accept();
        } else {
            return in;
        }
    }
}

const Input *replay_own_input(void)
{
    uint32_t at = rp.chains.cursors[host_self()->id];

    return at < rp.n ? &rp.inputs[at] : NULL;
}

Input replay_take(InputKind kind, uint64_t obj)
{
    const Input *in = replay_next_input(input_table[kind].name);

    if (in->kind != kind || in->obj != obj) {
        g_autofree char *name = object_text(obj);
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

/* ---- Running ---- */

static void count_event(const ProbeEvent *event, void *opaque)
{
    rp.last_events[rp.result.events++ % REPLAY_LAST_EVENTS] = *event;
    rp.sink(event, rp.sink_opaque);
}

static void *run_main(void *opaque)
{
    const ScenarioSpec *spec = opaque;
    Input in;

    scenario_run(spec, &rp.result.scenario, NULL);
    in = replay_take(INPUT_END, 0);
    replay_compare_digest(in.a, "the end");
    rp.result.outcome = REPLAY_IDENTICAL;
    rp.main_ended = true;
    return NULL;
}

/* And not into a deadlock, or the limit of its steps. */
static bool ran_to_its_end(Log *log)
{
    const char *outcome = log_meta(log, "outcome");

    return g_strcmp0(log_meta(log, "state"), "complete") == 0 &&
           (g_strcmp0(outcome, "done") == 0 ||
            g_strcmp0(outcome, "failed") == 0);
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
    rp.complete = ran_to_its_end(log);
    rp.result.outcome = REPLAY_BAD_LOG;
    rp.inputs = log_inputs(log, &rp.n, &err);
    if (!rp.inputs) {
        rp.result.report = g_strdup(error_get_pretty(err));
        error_free(err);
        return rp.result;
    }
    if (!input_chains_init(&rp.chains, rp.inputs, rp.n)) {
        rp.result.report = g_strdup_printf("%s: damaged log (a thread's number "
                                           "is impossible)", log_path(log));
        return rp.result;
    }
    rp.threads = g_new0(VThread *, THREAD_NUMBERS);
    rp.agreed = g_new0(Agreed, THREAD_NUMBERS);
    pending_init(&rp.pending);
    fd_table_init(&rp.fds);
    rp.files = replay_files_new(log, rp.inputs, rp.n);
    host_set(&replay_host, HOST_POINTS | HOST_TIMES | HOST_OBSERVE | HOST_LISTS |
             (!rp.simulated ? HOST_SIGHTS | HOST_REPLAYS | HOST_GLIB
              : log_meta(log, "choices") ? HOST_SIGHTS : 0));
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
    input_chains_finish(&rp.chains);
    g_free(rp.threads);
    g_free(rp.agreed);
    g_free(rp.inputs);
    rp.result.inputs = rp.at;
    return rp.result;
}

void replay_result_finish(ReplayResult *result)
{
    g_free(result->report);
    scenario_outcome_finish(&result->scenario);
}
