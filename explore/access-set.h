/* SPDX-License-Identifier: MIT */
/* What a step touched. */
#ifndef EXPLORE_ACCESS_SET_H
#define EXPLORE_ACCESS_SET_H

#include "qemu/osdep.h"

/* Sorted and unique: an object's address / 4, times 2, plus 1 if written. */
typedef struct AccessSet {
    uint64_t *keys;
    unsigned n, max;
    bool all; /* everything: it ended the run, and what others did not do yet */
} AccessSet;

bool access_sets_conflict(const AccessSet *a, const AccessSet *b);
/* Adds what is in @from. */
void access_set_join(AccessSet *to, const AccessSet *from);
/* Neither sorted nor unique any more, until it is tidied. */
void access_set_add(AccessSet *set, uint64_t key);
/* Sorts, and keeps of each object the strongest access. */
void access_set_tidy(AccessSet *set);
void access_set_free(AccessSet *set);

#endif
