/* SPDX-License-Identifier: MIT */
/* Sets of accesses; see access-set.h. */
#include "access-set.h"

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void access_set_tidy(AccessSet *set)
{
    unsigned n = 0;

    if (set->n > 1) {
        qsort(set->keys, set->n, sizeof(*set->keys), compare_keys);
    }
    for (unsigned i = 0; i < set->n; i++) {
        if (i + 1 < set->n && set->keys[i] >> 1 == set->keys[i + 1] >> 1) {
            continue;
        }
        set->keys[n++] = set->keys[i];
    }
    set->n = n;
}

void access_set_add(AccessSet *set, uint64_t key)
{
    if (set->n == set->max) {
        set->max = MAX(64, 2 * set->max);
        set->keys = g_renew(uint64_t, set->keys, set->max);
    }
    set->keys[set->n++] = key;
}

bool access_sets_conflict(const AccessSet *a, const AccessSet *b)
{
    unsigned i = 0, j = 0;

    if (a->all || b->all) {
        return true;
    }
    while (i < a->n && j < b->n) {
        uint64_t x = a->keys[i] >> 1, y = b->keys[j] >> 1;

        if (x == y && (a->keys[i] | b->keys[j]) & 1) {
            return true;
        }
        i += x <= y;
        j += y <= x;
    }
    return false;
}

void access_set_join(AccessSet *to, const AccessSet *from)
{
    for (unsigned i = 0; i < from->n; i++) {
        access_set_add(to, from->keys[i]);
    }
    to->all |= from->all;
    access_set_tidy(to);
}

void access_set_free(AccessSet *set)
{
    g_free(set->keys);
    *set = (AccessSet){.n = 0};
}
