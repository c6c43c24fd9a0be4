/* SPDX-License-Identifier: MIT */
/*
 * Who has heard of what; see potential-internal.h.
 *
 * A vector clock for each thread, and one for each thing by which threads tell
 * each other something: whoever uses it leaves what it knows there, and whoever
 * it is for takes it up.
 */
#include "potential-internal.h"

struct PotentialOrder {
    GHashTable *clocks; /* of threads and things -> GArray of unsigned */
    GHashTable *waits;  /* thread -> the condition that it waits for */
};

/* Numbers of threads are small; those of things have something in front. */
enum { KICKS = 1 << 30 };

PotentialOrder *potential_order_new(void)
{
    PotentialOrder *o = g_new(PotentialOrder, 1);

    o->clocks = g_hash_table_new_full(NULL, NULL, NULL,
                                      (GDestroyNotify)g_array_unref);
    o->waits = g_hash_table_new(NULL, NULL);
    return o;
}

void potential_order_free(PotentialOrder *o)
{
    g_hash_table_destroy(o->clocks);
    g_hash_table_destroy(o->waits);
    g_free(o);
}

void potential_order_begin_run(PotentialOrder *o)
{
    g_hash_table_remove_all(o->clocks);
    g_hash_table_remove_all(o->waits);
}

static GArray *clock_of(PotentialOrder *o, uint64_t id)
{
    gpointer key = GSIZE_TO_POINTER(id);
    GArray *clock = g_hash_table_lookup(o->clocks, key);

    if (!clock) {
        clock = g_array_new(false, true, sizeof(unsigned));
        g_hash_table_insert(o->clocks, key, clock);
    }
    return clock;
}

unsigned *potential_clock_at(GArray *clock, uint32_t thread)
{
    if (clock->len <= thread) {
        g_array_set_size(clock, thread + 1);
    }
    return &g_array_index(clock, unsigned, thread);
}

void potential_clock_join(GArray *to, const GArray *from)
{
    for (unsigned i = 0; i < from->len; i++) {
        unsigned *count = potential_clock_at(to, i);

        *count = MAX(*count, g_array_index(from, unsigned, i));
    }
}

GArray *potential_order_known(PotentialOrder *o, uint32_t thread, unsigned *at)
{
    GArray *clock = clock_of(o, thread);

    *at = *potential_clock_at(clock, thread);
    return g_array_copy(clock);
}

/* What @thread has done up to here is told by way of @thing. */
static void tells(PotentialOrder *o, uint32_t thread, uint64_t thing)
{
    GArray *clock = clock_of(o, thread);

    (*potential_clock_at(clock, thread))++;
    potential_clock_join(clock_of(o, thing), clock);
}

static void hears(PotentialOrder *o, uint32_t thread, uint64_t thing)
{
    potential_clock_join(clock_of(o, thread), clock_of(o, thing));
}

/* It waits for a condition, or has waited and has its mutex again. */
static void waits_for(PotentialOrder *o, const ProbeEvent *event)
{
    g_hash_table_insert(o->waits, GSIZE_TO_POINTER(event->thread),
                        GSIZE_TO_POINTER(event->a));
}

static void has_waited(PotentialOrder *o, uint32_t thread)
{
    gpointer key = GSIZE_TO_POINTER(thread);
    uint64_t cond = GPOINTER_TO_SIZE(g_hash_table_lookup(o->waits, key));

    if (cond) {
        hears(o, thread, cond);
        g_hash_table_remove(o->waits, key);
    }
}

void potential_order_apply(PotentialOrder *o, const ProbeEvent *event)
{
    switch (event->kind) {
    case PROBE_THREAD_CREATE:
    case PROBE_NOTIFY:
    case PROBE_NOTIFIER_SET:
    case PROBE_BH_SCHEDULE:
    case PROBE_CO_SCHEDULE:
    case PROBE_COND_WAKE:
    case PROBE_POOL_SUBMIT:
    case PROBE_POOL_END:
        tells(o, event->thread, event->obj);
        break;
    case PROBE_JOIN_END:
    case PROBE_POLL_END:
    case PROBE_POLL_WAKE:
    case PROBE_NOTIFIER_CLEAR:
    case PROBE_BH_BEGIN:
    case PROBE_CO_ENTER:
    case PROBE_POOL_BEGIN:
        hears(o, event->thread, event->obj);
        break;
    case PROBE_WAIT_KICK:
        tells(o, event->thread, KICKS);
        break;
    case PROBE_WAIT_END:
        hears(o, event->thread, KICKS);
        break;
    case PROBE_UNLOCK:
        waits_for(o, event);
        break;
    case PROBE_LOCK:
        has_waited(o, event->thread);
        break;
    }
}
