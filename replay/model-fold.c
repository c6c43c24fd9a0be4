/* SPDX-License-Identifier: MIT */
/*
 * Folding events into state: one case for each probe that changes anything.
 *
 * Fields a, b, c of an object:
 *   handler  a events, b revents         bh       a flags
 *   timer    a deadline, b clock         context  a depth, b notified
 *   blk      a in flight, b drains       request  a offset, b bytes, c result
 *   sqe      a result, b position in its batch, c the batch's event
 *   mutex    a the thread that holds it
 */
#include "model-internal.h"

/* ---- Objects ---- */

static ModelObject *add(Model *model, ModelKind kind, const ProbeEvent *e,
                        ModelState state)
{
    ModelObject *object = g_new0(ModelObject, 1);

    model_remove(model, model_find(model, e->obj));
    *object = (ModelObject){
        .kind = kind, .state = state, .id = e->obj, .name = e->text,
        .ordinal = model->created[kind]++, .ctx = e->a,
        .since = model->seq, .since_ns = e->t_ns,
    };
    if (!g_hash_table_contains(model->names, &e->obj)) {
        model_remember_name(model, object);
    }
    return model_insert(model, object);
}

static ModelObject *set_state(Model *model, uint64_t id, ModelState state)
{
    ModelObject *object = model_find(model, id);

    if (object) {
        object->state = state;
        object->since = model->seq;
        object->since_ns = model->t_ns;
    }
    return object;
}

static ModelObject *set_caused(Model *model, uint64_t id, ModelState state)
{
    ModelObject *object = set_state(model, id, state);

    if (object) {
        object->cause = model->seq;
    }
    return object;
}

/* ---- Frames ---- */

static void push(Model *model, ModelThread *thread, FrameKind kind,
                 const ProbeEvent *e, uint64_t ctx)
{
    ModelFrame frame = {
        .kind = kind, .obj = e->obj, .ctx = ctx, .site = e->site,
        .seq = model->seq, .text = e->text,
    };

    g_array_append_val(thread->frames, frame);
}

/* Takes off the innermost frame of @kind and all that it called. */
static void pop(ModelThread *thread, FrameKind kind)
{
    ModelFrame *frame = model_top_frame(thread, kind);

    if (frame) {
        g_array_set_size(thread->frames,
                         frame - (ModelFrame *)thread->frames->data);
    }
}

static void set_phase(ModelThread *thread, unsigned phase)
{
    ModelFrame *poll = model_top_frame(thread, FRAME_POLL);

    if (poll) {
        poll->phase = model_phases[phase];
        poll->sleeping = false;
    }
}

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
        add(model, MODEL_CONTEXT, e, STATE_IDLE);
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
        push(model, thread, FRAME_POLL, e, e->obj);
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
        set_phase(thread, 0);
        break;
    case PROBE_POLL_END:
        pop(thread, FRAME_POLL);
        break;
    }
    if (ctx) {
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
        add(model, MODEL_HANDLER, e, STATE_IDLE)->a = e->b;
        break;
    case PROBE_FD_REMOVE:
        model_remove(model, handler);
        break;
    case PROBE_FD_READY:
        if (set_caused(model, e->obj, STATE_READY)) {
            handler->b = e->a;
        }
        break;
    case PROBE_FD_BEGIN:
        set_phase(thread, 3);
        set_state(model, e->obj, STATE_RUNNING);
        push(model, thread, FRAME_FD, e, handler ? handler->ctx : 0);
        break;
    case PROBE_FD_END:
        pop(thread, FRAME_FD);
        set_state(model, e->obj, STATE_IDLE);
        break;
    }
}

static void apply_bh(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *bh = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_BH_NEW:
        add(model, MODEL_BH, e, STATE_IDLE);
        break;
    case PROBE_BH_SCHEDULE:
        bh = set_caused(model, e->obj, STATE_SCHEDULED);
        if (bh) {
            bh->a = e->b;
        }
        break;
    case PROBE_BH_CANCEL:
        set_state(model, e->obj, STATE_IDLE);
        break;
    case PROBE_BH_SLICE:
        set_phase(thread, 2);
        set_state(model, e->a, STATE_TAKEN);
        break;
    case PROBE_BH_BEGIN:
        set_phase(thread, 2);
        set_state(model, e->obj, STATE_RUNNING);
        push(model, thread, FRAME_BH, e, e->a);
        break;
    case PROBE_BH_END:
        pop(thread, FRAME_BH);
        if (bh && bh->state == STATE_RUNNING) {
            set_state(model, e->obj, STATE_IDLE);
        }
        break;
    case PROBE_BH_DELETE:
        set_state(model, e->obj, STATE_DELETED);
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
        add(model, MODEL_TIMER, e, STATE_IDLE)->b = e->b;
        break;
    case PROBE_TIMER_ARM:
        if (!timer) { /* it was used before, and forgotten at its end */
            timer = add(model, MODEL_TIMER, e, STATE_IDLE);
            timer->ctx = thread->ctx;
        }
        if (set_caused(model, e->obj, STATE_SCHEDULED)) {
            timer->a = e->a;
        }
        break;
    case PROBE_TIMER_BEGIN:
        set_phase(thread, 4);
        set_state(model, e->obj, STATE_RUNNING);
        push(model, thread, FRAME_TIMER, e, timer ? timer->ctx : 0);
        break;
    case PROBE_TIMER_END:
        pop(thread, FRAME_TIMER);
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

static void apply_coroutine(Model *model, ModelThread *thread,
                            const ProbeEvent *e)
{
    ModelObject *co = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_CO_CREATE:
        add(model, MODEL_COROUTINE, e, STATE_IDLE)->ctx = 0;
        break;
    case PROBE_CO_ENTER:
        if (set_state(model, e->obj, STATE_RUNNING)) {
            co->ctx = e->a;
        }
        push(model, thread, FRAME_COROUTINE, e, e->a);
        break;
    case PROBE_CO_YIELD:
        pop(thread, FRAME_COROUTINE);
        /* A wake-up may have come before the yield, and stays. */
        if (co && co->state == STATE_RUNNING) {
            set_state(model, e->obj, STATE_YIELDED);
        }
        break;
    case PROBE_CO_END:
        pop(thread, FRAME_COROUTINE);
        model_remove(model, co);
        break;
    case PROBE_CO_SCHEDULE:
        set_caused(model, e->obj, STATE_SCHEDULED);
        break;
    case PROBE_CO_QUEUE:
        set_caused(model, e->obj, STATE_QUEUED);
        break;
    case PROBE_CO_SLEEP:
        set_state(model, e->obj, STATE_SLEEPING);
        break;
    }
}

