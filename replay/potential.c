/* SPDX-License-Identifier: MIT */
/*
 * Potential deadlocks: gathering dependencies.  potential-cycles.c looks for
 * cycles of them.
 */
#include "potential-internal.h"

enum { VARIANTS = 4 };

static void free_lock(gpointer data)
{
    PotentialLock *lock = data;

    g_free(lock->name);
    if (lock->needed) {
        g_array_free(lock->needed, true);
    }
    g_free(lock);
}

static void free_dependency(gpointer data)
{
    PotentialDependency *dependency = data;

    g_array_free(dependency->gates, true);
    g_array_free(dependency->over, true);
    if (dependency->known) {
        g_array_free(dependency->known, true);
    }
    g_free(dependency->by);
    g_free(dependency);
}

Potential *potential_new(void)
{
    Potential *p = g_new0(Potential, 1);

    p->locks = g_ptr_array_new_with_free_func(free_lock);
    p->dependencies = g_ptr_array_new_with_free_func(free_dependency);
    p->seen = g_hash_table_new(NULL, NULL);
    p->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                     NULL);
    p->holders = g_hash_table_new_full(NULL, NULL, NULL,
                                       (GDestroyNotify)g_array_unref);
    p->clocks = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    p->births = g_hash_table_new(NULL, NULL);
    p->taken = g_hash_table_new_full(NULL, NULL, NULL,
                                     (GDestroyNotify)g_array_unref);
    p->reasons = g_hash_table_new(NULL, NULL);
    p->last_brought = g_hash_table_new(NULL, NULL);
    p->order = potential_order_new();
    p->cycles = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    return p;
}

void potential_free(Potential *p)
{
    if (p) {
        g_ptr_array_free(p->locks, true);
        g_ptr_array_free(p->dependencies, true);
        g_hash_table_destroy(p->seen);
        g_hash_table_destroy(p->by_id);
        g_hash_table_destroy(p->holders);
        g_ptr_array_free(p->clocks, true);
        g_hash_table_destroy(p->births);
        g_hash_table_destroy(p->taken);
        g_hash_table_destroy(p->reasons);
        g_hash_table_destroy(p->last_brought);
        potential_order_free(p->order);
        g_ptr_array_free(p->cycles, true);
        g_free(p);
    }
}

void potential_begin_run(Potential *p)
{
    g_hash_table_remove_all(p->by_id);
    g_hash_table_remove_all(p->holders);
    g_ptr_array_set_size(p->clocks, 0);
    g_hash_table_remove_all(p->births);
    g_hash_table_remove_all(p->taken);
    g_hash_table_remove_all(p->reasons);
    g_hash_table_remove_all(p->last_brought);
    potential_order_begin_run(p->order);
    p->run++;
}

/* ---- What is over when something else begins ---- */

/*
 * The clock of a thread says what of each thread was over at its last creation
 * or join of one: what a thread has done before it made another is over for
 * that one, and all of a thread for who has joined it.
 */
static GArray *clock_of(Potential *p, uint32_t thread)
{
    while (p->clocks->len <= thread) {
        g_ptr_array_add(p->clocks, g_array_new(false, true, sizeof(unsigned)));
    }
    return p->clocks->pdata[thread];
}

/* What @from has done is over for @to; it goes on in a new time. */
static void pass_on(Potential *p, uint32_t from, uint32_t to)
{
    GArray *source = clock_of(p, from), *target = clock_of(p, to);

    (*potential_clock_at(source, from))++;
    potential_clock_join(target, source);
}

/* ---- Locks ---- */

/*
 * One object for a lock of every run: those that a program makes at the same
 * point have the same number, because numbers are the creator's ordinals.
 */
unsigned potential_lock_of(Potential *p, uint64_t id, const char *name)
{
    gpointer found = g_hash_table_lookup(p->by_id, &id);
    PotentialLock *lock;

    if (found) {
        return GPOINTER_TO_UINT(found) - 1;
    }
    for (unsigned i = 0; i < p->locks->len; i++) {
        lock = g_ptr_array_index(p->locks, i);
        if (lock->id == id) {
            g_hash_table_insert(p->by_id, g_memdup2(&id, 8),
                                GUINT_TO_POINTER(i + 1));
            return i;
        }
    }
    lock = g_new(PotentialLock, 1);
    *lock = (PotentialLock){.id = id, .name = g_strdup(name ? name : "?")};
    g_ptr_array_add(p->locks, lock);
    g_hash_table_insert(p->by_id, g_memdup2(&id, 8),
                        GUINT_TO_POINTER(p->locks->len));
    return p->locks->len - 1;
}

GArray *potential_held_by(Potential *p, uint64_t holder)
{
    gpointer key = GSIZE_TO_POINTER(holder);
    GArray *held = g_hash_table_lookup(p->holders, key);

    if (!held) {
        held = g_array_new(false, true, sizeof(PotentialHeld));
        g_hash_table_insert(p->holders, key, held);
    }
    return held;
}

static void drop(GArray *held, unsigned lock)
{
    for (unsigned i = held->len; i > 0; i--) {
        if (g_array_index(held, PotentialHeld, i - 1).lock == lock) {
            g_array_remove_index(held, i - 1);
            return;
        }
    }
}

/* ---- Dependencies ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

/* Of everything but what its thread had heard. */
static uint64_t hash_of(const PotentialDependency *d)
{
    uint64_t hash = mix(d->from, d->to);

    hash = mix(mix(hash, d->thread), d->clock);
    hash = mix(mix(hash, d->born), d->gates->len);
    for (unsigned i = 0; i < d->gates->len; i++) {
        hash = mix(hash, g_array_index(d->gates, unsigned, i));
    }
    hash = mix(mix(hash, d->held_at->line), d->wanted_at->line);
    hash = mix(hash, g_str_hash(d->held_at->file));
    return mix(hash, g_str_hash(d->wanted_at->file));
}

