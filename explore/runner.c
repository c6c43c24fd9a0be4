/* SPDX-License-Identifier: MIT */
/* Schedules back to back; see runner.h. */
#include "runner-internal.h"

#include "stack.h"
#include "thread-keys.h"

#include <sys/mman.h>
#include <unistd.h>

const char *const schedule_end_names[] = {
    "done", "failed", "deadlock", "crash", "endless", "race", "abandoned",
    "bad",
};

Runner *the_runner;

/* ---- What the search and the machine do meanwhile ---- */

void runner_pause(void)
{
    if (the_runner) {
        arena_off();
    }
}

void runner_resume(void)
{
    if (the_runner) {
        arena_on();
    }
}

static void step_in_lane(uint32_t thread)
{
    const SimTracer *tracer = the_runner->tracer;

    arena_set_lane(thread);
    if (the_runner->watch) {
        races_step(the_runner->races, thread);
    }
    if (tracer) {
        tracer->step(thread);
    }
}

static void forward_access(const volatile void *object, SimAccess how)
{
    const SimTracer *tracer = the_runner->tracer;

    if (the_runner->watch && how < SIM_OWN_READ) {
        races_sync(the_runner->races, (uintptr_t)object);
    }
    if (tracer) {
        tracer->access(object, how);
    }
}

static void forward_wake(uint32_t thread)
{
    const SimTracer *tracer = the_runner->tracer;

    if (the_runner->watch) {
        races_wake(the_runner->races, thread);
    }
    if (tracer) {
        tracer->wake(thread);
    }
}

static void forward_stuck(void)
{
    if (the_runner->tracer) {
        the_runner->tracer->stuck();
    }
}

static const SimTracer lane_tracer = {step_in_lane, forward_access,
                                      forward_wake, forward_stuck};
/* Nobody wants to know what is touched, which is most of what is told. */
const SimTracer runner_deaf_tracer = {step_in_lane, NULL, forward_wake,
                                      forward_stuck};

/* ---- One run ---- */

void runner_main(void *opaque)
{
    Runner *r = opaque;
    Error *err = NULL;

    if (scenario_run(r->spec, &r->scenario, &err) < 0) {
        g_strlcpy(r->outcome.text, error_get_pretty(err), OUTCOME_TEXT);
        r->outcome.end = SCHEDULE_BAD;
    }
}

static void conclude(Runner *r, const SimResult *result)
{
    ScheduleOutcome *o = &r->outcome;

    o->steps = result->steps;
    o->end = o->end == SCHEDULE_BAD ? SCHEDULE_BAD
           : r->scenario.failed_checks ? SCHEDULE_FAILED
           : result->outcome == SIM_DONE ? SCHEDULE_DONE
           : result->outcome == SIM_STUCK ? SCHEDULE_STUCK
           : result->outcome == SIM_EXITED ? SCHEDULE_CRASHED
           : result->outcome == SIM_BUDGET ? SCHEDULE_ENDLESS
                                           : SCHEDULE_ABANDONED;
    if (result->outcome == SIM_EXITED) {
        g_snprintf(o->text, OUTCOME_TEXT, "it ends its process with status %d, "
                   "which would end the search, too; return from run() "
                   "instead", result->exit_status);
    }
    if (o->end == SCHEDULE_DONE && r->raced) {
        o->end = SCHEDULE_RACE; /* told when memory is what it was */
    }
    if (o->end == SCHEDULE_FAILED && r->scenario.first_failure) {
        g_strlcpy(o->text, r->scenario.first_failure, OUTCOME_TEXT);
    }
}

static void run_here(Runner *r, const SimConfig *config, bool advanced)
{
    SimResult result;

    if (sigsetjmp(r->crashed, 0) == 0) {
        r->running = true;
        result = advanced ? sim_go_on(config->oracle, config->tracer)
                          : sim_run(config, &sim_host, runner_main, r);
        r->running = false;
        conclude(r, &result);
    } else {
        r->outcome.steps = sim_steps();
    }
}

static void run_and_restore(Runner *r, const SimConfig *config, bool advanced)
{
    runner_begin_watching(r);
    if (advanced) {
        runner_advance(r);
    }
    arena_on();
    run_here(r, config, advanced);
    arena_off();
    runner_end_watching(r);
    runner_close_descriptors(r);
    if (r->outcome.end == SCHEDULE_RACE) {
        runner_tell_race(r);
    }
    if (r->outcome.signal && r->outcome.end == SCHEDULE_CRASHED) {
        runner_take_message(r);
    }
    arena_restore();
    thread_keys_restore();
    runner_reset_stacks(r);
}

ScheduleOutcome runner_run(Runner *r, Oracle *oracle, const SimTracer *tracer,
                           ProbeSink *sink, void *opaque)
{
    SimConfig config = r->config;

    r->runs++;
    r->outcome = (ScheduleOutcome){.end = SCHEDULE_DONE};
    r->scenario = (ScenarioOutcome){.failed_checks = 0};
    r->tracer = tracer;
    config.oracle = oracle;
    config.tracer = tracer || r->watch ? &lane_tracer : &runner_deaf_tracer;
    if (sink) {
        probe_start(sink, opaque);
    }
    run_and_restore(r, &config, r->has_start && !sink && !tracer);
    if (sink) {
        probe_stop();
    }
    return r->outcome;
}

/* ---- Begin and end ---- */

Runner *runner_new(const ScenarioSpec *spec, const SimConfig *config)
{
    Runner *r = mmap(NULL, sizeof(Runner), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    assert(arena_is_linked() && !the_runner && r != MAP_FAILED);
    the_runner = r;
    r->spec = spec;
    r->config = *config;
    r->races = races_new();
    r->places = g_hash_table_new(g_direct_hash, g_direct_equal);
    r->pid = getpid();
    runner_catch_signals();
    runner_capture_stderr(r);
    runner_prepare(r);
    return r;
}

void runner_free(Runner *r)
{
    stack_source = NULL;
    runner_release_stderr(r);
    races_free(r->races);
    g_hash_table_destroy(r->places);
    the_runner = NULL;
}
