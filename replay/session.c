/* SPDX-License-Identifier: MIT */
/* Sessions: the engine's events, and the model at any of them. */
#include "session.h"

#include "log-events.h"
#include "replay-explicit.h"
#include "replayer.h"
#include "run.h"

enum { KEYFRAME_EVENTS = 4096, PROGRESS_EVENTS = 65536 };

void (*session_progress)(uint64_t events);

/* ---- What runs in the engine ---- */

typedef struct LogRun {
    const char *path;
    const ScenarioSpec *spec;
    bool silent;
} LogRun;

static void replay_body(void *opaque, ProbeSink *sink, EngineEnd *end)
{
    static const SessionEnd ends[] = {
        [REPLAY_IDENTICAL] = SESSION_DONE, [REPLAY_STUCK] = SESSION_STUCK,
        [REPLAY_CUT] = SESSION_CUT, [REPLAY_DIVERGED] = SESSION_DIVERGED,
        [REPLAY_BAD_LOG] = SESSION_BAD_LOG,
    };
    LogRun *run = opaque;
    Error *err = NULL;
    /* Opened here: a connection must not be carried across a fork. */
    Log *log = log_open(run->path, &err);
    ReplayResult result;

    if (!log) {
        *end = (EngineEnd){
            .outcome = SESSION_BAD_LOG, .text = g_strdup(error_get_pretty(err)),
        };
        return;
    }
    result = (log_is_explicit(log) ? replay_explicit_run : replay_run)(
        log, run->spec, run->silent ? NULL : sink, NULL);
    *end = (EngineEnd){
        ends[result.outcome], result.inputs, result.digests, result.report,
    };
    if (result.outcome == REPLAY_IDENTICAL && result.scenario.failed_checks) {
        end->outcome = SESSION_FAILED;
        end->text = result.scenario.first_failure;
    }
}

typedef struct ScenarioRun {
    const ScenarioSpec *spec;
    const RunConfig *config;
} ScenarioRun;

static void scenario_body(void *opaque, ProbeSink *sink, EngineEnd *end)
{
    ScenarioRun *run = opaque;
    RunConfig config = *run->config;
    RunResult result;
    Error *err = NULL;

    config.sink = sink;
    if (!run_scenario(run->spec, &config, &result, &err)) {
        *end = (EngineEnd){
            .outcome = SESSION_BAD_LOG, .text = g_strdup(error_get_pretty(err)),
        };
        return;
    }
    end->outcome = result.sim.outcome == SIM_STUCK ? SESSION_STUCK
                 : result.sim.outcome == SIM_BUDGET ? SESSION_BUDGET
                 : result.scenario.failed_checks ? SESSION_FAILED
                                                 : SESSION_DONE;
    end->text = result.sim.outcome == SIM_EXITED
                    ? run_exit_text(&result.sim)
                    : result.scenario.first_failure;
}

/* ---- Opening ---- */

static void store_event(const ProbeEvent *event, void *opaque)
{
    event_store_add(opaque, event);
    if (session_progress &&
        event_store_count(opaque) % PROGRESS_EVENTS == 0) {
        session_progress(event_store_count(opaque));
    }
}

static void go_to_the_end(Session *session)
{
    session->model = model_new();
    session->keyframes =
        g_ptr_array_new_with_free_func((GDestroyNotify)model_free);
    session_goto(session, session_count(session));
}

static Session *open_session(EngineBody *body, void *opaque, char *title,
                             Error **errp)
{
    Session *session = g_new0(Session, 1);
    EngineEnd end = {.text = NULL};
    int signal_number;

    session->title = title;
    session->engine = engine_start(body, opaque, errp);
    if (!session->engine) {
        g_free(title);
        g_free(session);
        return NULL;
    }
    session->events = event_store_new();
    signal_number = engine_run(session->engine, store_event, session->events,
                               &end);
    session->end = signal_number ? SESSION_CRASHED : end.outcome;
    session->a = signal_number ? (uint64_t)signal_number : end.a;
    session->b = end.b;
    session->text = end.text;
    go_to_the_end(session);
    return session;
}

