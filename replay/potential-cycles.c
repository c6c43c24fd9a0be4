/* SPDX-License-Identifier: MIT */
/* Potential deadlocks: cycles of dependencies, and saying them. */
#include "potential-internal.h"

enum { LONGEST = 4 }; /* of more threads than that it is hardly true */

/* ---- What can happen together ---- */

static bool share_gate(const GArray *a, const GArray *b)
{
    for (unsigned i = 0; i < a->len; i++) {
        for (unsigned j = 0; j < b->len; j++) {
            if (g_array_index(a, unsigned, i) ==
                g_array_index(b, unsigned, j)) {
                return true;
            }
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
           !is_over(b, a) && !lives_apart(a, b);
}

/* @next goes on where the chain ends, and can be at the same time as all. */
static bool goes_on(const Potential *p, const GArray *chain, unsigned index)
{
    const PotentialDependency *next = potential_dependency(p, index);

    for (unsigned i = 0; i < chain->len; i++) {
        const PotentialDependency *other =
            potential_dependency(p, g_array_index(chain, unsigned, i));

        if (!can_meet(other, next)) {
            return false;
        }
    }
    return !chain->len ||
           potential_dependency(p, g_array_index(chain, unsigned,
                                                 chain->len - 1))->to ==
               next->from;
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

/* All cycles of @length that begin with what @chain holds. */
static void extend(Potential *p, GArray *chain, unsigned length)
{
    for (unsigned i = 0; i < p->dependencies->len; i++) {
        if (!goes_on(p, chain, i)) {
            continue;
        }
        g_array_append_val(chain, i);
        if (chain->len < length) {
            extend(p, chain, length);
        } else if (potential_dependency(p, i)->to ==
                       potential_dependency(
                           p, g_array_index(chain, unsigned, 0))->from &&
                   !is_known(p, chain)) {
            g_ptr_array_add(p->cycles, g_array_copy(chain));
        }
        g_array_set_size(chain, chain->len - 1);
    }
}

static void search(Potential *p)
{
    if (p->searched) {
        return;
    }
    g_ptr_array_set_size(p->cycles, 0);
    for (unsigned length = 2; length <= LONGEST; length++) {
        g_autoptr(GArray) chain = g_array_new(false, false, sizeof(unsigned));

        extend(p, chain, length);
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
            const PotentialDependency *d =
                potential_dependency(p, g_array_index(cycle, unsigned, i));

            append_row(text, i, "lock",
                       potential_lock_name(p, step ? d->to : d->from));
        }
    }
    for (unsigned i = 0; i < cycle->len; i++) {
        const PotentialDependency *d =
            potential_dependency(p, g_array_index(cycle, unsigned, i));

        g_string_append_printf(
            text, "  %s has %s  (%s, %s:%d)  and asks for %s  (%s, %s:%d)\n",
            d->by, potential_lock_name(p, d->from), d->held_at->func,
            d->held_at->file, d->held_at->line,
            potential_lock_name(p, d->to), d->wanted_at->func,
            d->wanted_at->file, d->wanted_at->line);
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
