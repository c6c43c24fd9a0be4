/* SPDX-License-Identifier: MIT */
/* Inputs for people: the table's names, and numbers as they are meant. */
#include "input-text.h"

#include "host.h"

static const char *const sight_names[HOST_SIGHT_MAX] = {
#define SIGHT(ID, name, help) name,
#include "sights.def"
#undef SIGHT
};

char *object_text(uint64_t id)
{
    return id >> 32 ? g_strdup_printf("%u.%u", (unsigned)(id >> 32),
                                      (unsigned)id)
                    : g_strdup_printf("%" PRIu64, id);
}

static void add_field(GString *text, const char *name, char packing,
                      uint64_t value)
{
    if (!name) {
        return;
    }
    g_string_append_printf(text, packing == 'd' ? " %s %" PRId64
                                                : " %s %016" PRIx64,
                           name, value);
}

char *input_text(const Input *in)
{
    const InputInfo *info = &input_table[in->kind];
    GString *text = g_string_new(info->name);

    if (in->kind == INPUT_GLIB && in->obj < HOST_GLIB_MAX) {
        g_string_append_printf(text, " %s", host_glib_call_names[in->obj]);
    } else if (in->kind == INPUT_SEEN && in->obj < HOST_SIGHT_MAX) {
        g_string_append_printf(text, " %s", sight_names[in->obj]);
    } else if (info->obj) {
        g_autofree char *name = object_text(in->obj);

        g_string_append_printf(text, " %s %s", info->obj, name);
    }
    add_field(text, info->a, info->packing[1], in->a);
    add_field(text, info->b, info->packing[2], in->b);
    return g_string_free(text, false);
}
