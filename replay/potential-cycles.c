/* SPDX-License-Identifier: MIT */
/* Potential deadlocks: cycles of dependencies, and saying them. */
#include "potential-internal.h"

enum { LONGEST = 4 }; /* of more threads than that it is hardly true */

/* ---- What can happen together ---- */

bool potential_has(const GArray *locks, unsigned lock)
{
    for (unsigned i = 0; i < locks->len; i++) {
        if (g_array_index(locks, unsigned, i) == lock) {
            return true;
        }
    }
    return false;
}

static bool share_gate(const GArray *a, const GArray *b)
{
    for (unsigned i = 0; i < a->len; i++) {
        if (potential_has(b, g_array_index(a, unsigned, i))) {
            return true;
        }
    }
    return false;
}

/* @a was over when the thread of @b began, or had been joined by it. */
static bool is_over(const PotentialDependency *a, const PotentialDependency *b)
{
    return a->clock_thread != b->clock_thread &&
           b->over->len > a->clock_thread &&
           g_array_index(b->over, unsigned, a->clock_thread) > a->clock;
}

/* By what threads told each other, @a was done before @b could be. */
static bool is_heard_of(const PotentialDependency *a,
                        const PotentialDependency *b)
{
    return a->known && b->known && a->run == b->run &&
           b->known->len > a->clock_thread &&
           g_array_index(b->known, unsigned, a->clock_thread) > a->known_at;
}

/* Coroutines of one thread run in turns: their lives must overlap. */
static bool lives_apart(const PotentialDependency *a,
                        const PotentialDependency *b)
{
    if (!a->born && !b->born) {
        return false;
    }
    return a->run != b->run || (a->ended && a->ended < b->born) ||
           (b->ended && b->ended < a->born);
}

static bool can_meet(const PotentialDependency *a,
                     const PotentialDependency *b)
{
    return a->thread != b->thread && a->from != b->from &&
           !share_gate(a->gates, b->gates) && !is_over(a, b) &&
           !is_over(b, a) && !is_heard_of(a, b) && !is_heard_of(b, a) &&
           !lives_apart(a, b);
}

/* An event that is brought without it, too, does not depend on it. */
static bool is_needed(const Potential *p, const PotentialDependency *d)
{
    const PotentialLock *from = potential_lock(p, d->from);

    return !from->brought || potential_has(from->needed, d->to);
}

/* What @next depends on can be at the same time as all of the chain. */
static bool goes_on(const Potential *p, const GArray *chain, unsigned index)
{
    const PotentialDependency *next = potential_dependency(p, index);

    for (unsigned i = 0; i < chain->len; i++) {
        if (!can_meet(potential_dependency(p, g_array_index(chain, unsigned,
                                                            i)), next)) {
            return false;
        }
    }
    return true;
}

/* ---- Words ---- */

static char *label(const Potential *p, unsigned index)
{
    const PotentialDependency *d = potential_dependency(p, index);

    return g_strdup_printf("%s@%s > %s@%s", potential_lock_name(p, d->from),
                           d->held_at->func, potential_lock_name(p, d->to),
                           d->wanted_at->func);
}

static char *labels_from(const Potential *p, const GArray *cycle,
                         unsigned first)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < cycle->len; i++) {
        g_autofree char *one = label(p, g_array_index(cycle, unsigned,
                                                      (first + i) %
                                                      cycle->len));

        g_string_append_printf(text, "%s%s", i ? ", " : "", one);
    }
    return g_string_free(text, false);
}

static char *signature_of(const Potential *p, const GArray *cycle)
{
    char *least = labels_from(p, cycle, 0);

    for (unsigned i = 1; i < cycle->len; i++) {
        char *other = labels_from(p, cycle, i);
        bool less = strcmp(other, least) < 0;

        g_free(less ? least : other);
        least = less ? other : least;
    }
    return least;
}

/* ---- Searching ---- */

static bool is_known(const Potential *p, const GArray *cycle)
{
    g_autofree char *signature = signature_of(p, cycle);

    for (unsigned i = 0; i < p->cycles->len; i++) {
        g_autofree char *other = signature_of(p,
                                              g_ptr_array_index(p->cycles, i));

        if (g_str_equal(signature, other)) {
            return true;
        }
    }
    return false;
}

/* The dependencies of each lock and event: of unsigned, by from. */
static GPtrArray *sort_by_lock(const Potential *p)
{
    GPtrArray *of = g_ptr_array_new_with_free_func(
        (GDestroyNotify)g_array_unref);

    for (unsigned i = 0; i < p->locks->len; i++) {
        g_ptr_array_add(of, g_array_new(false, false, sizeof(unsigned)));
    }
    for (unsigned i = 0; i < p->dependencies->len; i++) {
        const PotentialDependency *d = potential_dependency(p, i);

        if (is_needed(p, d)) {
            g_array_append_val(of->pdata[d->from], i);
        }
    }
    return of;
}