static void apply_ring(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    ModelObject *sqe = model_find(model, e->obj);

    switch (e->kind) {
    case PROBE_SQE:
    case PROBE_LAIO_ADD:
        add(model, MODEL_SQE, e, STATE_PENDING);
        break;
    case PROBE_CQE:
    case PROBE_LAIO_EVENT:
        if (set_state(model, e->obj, STATE_TAKEN)) {
            sqe->a = e->b;
            sqe->b = e->c;
        }
        break;
    case PROBE_CQE_BEGIN:
        set_phase(thread, 1);
        set_state(model, e->obj, STATE_RUNNING);
        push(model, thread, FRAME_CQE, e, e->a);
        break;
    case PROBE_LAIO_BEGIN: /* in whatever phase it is */
        set_state(model, e->obj, STATE_RUNNING);
        push(model, thread, FRAME_CQE, e, e->a);
        break;
    case PROBE_CQE_END:
    case PROBE_LAIO_END:
        pop(thread, FRAME_CQE);
        model_remove(model, sqe);
        break;
    }
}

static void apply_block(Model *model, const ProbeEvent *e)
{
    ModelObject *object = model_find(model, e->obj);
    ModelObject *blk = model_find(model, e->a);

    switch (e->kind) {
    case PROBE_BLK_NEW:
        add(model, MODEL_BLK, e, STATE_IDLE)->ctx = 0;
        break;
    case PROBE_BLK_FREE:
        model_remove(model, object);
        break;
    case PROBE_REQ_BEGIN:
        object = add(model, MODEL_REQUEST, e, STATE_PENDING);
        object->a = e->b;
        object->b = e->c;
        if (blk) {
            blk->a++;
        }
        break;
    case PROBE_REQ_QUEUED:
        set_state(model, e->obj, STATE_QUEUED);
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
    case PROBE_DRAIN_END:
        if (object) {
            object->b += e->kind == PROBE_DRAIN_BEGIN ? 1 : -1;
            object->state = object->b ? STATE_QUEUED : STATE_IDLE;
        }
        break;
    }
}

/* "&ctx->list_lock" is called list_lock. */
static const char *lock_name(const char *text)
{
    const char *arrow = text ? g_strrstr(text, "->") : NULL;
    const char *dot = text ? strrchr(text, '.') : NULL;

    if (arrow && arrow > dot) {
        return arrow + 2;
    }
    return dot ? dot + 1 : text && *text == '&' ? text + 1 : text;
}

/* A mutex is an object while it is held; its first name stays. */
static void apply_lock(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    bool known = g_hash_table_contains(model->names, &e->obj);
    ProbeEvent named = *e;
    ModelObject *mutex;

    if (e->kind == PROBE_UNLOCK) {
        model_remove(model, model_find(model, e->obj));
        return;
    }
    named.text = lock_name(e->text);
    mutex = add(model, MODEL_MUTEX, &named, STATE_HELD);
    model->created[MODEL_MUTEX] -= known;
    mutex->a = thread->id;
    mutex->cause = model->seq;
    mutex->site = e->site;
}

static void apply_wait(Model *model, ModelThread *thread, const ProbeEvent *e)
{
    switch (e->kind) {
    case PROBE_WAIT_BEGIN:
        push(model, thread, FRAME_WAIT, e, e->a);
        break;
    case PROBE_WAIT_END:
        pop(thread, FRAME_WAIT);
        break;
    case PROBE_STUCK:
        thread->stuck = model->stuck = true;
        thread->waits_mutex = e->a;
        thread->waits_cond = e->b;
        thread->waits_at = e->site;
        break;
    case PROBE_CHECK:
        model->check_failed = true;
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
    case PROBE_FD_ADD ... PROBE_FD_END:
        apply_handler(model, thread, e);
        break;
    case PROBE_BH_NEW ... PROBE_BH_REENTRANT:
        apply_bh(model, thread, e);
        break;
    case PROBE_TIMER_NEW ... PROBE_TIMER_END:
        apply_timer(model, thread, e);
        break;
    case PROBE_CO_CREATE ... PROBE_CO_WOKEN:
        apply_coroutine(model, thread, e);
        break;
    case PROBE_SQE ... PROBE_LAIO_END:
        apply_ring(model, thread, e);
        break;
    case PROBE_BLK_NEW ... PROBE_DRAIN_END:
        apply_block(model, e);
        break;
    case PROBE_LOCK ... PROBE_UNLOCK:
        apply_lock(model, thread, e);
        break;
    default:
        apply_wait(model, thread, e);
        break;
    }
}