/* Of those that differ in what their threads had heard some are enough. */
static void add_dependency(Potential *p, PotentialDependency dependency)
{
    gpointer key = GSIZE_TO_POINTER(hash_of(&dependency));
    unsigned same = GPOINTER_TO_UINT(g_hash_table_lookup(p->seen, key));
    PotentialDependency *copy = g_memdup2(&dependency, sizeof(dependency));

    if (same >= (copy->known ? VARIANTS : 1)) {
        free_dependency(copy);
        return;
    }
    g_hash_table_insert(p->seen, key, GUINT_TO_POINTER(same + 1));
    g_ptr_array_add(p->dependencies, copy);
    p->searched = false;
}

static int compare_gates(gconstpointer a, gconstpointer b)
{
    return *(const unsigned *)a < *(const unsigned *)b ? -1
           : *(const unsigned *)a > *(const unsigned *)b;
}

GArray *potential_gates(const GArray *held, unsigned from, unsigned to)
{
    GArray *gates = g_array_new(false, false, sizeof(unsigned));

    for (unsigned i = 0; i < held->len; i++) {
        unsigned lock = g_array_index(held, PotentialHeld, i).lock;

        if (lock != from && lock != to) {
            g_array_append_val(gates, lock);
        }
    }
    g_array_sort(gates, compare_gates);
    return gates;
}

void potential_depend(Potential *p, PotentialDependency d, uint32_t on,
                      const char *by)
{
    d.by = g_strdup(by);
    d.run = p->run;
    d.clock_thread = on;
    d.clock = *potential_clock_at(clock_of(p, on), on);
    d.over = g_array_copy(clock_of(p, on));
    if (potential_lock(p, d.from)->is_event ||
        potential_lock(p, d.to)->is_event) {
        d.known = potential_order_known(p->order, on, &d.known_at);
    }
    d.born = GPOINTER_TO_SIZE(g_hash_table_lookup(p->births,
                                                  GSIZE_TO_POINTER(d.thread)));
    add_dependency(p, d);
}

/* @holder, on @thread, has taken @lock after waiting for it, if need be. */
static void take(Potential *p, uint64_t holder, uint32_t thread,
                 const char *by, unsigned lock, const ProbeSite *site)
{
    GArray *held = potential_held_by(p, holder);
    PotentialHeld taken = {lock, site, 0};

    for (unsigned i = 0; i < held->len; i++) {
        const PotentialHeld *other = &g_array_index(held, PotentialHeld, i);

        if (other->lock != lock) {
            potential_depend(p, (PotentialDependency){
                .from = other->lock, .to = lock, .thread = holder,
                .held_at = other->site, .wanted_at = site,
                .gates = potential_gates(held, other->lock, lock),
            }, thread, by);
        }
    }
    g_array_append_val(held, taken);
}

/* ---- Events ---- */

/* Trylocks do not wait: what they take is held, and depends on nothing. */
static bool was_tried(const ProbeEvent *event)
{
    return event->a == 1;
}

static void apply_mutex(Potential *p, const ProbeEvent *event,
                        const Model *model)
{
    const ModelThread *thread = model_thread(model, event->thread);
    const char *name = model_lock_name(event->text);
    unsigned lock = potential_lock_of(p, event->obj, name);
    PotentialHeld taken = {lock, event->site, 0};

    if (was_tried(event)) {
        g_array_append_val(potential_held_by(p, event->thread), taken);
    } else {
        take(p, event->thread, event->thread, thread ? thread->name : "?",
             lock, event->site);
    }
}

static void apply_colock(Potential *p, const ProbeEvent *event,
                         const Model *model)
{
    const ModelObject *co = model_find(model, event->a);

    take(p, event->a, event->thread, co && co->name ? co->name : "coroutine",
         potential_lock_of(p, event->obj, model_lock_name(event->text)),
         event->site);
}

/* Its dependencies were made in a life that is over. */
static void end_coroutine(Potential *p, uint64_t coroutine, uint64_t seq)
{
    for (unsigned i = 0; i < p->dependencies->len; i++) {
        PotentialDependency *d = g_ptr_array_index(p->dependencies, i);

        if (d->run == p->run && d->thread == coroutine && !d->ended) {
            d->ended = seq;
            p->searched = false;
        }
    }
}

void potential_apply(Potential *p, const ProbeEvent *event, const Model *model)
{
    switch (event->kind) {
    case PROBE_THREAD_CREATE:
        pass_on(p, event->thread, event->obj);
        break;
    case PROBE_JOIN_END:
        pass_on(p, event->obj, event->thread);
        break;
    case PROBE_CO_CREATE:
        g_hash_table_insert(p->births, GSIZE_TO_POINTER(event->obj),
                            GSIZE_TO_POINTER(model->seq + 1));
        break;
    case PROBE_CO_END:
        end_coroutine(p, event->obj, model->seq + 1);
        break;
    case PROBE_LOCK:
        apply_mutex(p, event, model);
        break;
    case PROBE_UNLOCK:
        drop(potential_held_by(p, event->thread),
             potential_lock_of(p, event->obj, NULL));
        break;
    case PROBE_CO_LOCK:
        apply_colock(p, event, model);
        break;
    case PROBE_CO_UNLOCK:
        drop(potential_held_by(p, event->a),
             potential_lock_of(p, event->obj, NULL));
        break;
    }
    potential_order_apply(p->order, event);
    potential_apply_waits(p, event, model);
}
