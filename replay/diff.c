/* SPDX-License-Identifier: MIT */
/* Comparing two runs, event by event and input by input; see diff.h. */
#include "diff.h"

#include "report.h"
#include "sim.h"

/* ---- Pairing threads ---- */

static DiffThread *find_thread(const Diff *diff, const char *name)
{
    for (unsigned i = 0; i < diff->threads->len; i++) {
        DiffThread *thread = g_ptr_array_index(diff->threads, i);

        if (g_str_equal(thread->name, name)) {
            return thread;
        }
    }
    return NULL;
}

static DiffThread *add_thread(Diff *diff, char *name)
{
    DiffThread *thread = g_new0(DiffThread, 1);

    thread->name = name;
    for (unsigned side = 0; side < 2; side++) {
        thread->events[side] = g_array_new(false, false, sizeof(uint64_t));
    }
    g_ptr_array_add(diff->threads, thread);
    return thread;
}

static void free_thread(gpointer opaque)
{
    DiffThread *thread = opaque;

    g_array_free(thread->events[0], true);
    g_array_free(thread->events[1], true);
    g_free(thread->name);
    g_free(thread);
}

static DiffThread *thread_by_id(const Diff *diff, unsigned side, uint64_t id)
{
    const GArray *by_id = diff->by_id[side];

    return id < by_id->len ? g_array_index(by_id, DiffThread *, id) : NULL;
}

/* The first of that name which this run has not taken yet. */
static void pair_thread(Diff *diff, unsigned side, uint32_t id,
                        const char *name)
{
    DiffThread *thread = NULL;
    unsigned nth = 1;

    do {
        g_autofree char *full = nth == 1
            ? g_strdup(name) : g_strdup_printf("%s#%u", name, nth);

        thread = find_thread(diff, full);
        if (!thread) {
            thread = add_thread(diff, g_steal_pointer(&full));
        }
        nth++;
    } while (thread->id[side]);
    thread->id[side] = id;
    if (id >= diff->by_id[side]->len) {
        g_array_set_size(diff->by_id[side], id + 1);
    }
    g_array_index(diff->by_id[side], DiffThread *, id) = thread;
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    const ModelThread *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* In the order of their creation. */
static void pair_threads(Diff *diff, unsigned side)
{
    const GArray *all = diff->run[side]->model->threads;
    GArray *sorted = g_array_new(false, false, sizeof(ModelThread));

    g_array_append_vals(sorted, all->data, all->len);
    g_array_sort(sorted, compare_ids);
    for (unsigned i = 0; i < sorted->len; i++) {
        const ModelThread *t = &g_array_index(sorted, ModelThread, i);

        pair_thread(diff, side, t->id, t->name);
    }
    g_array_free(sorted, true);
}

/* A thread that the first run does not have keeps a number nobody else has. */
static uint32_t translate_thread(const Diff *diff, uint32_t id)
{
    DiffThread *thread = thread_by_id(diff, 1, id);

    return !id ? 0 : thread && thread->id[0] ? thread->id[0] : id | 1u << 31;
}

uint64_t diff_translate(const Diff *diff, uint64_t id)
{
    return id >> 32 ? (uint64_t)translate_thread(diff, id >> 32) << 32 |
                          (uint32_t)id
                    : id;
}

/* ---- Comparing fields ---- */

typedef enum FieldKind {
    FIELD_NUMBER, FIELD_OBJECT, FIELD_THREAD, FIELD_TIME, FIELD_FOLLOWS,
} FieldKind;

static FieldKind kind_of_field(const char *name)
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

/* What each event is about may be an object, whatever it is called. */
static FieldKind kind_of_subject(const char *name)
{
    FieldKind kind = kind_of_field(name);

    return kind == FIELD_THREAD ? kind : FIELD_OBJECT;
}

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
            kind_of_subject(info->obj), kind_of_field(info->a),
            kind_of_field(info->b), kind_of_field(info->c),
        };
    }
    filled = true;
    return &all[kind];
}

static bool same_event(const Diff *diff, const ProbeEvent *a,
                       const ProbeEvent *b)
{
    const EventFields *fields = fields_of(a->kind);

    return a->kind == b->kind &&
           thread_by_id(diff, 0, a->thread) ==
               thread_by_id(diff, 1, b->thread) &&
           same_field(diff, fields->obj, a->obj, b->obj) &&
           same_field(diff, fields->a, a->a, b->a) &&
           same_field(diff, fields->b, a->b, b->b) &&
           same_field(diff, fields->c, a->c, b->c) &&
           g_strcmp0(a->text, b->text) == 0;
}

