/* SPDX-License-Identifier: MIT */
/*
 * Rules that one event breaks, given what its thread is in the middle of.
 *
 * The big QEMU lock and the old AioContext lock are meant to be held while
 * coroutines are entered and leave; they are not asked about.
 */
#include "rules-internal.h"

/* So deep no callback nests on purpose. */
enum { UNBOUNDED = 16 };

/* What is being looked at. */
typedef struct Check {
    Rules *rules;
    const ProbeEvent *event;
    const Model *model;
    const ModelThread *thread;
} Check;

static uint64_t seq(const Check *check)
{
    return check->model->seq + 1;
}

static void found(const Check *check, RuleId rule, char *what,
                  const ProbeSite *first, uint64_t first_event)
{
    rules_add(check->rules, rule, what, first, first_event, check->event->site,
              seq(check));
}

/* ---- Mutexes ---- */

static bool may_be_held(const ModelObject *mutex)
{
    return g_strcmp0(mutex->name, "bql") == 0 ||
           g_str_has_prefix(mutex->site->func, "aio_context_acquire");
}

/* A mutex that the thread has taken since event @since, or NULL. */
static const ModelObject *mutex_since(const Check *check, uint64_t since)
{
    const ModelObject *mutex;

    QTAILQ_FOREACH(mutex, &check->model->objects[MODEL_MUTEX], next) {
        if (mutex->a == check->thread->id && mutex->cause >= since &&
            !may_be_held(mutex)) {
            return mutex;
        }
    }
    return NULL;
}

static void check_yield(const Check *check)
{
    const ModelFrame *frame = model_top_frame(check->thread, FRAME_COROUTINE);
    const ModelObject *mutex = frame ? mutex_since(check, frame->seq) : NULL;
    g_autofree char *co = model_name(check->model, check->event->obj);
    g_autofree char *name = mutex ? model_name(check->model, mutex->id) : NULL;

    if (mutex) {
        /* The yield is somewhere in the event loop; where it waits says more. */
        const ModelObject *object = model_find(check->model,
                                               check->event->obj);
        const ProbeSite *site = object && object->waits ? object->site
                                                        : frame->site;

        rules_add(check->rules, RULE_YIELD_WITH_MUTEX,
                  g_strdup_printf("coroutine %s yields with mutex %s", co,
                                  name),
                  mutex->site, mutex->cause, site, seq(check));
    }
}

/* From outside of a coroutine: a yield would have been found already. */
static void check_enter(const Check *check)
{
    const ModelObject *mutex = mutex_since(check, 0);

    if (mutex && !model_top_frame(check->thread, FRAME_COROUTINE)) {
        g_autofree char *co = model_name(check->model, check->event->obj);
        g_autofree char *name = model_name(check->model, mutex->id);

        found(check, RULE_ENTER_WITH_MUTEX,
              g_strdup_printf("coroutine %s is entered with mutex %s", co,
                              name), mutex->site, mutex->cause);
    }
}

/* ---- Loops and drains in coroutines ---- */

/* The coroutine that has called this, without a loop between; or NULL. */
static const ModelFrame *calling_coroutine(const ModelThread *thread)
{
    for (unsigned i = thread->frames->len; i > 0; i--) {
        const ModelFrame *frame = &g_array_index(thread->frames, ModelFrame,
                                                 i - 1);

        if (frame->kind == FRAME_COROUTINE) {
            return frame;
        }
        if (frame->kind != FRAME_WAIT) {
            return NULL;
        }
    }
    return NULL;
}

static void check_in_coroutine(const Check *check, RuleId rule,
                               const char *does)
{
    const ModelFrame *frame = calling_coroutine(check->thread);
    const ModelFrame *wait = model_top_frame(check->thread, FRAME_WAIT);
    g_autofree char *co = frame ? model_name(check->model, frame->obj) : NULL;

    if (frame) {
        rules_add(check->rules, rule,
                  g_strdup_printf("coroutine %s %s", co, does), frame->site,
                  frame->seq, wait && wait->seq > frame->seq
                                  ? wait->site : check->event->site,
                  seq(check));
    }
}

static void check_schedule(const Check *check)
{
    const ProbeEvent *event = check->event;

    for (unsigned t = 0; t < check->model->threads->len; t++) {
        const ModelThread *thread = &g_array_index(check->model->threads,
                                                   ModelThread, t);

        for (unsigned i = 0; i < thread->frames->len; i++) {
            const ModelFrame *frame = &g_array_index(thread->frames,
                                                     ModelFrame, i);

            if (frame->kind == FRAME_COROUTINE && frame->obj == event->obj &&
                frame->ctx != event->a) {
                g_autofree char *co = model_name(check->model, event->obj);
                g_autofree char *ctx = model_name(check->model, event->a);

                found(check, RULE_WAKE_BEFORE_YIELD,
                      g_strdup_printf("coroutine %s is scheduled in %s while "
                                      "%s runs it", co, ctx, thread->name),
                      frame->site, frame->seq);
            }
        }
    }
}

/* ---- Recursion ---- */

static void check_depth(const Check *check, FrameKind kind, bool any_object)
{
    const GArray *frames = check->thread->frames;
    const ModelFrame *first = NULL;
    unsigned depth = 0;

    for (unsigned i = 0; i < frames->len; i++) {
        const ModelFrame *frame = &g_array_index(frames, ModelFrame, i);

        if (frame->kind == kind &&
            (any_object || frame->obj == check->event->obj)) {
            first = first ? first : frame;
            depth++;
        }
    }
    if (depth == UNBOUNDED) {
        g_autofree char *name = model_name(check->model, check->event->obj);

        found(check, RULE_REENTERED,
              g_strdup_printf("%s is entered while %u such callbacks have not "
                              "returned", name, depth), first->site,
              first->seq);
    }
}

/* ---- Requests ---- */

static void check_payload(const Check *check)
{
    const ModelObject *sqe = model_find(check->model, check->event->obj);
    g_autofree char *name = model_name(check->model, check->event->obj);
    const ModelFrame *wait = model_top_frame(check->thread, FRAME_WAIT);

    if (sqe) {
        rules_add(check->rules, RULE_DEAD_PAYLOAD,
                  g_strdup_printf("%s points to a stack frame that has "
                                  "returned", name), sqe->site, sqe->since,
                  wait ? wait->site : check->event->site, seq(check));
    }
}

/* ---- All of them ---- */

void rules_apply(Rules *rules, const ProbeEvent *event, const Model *model)
{
    Check check = {rules, event, model, model_thread(model, event->thread)};

    if (!check.thread) {
        return; /* its first event */
    }
    switch (event->kind) {
    case PROBE_CO_YIELD:
        check_yield(&check);
        break;
    case PROBE_CO_ENTER:
        check_enter(&check);
        break;
    case PROBE_CO_SCHEDULE:
        check_schedule(&check);
        break;
    case PROBE_POLL_BEGIN:
        check_in_coroutine(&check, RULE_POLL_IN_COROUTINE, "runs the loop");
        break;
    case PROBE_DRAIN_BEGIN:
        check_in_coroutine(&check, RULE_DRAIN_IN_COROUTINE, "drains");
        break;
    case PROBE_BH_BEGIN:
        check_depth(&check, FRAME_BH, false);
        break;
    case PROBE_FD_BEGIN:
        check_depth(&check, FRAME_FD, false);
        break;
    case PROBE_CQE_BEGIN:
    case PROBE_LAIO_BEGIN:
        check_depth(&check, FRAME_CQE, true);
        break;
    case PROBE_SQE_DEAD:
        check_payload(&check);
        break;
    }
    rules_check_order(rules, event, model, check.thread);
}
