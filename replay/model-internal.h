/* SPDX-License-Identifier: MIT */
/* Shared by the two files of the model. */
#ifndef REPLAY_MODEL_INTERNAL_H
#define REPLAY_MODEL_INTERNAL_H

#include "model.h"

/* Takes over @object; returns it. */
ModelObject *model_insert(Model *model, ModelObject *object);
void model_remove(Model *model, ModelObject *object);
/* Kept when the object is born, so that it can be named when it is gone. */
void model_remember_name(Model *model, const ModelObject *object);

#endif