static Session *open_log(Log *log, const ScenarioSpec *spec, bool silent,
                         Error **errp)
{
    LogRun run = {log_path(log), spec, silent};

    return open_session(replay_body, &run, g_path_get_basename(log_path(log)),
                        errp);
}

Session *session_open_log(Log *log, const ScenarioSpec *spec, Error **errp)
{
    return open_log(log, spec, false, errp);
}

Session *session_compare_log(Log *log, const ScenarioSpec *spec, Error **errp)
{
    return open_log(log, spec, true, errp);
}

Session *session_open_scenario(const ScenarioSpec *spec,
                               const RunConfig *config, Error **errp)
{
    ScenarioRun run = {spec, config};

    return open_session(scenario_body, &run, scenario_spec_name(spec), errp);
}

Session *session_open_events(Log *log, Error **errp)
{
    Session *session = g_new0(Session, 1);

    session->title = g_path_get_basename(log_path(log));
    session->events = event_store_new();
    session->kept = g_ptr_array_new_with_free_func(g_free);
    session->end = SESSION_DONE;
    if (!log_load_events(log, session->events, session->kept, errp)) {
        event_store_free(session->events);
        g_ptr_array_free(session->kept, true);
        g_free(session->title);
        g_free(session);
        return NULL;
    }
    go_to_the_end(session);
    return session;
}

void session_free(Session *session)
{
    if (session) {
        if (session->engine) {
            engine_free(session->engine);
        }
        if (session->kept) {
            g_ptr_array_free(session->kept, true);
        }
        event_store_free(session->events);
        model_free(session->model);
        g_ptr_array_free(session->keyframes, true);
        g_free(session->text);
        g_free(session->title);
        g_free(session);
    }
}

/* ---- Moving ---- */

uint64_t session_count(const Session *session)
{
    return event_store_count(session->events);
}

/* The newest keyframe at or before event @n, or NULL: frame k is at k * 4096. */
static Model *keyframe_before(const Session *session, uint64_t n)
{
    uint64_t index = n / KEYFRAME_EVENTS;

    index = MIN(index, session->keyframes->len);
    return index ? g_ptr_array_index(session->keyframes, index - 1) : NULL;
}

static void step(Session *session)
{
    ProbeEvent event = event_store_get(session->events, session->model->seq + 1);
    Model *model = session->model;

    model_apply(model, &event);
    if (model->seq % KEYFRAME_EVENTS == 0 &&
        model->seq / KEYFRAME_EVENTS == session->keyframes->len + 1) {
        g_ptr_array_add(session->keyframes, model_copy(model));
    }
}

void session_goto(Session *session, uint64_t n)
{
    n = MIN(n, session_count(session));
    if (n < session->model->seq) {
        Model *keyframe = keyframe_before(session, n);

        model_free(session->model);
        session->model = keyframe ? model_copy(keyframe) : model_new();
    }
    while (session->model->seq < n) {
        step(session);
    }
    session->position = n;
}

ProbeEvent session_event(const Session *session)
{
    return event_store_get(session->events, session->position);
}

GPtrArray *session_stacks(Session *session, Error **errp)
{
    if (!session->engine) {
        error_setg(errp, "a trace that another program wrote has no stacks; "
                   "'inspect coroutines' says where each was seen");
        return NULL;
    }
    return engine_stacks(session->engine, session->position, errp);
}

int session_exit_status(const Session *session)
{
    switch (session->end) {
    case SESSION_DONE:
        return 0;
    case SESSION_DIVERGED:
        return 4;
    case SESSION_BAD_LOG:
        return 3;
    case SESSION_CRASHED:
        return 128 + session->a;
    case SESSION_CUT:
        return 3;
    default:
        return 1;
    }
}
