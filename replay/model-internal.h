/* SPDX-License-Identifier: MIT */
/* Shared by the files of the model. */
#ifndef REPLAY_MODEL_INTERNAL_H
#define REPLAY_MODEL_INTERNAL_H

#include "model.h"

/* Takes over @object; returns it. */
ModelObject *model_insert(Model *model, ModelObject *object);
void model_remove(Model *model, ModelObject *object);
/* Kept when the object is born, so that it can be named when it is gone. */
void model_remember_name(Model *model, const ModelObject *object);

/* ---- model-change.c: what folding is made of ---- */

/* The event's object, anew; its text is its name, its a the context. */
ModelObject *model_add(Model *model, ModelKind kind, const ProbeEvent *e,
                       ModelState state);
/* Returns the object, or NULL if there is none. */
ModelObject *model_set_state(Model *model, uint64_t id, ModelState state);
/* The same; the event is its cause, too. */
ModelObject *model_set_caused(Model *model, uint64_t id, ModelState state);

/* The event's object is what @thread is in the middle of from now on. */
ModelFrame *model_push(Model *model, ModelThread *thread, FrameKind kind,
                       const ProbeEvent *e, uint64_t ctx);
/* Takes off the innermost frame of @kind and all that it called. */
void model_pop(Model *model, ModelThread *thread, FrameKind kind);
void model_set_phase(ModelThread *thread, unsigned phase);
/* Who runs innermost on @thread, if that is a coroutine; else 0. */
uint64_t model_running_coroutine(const ModelThread *thread);

/* What @thread's next wait is for. */
void model_add_purpose(Model *model, const ModelThread *thread, uint64_t what);
/* That wait is this frame, or this coroutine's yield. */
void model_take_purposes(Model *model, const ModelThread *thread, PurposeOf of,
                         uint64_t waiter);
void model_drop_purposes(Model *model, PurposeOf of, uint64_t waiter);

/* ---- One function for each part of the table ---- */

typedef void ModelApply(Model *model, ModelThread *thread,
                        const ProbeEvent *e);

/* model-fold-work.c */
ModelApply model_apply_coroutine, model_apply_ring, model_apply_block,
    model_apply_pool;
/* model-fold-waits.c */
ModelApply model_apply_lock, model_apply_reason, model_apply_wait;

#endif
