/* SPDX-License-Identifier: MIT */
/*
 * A rule about requests of BlockBackends: each comes back.  (None comes back
 * twice: it is a coroutine, which cannot end twice without an abort.)
 */
#include "rules-internal.h"

void rules_apply_end(Rules *rules, const Model *model)
{
    const ModelObject *request;

    QTAILQ_FOREACH(request, &model->objects[MODEL_REQUEST], next) {
        g_autofree char *name = model_name(model, request->id);

        rules_add(rules, RULE_REQUEST_LOST,
                  g_strdup_printf("%s is in flight when the run ends", name),
                  request->site, request->since, request->site,
                  request->since);
    }
}
