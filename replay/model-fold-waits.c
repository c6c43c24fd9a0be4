/* SPDX-License-Identifier: MIT */
/* Folding: locks, and what threads wait for. */
#include "model-internal.h"

/* ---- Locks ---- */

/* A mutex is an object while it is held; its first name stays. */
static void take_mutex(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    bool known = g_hash_table_contains(model->names, &e->obj);
    ProbeEvent named = *e;
    ModelObject *mutex;

    named.text = model_lock_name(e->text);
    mutex = model_add(model, MODEL_MUTEX, &named, STATE_HELD);
    model->created[MODEL_MUTEX] -= known;
    mutex->a = thread->id;
    mutex->cause = model->seq;
    mutex->site = e->site;
}

static bool waits_in(const ModelThread *thread, FrameKind kind)
{
    return thread->frames->len &&
           g_array_index(thread->frames, ModelFrame,
                         thread->frames->len - 1).kind == kind;
}

static void begin_cond_wait(Model *model, ModelThread *thread,
                            const ProbeEvent *e)
{
    ModelFrame *frame = model_push(model, thread, FRAME_COND, e, 0);

    frame->obj = e->a;
    frame->timeout_ns = e->b;
    frame->text = model_lock_name(e->text);
    model_take_purposes(model, thread, PURPOSE_FRAME, frame->seq);
}

void model_apply_lock(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    switch (e->kind) {
    case PROBE_LOCK_WAIT:
        model_push(model, thread, FRAME_LOCK, e, 0)->text =
            model_lock_name(e->text);
        break;
    case PROBE_LOCK:
        if (waits_in(thread, FRAME_LOCK)) {
            model_pop(model, thread, FRAME_LOCK);
        } else if (waits_in(thread, FRAME_COND)) {
            model_pop(model, thread, FRAME_COND);
        }
        take_mutex(model, thread, e);
        break;
    case PROBE_UNLOCK:
        model_remove(model, model_find(model, e->obj));
        if (e->a) {
            begin_cond_wait(model, thread, e);
        }
        break;
    case PROBE_JOIN_WAIT:
        model_push(model, thread, FRAME_JOIN, e, 0);
        break;
    case PROBE_JOIN_END:
        model_pop(model, thread, FRAME_JOIN);
        break;
    case PROBE_LOOP_WAIT:
        model_push(model, thread, FRAME_LOOP, e, 0)->timeout_ns = e->a;
        break;
    case PROBE_LOOP_WAKE:
        model_pop(model, thread, FRAME_LOOP);
        break;
    }
}

/* ---- Reasons ---- */

static uint64_t innermost_frame(const ModelThread *thread)
{
    return thread->frames->len ? g_array_index(thread->frames, ModelFrame,
                                               thread->frames->len - 1).seq : 0;
}

/* Who does it: somebody else; or what runs here, a coroutine if one does. */
static void set_doer(ModelObject *reason, const ModelThread *thread,
                     const ProbeEvent *e)
{
    reason->owner = e->a;
    reason->c = 0;
    reason->disabled = !e->a && e->text;
    if (e->a || e->text) {
        reason->state = STATE_PENDING;
        return;
    }
    reason->state = e->b ? STATE_HELD : STATE_RUNNING;
    reason->owner = model_running_coroutine(thread);
    if (!reason->owner) {
        reason->owner = thread->id;
        reason->c = innermost_frame(thread);
    }
    if (e->b) { /* what is begun later keeps its place */
        reason->a = e->b;
        reason->b = e->c;
        reason->batch = innermost_frame(thread);
    }
}

void model_apply_reason(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *reason = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_REASON_NEW:
        model_add(model, MODEL_REASON, e, STATE_IDLE);
        break;
    case PROBE_REASON_BY:
        if (reason) {
            model_set_caused(model, e->obj, STATE_PENDING);
            set_doer(reason, thread, e);
        }
        break;
    case PROBE_REASON_DONE:
        model_set_state(model, e->obj, STATE_DONE);
        break;
    case PROBE_REASON_WAIT:
        model_add_purpose(model, thread, e->obj);
        break;
    }
}

/* ---- Waits, and how the run went ---- */

/*
 * A thread may be found to sleep for a lock that was free when it came there:
 * then no event has told so.
 */
static void thread_is_stuck(Model *model, ModelThread *thread,
                            const ProbeEvent *e)
{
    thread->stuck = model->stuck = true;
    thread->waits_mutex = e->a;
    thread->waits_cond = e->b;
    thread->waits_at = e->site;
    if (e->a && !e->b && !waits_in(thread, FRAME_LOCK)) {
        model_push(model, thread, FRAME_LOCK, e, 0)->obj = e->a;
        g_array_index(thread->frames, ModelFrame,
                      thread->frames->len - 1).text = NULL;
    }
}

void model_apply_wait(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    switch (e->kind) {
    case PROBE_WAIT_BEGIN:
        model_take_purposes(model, thread, PURPOSE_FRAME,
                            model_push(model, thread, FRAME_WAIT, e,
                                       e->a)->seq);
        break;
    case PROBE_WAIT_END:
        model_pop(model, thread, FRAME_WAIT);
        break;
    case PROBE_STUCK:
        thread_is_stuck(model, thread, e);
        break;
    case PROBE_CHECK:
        model->check_failed = true;
        break;
    }
}
