/* SPDX-License-Identifier: MIT */
/*
 * Folding events into state: one case for each probe that changes anything.
 * Here: the loop.  model-fold-work.c has what it works on, model-fold-waits.c
 * has what threads and coroutines wait for.
 *
 * Fields a, b, c of an object:
 *   handler  a events, b revents         bh       a flags
 *   timer    a deadline, b clock         context  a depth, b notified
 *   blk      a in flight, b drains       request  a offset, b bytes, c result
 *   sqe      a result, b position in its batch
 *   mutex    a the thread that holds it
 *   reason   a position and b size of the batch that it is held in, c the event
 *            of the frame that holds it, or does it
 *   coroutine  a what it waits for, if that is an object
 *
 * Their owner: of a context the thread that has polled it last; of a
 * BlockBackend the one that has drained it; of a request, SQE or job the
 * coroutine that waits for it; of a coroutine that is queued the one behind
 * which it is; of a reason who does it, an object or a thread.
 */
#include "model-internal.h"

static ModelThread *thread_of(Model *model, const ProbeEvent *e)
{
    ModelThread *found = model_thread(model, e->thread);
    ModelThread thread = {.id = e->thread, .name = "?"};

    if (found) {
        return found;
    }
    thread.frames = g_array_new(false, true, sizeof(ModelFrame));
    g_array_append_val(model->threads, thread);
    return model_thread(model, e->thread);
}

/* ---- One function for each part of the table ---- */

static void apply_context(Model *model, ModelThread *thread,
                          const ProbeEvent *e)
{
    ModelObject *ctx = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_THREAD_START:
        thread->name = e->text;
        break;
    case PROBE_THREAD_EXIT:
        thread->exited = true;
        break;
    case PROBE_CTX_NEW:
        model_add(model, MODEL_CONTEXT, e, STATE_IDLE);
        break;
    case PROBE_CTX_NAME:
        if (ctx) {
            ctx->name = e->text;
            model_remember_name(model, ctx);
        }
        break;
    case PROBE_CTX_HOME:
        thread->ctx = e->obj;
        break;
    case PROBE_CTX_FREE:
        model_remove(model, ctx);
        break;
    case PROBE_NOTIFY:
    case PROBE_NOTIFY_ACCEPT:
        if (ctx) {
            ctx->b = e->kind == PROBE_NOTIFY;
        }
        break;
    }
}

static void apply_poll(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *ctx = model_find(model, e->obj);
    ModelFrame *frame;

    switch (e->kind) {
    case PROBE_POLL_BEGIN:
        model_push(model, thread, FRAME_POLL, e, e->obj);
        frame = model_top_frame(thread, FRAME_POLL);
        frame->depth = e->b;
        frame->phase = "timeout";
        break;
    case PROBE_POLL_WAIT:
        frame = model_top_frame(thread, FRAME_POLL);
        if (frame) {
            frame->phase = model_phases[0];
            frame->sleeping = true;
            frame->timeout_ns = e->a;
        }
        break;
    case PROBE_POLL_WAKE:
        model_set_phase(thread, 0);
        break;
    case PROBE_POLL_END:
        model_pop(model, thread, FRAME_POLL);
        break;
    }
    if (ctx) {
        ctx->owner = thread->id;
        ctx->a = e->b;
        ctx->state = e->kind == PROBE_POLL_WAIT ? STATE_IDLE : STATE_RUNNING;
        if (e->kind == PROBE_POLL_BEGIN || e->kind == PROBE_POLL_END) {
            ctx->a = e->kind == PROBE_POLL_BEGIN ? e->b : e->b - 1;
        }
        ctx->since = model->seq;
    }
}

static void apply_handler(Model *model, ModelThread *thread,
                          const ProbeEvent *e)
{
    ModelObject *handler = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_FD_ADD:
        model_add(model, MODEL_HANDLER, e, STATE_IDLE)->a = e->b;
        break;
    case PROBE_FD_REMOVE:
        model_remove(model, handler);
        break;
    case PROBE_FD_READY:
        if (model_set_caused(model, e->obj, STATE_READY)) {
            handler->b = e->a;
        }
        break;
    case PROBE_FD_BEGIN:
        model_set_phase(thread, 3);
        model_set_state(model, e->obj, STATE_RUNNING);
        model_push(model, thread, FRAME_FD, e, handler ? handler->ctx : 0);
        break;
    case PROBE_FD_END:
        model_pop(model, thread, FRAME_FD);
        model_set_state(model, e->obj, STATE_IDLE);
        break;
    case PROBE_FD_ENABLE:
        model_set_state(model, e->obj, e->b ? STATE_IDLE : STATE_DISABLED);
        break;
    }
}

