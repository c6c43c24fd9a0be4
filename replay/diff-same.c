/* SPDX-License-Identifier: MIT */
/*
 * When an event or an input of one run is the same as one of the other.
 *
 * Its fields decide, and what their names in the tables tell about them: the
 * numbers of threads and objects are translated, times are not compared, and a
 * digest only follows from what was compared already.
 */
#include "diff-internal.h"

#include "report.h"

/* ---- Numbers of the second run, as the first has them ---- */

/* A thread that the first run does not have keeps a number nobody else has. */
static uint32_t translate_thread(const Diff *diff, uint32_t id)
{
    DiffThread *thread = diff_thread_by_id(diff, 1, id);

    return !id ? 0 : thread && thread->id[0] ? thread->id[0] : id | 1u << 31;
}

uint64_t diff_translate(const Diff *diff, uint64_t id)
{
    return id >> 32 ? (uint64_t)translate_thread(diff, id >> 32) << 32 |
                          (uint32_t)id
                    : id;
}

/* ---- Fields ---- */

FieldKind diff_kind_of_field(const char *name)
{
    if (!name) {
        return FIELD_NUMBER;
    }
    if (g_str_equal(name, "thread") || g_str_equal(name, "number")) {
        return FIELD_THREAD;
    }
    if (g_str_has_suffix(name, "ns") || g_str_equal(name, "before")) {
        return FIELD_TIME;
    }
    if (g_str_equal(name, "digest")) {
        return FIELD_FOLLOWS;
    }
    return report_field_is_object(name) ? FIELD_OBJECT : FIELD_NUMBER;
}

/* What each event is about may be an object, whatever it is called. */
static FieldKind kind_of_subject(const char *name)
{
    FieldKind kind = diff_kind_of_field(name);

    return kind == FIELD_THREAD ? kind : FIELD_OBJECT;
}

static bool same_field(const Diff *diff, FieldKind kind, uint64_t a, uint64_t b)
{
    switch (kind) {
    case FIELD_THREAD:
        return a == (b >> 32 ? diff_translate(diff, b)
                             : translate_thread(diff, b));
    case FIELD_OBJECT:
        return a == diff_translate(diff, b);
    case FIELD_TIME: /* for ever is another thing than some time */
        return ((int64_t)a < 0) == ((int64_t)b < 0);
    case FIELD_FOLLOWS:
        return true;
    default:
        return a == b;
    }
}

/* ---- Events ---- */

typedef struct EventFields {
    FieldKind obj, a, b, c;
} EventFields;

static const EventFields *fields_of(uint32_t kind)
{
    static EventFields all[PROBE_KIND_MAX];
    static bool filled;

    for (unsigned i = 0; !filled && i < PROBE_KIND_MAX; i++) {
        const ProbeInfo *info = &probe_table[i];

        all[i] = (EventFields){
            kind_of_subject(info->obj), diff_kind_of_field(info->a),
            diff_kind_of_field(info->b), diff_kind_of_field(info->c),
        };
    }
    filled = true;
    return &all[kind];
}

bool diff_same_event(const Diff *diff, const ProbeEvent *a,
                     const ProbeEvent *b)
{
    const EventFields *fields = fields_of(a->kind);

    return a->kind == b->kind &&
           diff_thread_by_id(diff, 0, a->thread) ==
               diff_thread_by_id(diff, 1, b->thread) &&
           same_field(diff, fields->obj, a->obj, b->obj) &&
           same_field(diff, fields->a, a->a, b->a) &&
           same_field(diff, fields->b, a->b, b->b) &&
           same_field(diff, fields->c, a->c, b->c) &&
           g_strcmp0(a->text, b->text) == 0;
}

/* ---- Inputs ---- */

bool diff_same_input(const Diff *diff, const Input *a, const Input *b)
{
    const InputInfo *info = &input_table[a->kind];

    return a->kind == b->kind &&
           a->thread == translate_thread(diff, b->thread) &&
           same_field(diff, kind_of_subject(info->obj), a->obj, b->obj) &&
           same_field(diff, diff_kind_of_field(info->a), a->a, b->a) &&
           (a->kind == INPUT_END || /* the number of events */
            same_field(diff, diff_kind_of_field(info->b), a->b, b->b));
}
