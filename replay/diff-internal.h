/* SPDX-License-Identifier: MIT */
/* What the files diff*.c share. */
#ifndef REPLAY_DIFF_INTERNAL_H
#define REPLAY_DIFF_INTERNAL_H

#include "diff.h"

/* The pair that a run's thread belongs to, or NULL. */
DiffThread *diff_thread_by_id(const Diff *diff, unsigned side, uint64_t id);

/* ---- diff-same.c ---- */

/* What a field of an event or of an input is, by its name in the table. */
typedef enum FieldKind {
    FIELD_NUMBER, FIELD_OBJECT, FIELD_THREAD, FIELD_TIME, FIELD_FOLLOWS,
} FieldKind;

FieldKind diff_kind_of_field(const char *name); /* or NULL */
/* @a is of the first run, @b of the second. */
bool diff_same_event(const Diff *diff, const ProbeEvent *a,
                     const ProbeEvent *b);
bool diff_same_input(const Diff *diff, const Input *a, const Input *b);

#endif
