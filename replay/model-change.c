/* SPDX-License-Identifier: MIT */
/* The few changes that folding an event is made of. */
#include "model-internal.h"

/* ---- Objects ---- */

ModelObject *model_add(Model *model, ModelKind kind, const ProbeEvent *e,
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

ModelObject *model_set_state(Model *model, uint64_t id, ModelState state)
{
    ModelObject *object = model_find(model, id);

    if (object) {
        object->state = state;
        object->since = model->seq;
        object->since_ns = model->t_ns;
    }
    return object;
}

ModelObject *model_set_caused(Model *model, uint64_t id, ModelState state)
{
    ModelObject *object = model_set_state(model, id, state);

    if (object) {
        object->cause = model->seq;
    }
    return object;
}

/* ---- Frames ---- */

ModelFrame *model_push(Model *model, ModelThread *thread, FrameKind kind,
                       const ProbeEvent *e, uint64_t ctx)
{
    ModelFrame frame = {
        .kind = kind, .obj = e->obj, .ctx = ctx, .site = e->site,
        .seq = model->seq, .text = e->text,
    };

    g_array_append_val(thread->frames, frame);
    return &g_array_index(thread->frames, ModelFrame, thread->frames->len - 1);
}

void model_pop(Model *model, ModelThread *thread, FrameKind kind)
{
    ModelFrame *frame = model_top_frame(thread, kind);
    unsigned left;

    if (!frame) {
        return;
    }
    left = frame - (ModelFrame *)thread->frames->data;
    for (unsigned i = left; i < thread->frames->len; i++) {
        model_drop_purposes(model, PURPOSE_FRAME,
                            g_array_index(thread->frames, ModelFrame, i).seq);
    }
    g_array_set_size(thread->frames, left);
}

void model_set_phase(ModelThread *thread, unsigned phase)
{
    ModelFrame *poll = model_top_frame(thread, FRAME_POLL);

    if (poll) {
        poll->phase = model_phases[phase];
        poll->sleeping = false;
    }
}

uint64_t model_running_coroutine(const ModelThread *thread)
{
    const ModelFrame *frame = model_top_frame(thread, FRAME_COROUTINE);
    unsigned index = frame ? frame - (ModelFrame *)thread->frames->data : 0;

    return frame && index + 1 == thread->frames->len ? frame->obj : 0;
}

/* ---- What waits are for ---- */

void model_add_purpose(Model *model, const ModelThread *thread, uint64_t what)
{
    ModelPurpose purpose = {PURPOSE_NEXT, thread->id, what};

    g_array_append_val(model->purposes, purpose);
}

void model_take_purposes(Model *model, const ModelThread *thread, PurposeOf of,
                         uint64_t waiter)
{
    for (unsigned i = 0; i < model->purposes->len; i++) {
        ModelPurpose *purpose = &g_array_index(model->purposes, ModelPurpose,
                                               i);

        if (purpose->of == PURPOSE_NEXT && purpose->waiter == thread->id) {
            purpose->of = of;
            purpose->waiter = waiter;
        }
    }
}

void model_drop_purposes(Model *model, PurposeOf of, uint64_t waiter)
{
    for (unsigned i = model->purposes->len; i > 0; i--) {
        const ModelPurpose *purpose = &g_array_index(model->purposes,
                                                     ModelPurpose, i - 1);

        if (purpose->of == of && purpose->waiter == waiter) {
            g_array_remove_index(model->purposes, i - 1);
        }
    }
}