static void apply_bh(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *bh = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_BH_NEW:
        model_add(model, MODEL_BH, e, STATE_IDLE);
        break;
    case PROBE_BH_SCHEDULE:
        bh = model_set_caused(model, e->obj, STATE_SCHEDULED);
        if (bh) {
            bh->a = e->b;
        }
        break;
    case PROBE_BH_CANCEL:
        model_set_state(model, e->obj, STATE_IDLE);
        break;
    case PROBE_BH_SLICE:
        model_set_phase(thread, 2);
        model_set_state(model, e->a, STATE_TAKEN);
        break;
    case PROBE_BH_BEGIN:
        model_set_phase(thread, 2);
        model_set_state(model, e->obj, STATE_RUNNING);
        model_push(model, thread, FRAME_BH, e, e->a);
        break;
    case PROBE_BH_END:
        model_pop(model, thread, FRAME_BH);
        if (bh && bh->state == STATE_RUNNING) {
            model_set_state(model, e->obj, STATE_IDLE);
        }
        break;
    case PROBE_BH_DELETE:
        model_set_state(model, e->obj, STATE_DELETED);
        break;
    case PROBE_BH_FREE:
        model_remove(model, bh);
        break;
    }
}

static void apply_timer(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *timer = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_TIMER_NEW:
        model_add(model, MODEL_TIMER, e, STATE_IDLE)->b = e->b;
        break;
    case PROBE_TIMER_ARM:
        if (!timer) { /* it was used before, and forgotten at its end */
            timer = model_add(model, MODEL_TIMER, e, STATE_IDLE);
            timer->ctx = thread->ctx;
        }
        if (model_set_caused(model, e->obj, STATE_SCHEDULED)) {
            timer->a = e->a;
        }
        break;
    case PROBE_TIMER_BEGIN:
        model_set_phase(thread, 4);
        model_set_state(model, e->obj, STATE_RUNNING);
        model_push(model, thread, FRAME_TIMER, e, timer ? timer->ctx : 0);
        break;
    case PROBE_TIMER_END:
        model_pop(model, thread, FRAME_TIMER);
        /* A timer that was not armed again has no use that we could see. */
        if (timer && timer->state == STATE_RUNNING) {
            model_remove(model, timer);
        }
        break;
    case PROBE_TIMER_DEL:
        model_remove(model, timer);
        break;
    }
}

void model_apply(Model *model, const ProbeEvent *e)
{
    ModelThread *thread = thread_of(model, e);

    model->seq++;
    model->t_ns = e->t_ns;
    model->thread = e->thread;
    thread->last = model->seq;
    switch (e->kind) {
    case PROBE_THREAD_START ... PROBE_CTX_FREE:
    case PROBE_NOTIFY ... PROBE_NOTIFY_ACCEPT:
        apply_context(model, thread, e);
        break;
    case PROBE_POLL_BEGIN ... PROBE_POLL_END:
        apply_poll(model, thread, e);
        break;
    case PROBE_FD_ADD ... PROBE_FD_ENABLE:
        apply_handler(model, thread, e);
        break;
    case PROBE_BH_NEW ... PROBE_BH_REENTRANT:
        apply_bh(model, thread, e);
        break;
    case PROBE_TIMER_NEW ... PROBE_TIMER_END:
        apply_timer(model, thread, e);
        break;
    case PROBE_CO_CREATE ... PROBE_CO_UNLOCK:
        model_apply_coroutine(model, thread, e);
        break;
    case PROBE_SQE ... PROBE_LAIO_END:
        model_apply_ring(model, thread, e);
        break;
    case PROBE_BLK_NEW ... PROBE_DRAIN_END:
        model_apply_block(model, thread, e);
        break;
    case PROBE_POOL_SUBMIT ... PROBE_POOL_CANCEL:
        model_apply_pool(model, thread, e);
        break;
    case PROBE_LOCK ... PROBE_LOOP_WAKE:
        model_apply_lock(model, thread, e);
        break;
    case PROBE_REASON_NEW ... PROBE_REASON_WAIT:
        model_apply_reason(model, thread, e);
        break;
    default:
        model_apply_wait(model, thread, e);
        break;
    }
}
