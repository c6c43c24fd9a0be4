/* SPDX-License-Identifier: MIT */
/*
 * Potential deadlocks: waits for events, and what their bringers need.
 *
 * A thread that waits for an event (a condition, or a reason that the program
 * names) while it holds a lock depends on the event, and the event on what its
 * bringer needs: what that holds right then, and what it has locked in the same
 * callback before, or since it brought something last.  An event may be brought by several, of which one is enough,
 * so it depends only on what each of them needed, each time.
 *
 * The end of a thread is no such event, though it may be waited for with a lock
 * held: whether the thread still needs that lock then, its program knows by the
 * memory that the lock protects, and only its schedules tell.
 */
#include "potential-internal.h"

enum { LATELY = 64 }; /* locks of a thread that are remembered */

/* Numbers of conditions and reasons are others than those of locks. */
typedef enum EventKind {
    EVENT_COND = 14, EVENT_REASON,
} EventKind;

static unsigned event_of(Potential *p, EventKind kind, uint64_t id,
                         const char *name)
{
    unsigned index = potential_lock_of(p, id ^ (uint64_t)kind << 60, name);

    potential_lock(p, index)->is_event = true;
    return index;
}

static const char *thread_name(const Model *model, uint32_t id)
{
    const ModelThread *thread = model_thread(model, id);

    return thread ? thread->name : "?";
}

/* ---- Waiting ---- */

static void waits(Potential *p, const ProbeEvent *event, const Model *model,
                  unsigned what)
{
    const GArray *held = potential_held_by(p, event->thread);

    for (unsigned i = 0; i < held->len; i++) {
        const PotentialHeld *lock = &g_array_index(held, PotentialHeld, i);

        potential_depend(p, (PotentialDependency){
            .from = lock->lock, .to = what, .thread = event->thread,
            .held_at = lock->site, .wanted_at = event->site,
            .gates = potential_gates(held, lock->lock, what),
        }, event->thread, thread_name(model, event->thread));
    }
}

static void waits_for_reason(Potential *p, const ProbeEvent *event,
                             const Model *model)
{
    gpointer thread = GUINT_TO_POINTER(event->thread);
    unsigned reason = GPOINTER_TO_UINT(g_hash_table_lookup(p->reasons,
                                                           thread));

    if (reason) {
        waits(p, event, model, reason - 1);
        g_hash_table_remove(p->reasons, thread);
    }
}

static void waits_for_cond(Potential *p, const ProbeEvent *event,
                           const Model *model)
{
    int64_t timeout_ns = event->b;
    const char *name = model_lock_name(event->text);

    if (event->a && timeout_ns < 0) {
        unsigned cond = event_of(p, EVENT_COND, event->a, name);

        if (name) { /* only who waits says it */
            g_free(potential_lock(p, cond)->name);
            potential_lock(p, cond)->name = g_strdup(name);
        }
        waits(p, event, model, cond);
        waits_for_reason(p, event, model);
    }
}

static void names_reason(Potential *p, const ProbeEvent *event,
                         const Model *model)
{
    g_autofree char *name = model_name(model, event->obj);
    unsigned reason = event_of(p, EVENT_REASON, event->obj, name);

    g_hash_table_insert(p->reasons, GUINT_TO_POINTER(event->thread),
                        GUINT_TO_POINTER(reason + 1));
}

/* ---- Bringing ---- */

static void needs(Potential *p, const ProbeEvent *event, const Model *model,
                  unsigned what, const PotentialHeld *lock)
{
    potential_depend(p, (PotentialDependency){
        .from = what, .to = lock->lock, .thread = event->thread,
        .held_at = event->site, .wanted_at = lock->site,
        .gates = g_array_new(false, false, sizeof(unsigned)),
    }, event->thread, thread_name(model, event->thread));
}

