/* SPDX-License-Identifier: MIT */
/* What differs, in words: an input, and the states of objects. */
#include "diff-internal.h"

#include "sim.h"

/* ---- Inputs ---- */

static void append_input_field(GString *text, const Session *run,
                               const char *name, char packing, uint64_t value)
{
    FieldKind kind = diff_kind_of_field(name);

    if (!name || kind == FIELD_FOLLOWS) {
        return;
    }
    if (value >> 32 && kind != FIELD_TIME && !strchr("xh", packing) &&
        (kind != FIELD_NUMBER || model_knows_name(run->model, value))) {
        g_autofree char *object = model_name(run->model, value);

        g_string_append_printf(text, " %s %s", name, object);
    } else {
        g_string_append_printf(text, strchr("xh", packing) ? " %s %016" PRIx64
                                                    : " %s %" PRId64,
                               name, value);
    }
}

char *diff_describe_input(const Session *run, const Input *in)
{
    const InputInfo *info = &input_table[in->kind];
    const ModelThread *thread = model_thread(run->model, in->thread);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s: %s", thread ? thread->name : "?",
                           info->name);
    if (in->kind == INPUT_CHOICE) {
        unsigned kind = MIN(in->a >> 16, CHOICE_KIND_MAX - 1);

        g_string_append_printf(text, " of a %s: %u of %u",
                               choice_kind_names[kind],
                               (unsigned)(in->a & 0xff) + 1,
                               (unsigned)(in->a >> 8 & 0xff));
    } else if (in->kind == INPUT_WAIT) {
        g_string_append_printf(text, ", with %u descriptors and %u completions",
                               (unsigned)(in->a >> 16 & 0xffffff),
                               (unsigned)(in->a & 0xffff));
    } else {
        append_input_field(text, run, info->obj, info->packing[0], in->obj);
        append_input_field(text, run, info->a, info->packing[1], in->a);
        append_input_field(text, run, info->b, info->packing[2], in->b);
    }
    return g_string_free(text, false);
}

/* ---- States ---- */

static const char *state_name(const ModelObject *object)
{
    return object ? model_state_names[object->state] : "not there";
}

static bool add_state(GString *text, const Diff *diff, uint64_t id_a,
                      uint64_t id_b)
{
    const Model *model = diff->run[0]->model;
    const ModelObject *a = model_find(model, id_a);
    const ModelObject *b = model_find(diff->run[1]->model, id_b);
    g_autofree char *name = a ? model_name(model, id_a)
                              : model_name(diff->run[1]->model, id_b);

    if (a && b && a->state == b->state) {
        return false;
    }
    g_string_append_printf(text, "  %-28s A: %s, B: %s\n", name, state_name(a),
                           state_name(b));
    return true;
}

/* The number that the second run has for an object of the first. */
static uint64_t translate_back(const Diff *diff, uint64_t id)
{
    DiffThread *thread = diff_thread_by_id(diff, 0, id >> 32);
    uint64_t other = thread && thread->id[1] ? thread->id[1] : 0;

    return other ? other << 32 | (uint32_t)id : 0;
}

char *diff_describe_states(const Diff *diff, unsigned max)
{
    GString *text = g_string_new(NULL);
    unsigned n = 0;

    for (unsigned kind = 0; kind < MODEL_KIND_MAX; kind++) {
        ModelObject *object;

        QTAILQ_FOREACH(object, &diff->run[0]->model->objects[kind], next) {
            n += n < max && add_state(text, diff, object->id,
                                      translate_back(diff, object->id));
        }
        QTAILQ_FOREACH(object, &diff->run[1]->model->objects[kind], next) {
            uint64_t id = diff_translate(diff, object->id);

            if (!model_find(diff->run[0]->model, id)) {
                n += n < max && add_state(text, diff, id, object->id);
            }
        }
    }
    return g_string_free(text, false);
}
