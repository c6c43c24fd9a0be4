/* SPDX-License-Identifier: MIT */
/* What was tried at a decision; see decision.h. */
#include "decision.h"

static Tried *find_tried(const Decision *d, uint32_t thread)
{
    for (unsigned i = 0; d->tried && i < d->tried->len; i++) {
        Tried *tried = &g_array_index(d->tried, Tried, i);

        if (tried->thread == thread) {
            return tried;
        }
    }
    return NULL;
}

void decision_note_tried(Decision *d, uint32_t thread, const AccessSet *set)
{
    Tried *tried = find_tried(d, thread), new = {.thread = thread};

    if (!tried) {
        if (!d->tried) {
            d->tried = g_array_new(false, false, sizeof(Tried));
        }
        g_array_append_val(d->tried, new);
        tried = &g_array_index(d->tried, Tried, d->tried->len - 1);
    }
    access_set_join(&tried->set, set);
}

void decision_clear(Decision *d)
{
    for (unsigned i = 0; d->tried && i < d->tried->len; i++) {
        access_set_free(&g_array_index(d->tried, Tried, i).set);
    }
    if (d->tried) {
        g_array_free(d->tried, true);
    }
    *d = (Decision){.n = 0};
}

void decision_inherit_sleepers(Decision *to, const Decision *from,
                               const AccessSet *step)
{
    for (unsigned i = 0; from->tried && i < from->tried->len; i++) {
        const Tried *tried = &g_array_index(from->tried, Tried, i);

        if (tried->thread != from->taken &&
            (from->done | from->asleep) & thread_bit(tried->thread) &&
            !access_sets_conflict(&tried->set, step)) {
            decision_note_tried(to, tried->thread, &tried->set);
            to->asleep |= thread_bit(tried->thread);
        }
    }
}