/* Since when what a thread locks is for what it brings next. */
static uint64_t begins_at(Potential *p, const ProbeEvent *event,
                          const Model *model)
{
    const ModelThread *thread = model_thread(model, event->thread);
    uint64_t last = GPOINTER_TO_SIZE(g_hash_table_lookup(
        p->last_brought, GUINT_TO_POINTER(event->thread)));
    unsigned n = thread ? thread->frames->len : 0;

    return n ? MAX(last, g_array_index(thread->frames, ModelFrame, n - 1).seq)
             : last;
}

/* What it holds, and what it has locked for this. */
static GArray *needed_now(Potential *p, const ProbeEvent *event,
                          const Model *model)
{
    const GArray *held = potential_held_by(p, event->thread);
    const GArray *taken = g_hash_table_lookup(
        p->taken, GUINT_TO_POINTER(event->thread));
    GArray *needed = g_array_copy((GArray *)held);
    uint64_t since = begins_at(p, event, model);

    for (unsigned i = taken ? taken->len : 0; i > 0; i--) {
        const PotentialHeld *lock = &g_array_index(taken, PotentialHeld, i - 1);

        if (lock->seq < since) {
            break;
        }
        g_array_append_vals(needed, lock, 1);
    }
    return needed;
}

/* Of what each bringer needed only what this one needs, too, is left. */
static void narrow(PotentialLock *what, const GArray *needed)
{
    GArray *both = g_array_new(false, false, sizeof(unsigned));

    for (unsigned i = 0; i < needed->len; i++) {
        unsigned lock = g_array_index(needed, PotentialHeld, i).lock;

        if (!potential_has(both, lock) &&
            (!what->brought || potential_has(what->needed, lock))) {
            g_array_append_val(both, lock);
        }
    }
    if (what->needed) {
        g_array_free(what->needed, true);
    }
    what->needed = both;
    what->brought = true;
}

static void brings(Potential *p, const ProbeEvent *event, const Model *model,
                   EventKind kind)
{
    g_autofree char *name = model_name(model, event->obj);
    unsigned what = event_of(p, kind, event->obj, name);
    g_autoptr(GArray) needed = needed_now(p, event, model);

    narrow(potential_lock(p, what), needed);
    p->searched = false;
    g_hash_table_insert(p->last_brought, GUINT_TO_POINTER(event->thread),
                        GSIZE_TO_POINTER(model->seq + 1));
    for (unsigned i = 0; i < needed->len; i++) {
        needs(p, event, model, what, &g_array_index(needed, PotentialHeld, i));
    }
}

static void locks(Potential *p, const ProbeEvent *event, const Model *model)
{
    PotentialHeld lock = {
        potential_lock_of(p, event->obj, NULL), event->site, model->seq + 1,
    };
    gpointer thread = GUINT_TO_POINTER(event->thread);
    GArray *taken = g_hash_table_lookup(p->taken, thread);

    if (!taken) {
        taken = g_array_new(false, false, sizeof(PotentialHeld));
        g_hash_table_insert(p->taken, thread, taken);
    }
    if (taken->len == LATELY) {
        g_array_remove_index(taken, 0);
    }
    g_array_append_val(taken, lock);
}

void potential_apply_waits(Potential *p, const ProbeEvent *event,
                           const Model *model)
{
    switch (event->kind) {
    case PROBE_LOCK:
        if (!event->a) { /* not only tried for */
            locks(p, event, model);
        }
        break;
    case PROBE_UNLOCK:
        waits_for_cond(p, event, model);
        break;
    case PROBE_REASON_WAIT:
        names_reason(p, event, model);
        break;
    case PROBE_CO_YIELD: /* it was the coroutine's */
        g_hash_table_remove(p->reasons, GUINT_TO_POINTER(event->thread));
        break;
    case PROBE_WAIT_BEGIN:
        waits_for_reason(p, event, model);
        break;
    case PROBE_COND_WAKE:
        brings(p, event, model, EVENT_COND);
        break;
    case PROBE_REASON_DONE:
        brings(p, event, model, EVENT_REASON);
        break;
    }
}
