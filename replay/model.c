/* SPDX-License-Identifier: MIT */
/* The model's objects and threads: keeping, copying, finding and naming them. */
#include "model-internal.h"

const char *const model_kind_names[MODEL_KIND_MAX] = {
    "context", "handler", "bh", "timer", "coroutine", "blk", "request", "sqe",
    "mutex", "job", "reason",
};

const char *const model_state_names[STATE_MAX] = {
    "idle", "scheduled", "taken", "running", "yielded", "queued", "sleeping",
    "ready", "pending", "deleted", "held", "done", "disabled",
};

const char *const model_phases[5] = {"wait", "cqes", "bhs", "fds", "timers"};

static const char *const short_names[MODEL_KIND_MAX] = {
    "ctx", "fd", "bh", "timer", "co", "blk", "req", "sqe", "mutex",
    "job", "reason",
};

/* ---- Life and copies ---- */

Model *model_new(void)
{
    Model *model = g_new0(Model, 1);

    model->threads = g_array_new(false, true, sizeof(ModelThread));
    model->holds = g_array_new(false, true, sizeof(ModelHold));
    model->purposes = g_array_new(false, true, sizeof(ModelPurpose));
    for (unsigned i = 0; i < MODEL_KIND_MAX; i++) {
        QTAILQ_INIT(&model->objects[i]);
    }
    model->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    model->names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                         g_free);
    return model;
}

ModelObject *model_insert(Model *model, ModelObject *object)
{
    QTAILQ_INSERT_TAIL(&model->objects[object->kind], object, next);
    g_hash_table_insert(model->by_id, &object->id, object);
    return object;
}

void model_remove(Model *model, ModelObject *object)
{
    if (object) {
        g_hash_table_remove(model->by_id, &object->id);
        QTAILQ_REMOVE(&model->objects[object->kind], object, next);
        g_free(object);
    }
}

Model *model_copy(const Model *model)
{
    Model *copy = g_memdup2(model, sizeof(*model));

    copy->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    copy->threads = g_array_new(false, true, sizeof(ModelThread));
    copy->holds = g_array_copy(model->holds);
    copy->purposes = g_array_copy(model->purposes);
    g_hash_table_ref(copy->names);
    for (unsigned i = 0; i < MODEL_KIND_MAX; i++) {
        ModelObject *object;

        QTAILQ_INIT(&copy->objects[i]);
        QTAILQ_FOREACH(object, &model->objects[i], next) {
            model_insert(copy, g_memdup2(object, sizeof(*object)));
        }
    }
    for (unsigned i = 0; i < model->threads->len; i++) {
        ModelThread thread = g_array_index(model->threads, ModelThread, i);

        thread.frames = g_array_copy(thread.frames);
        g_array_append_val(copy->threads, thread);
    }
    return copy;
}

void model_free(Model *model)
{
    if (!model) {
        return;
    }
    for (unsigned i = 0; i < MODEL_KIND_MAX; i++) {
        while (!QTAILQ_EMPTY(&model->objects[i])) {
            model_remove(model, QTAILQ_FIRST(&model->objects[i]));
        }
    }
    for (unsigned i = 0; i < model->threads->len; i++) {
        g_array_free(g_array_index(model->threads, ModelThread, i).frames,
                     true);
    }
    g_array_free(model->threads, true);
    g_array_free(model->holds, true);
    g_array_free(model->purposes, true);
    g_hash_table_destroy(model->by_id);
    g_hash_table_unref(model->names);
    g_free(model);
}

/* ---- Looking up ---- */

ModelObject *model_find(const Model *model, uint64_t id)
{
    return g_hash_table_lookup(model->by_id, &id);
}

ModelThread *model_thread(const Model *model, uint32_t id)
{
    for (unsigned i = 0; i < model->threads->len; i++) {
        ModelThread *thread = &g_array_index(model->threads, ModelThread, i);

        if (thread->id == id) {
            return thread;
        }
    }
    return NULL;
}

void model_remember_name(Model *model, const ModelObject *object)
{
    const char *kind = short_names[object->kind];
    char *name;

    if ((object->kind == MODEL_CONTEXT || object->kind == MODEL_REASON) &&
        object->name) {
        name = g_strdup(object->name);
    } else if (object->name) {
        name = g_strdup_printf("%s (%s%u)", object->name, kind,
                               object->ordinal);
    } else {
        name = g_strdup_printf("%s%u", kind, object->ordinal);
    }
    g_hash_table_replace(model->names, g_memdup2(&object->id, 8), name);
}

bool model_knows_name(const Model *model, uint64_t id)
{
    return g_hash_table_contains(model->names, &id);
}

char *model_name(const Model *model, uint64_t id)
{
    const char *name = g_hash_table_lookup(model->names, &id);

    if (name) {
        return g_strdup(name);
    }
    return id >> 32 ? g_strdup_printf("%u.%u", (unsigned)(id >> 32),
                                      (unsigned)id)
                    : g_strdup_printf("%u", (unsigned)id);
}

ModelHold *model_hold(const Model *model, uint64_t lock)
{
    for (unsigned i = 0; i < model->holds->len; i++) {
        ModelHold *hold = &g_array_index(model->holds, ModelHold, i);

        if (hold->lock == lock) {
            return hold;
        }
    }
    return NULL;
}

const char *model_lock_name(const char *text)
{
    const char *arrow = text ? g_strrstr(text, "->") : NULL;
    const char *dot = text ? strrchr(text, '.') : NULL;

    if (arrow && arrow > dot) {
        return arrow + 2;
    }
    return dot ? dot + 1 : text && *text == '&' ? text + 1 : text;
}

bool model_frame_waits(const ModelFrame *frame)
{
    return frame->kind == FRAME_POLL || frame->kind == FRAME_WAIT ||
           frame->kind >= FRAME_LOCK;
}

ModelFrame *model_top_frame(const ModelThread *thread, FrameKind kind)
{
    for (unsigned i = thread->frames->len; i > 0; i--) {
        ModelFrame *frame = &g_array_index(thread->frames, ModelFrame, i - 1);

        if (frame->kind == kind) {
            return frame;
        }
    }
    return NULL;
}
