/* SPDX-License-Identifier: MIT */
/* Folding: coroutines, requests of rings and of the block layer, pools. */
#include "model-internal.h"

/* ---- Coroutines ---- */

static void coroutine_yields(Model *model, ModelThread *thread,
                             ModelObject *co)
{
    model_pop(model, thread, FRAME_COROUTINE);
    if (!co) {
        return;
    }
    model_take_purposes(model, thread, PURPOSE_COROUTINE, co->id);
    /* A wake-up may have come before the yield, and stays. */
    if (co->state == STATE_RUNNING) {
        model_set_state(model, co->id, STATE_YIELDED);
    }
}

static void coroutine_locks(Model *model, const ProbeEvent *e)
{
    ModelHold hold = {
        .lock = e->obj, .coroutine = e->a, .shared = e->b,
        .name = model_lock_name(e->text), .site = e->site, .seq = model->seq,
    };

    g_array_append_val(model->holds, hold);
}

static void coroutine_unlocks(Model *model, const ProbeEvent *e)
{
    for (unsigned i = model->holds->len; i > 0; i--) {
        const ModelHold *hold = &g_array_index(model->holds, ModelHold, i - 1);

        if (hold->lock == e->obj && hold->coroutine == e->a) {
            g_array_remove_index(model->holds, i - 1);
        }
    }
}

static void coroutine_waits(ModelObject *co, const ProbeEvent *e)
{
    if (co) {
        co->a = e->a;
        co->waits = e->text;
        co->site = e->site;
    }
}

static void apply_life(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *co = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_CO_CREATE:
        model_add(model, MODEL_COROUTINE, e, STATE_IDLE)->ctx = 0;
        break;
    case PROBE_CO_ENTER:
        model_drop_purposes(model, PURPOSE_COROUTINE, e->obj);
        if (model_set_state(model, e->obj, STATE_RUNNING)) {
            co->ctx = e->a;
        }
        model_push(model, thread, FRAME_COROUTINE, e, e->a);
        break;
    case PROBE_CO_YIELD:
        coroutine_yields(model, thread, co);
        break;
    case PROBE_CO_END:
        model_pop(model, thread, FRAME_COROUTINE);
        model_remove(model, co);
        break;
    }
}

void model_apply_coroutine(Model *model, ModelThread *thread,
                           const ProbeEvent *e)
{
    ModelObject *co = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_CO_SCHEDULE:
        model_set_caused(model, e->obj, STATE_SCHEDULED);
        if (co) {
            co->ctx = e->a;
        }
        break;
    case PROBE_CO_QUEUE:
        model_set_caused(model, e->obj, STATE_QUEUED);
        if (co) {
            co->owner = e->a;
        }
        break;
    case PROBE_CO_SLEEP:
        model_set_state(model, e->obj, STATE_SLEEPING);
        break;
    case PROBE_CO_WAIT:
        coroutine_waits(co, e);
        break;
    case PROBE_CO_WOKEN:
        coroutine_waits(co, &(ProbeEvent){.site = e->site});
        break;
    case PROBE_CO_LOCK:
        coroutine_locks(model, e);
        break;
    case PROBE_CO_UNLOCK:
        coroutine_unlocks(model, e);
        break;
    default:
        apply_life(model, thread, e);
        break;
    }
}

/* ---- Rings, and linux-aio ---- */

void model_apply_ring(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *sqe = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_SQE:
    case PROBE_LAIO_ADD:
        sqe = model_add(model, MODEL_SQE, e, STATE_PENDING);
        sqe->owner = model_running_coroutine(thread);
        sqe->site = e->site;
        break;
    case PROBE_CQE:
    case PROBE_LAIO_EVENT:
        if (model_set_state(model, e->obj, STATE_TAKEN)) {
            sqe->a = e->b;
            sqe->b = e->c;
        }
        break;
    case PROBE_CQE_BEGIN:
        model_set_phase(thread, 1);
        model_set_state(model, e->obj, STATE_RUNNING);
        model_push(model, thread, FRAME_CQE, e, e->a);
        break;
    case PROBE_LAIO_BEGIN: /* in whatever phase it is */
        model_set_state(model, e->obj, STATE_RUNNING);
        model_push(model, thread, FRAME_CQE, e, e->a);
        break;
    case PROBE_CQE_END:
    case PROBE_LAIO_END:
        model_pop(model, thread, FRAME_CQE);
        model_remove(model, sqe);
        break;
    }
}

/* ---- The block layer ---- */

static void count_drains(ModelObject *blk, int change)
{
    if (blk) {
        blk->b += change;
        blk->state = blk->b ? STATE_QUEUED : STATE_IDLE;
    }
}

void model_apply_block(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *object = model_find(model, e->obj);
    ModelObject *blk = model_find(model, e->a);

    switch (e->kind) {
    case PROBE_BLK_NEW:
        model_add(model, MODEL_BLK, e, STATE_IDLE)->ctx = 0;
        break;
    case PROBE_BLK_FREE:
        model_remove(model, object);
        break;
    case PROBE_REQ_BEGIN:
        object = model_add(model, MODEL_REQUEST, e, STATE_PENDING);
        object->site = e->site;
        object->a = e->b;
        object->b = e->c;
        object->owner = model_running_coroutine(thread);
        if (blk) {
            blk->a++;
        }
        break;
    case PROBE_REQ_QUEUED:
        model_set_state(model, e->obj, STATE_QUEUED);
        if (blk) {
            blk->a--;
        }
        break;
    case PROBE_REQ_END:
        if (object && object->state != STATE_QUEUED && blk) {
            blk->a--;
        }
        model_remove(model, object);
        break;
    case PROBE_DRAIN_BEGIN:
        model_add_purpose(model, thread, e->obj);
        count_drains(object, 1);
        if (object) {
            object->owner = thread->id;
        }
        break;
    case PROBE_DRAIN_END:
        count_drains(object, -1);
        break;
    }
}

/* ---- Thread pools ---- */

void model_apply_pool(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *job = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_POOL_SUBMIT:
        job = model_add(model, MODEL_JOB, e, STATE_QUEUED);
        job->owner = model_running_coroutine(thread);
        job->cause = model->seq;
        break;
    case PROBE_POOL_BEGIN:
        model_set_state(model, e->obj, STATE_RUNNING);
        model_push(model, thread, FRAME_JOB, e, e->a);
        break;
    case PROBE_POOL_END:
        model_pop(model, thread, FRAME_JOB);
        model_remove(model, job);
        break;
    case PROBE_POOL_CANCEL:
        if (e->b) {
            model_remove(model, job);
        }
        break;
    }
}
