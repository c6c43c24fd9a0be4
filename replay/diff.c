/* SPDX-License-Identifier: MIT */
/*
 * Comparing two runs: which thread of the one is which of the other, and how
 * far all of them, and each, do the same.
 */
#include "diff-internal.h"

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

DiffThread *diff_thread_by_id(const Diff *diff, unsigned side, uint64_t id)
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

/* ---- Which events are compared ---- */

static ProbeEvent event_at(const Diff *diff, unsigned side, uint64_t n)
{
    return event_store_get(diff->run[side]->events, n);
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
        DiffThread *thread = diff_thread_by_id(diff, side, e.thread);

        if (e.kind != PROBE_CHOICE && e.kind != PROBE_LOCK_WAIT &&
            e.kind != PROBE_THREAD_CREATE) {
            g_array_append_val(thread->events[side], i);
        }
        if (e.kind != PROBE_CHOICE || choices) {
            g_array_append_val(diff->order[side], i);
        }
    }
}

uint64_t diff_event(const Diff *diff, unsigned side, uint64_t nth)
{
    const GArray *order = diff->order[side];

    return nth < order->len ? g_array_index(order, uint64_t, nth) : 0;
}

/* ---- How many are the same ---- */

static bool same_event_at(const Diff *diff, uint64_t n_a, uint64_t n_b)
{
    ProbeEvent a = event_at(diff, 0, n_a), b = event_at(diff, 1, n_b);

    return diff_same_event(diff, &a, &b);
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

size_t diff_common_inputs(const Diff *diff, const Input *a, size_t n_a,
                          const Input *b, size_t n_b)
{
    size_t n = 0;

    while (n < MIN(n_a, n_b) && diff_same_input(diff, &a[n], &b[n])) {
        n++;
    }
    return n;
}

/* ---- All of it ---- */

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
