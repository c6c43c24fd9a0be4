/* SPDX-License-Identifier: MIT */
/* Findings as text and as JSON. */
#include "finding.h"

Finding *finding_new(void)
{
    Finding *f = g_new0(Finding, 1);

    f->chances = g_array_new(false, false, sizeof(FailureChance));
    return f;
}

bool finding_is_failure(const Finding *f)
{
    return f->end != SCHEDULE_DONE;
}

/* The fields that are text: name in JSON, and where. */
typedef struct TextField {
    const char *name;
    size_t offset;
} TextField;

#define TEXT(name, field) {name, offsetof(Finding, field)}
static const TextField texts[] = {
    TEXT("scenario", scenario), TEXT("kind", kind), TEXT("class", class_name),
    TEXT("signature", signature), TEXT("report", report), TEXT("why", why),
    TEXT("found_by", found_by), TEXT("schedule", token), TEXT("steps", steps),
};
#undef TEXT

typedef struct NumberField {
    const char *name;
    size_t offset, size;
} NumberField;

#define NUMBER(name, field) \
    {name, offsetof(Finding, field), sizeof(((Finding *)0)->field)}
static const NumberField numbers[] = {
    NUMBER("end", end), NUMBER("number", number), NUMBER("seen", seen),
    NUMBER("deviations", deviations), NUMBER("events", events),
    NUMBER("point_of_no_return", point_of_no_return),
    NUMBER("chance_before", chance_before),
};
#undef NUMBER

static char **text_field(const Finding *f, unsigned i)
{
    return (char **)((char *)f + texts[i].offset);
}

void finding_free(Finding *f)
{
    if (!f) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        g_free(*text_field(f, i));
    }
    g_array_free(f->chances, true);
    g_free(f);
}

/* ---- JSON ---- */

static int64_t get_number(const Finding *f, unsigned i)
{
    const char *at = (const char *)f + numbers[i].offset;

    return numbers[i].size == 8 ? *(const int64_t *)at
                                : (int64_t)*(const uint32_t *)at;
}

static void set_number(Finding *f, unsigned i, int64_t value)
{
    char *at = (char *)f + numbers[i].offset;

    if (numbers[i].size == 8) {
        *(int64_t *)at = value;
    } else {
        *(uint32_t *)at = value;
    }
}

void finding_to_json(const Finding *f, JsonBuilder *b)
{
    json_builder_begin_object(b);
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        if (*text_field(f, i)) {
            json_builder_set_member_name(b, texts[i].name);
            json_builder_add_string_value(b, *text_field(f, i));
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        json_builder_set_member_name(b, numbers[i].name);
        json_builder_add_int_value(b, get_number(f, i));
    }
    json_builder_set_member_name(b, "chances");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < f->chances->len; i++) {
        FailureChance *chance = &g_array_index(f->chances, FailureChance, i);

        json_builder_begin_array(b);
        json_builder_add_int_value(b, chance->event);
        json_builder_add_int_value(b, chance->percent);
        json_builder_end_array(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void chances_from_json(Finding *f, JsonArray *array)
{
    for (unsigned i = 0; array && i < json_array_get_length(array); i++) {
        JsonArray *pair = json_array_get_array_element(array, i);
        FailureChance chance;

        if (json_array_get_length(pair) == 2) {
            chance = (FailureChance){json_array_get_int_element(pair, 0),
                                     json_array_get_int_element(pair, 1)};
            g_array_append_val(f->chances, chance);
        }
    }
}

Finding *finding_from_json(JsonObject *object)
{
    Finding *f = finding_new();

    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        *text_field(f, i) = g_strdup(json_object_get_string_member_with_default(
            object, texts[i].name, NULL));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        set_number(f, i, json_object_get_int_member_with_default(
            object, numbers[i].name, 0));
    }
    if (json_object_has_member(object, "chances")) {
        chances_from_json(f, json_object_get_array_member(object, "chances"));
    }
    if (!f->scenario || !f->signature || !f->token) {
        finding_free(f);
        return NULL;
    }
    return f;
}

Finding *finding_copy(const Finding *f)
{
    JsonBuilder *b = json_builder_new();
    JsonNode *root;
    Finding *copy;

    finding_to_json(f, b);
    root = json_builder_get_root(b);
    copy = finding_from_json(json_node_get_object(root));
    json_node_unref(root);
    g_object_unref(b);
    return copy;
}

/* ---- Text ---- */

static void append_point_of_no_return(GString *text, const Finding *f)
{
    if (f->point_of_no_return && f->chance_before < 100) {
        g_string_append_printf(
            text, "Point of no return: event %" PRIu64 " of %" PRIu64
            " (before it %u %% of random continuations fail, after it all).\n",
            f->point_of_no_return, f->events, f->chance_before);
    } else if (f->chance_before == 100) {
        g_string_append(text, "Point of no return: the start; every schedule "
                        "fails.\n");
    }
}

char *finding_text(const Finding *f)
{
    GString *text = g_string_new(f->report);

    if (text->len && text->str[text->len - 1] != '\n') {
        g_string_append_c(text, '\n');
    }
    if (f->why) {
        g_string_append_printf(text, "Why now: %s\n", f->why);
    }
    append_point_of_no_return(text, f);
    g_string_append_printf(
        text, "Schedule: %u deviation%s from the default policy   %s\n",
        f->deviations, f->deviations == 1 ? "" : "s", f->token);
    if (f->steps) {
        g_string_append(text, f->steps);
    }
    g_string_append_printf(text, "Found by %s, schedule %" PRIu64 "%s",
                           f->found_by, f->number,
                           f->seen > 1 ? "; " : ".\n");
    if (f->seen > 1) {
        g_string_append_printf(text, "%" PRIu64 " schedules ended like this.\n",
                               f->seen);
    }
    return g_string_free(text, false);
}