/* ---- Comparing runs ---- */

static ProbeEvent event_at(const Diff *diff, unsigned side, uint64_t n)
{
    return event_store_get(diff->run[side]->events, n);
}

static bool same_event_at(const Diff *diff, uint64_t n_a, uint64_t n_b)
{
    ProbeEvent a = event_at(diff, 0, n_a), b = event_at(diff, 1, n_b);

    return same_event(diff, &a, &b);
}

static bool has_choices(const Diff *diff, unsigned side)
{
    uint64_t n = session_count(diff->run[side]);

    for (uint64_t i = 1; i <= n; i++) {
        if (event_at(diff, side, i).kind == PROBE_CHOICE) {
            return true;
        }
    }
    return false;
}

static void sort_events(Diff *diff, unsigned side, bool choices)
{
    uint64_t n = session_count(diff->run[side]);

    for (uint64_t i = 1; i <= n; i++) {
        ProbeEvent e = event_at(diff, side, i);
        DiffThread *thread = thread_by_id(diff, side, e.thread);

        if (e.kind != PROBE_CHOICE) {
            g_array_append_val(thread->events[side], i);
        }
        if (e.kind != PROBE_CHOICE || choices) {
            g_array_append_val(diff->order[side], i);
        }
    }
}

/* How many are the same from the beginning on. */
static uint64_t common_events(const Diff *diff, GArray *const *events)
{
    uint64_t n = 0;

    while (n < MIN(events[0]->len, events[1]->len) &&
           same_event_at(diff, g_array_index(events[0], uint64_t, n),
                         g_array_index(events[1], uint64_t, n))) {
        n++;
    }
    return n;
}

static bool is_all(GArray *const *events, uint64_t n)
{
    return n == events[0]->len && n == events[1]->len;
}

static void compare_all(Diff *diff)
{
    diff->common = common_events(diff, diff->order);
    diff->same_events = is_all(diff->order, diff->common);
    diff->same_threads = true;
    for (unsigned i = 0; i < diff->threads->len; i++) {
        DiffThread *thread = g_ptr_array_index(diff->threads, i);

        thread->common = common_events(diff, thread->events);
        diff->same_threads &= is_all(thread->events, thread->common);
    }
}

uint64_t diff_event(const Diff *diff, unsigned side, uint64_t nth)
{
    const GArray *order = diff->order[side];

    return nth < order->len ? g_array_index(order, uint64_t, nth) : 0;
}

Diff *diff_new(Session *a, Session *b)
{
    Diff *diff = g_new0(Diff, 1);
    bool choices;

    diff->run[0] = a;
    diff->run[1] = b;
    choices = has_choices(diff, 0) && has_choices(diff, 1);
    diff->threads = g_ptr_array_new_with_free_func(free_thread);
    for (unsigned side = 0; side < 2; side++) {
        diff->by_id[side] = g_array_new(false, true, sizeof(DiffThread *));
        diff->order[side] = g_array_new(false, false, sizeof(uint64_t));
        session_goto(diff->run[side], session_count(diff->run[side]));
        pair_threads(diff, side);
        sort_events(diff, side, choices);
    }
    compare_all(diff);
    return diff;
}

void diff_free(Diff *diff)
{
    for (unsigned side = 0; side < 2; side++) {
        g_array_free(diff->by_id[side], true);
        g_array_free(diff->order[side], true);
    }
    g_ptr_array_free(diff->threads, true);
    g_free(diff);
}

/* ---- Inputs ---- */

static bool same_input(const Diff *diff, const Input *a, const Input *b)
{
    const InputInfo *info = &input_table[a->kind];

    return a->kind == b->kind &&
           a->thread == translate_thread(diff, b->thread) &&
           same_field(diff, kind_of_subject(info->obj), a->obj, b->obj) &&
           same_field(diff, kind_of_field(info->a), a->a, b->a) &&
           (a->kind == INPUT_END || /* the number of events */
            same_field(diff, kind_of_field(info->b), a->b, b->b));
}

size_t diff_common_inputs(const Diff *diff, const Input *a, size_t n_a,
                          const Input *b, size_t n_b)
{
    size_t n = 0;

    while (n < MIN(n_a, n_b) && same_input(diff, &a[n], &b[n])) {
        n++;
    }
    return n;
}

static void append_input_field(GString *text, const Session *run,
                               const char *name, char packing, uint64_t value)
{
    FieldKind kind = kind_of_field(name);

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
    DiffThread *thread = thread_by_id(diff, 0, id >> 32);
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