/* All cycles of @length that begin with what @chain holds, at @lock. */
static void extend(Potential *p, const GPtrArray *of, GArray *chain,
                   unsigned length, unsigned first, unsigned lock)
{
    const GArray *next = of->pdata[lock];

    for (unsigned i = 0; i < next->len; i++) {
        unsigned index = g_array_index(next, unsigned, i);
        unsigned to = potential_dependency(p, index)->to;
        bool last = chain->len + 1 == length;

        if ((last && to != first) || !goes_on(p, chain, index)) {
            continue;
        }
        g_array_append_val(chain, index);
        if (!last) {
            extend(p, of, chain, length, first, to);
        } else if (!is_known(p, chain)) {
            g_ptr_array_add(p->cycles, g_array_copy(chain));
        }
        g_array_set_size(chain, chain->len - 1);
    }
}

static void search(Potential *p)
{
    g_autoptr(GPtrArray) of = NULL;

    if (p->searched) {
        return;
    }
    of = sort_by_lock(p);
    g_ptr_array_set_size(p->cycles, 0);
    for (unsigned length = 2; length <= LONGEST; length++) {
        g_autoptr(GArray) chain = g_array_new(false, false, sizeof(unsigned));

        for (unsigned lock = 0; lock < p->locks->len; lock++) {
            extend(p, of, chain, length, lock, lock);
        }
    }
    p->searched = true;
}

unsigned potential_count(Potential *p)
{
    search(p);
    return p->cycles->len;
}

char *potential_signature(Potential *p, unsigned index)
{
    search(p);
    return signature_of(p, g_ptr_array_index(p->cycles, index));
}

/* ---- The report ---- */

enum { COLUMN = 26 };

static void append_row(GString *text, unsigned column, const char *what,
                       const char *name)
{
    g_string_append_printf(text, "  %*s%s(%s);\n", (int)(column * COLUMN), "",
                           what, name);
}

/* A thread's first lock, if it has one, and then what it asks for. */
static void append_step(GString *text, const Potential *p, unsigned column,
                        const PotentialDependency *d, unsigned step)
{
    const PotentialLock *lock = potential_lock(p, step ? d->to : d->from);

    if (step || !lock->is_event) {
        append_row(text, column, lock->is_event ? "wait" : "lock", lock->name);
    }
}

static void append_part(GString *text, const Potential *p,
                        const PotentialDependency *d)
{
    const PotentialLock *from = potential_lock(p, d->from);
    const PotentialLock *to = potential_lock(p, d->to);

    g_string_append_printf(
        text, from->is_event
            ? "  %s brings %s  (%s, %s:%d)  and needs %s for it  (%s, %s:%d)\n"
        : to->is_event
            ? "  %s has %s  (%s, %s:%d)  and waits for %s  (%s, %s:%d)\n"
            : "  %s has %s  (%s, %s:%d)  and asks for %s  (%s, %s:%d)\n",
        d->by, from->name, d->held_at->func, d->held_at->file, d->held_at->line,
        to->name, d->wanted_at->func, d->wanted_at->file, d->wanted_at->line);
}

/* As each thread takes its first lock, and then each asks for the second. */
static void append_cycle(GString *text, const Potential *p,
                         const GArray *cycle)
{
    g_string_append(text, "POTENTIAL DEADLOCK  in another schedule:\n  ");
    for (unsigned i = 0; i < cycle->len; i++) {
        const PotentialDependency *d =
            potential_dependency(p, g_array_index(cycle, unsigned, i));

        g_string_append_printf(text, "%-*s", i + 1 < cycle->len ? COLUMN : 0,
                               d->by);
    }
    g_string_append_c(text, '\n');
    for (unsigned step = 0; step < 2; step++) {
        for (unsigned i = 0; i < cycle->len; i++) {
            append_step(text, p, i, potential_dependency(
                            p, g_array_index(cycle, unsigned, i)), step);
        }
    }
    for (unsigned i = 0; i < cycle->len; i++) {
        append_part(text, p, potential_dependency(
                        p, g_array_index(cycle, unsigned, i)));
    }
}

char *potential_report(Potential *p)
{
    GString *text = g_string_new(NULL);

    search(p);
    for (unsigned i = 0; i < p->cycles->len; i++) {
        append_cycle(text, p, g_ptr_array_index(p->cycles, i));
    }
    return g_string_free(text, false);
}
